//! How fast events come in, as ratios to named baselines of the same run.
//!
//! `make bench`, or `EVENTS=1000000 make bench`. SQLite always; PostgreSQL where `TRAILKEEPER_TEST_POSTGRES_URL` names
//! one, as `make bench` does. Prints a Markdown table.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark that cannot go on should say where")]

mod baselines;
mod client;
mod server;

use std::sync::Arc;
use std::time::{Duration, Instant};

use trailkeeper_domain::event::Event;
use trailkeeper_domain::ports::Store;
use trailkeeper_storage::{DatabaseUrl, StoreOptions};
use trailkeeper_testkit::{DatabaseKind, TempDatabase, Workload};

use crate::server::Server;

/// Events in one request, and in one transaction of the baselines.
const BATCH: usize = 1_000;

/// Connections that send batches: enough that one is always waiting.
const BATCH_CONNECTIONS: usize = 4;

/// Connections that send single events.
const CONNECTIONS: usize = 64;

fn main() {
    let count: u32 = std::env::var("EVENTS").map_or(100_000, |text| text.parse().unwrap());
    let events: Vec<Event> = Workload::new(1, count).take(usize::try_from(count).unwrap()).collect();
    println!("{count} events in batches; {} as single requests\n", singles(&events).len());
    println!("| what | events/s | baseline | events/s | ratio |\n|---|---|---|---|---|");
    batches_on_sqlite(&events);
    if std::env::var_os("TRAILKEEPER_TEST_POSTGRES_URL").is_some() {
        batches_on_postgres(&events);
    }
    single_events(singles(&events));
}

/// Single requests cost more than events in batches: a part of them is enough.
fn singles(events: &[Event]) -> &[Event] {
    &events[..events.len() / 2]
}

fn batches_on_sqlite(events: &[Event]) {
    let plain = TempDatabase::new(DatabaseKind::Sqlite);
    prepared(&plain);
    let baseline = rate(events, || baselines::multi_row_inserts(&plain.path(), events, BATCH));
    let database = TempDatabase::new(DatabaseKind::Sqlite);
    let server = Server::start(prepared(&database));
    let ours = rate(events, || client::send_batches(&server, events, BATCH, BATCH_CONNECTIONS));
    row("HTTP, batches of 1,000, SQLite FULL", ours, "multi-row inserts of the same rows, in-process", baseline);
}

fn batches_on_postgres(events: &[Event]) {
    let plain = TempDatabase::new(DatabaseKind::Postgres);
    let store = prepared(&plain);
    // The port's own statement is `INSERT … SELECT FROM UNNEST`.
    let baseline = rate(events, || {
        for batch in events.chunks(BATCH) {
            store.writing(|tx| tx.insert_events(batch)).unwrap();
        }
    });
    let database = TempDatabase::new(DatabaseKind::Postgres);
    let server = Server::start(prepared(&database));
    let ours = rate(events, || client::send_batches(&server, events, BATCH, BATCH_CONNECTIONS));
    row(
        "HTTP, batches of 1,000, PostgreSQL",
        ours,
        "INSERT … SELECT FROM UNNEST of the same rows, in-process",
        baseline,
    );
}

fn single_events(events: &[Event]) {
    let plain = TempDatabase::new(DatabaseKind::Sqlite);
    let store = prepared(&plain);
    // A tenth is enough: each waits for the disk.
    let few = &events[..events.len() / 10];
    let durable = rate(few, || {
        for event in few {
            store.writing(|tx| tx.insert_events(std::slice::from_ref(event))).unwrap();
        }
    });
    let parsing = Server::start_parsing_only();
    let parsed = rate(events, || client::send_singles(&parsing, events, CONNECTIONS));
    let database = TempDatabase::new(DatabaseKind::Sqlite);
    let server = Server::start(prepared(&database));
    let ours = rate(events, || client::send_singles(&server, events, CONNECTIONS));
    let what = "HTTP, single events, 64 connections, SQLite FULL";
    row(what, ours, "one durable insert per event, in-process", durable);
    row(what, ours, "a server that only reads the same bodies", parsed);
}

/// A migrated, empty store.
fn prepared(database: &TempDatabase) -> Arc<dyn Store> {
    let url = DatabaseUrl::parse(database.url()).unwrap();
    trailkeeper_storage::migrate(&url).unwrap();
    trailkeeper_storage::open(&url, &StoreOptions::default()).unwrap()
}

/// Events per second.
fn rate(events: &[Event], work: impl FnOnce()) -> f64 {
    let started = Instant::now();
    work();
    per_second(events.len(), started.elapsed())
}

fn per_second(count: usize, elapsed: Duration) -> f64 {
    f64::from(u32::try_from(count).unwrap()) / elapsed.as_secs_f64()
}

fn row(what: &str, ours: f64, baseline: &str, theirs: f64) {
    println!("| {what} | {ours:.0} | {baseline} | {theirs:.0} | {:.2} |", ours / theirs);
}
