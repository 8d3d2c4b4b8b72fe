//! Benchmark of storing events with random ids on SQLite: by runs of ids, and by the unique index that older versions
//! had. Without other indexes, so that ids make the difference.
//!
//! `cargo bench -p trailkeeper-storage --bench ids`, or `ROWS=5000000 cargo bench …`. Prints a Markdown table: bytes of log
//! per event and events per second, for groups of three sizes on top of `ROWS` events; then the size of the structure and
//! how long it takes to drop the index.
#![expect(clippy::unwrap_used, clippy::cast_precision_loss, reason = "a benchmark fails by panicking; ratios")]

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use trailkeeper_domain::event::Event;
use trailkeeper_domain::id::EventId;
use trailkeeper_domain::ports::Store;
use trailkeeper_storage::{DatabaseUrl, StoreOptions, migrate, open};
use trailkeeper_testkit::{TempDatabase, TestEntropy, Workload};
use uuid::Uuid;

/// The sizes of groups, and how many events are stored in such groups.
const GROUPS: [(usize, usize); 3] = [(32, 20_000), (1_000, 200_000), (20_000, 400_000)];

struct Bench {
    database: TempDatabase,
    store: Arc<dyn Store>,
    events: Workload,
    random: TestEntropy,
}

impl Bench {
    fn new(rows: u32) -> Self {
        let database = TempDatabase::sqlite();
        let url = DatabaseUrl::parse(database.url()).unwrap();
        migrate(&url).unwrap();
        let store = open(&url, &StoreOptions::default()).unwrap();
        let mut bench = Self { database, store, events: Workload::new(1, rows), random: TestEntropy::new(2) };
        let mut conn = bench.connect();
        for name in ["time", "tenant", "user", "kind", "source", "page", "session"] {
            conn.batch_execute(&format!("DROP INDEX IF EXISTS events_by_{name}")).unwrap();
        }
        for _ in 0..rows / 20_000 {
            bench.insert(20_000);
        }
        while bench.store.maintain().unwrap() {}
        bench
    }

    fn connect(&self) -> SqliteConnection {
        SqliteConnection::establish(self.database.path().to_str().unwrap()).unwrap()
    }

    fn insert(&mut self, count: usize) {
        let batch: Vec<Event> = self.batch(count);
        let new = self.store.writing(|tx| tx.insert_events(&batch)).unwrap();
        assert!(new.iter().all(|new| *new));
    }

    fn batch(&mut self, count: usize) -> Vec<Event> {
        let random = &self.random;
        let id = || Uuid::from_u64_pair(random.number(), random.number());
        self.events.by_ref().take(count).map(|event| Event { id: EventId(id()), ..event }).collect()
    }

    /// Bytes of log per event, and events per second.
    fn measure(&mut self, group: usize, events: usize) -> (f64, f64) {
        let batches: Vec<Vec<Event>> = (0..events / group).map(|_| self.batch(group)).collect();
        let mut reader = self.connect();
        reader.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        // While a snapshot is open, the log only grows.
        reader.batch_execute("BEGIN; SELECT count(*) FROM id_runs").unwrap();
        let log = PathBuf::from(format!("{}-wal", self.database.path().display()));
        let start = fs::metadata(&log).map_or(0, |log| log.len());
        let begun = Instant::now();
        for batch in &batches {
            self.store.writing(|tx| tx.insert_events(batch)).unwrap();
        }
        let seconds = begun.elapsed().as_secs_f64();
        let bytes = fs::metadata(&log).unwrap().len() - start;
        reader.batch_execute("COMMIT").unwrap();
        let stored = (batches.len() * group) as f64;
        (bytes as f64 / stored, stored / seconds)
    }

    fn count(&self, sql: &str) -> i64 {
        #[derive(QueryableByName)]
        struct Count {
            #[diesel(sql_type = BigInt)]
            count: i64,
        }
        diesel::sql_query(sql).get_result::<Count>(&mut self.connect()).unwrap().count
    }
}

fn main() {
    let rows: u32 = std::env::var("ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(2_000_000);
    println!("| {rows} rows | group | log bytes per event | events/s |\n|---|---|---|---|");
    let mut bench = Bench::new(rows);
    let pages = "SELECT count(*) * 4096 AS count FROM id_pages";
    let ids = bench.count("SELECT sum(ids) AS count FROM id_runs");
    let size = bench.count(pages) as f64 / ids as f64;
    let runs = bench.count("SELECT count(*) AS count FROM id_runs");
    for (group, events) in GROUPS {
        let (bytes, rate) = bench.measure(group, events);
        println!("| runs of ids | {group} | {bytes:.0} | {rate:.0} |");
    }
    let repeated = bench.batch(1_000);
    bench.store.writing(|tx| tx.insert_events(&repeated)).unwrap();
    let begun = Instant::now();
    let new = bench.store.writing(|tx| tx.insert_events(&repeated)).unwrap();
    assert!(new.iter().all(|new| !new));
    println!("\n{runs} runs, {size:.1} bytes per id; a repeated batch of 1000 takes {:.1?}\n", begun.elapsed());
    let mut conn = bench.connect();
    let before = bench.count("SELECT page_count AS count FROM pragma_page_count");
    conn.batch_execute("CREATE UNIQUE INDEX events_by_id ON events (id, tenant_id)").unwrap();
    let after = bench.count("SELECT page_count AS count FROM pragma_page_count");
    let events = bench.count("SELECT count(*) AS count FROM events");
    println!("| {events} rows | group | log bytes per event | events/s |\n|---|---|---|---|");
    for (group, events) in GROUPS {
        let (bytes, rate) = bench.measure(group, events);
        println!("| unique index | {group} | {bytes:.0} | {rate:.0} |");
    }
    println!("\n{:.1} bytes per id when built", (after - before) as f64 * 4096.0 / events as f64);
    let begun = Instant::now();
    conn.batch_execute("BEGIN IMMEDIATE; DROP INDEX events_by_id; COMMIT").unwrap();
    println!("dropping the index takes {:.1?}", begun.elapsed());
}
