//! A queue that sorts by bucket, on a database with several.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;

use trailkeeper_domain::Error;
use trailkeeper_domain::bucket::Buckets;
use trailkeeper_domain::event::Event;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::ingest::{Commit, EventSink as _, Ingest, IngestLimits};
use trailkeeper_domain::ports::Store;
use trailkeeper_storage::{DatabaseUrl, StoreOptions, migrate_with, open};
use trailkeeper_testkit::{TempDatabase, event, run_on_postgres, tenant_id};

/// A database with four buckets, a store on it, and a queue of that store.
struct World {
    ingest: Ingest,
    store: Arc<dyn Store>,
    database: TempDatabase,
}

impl World {
    /// So many events of one bucket get a transaction of their own.
    fn new(bucket_events: Option<usize>) -> Self {
        let database = TempDatabase::postgres();
        let url = DatabaseUrl::parse(database.url()).unwrap();
        let bucket_events = bucket_events.map(|events| NonZeroUsize::new(events).unwrap());
        let options = StoreOptions { buckets: Some(buckets()), bucket_events, ..StoreOptions::default() };
        migrate_with(&url, &options).unwrap();
        let store = open(&url, &options).unwrap();
        Self { ingest: Ingest::start(Arc::clone(&store), IngestLimits::default()).unwrap(), store, database }
    }

    fn submit(&self, events: Vec<Event>) -> Commit {
        self.ingest.submit(events).unwrap()
    }

    /// For each transaction that stored events, how many, and of how many buckets.
    fn transactions(&self) -> BTreeSet<(usize, usize)> {
        let sql = "SELECT count(*), count(DISTINCT bucket) FROM events GROUP BY xmin::text";
        let number = |text: &Option<String>| text.as_deref().unwrap().parse().unwrap();
        run_on_postgres(self.database.url(), sql)
            .iter()
            .map(|row| match row.as_slice() {
                [events, buckets] => (number(events), number(buckets)),
                _ => panic!("{row:?}"),
            })
            .collect()
    }
}

fn buckets() -> Buckets {
    Buckets::new(4).unwrap()
}

/// A tenant of each bucket.
fn tenants() -> [TenantId; 4] {
    [0, 1, 2, 3].map(|bucket| {
        let mut tenants = (1..10_000).map(tenant_id);
        tenants.find(|tenant| buckets().of(*tenant).code() == bucket).unwrap()
    })
}

/// Events of the four tenants in turns.
fn events(numbers: impl IntoIterator<Item = u128>) -> Vec<Event> {
    let tenants = tenants();
    numbers
        .into_iter()
        .zip(tenants.into_iter().cycle())
        .map(|(number, tenant_id)| Event { tenant_id, ..event(number) })
        .collect()
}

#[test]
fn each_bucket_with_enough_events_has_a_transaction_of_its_own() {
    // By one statement and by COPY.
    for count in [100, 1_200] {
        let world = World::new(Some(25));
        let sent = events(0..count);
        let stored = usize::try_from(count).unwrap();
        assert_eq!(world.submit(sent.clone()).wait().unwrap(), vec![true; stored]);
        assert_eq!(world.transactions(), BTreeSet::from([(stored / 4, 1)]));
        // Known and new ones in turns, in the order of the request.
        let mixed: Vec<Event> =
            sent.into_iter().take(24).zip(events(5_000..5_024)).flat_map(|(old, new)| [old, new]).collect();
        assert_eq!(world.submit(mixed).wait().unwrap(), [false, true].repeat(24));
    }
}

#[test]
fn few_events_of_several_buckets_share_a_transaction_and_so_do_all_unless_buckets_are_sorted() {
    for (bucket_events, count) in [(Some(26), 100), (None, 1_200)] {
        let world = World::new(bucket_events);
        let stored = usize::try_from(count).unwrap();
        assert_eq!(world.submit(events(0..count)).wait().unwrap(), vec![true; stored]);
        assert_eq!(world.transactions(), BTreeSet::from([(stored, 4)]));
    }
}

#[test]
fn a_bucket_that_waits_holds_up_no_other_bucket() {
    let world = World::new(Some(1));
    let (first, second) = (events(0..1), events(1..3).split_off(1));
    thread::scope(|scope| {
        let (inserted, is_inserted) = channel();
        // If the test fails, its end is dropped with it, and the other server goes on.
        let (end, ends) = channel();
        let (store, stored) = (&world.store, &first);
        // Another server stores the event of the first bucket, and does not commit yet.
        scope.spawn(move || {
            store.writing(|tx| {
                tx.insert_events(stored)?;
                inserted.send(()).unwrap();
                ends.recv().map_err(Error::internal)
            })
        });
        is_inserted.recv().unwrap();
        let waiting = world.submit(first.clone());
        let of_both = world.submit(first.iter().chain(&second).cloned().collect());
        let others = world.submit(second.clone());
        assert_eq!(others.wait().unwrap(), [false], "the event is stored already, by a request that is not done");
        assert!(!waiting.is_done() && !of_both.is_done());
        end.send(()).unwrap();
        assert_eq!(waiting.wait().unwrap(), [false]);
        assert_eq!(of_both.wait().unwrap(), [false, true]);
    });
}

#[test]
fn a_failed_bucket_fails_its_request_and_a_repetition_stores_the_rest_once() {
    let world = World::new(Some(1));
    let good = events(0..40);
    let mut bad = good.clone();
    // Validation of requests rejects it earlier; the database is the second line of defence.
    bad.iter_mut().step_by(4).for_each(|event| event.session_id = Some(String::new()));
    assert!(matches!(world.submit(bad).wait(), Err(Error::Internal { .. })));
    assert_eq!(world.transactions(), BTreeSet::from([(10, 1)]), "the three other buckets");
    assert_eq!(world.submit(good.clone()).wait().unwrap(), [true, false, false, false].repeat(10));
    assert_eq!(world.submit(good).wait().unwrap(), [false; 40]);
}

#[test]
fn each_event_of_many_senders_is_new_once() {
    const SENDERS: u128 = 6;
    const ROUNDS: u128 = 20;
    let world = World::new(Some(20));
    let new: Vec<u128> = thread::scope(|scope| {
        let senders = (0..SENDERS).map(|sender| {
            let world = &world;
            scope.spawn(move || {
                let mut new = Vec::new();
                for round in 0..ROUNDS {
                    // Two senders share each event, and some requests have few events.
                    let first = (sender / 2 * ROUNDS + round) * 1_000;
                    let sent = events(first..first + 8 + round * 13);
                    let answers = world.submit(sent.clone()).wait().unwrap();
                    assert_eq!(answers.len(), sent.len());
                    new.extend(sent.iter().zip(answers).filter(|(_, new)| *new).map(|(event, _)| event.id.0.as_u128()));
                }
                new
            })
        });
        let senders: Vec<_> = senders.collect();
        senders.into_iter().flat_map(|sender| sender.join().unwrap()).collect()
    });
    let distinct: BTreeSet<u128> = new.iter().copied().collect();
    assert_eq!(distinct.len(), new.len(), "an event is new twice");
    let expected: u128 = (0..ROUNDS).map(|round| 8 + round * 13).sum::<u128>() * SENDERS / 2;
    assert_eq!(u128::try_from(distinct.len()).unwrap(), expected);
    let rows = run_on_postgres(world.database.url(), "SELECT count(*) FROM events");
    assert_eq!(rows, [[Some(expected.to_string())]]);
}
