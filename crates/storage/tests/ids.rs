//! Every event is stored exactly once on SQLite, whatever happens: compared with a set in memory, and with the rows.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::cell::Cell;
use std::collections::HashSet;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Once};

use diesel::connection::{Instrumentation, InstrumentationEvent, SimpleConnection, set_default_instrumentation};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use trailkeeper_domain::Error;
use trailkeeper_domain::event::Event;
use trailkeeper_domain::id::{EventId, TenantId};
use trailkeeper_domain::ports::Store;
use trailkeeper_storage::{DatabaseUrl, StoreOptions, migrate, open};
use trailkeeper_testkit::{TempDatabase, TestEntropy, event, tenant_id, uuid};

/// So many ids are a run, so that some hundred events are merged several times.
const IN_MEMORY: usize = 8;

thread_local! {
    /// The statements until the next one crashes.
    static UNTIL_CRASH: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Panics at a statement. The connection is dropped with its transaction, as by the end of the process.
struct Crash;

impl Instrumentation for Crash {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if !matches!(event, InstrumentationEvent::StartQuery { .. }) {
            return;
        }
        match UNTIL_CRASH.get() {
            Some(0) => {
                UNTIL_CRASH.set(None);
                panic::resume_unwind(Box::new("the crash of the test"));
            }
            Some(left) => UNTIL_CRASH.set(Some(left - 1)),
            None => {}
        }
    }
}

fn instrument() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| set_default_instrumentation(|| Some(Box::new(Crash))).unwrap());
}

/// A database, and the ids that were acknowledged.
struct Model {
    database: TempDatabase,
    store: Option<Arc<dyn Store>>,
    stored: HashSet<(TenantId, EventId)>,
}

impl Model {
    fn new() -> Self {
        instrument();
        let database = TempDatabase::sqlite();
        migrate(&DatabaseUrl::parse(database.url()).unwrap()).unwrap();
        Self { database, store: None, stored: HashSet::new() }
    }

    fn open(&self) -> Arc<dyn Store> {
        let options = StoreOptions { ids_in_memory: IN_MEMORY, ..StoreOptions::default() };
        open(&DatabaseUrl::parse(self.database.url()).unwrap(), &options).unwrap()
    }

    fn store(&mut self) -> Arc<dyn Store> {
        let store = self.store.take().unwrap_or_else(|| self.open());
        self.store = Some(Arc::clone(&store));
        store
    }

    /// Stores a batch by this store, and checks which events it says are new.
    fn insert_by(&mut self, store: &dyn Store, batch: &[Event]) {
        let new = store.writing(|tx| tx.insert_events(batch)).unwrap();
        let expected: Vec<bool> = batch.iter().map(|event| self.stored.insert((event.tenant_id, event.id))).collect();
        let wrong = batch.iter().zip(new).zip(expected).find(|((_, new), expected)| new != expected);
        assert!(wrong.is_none(), "{wrong:?}");
    }

    fn insert(&mut self, batch: &[Event]) {
        let store = self.store();
        self.insert_by(store.as_ref(), batch);
    }

    /// Runs `work` and crashes at one of its statements. Returns whether it crashed.
    fn crash(&mut self, at: usize, work: impl FnOnce(&dyn Store)) -> bool {
        let store = self.store();
        UNTIL_CRASH.set(Some(at));
        let outcome = panic::catch_unwind(AssertUnwindSafe(|| work(store.as_ref())));
        UNTIL_CRASH.set(None);
        self.store = None;
        outcome.is_err()
    }

    /// A number from the database, without the code under test.
    fn count(&self, sql: &str) -> i64 {
        #[derive(QueryableByName)]
        struct Count {
            #[diesel(sql_type = BigInt)]
            count: i64,
        }
        let mut conn = SqliteConnection::establish(self.database.path().to_str().unwrap()).unwrap();
        diesel::sql_query(sql).get_result::<Count>(&mut conn).unwrap().count
    }

