//! Group commit by two writers on the real databases: together they answer as one writer would.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use trailkeeper_domain::bucket::Buckets;
use trailkeeper_domain::event::Event;
use trailkeeper_domain::id::UserId;
use trailkeeper_domain::ingest::{Commit, EventSink as _, Ingest, IngestLimits};
use trailkeeper_domain::{Error, Result};
use trailkeeper_storage::StoreOptions;
use trailkeeper_testkit::{Call, DatabaseKind, FaultyStore, all_events, event, user_id};

use crate::TestStore;

trailkeeper_testkit::on_both!(crate::TestStore::new =>
    a_store_reports_how_many_writers_help,
    buckets_have_writers_of_their_own,
    an_event_in_two_groups_is_new_in_the_first,
    a_rolled_back_group_leaves_its_events_to_the_next,
    a_bad_event_fails_no_other_group,
    a_panic_ends_one_group_and_no_writer,
    draining_waits_for_both_writers,
    each_event_of_many_senders_is_new_once,
);

fn a_store_reports_how_many_writers_help(test: &TestStore) {
    let expected = match test.kind {
        DatabaseKind::Sqlite => 1,
        DatabaseKind::Postgres => 2,
    };
    let (one, four) = (Buckets::ONE, Buckets::new(4).unwrap());
    for buckets in [one, four] {
        assert_eq!(test.store.writers(buckets), expected, "transactions of all buckets need no more");
    }
    assert_eq!(test.store.bucket_events(), None);
    let few = StoreOptions { readers: 3, ..StoreOptions::default() };
    assert_eq!(test.another(&few).writers(one), 1, "most connections stay for others");
}

fn buckets_have_writers_of_their_own(test: &TestStore) {
    let writers = |readers, buckets| {
        let options = StoreOptions { readers, bucket_events: NonZeroUsize::new(7), ..StoreOptions::default() };
        let store = test.another(&options);
        (store.writers(Buckets::new(buckets).unwrap()), store.bucket_events())
    };
    let expected = match test.kind {
        DatabaseKind::Sqlite => [1; 5].map(|count| (count, None)),
        DatabaseKind::Postgres => [2, 3, 4, 4, 1].map(|count| (count, Some(7))),
    };
    assert_eq!([writers(8, 1), writers(8, 3), writers(8, 4), writers(8, 256), writers(3, 4)], expected);
}

/// Numbers of events of a small and of a large group, which a store may store in different ways.
const SIZES: [std::ops::Range<u128>; 2] = [0..50, 1_000..1_300];

fn an_event_in_two_groups_is_new_in_the_first(test: &TestStore) {
    for numbers in SIZES {
        let before = stored(test);
        let store = FaultyStore::with_writers(&test.store, 2);
        let worked = first_works(&store, || Ok(()));
        let ingest = started(&store, 1);
        let first = submit(&ingest, numbers.clone().map(event).collect());
        worked.recv().unwrap();
        // The same events in reverse order, and a new event at each end.
        let (one, other) = (numbers.end + 100, numbers.end + 101);
        let second = [one].into_iter().chain(numbers.clone().rev()).chain([other]);
        let second = submit(&ingest, second.map(event).collect());
        let count = numbers.count();
        assert_eq!(first.wait().unwrap(), vec![true; count]);
        let expected: Vec<bool> = [true].into_iter().chain(vec![false; count]).chain([true]).collect();
        assert_eq!(second.wait().unwrap(), expected);
        assert_eq!(stored(test), before + count + 2);
    }
}

fn a_rolled_back_group_leaves_its_events_to_the_next(test: &TestStore) {
    for numbers in SIZES {
        let before = stored(test);
        let store = FaultyStore::with_writers(&test.store, 2);
        let worked = first_works(&store, || Err(Error::internal("the test rolls it back")));
        let ingest = started(&store, 1);
        let first = submit(&ingest, numbers.clone().map(event).collect());
        worked.recv().unwrap();
        let second = submit(&ingest, numbers.clone().rev().map(event).collect());
        assert!(matches!(first.wait(), Err(Error::Internal { .. })));
        let count = numbers.count();
        assert_eq!(second.wait().unwrap(), vec![true; count]);
        assert_eq!(stored(test), before + count);
    }
}

fn a_bad_event_fails_no_other_group(test: &TestStore) {
    let store = FaultyStore::with_writers(&test.store, 2);
    first_waits(&store, || ());
    let ingest = started(&store, 3);
    let first = submit(&ingest, vec![event(1)]);
    store.wait_for_calls(Call::Write, 1);
    // One event waits for more; three are enough for a second group while the first is being written.
    let good = submit(&ingest, vec![event(2)]);
    // Validation of requests rejects it earlier; the database is the second line of defence.
    let bad = Event { session_id: Some(String::new()), ..event(4) };
    let ill = submit(&ingest, vec![event(3), bad]);
    assert_eq!(first.wait().unwrap(), [true]);
    assert_eq!(good.wait().unwrap(), [true]);
    assert!(matches!(ill.wait(), Err(Error::Internal { .. })));
    assert_eq!(stored(test), 2);
    // The first request, the two others together, and then each of the two on its own.
    assert_eq!(store.calls(Call::Write), 4);
}

