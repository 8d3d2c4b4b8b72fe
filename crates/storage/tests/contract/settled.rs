//! Numbers of events that are settled, while transactions commit in another order than that of their numbers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;

use trailkeeper_domain::event::Event;
use trailkeeper_domain::ports::Store;
use trailkeeper_testkit::{DatabaseKind, event};

use crate::TestStore;

trailkeeper_testkit::on_both!(crate::TestStore::new =>
    stored_events_settle,
    a_number_that_is_taken_and_not_committed_holds_the_later_ones,
    a_rolled_back_transaction_leaves_a_gap_that_settles,
    nobody_who_follows_misses_an_event_or_sees_one_twice,
);

/// Sizes of transactions that a store may store in different ways.
const SIZES: [u128; 2] = [3, 300];

fn events(first: u128, count: u128) -> Vec<Event> {
    (first..first + count).map(event).collect()
}

/// The numbers of all events that are visible.
fn visible(store: &dyn Store, after: i64, until: i64) -> Vec<i64> {
    store
        .reading(|tx| {
            let mut seqs = Vec::new();
            tx.indexed_events(after, usize::MAX, &mut |event| {
                seqs.extend((event.seq <= until).then_some(event.seq));
                Ok(())
            })?;
            Ok(seqs)
        })
        .unwrap()
}

/// Looks until the numbers up to `seq` are settled.
fn settle(store: &dyn Store, seq: i64) {
    while store.settled().unwrap() < seq {
        thread::yield_now();
    }
}

fn stored_events_settle(test: &TestStore) {
    let store: &dyn Store = test.store.as_ref();
    assert_eq!(store.settled().unwrap(), 0);
    for (nth, size) in (0..).zip(SIZES) {
        store.writing(|tx| tx.insert_events(&events(nth * 1_000, size))).unwrap();
        let last = store.reading(|tx| tx.last_seq()).unwrap();
        settle(store, last);
        assert_eq!(store.settled().unwrap(), last);
    }
}

fn a_number_that_is_taken_and_not_committed_holds_the_later_ones(test: &TestStore) {
    // SQLite has one writer at a time.
    if test.kind == DatabaseKind::Sqlite {
        return;
    }
    let store: &dyn Store = test.store.as_ref();
    for (nth, size) in (0..).zip(SIZES) {
        let before = store.settled().unwrap();
        let ((took, taken), (go_on, may_go_on)) = (channel(), channel::<()>());
        thread::scope(|scope| {
            scope.spawn(move || {
                store
                    .writing(|tx| {
                        tx.insert_events(&events(nth * 10_000, size))?;
                        took.send(()).unwrap();
                        may_go_on.recv().unwrap();
                        Ok(())
                    })
                    .unwrap();
            });
            taken.recv().unwrap();
            store.writing(|tx| tx.insert_events(&events(nth * 10_000 + 1_000, size))).unwrap();
            let visible_now = visible(store, before, i64::MAX);
            assert_eq!(visible_now.len() as u128, size, "the later ones are committed");
            for _ in 0..10 {
                assert!(store.settled().unwrap() < visible_now[0], "an earlier number may become visible");
            }
            go_on.send(()).unwrap();
        });
        let last = store.reading(|tx| tx.last_seq()).unwrap();
        settle(store, last);
        assert_eq!(visible(store, before, last).len() as u128, 2 * size);
    }
}

fn a_rolled_back_transaction_leaves_a_gap_that_settles(test: &TestStore) {
    let store: &dyn Store = test.store.as_ref();
    let failed: trailkeeper_domain::Result<()> = store.writing(|tx| {
        tx.insert_events(&events(0, 3))?;
        Err(trailkeeper_domain::Error::unavailable("the test wants it so"))
    });
    failed.unwrap_err();
    store.writing(|tx| tx.insert_events(&events(10, 3))).unwrap();
    let last = store.reading(|tx| tx.last_seq()).unwrap();
    settle(store, last);
    assert_eq!(visible(store, 0, last).len(), 3);
}

fn nobody_who_follows_misses_an_event_or_sees_one_twice(test: &TestStore) {
    const WRITERS: u128 = 4;
    const TRANSACTIONS: u128 = 25;
    let store: &Arc<dyn Store> = &test.store;
    let is_over = &AtomicBool::new(false);
    let followed: Vec<Vec<i64>> = thread::scope(|scope| {
        let followers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(move || {
                    let (mut seen, mut after) = (Vec::new(), 0);
                    loop {
                        let was_over = is_over.load(Ordering::SeqCst);
                        let until = store.settled().unwrap();
                        seen.extend(visible(store.as_ref(), after, until));
                        after = after.max(until);
                        if was_over && after >= store.reading(|tx| tx.last_seq()).unwrap() {
                            return seen;
                        }
                    }
                })
            })
            .collect();
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                scope.spawn(move || {
                    for nth in 0..TRANSACTIONS {
                        let first = (writer * TRANSACTIONS + nth) * 1_000;
                        let size = if nth % 8 == 0 { 250 } else { 1 + nth % 5 };
                        store.writing(|tx| tx.insert_events(&events(first, size))).unwrap();
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.join().unwrap();
        }
        is_over.store(true, Ordering::SeqCst);
        followers.into_iter().map(|follower| follower.join().unwrap()).collect()
    });
    let all = visible(store.as_ref(), 0, i64::MAX);
    for seen in followed {
        assert!(seen == all, "{} of {} events in order", seen.len(), all.len());
    }
}