    fn execute(&self, sql: &str) {
        let mut conn = SqliteConnection::establish(self.database.path().to_str().unwrap()).unwrap();
        conn.batch_execute(sql).unwrap();
    }

    /// After a crash, a batch is stored as a whole or not at all.
    fn resolve(&mut self, batch: &[Event]) {
        let before = i64::try_from(self.stored.len()).unwrap();
        if self.count("SELECT count(*) AS count FROM events") > before {
            self.stored.extend(batch.iter().map(|event| (event.tenant_id, event.id)));
        }
    }

    /// Compares the rows, the runs and lookups with the model.
    fn check(&mut self) {
        let expected = i64::try_from(self.stored.len()).unwrap();
        assert_eq!(self.count("SELECT count(*) AS count FROM events"), expected);
        assert_eq!(
            self.count("SELECT count(*) AS count FROM (SELECT DISTINCT tenant_id, id FROM events)"),
            expected,
            "an event is stored twice"
        );
        let store = self.store();
        let mut faults = Vec::new();
        store.reading(|tx| tx.check_ids(&mut |fault| faults.push(fault))).unwrap();
        assert_eq!(faults, []);
        for (tenant, id) in self.stored.iter().step_by(self.stored.len() / 20 + 1) {
            for asked in [Some(*tenant), None] {
                let found = store.reading(|tx| tx.events_by_id(*id, asked)).unwrap();
                let with_id = self.stored.iter().filter(|(_, other)| other == id).count();
                assert_eq!(found.len(), if asked.is_some() { 1 } else { with_id.min(3) });
                assert!(found.iter().all(|found| found.event.id == *id));
                assert!(asked.is_none_or(|asked| found.iter().all(|found| found.event.tenant_id == asked)));
            }
            assert!(store.reading(|tx| tx.events_by_id(*id, Some(tenant_id(77)))).unwrap().is_empty());
        }
    }
}

/// A batch in which many ids repeat older ones, in the same or another tenant, or each other.
fn batch(random: &TestEntropy, ids: u64, events: u64) -> Vec<Event> {
    let events = random.below(events) + 1;
    (0..events)
        .map(|_| Event {
            tenant_id: tenant_id(u128::from(random.below(3) + 1)),
            id: EventId(uuid(u128::from(random.below(ids)))),
            ..event(1)
        })
        .collect()
}

#[test]
fn random_histories_store_every_event_once() {
    for seed in 0..6 {
        let random = TestEntropy::new(seed);
        let mut model = Model::new();
        for _ in 0..60 {
            let next = batch(&random, 400, 24);
            match random.below(10) {
                0..4 => model.insert(&next),
                4 => {
                    // Rolled back: nothing of it counts.
                    let store = model.store();
                    let outcome = store.writing(|tx| {
                        tx.insert_events(&next)?;
                        Err::<(), _>(Error::forbidden("no"))
                    });
                    assert!(outcome.is_err());
                }
                5 => {
                    // Two batches of one transaction.
                    let store = model.store();
                    let (first, second) = next.split_at(next.len() / 2);
                    let new =
                        store.writing(|tx| Ok([tx.insert_events(first)?, tx.insert_events(second)?].concat())).unwrap();
                    let expected: Vec<bool> =
                        next.iter().map(|event| model.stored.insert((event.tenant_id, event.id))).collect();
                    assert_eq!(new, expected);
                }
                6 => model.store = None,
                7 => {
                    // Another process.
                    let other = model.open();
                    model.insert_by(other.as_ref(), &next);
                }
                8 => {
                    let crashed = model.crash(usize::try_from(random.below(60)).unwrap(), |store| {
                        drop(store.writing(|tx| tx.insert_events(&next)));
                    });
                    if crashed {
                        model.resolve(&next);
                    } else {
                        model.stored.extend(next.iter().map(|event| (event.tenant_id, event.id)));
                    }
                }
                _ => {
                    let store = model.store();
                    for _ in 0..random.below(6) {
                        store.maintain().unwrap();
                    }
                }
            }
            if random.chance(20) {
                model.check();
            }
        }
        let store = model.store();
        while store.maintain().unwrap() {}
        model.check();
        assert_eq!(
            model.count("SELECT count(DISTINCT page / 16777216) AS count FROM id_pages"),
            model.count("SELECT count(*) AS count FROM id_runs"),
            "pages without a run are left over"
        );
        let all: Vec<Event> =
            model.stored.iter().map(|(tenant, id)| Event { tenant_id: *tenant, id: *id, ..event(1) }).collect();
        model.insert(&all);
        model.check();
    }
}