fn a_panic_ends_one_group_and_no_writer(test: &TestStore) {
    let store = FaultyStore::with_writers(&test.store, 2);
    first_waits(&store, || panic!("the test lets the first write panic"));
    let ingest = started(&store, 1);
    let first = submit(&ingest, vec![event(1)]);
    store.wait_for_calls(Call::Write, 1);
    let second = submit(&ingest, vec![event(2)]);
    assert!(matches!(first.wait(), Err(Error::Internal { .. })), "the panic drops the promise");
    assert_eq!(second.wait().unwrap(), [true]);
    // Both writers still work: the third write waits inside its transaction until the fourth begins.
    let _worked = first_works(&store, || Ok(()));
    let third = submit(&ingest, vec![event(3)]);
    store.wait_for_calls(Call::Write, 3);
    let fourth = submit(&ingest, vec![event(4)]);
    assert_eq!(third.wait().unwrap(), [true]);
    assert_eq!(fourth.wait().unwrap(), [true]);
    assert_eq!(stored(test), 3);
}

fn draining_waits_for_both_writers(test: &TestStore) {
    let store = FaultyStore::with_writers(&test.store, 2);
    let _worked = first_works(&store, || Ok(()));
    let ingest = started(&store, 1);
    let first = submit(&ingest, vec![event(1)]);
    store.wait_for_calls(Call::Write, 1);
    let second = submit(&ingest, vec![event(2)]);
    ingest.drain();
    assert!(first.is_done());
    assert_eq!(first.wait().unwrap(), [true]);
    assert!(second.is_done());
    assert_eq!(second.wait().unwrap(), [true]);
    assert!(matches!(ingest.submit(vec![event(3)]), Err(Error::Stopping(_))));
    assert_eq!(stored(test), 2);
}

fn each_event_of_many_senders_is_new_once(test: &TestStore) {
    const SENDERS: usize = 4;
    const ROUNDS: u128 = 25;
    let ingest = started(&FaultyStore::with_writers(&test.store, 2), 1);
    let answers: Vec<Vec<(u128, bool)>> = thread::scope(|scope| {
        let senders = (0..SENDERS).map(|sender| {
            let ingest = &ingest;
            scope.spawn(move || {
                let mut answers = Vec::new();
                for round in 0..ROUNDS {
                    // Each round shares half of its events with the one before, and brings a new user.
                    let mut numbers: Vec<u128> = (round * 4..round * 4 + 8).collect();
                    if sender % 2 == 1 {
                        numbers.reverse();
                    }
                    let user: Option<UserId> = Some(user_id(&format!("user-{round}")));
                    let events = numbers.iter().map(|n| Event { user_id: user.clone(), ..event(*n) }).collect();
                    let new = submit(ingest, events).wait().unwrap();
                    answers.extend(numbers.into_iter().zip(new));
                }
                answers
            })
        });
        let senders: Vec<_> = senders.collect();
        senders.into_iter().map(|sender| sender.join().unwrap()).collect()
    });
    let mut new: Vec<u128> = answers.into_iter().flatten().filter_map(|(number, new)| new.then_some(number)).collect();
    new.sort_unstable();
    let all: Vec<u128> = (0..(ROUNDS - 1) * 4 + 8).collect();
    assert_eq!(new, all);
    assert_eq!(stored(test), all.len());
}

fn started(store: &Arc<FaultyStore>, aside_events: usize) -> Ingest {
    Ingest::start(store.clone(), IngestLimits { aside_events, ..IngestLimits::default() }).unwrap()
}

fn submit(ingest: &Ingest, events: Vec<Event>) -> Commit {
    ingest.submit(events).unwrap()
}

fn stored(test: &TestStore) -> usize {
    test.store.reading(|tx| tx.events(&all_events(), None, 1_000)).unwrap().len()
}

/// Makes the next write wait until another one begins, and run `then` before its transaction.
fn first_waits(store: &FaultyStore, then: impl FnOnce() + Send + 'static) {
    let second = store.calls(Call::Write) + 2;
    store.before_write(0, move |store| {
        store.wait_for_calls(Call::Write, second);
        then();
    });
}

/// Makes the next write do its work, report it, wait until another write begins, and then end as `end` says.
fn first_works(store: &FaultyStore, end: impl FnOnce() -> Result<()> + Send + 'static) -> Receiver<()> {
    let (worked, work) = channel();
    let second = store.calls(Call::Write) + 2;
    store.before_commit(0, move |store| {
        let _unheard = worked.send(());
        store.wait_for_calls(Call::Write, second);
        end()
    });
    work
}