/// Numbered events of one tenant.
fn numbered(numbers: std::ops::Range<u128>) -> Vec<Event> {
    numbers.map(|number| Event { tenant_id: tenant_id(1), id: EventId(uuid(number)), ..event(1) }).collect()
}

/// Crashes at every statement by which runs are written, merged and swept, and goes on with a new store.
#[test]
fn a_crash_at_any_statement_of_the_background_work_loses_nothing() {
    let mut at = 0;
    loop {
        let mut model = Model::new();
        let mut crashed = false;
        for first in (0..160).step_by(10) {
            let next = numbered(first..first + 10);
            // Many statements are those that store the events, so the crash comes in any of them too.
            if !crashed && first >= 100 {
                crashed = model.crash(at, |store| {
                    store.writing(|tx| tx.insert_events(&next)).unwrap();
                    while store.maintain().unwrap() {}
                });
                model.resolve(&next);
            }
            model.insert(&next);
            // What was stored before is known.
            model.insert(&numbered(0..first));
        }
        model.check();
        let store = model.store();
        while store.maintain().unwrap() {}
        model.check();
        if !crashed {
            break;
        }
        at += 5;
    }
    assert!(at > 50, "the work had only {at} statements");
}

/// A database of an older version keeps its unique index until all ids are in runs.
#[test]
fn an_older_database_is_converted_in_steps() {
    let mut model = Model::new();
    model.execute("CREATE UNIQUE INDEX events_by_id ON events (id, tenant_id)");
    let indexes = "SELECT count(*) AS count FROM sqlite_schema WHERE name = 'events_by_id'";
    model.insert(&numbered(0..100));
    model.check();
    let mut steps = 0;
    let mut next = 100;
    while model.count(indexes) > 0 {
        // Interrupted again and again, while events are stored.
        model.store = None;
        let store = model.store();
        for _ in 0..9 {
            store.maintain().unwrap();
        }
        model.insert(&numbered(next - 5..next + 2));
        next += 2;
        model.check();
        steps += 1;
        assert!(steps < 100, "it does not end");
    }
    assert!(steps > 2);
    model.insert(&numbered(0..next + 10));
    model.check();
    assert_eq!(migrate(&DatabaseUrl::parse(model.database.url()).unwrap()).unwrap(), [""; 0]);
}

/// The newest events are removed by hand. Their numbers are in runs, so no new event gets one of them.
#[test]
fn ids_are_made_again_after_a_change_by_hand() {
    let mut model = Model::new();
    model.insert(&numbered(0..100));
    let store = model.store();
    while store.maintain().unwrap() {}
    model.execute("DELETE FROM events WHERE seq > 60");
    model.stored = numbered(0..60).iter().map(|event| (event.tenant_id, event.id)).collect();
    model.insert(&numbered(50..110));
    let mut faults = 0;
    store.reading(|tx| tx.check_ids(&mut |_| faults += 1)).unwrap();
    assert!(faults > 0, "the runs have entries without events");
    store.rebuild_ids().unwrap();
    model.check();
    model.insert(&numbered(0..120));
    model.check();
}

/// A damaged page is named, and never taken for one without the id.
#[test]
fn a_damaged_page_is_found_and_made_again() {
    let mut model = Model::new();
    model.insert(&numbered(0..100));
    model.execute("UPDATE id_pages SET payload = zeroblob(length(payload))");
    let store = model.store();
    let failure = store.writing(|tx| tx.insert_events(&numbered(0..100))).unwrap_err();
    assert!(failure.chain().to_string().contains("trailkeeper rebuild"), "{}", failure.chain());
    let mut faults = Vec::new();
    store.reading(|tx| tx.check_ids(&mut |fault| faults.push(fault))).unwrap();
    assert_eq!(faults.len(), 1);
    store.rebuild_ids().unwrap();
    model.check();
    model.insert(&numbered(0..101));
}

/// Another program stores events, which makes no runs.
#[test]
fn many_events_of_another_program_become_runs() {
    let mut model = Model::new();
    model.insert(&numbered(0..1));
    model.execute(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 999)
         INSERT INTO events (tenant_id, id, env_id, occurred_at, received_at, kind_ref, outcome)
         SELECT tenant_id, unhex('01990000000070008000' || printf('%012x', i)), 1, 0, 0, kind_ref, 0 FROM n, events WHERE seq = 1",
    );
    model.stored.extend(numbered(1..1_000).iter().map(|event| (event.tenant_id, event.id)));
    model.insert(&numbered(0..1_010));
    model.check();
    assert!(model.count("SELECT sum(ids) AS count FROM id_runs") > 900);
}

/// The path of the database, in the process that is killed.
const KILLED: &str = "TRAILKEEPER_TEST_KILLED_DATABASE";

/// A batch of the process that is killed: every fourth event repeats one of an earlier batch.
fn batch_of_killed(number: u64) -> Vec<Event> {
    let number = u128::from(number);
    let repeats = (0..number.min(4)).map(|at| number.saturating_sub(at * 7 + 1) * 12 + at);
    (number * 12..number * 12 + 12)
        .chain(repeats)
        .map(|id| Event { tenant_id: tenant_id(1), id: EventId(uuid(id)), ..event(1) })
        .collect()
}

/// Not a test by itself: the process that the next test kills. It prints the number of each batch that is committed.
#[test]
fn stores_batches_until_it_is_killed() {
    let Ok(url) = std::env::var(KILLED) else { return };
    let options = StoreOptions { ids_in_memory: IN_MEMORY, ..StoreOptions::default() };
    let store = open(&DatabaseUrl::parse(&url).unwrap(), &options).unwrap();
    let first: u64 = std::env::var("FIRST").unwrap().parse().unwrap();
    for number in first.. {
        store.writing(|tx| tx.insert_events(&batch_of_killed(number))).unwrap();
        println!("committed {number}");
        store.maintain().unwrap();
    }
}

#[test]
fn a_killed_process_neither_loses_nor_doubles_an_event() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    let mut model = Model::new();
    let random = TestEntropy::new(5);
    let mut next = 0;
    for _ in 0..12 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture", "stores_batches_until_it_is_killed"])
            .env(KILLED, model.database.url())
            .env("FIRST", next.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut committed = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map(Result::unwrap)
            .filter_map(|line| line.split_once("committed ").map(|(_, number)| number.trim().parse::<u64>().unwrap()));
        let last = committed.nth(usize::try_from(random.below(30)).unwrap()).unwrap();
        // SIGKILL, somewhere in a later batch or in the work after one.
        child.kill().unwrap();
        child.wait().unwrap();
        let last = committed.last().unwrap_or(last);
        for number in next..=last {
            model.stored.extend(batch_of_killed(number).iter().map(|event| (event.tenant_id, event.id)));
        }
        // The batch after the last one may be committed, or not.
        model.resolve(&batch_of_killed(last + 1));
        model.check();
        let again: Vec<Event> = (0..=last + 1).flat_map(batch_of_killed).collect();
        model.insert(&again);
        model.check();
        model.store = None;
        next = last + 2;
    }
    assert!(model.count("SELECT count(*) AS count FROM id_runs") > 1);
}
