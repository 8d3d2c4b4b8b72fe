//! Group commit by two writers over the real databases: side by side they answer as one would.

use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use trailkeeper_domain::event::Event;
use trailkeeper_domain::id::UserId;
use trailkeeper_domain::ingest::{Ingest, IngestLimits};
use trailkeeper_domain::ports::{ReadTx, Store, WriteTx};
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};
use trailkeeper_storage::StoreOptions;
use trailkeeper_testkit::{DatabaseKind, all_events, event, user_id};

use crate::TestStore;

on_both!(
    a_store_says_how_many_writers_it_takes,
    an_event_of_two_groups_at_once_is_new_in_the_first,
    what_the_first_group_takes_back_the_second_stores,
    a_group_that_falls_apart_hurts_no_other,
    a_panic_ends_one_group_and_no_writer,
    draining_waits_for_both,
    senders_of_the_same_events_are_told_once_that_each_is_new,
);

fn a_store_says_how_many_writers_it_takes(test: &TestStore) {
    let expected = match test.kind {
        DatabaseKind::Sqlite => 1,
        DatabaseKind::Postgres => 2,
    };
    assert_eq!(test.store.writers(), expected);
    let few = StoreOptions { readers: 3, ..StoreOptions::default() };
    assert_eq!(test.another(&few).writers(), 1, "most connections stay for others");
}

fn an_event_of_two_groups_at_once_is_new_in_the_first(test: &TestStore) {
    let pair = Pair::new(test, First::CommitsLate);
    let ingest = started(&pair, 1);
    let first = submit(&ingest, (0..50).map(event).collect());
    pair.wait_for_work();
    // The other way round, and with one of its own at each end.
    let second = submit(&ingest, [100].into_iter().chain((0..50).rev()).chain([101]).map(event).collect());
    assert_eq!(first.recv().unwrap().unwrap(), [true; 50]);
    let expected: Vec<bool> = [true].into_iter().chain([false; 50]).chain([true]).collect();
    assert_eq!(second.recv().unwrap().unwrap(), expected);
    assert_eq!(stored(test), 52);
}

fn what_the_first_group_takes_back_the_second_stores(test: &TestStore) {
    let pair = Pair::new(test, First::RollsBack);
    let ingest = started(&pair, 1);
    let first = submit(&ingest, (0..50).map(event).collect());
    pair.wait_for_work();
    let second = submit(&ingest, (0..50).rev().map(event).collect());
    assert!(matches!(first.recv().unwrap(), Err(Error::Internal { .. })));
    assert_eq!(second.recv().unwrap().unwrap(), [true; 50]);
    assert_eq!(stored(test), 50);
}

fn a_group_that_falls_apart_hurts_no_other(test: &TestStore) {
    let pair = Pair::new(test, First::Waits);
    let ingest = started(&pair, 3);
    let first = submit(&ingest, vec![event(1)]);
    pair.wait_for(1);
    // One waits for more; three are enough for a group beside the first.
    let good = submit(&ingest, vec![event(2)]);
    // The checks on the way in would refuse it; the database is the second line.
    let bad = Event { session_id: Some(String::new()), ..event(4) };
    let ill = submit(&ingest, vec![event(3), bad]);
    assert_eq!(first.recv().unwrap().unwrap(), [true]);
    assert_eq!(good.recv().unwrap().unwrap(), [true]);
    assert!(matches!(ill.recv().unwrap(), Err(Error::Internal { .. })));
    assert_eq!(stored(test), 2);
    // The first, the two together, and each of the two apart.
    assert_eq!(pair.begun(), 4);
}

fn a_panic_ends_one_group_and_no_writer(test: &TestStore) {
    let pair = Pair::new(test, First::Panics);
    let ingest = started(&pair, 1);
    let first = submit(&ingest, vec![event(1)]);
    pair.wait_for(1);
    let second = submit(&ingest, vec![event(2)]);
    assert!(first.recv().is_err(), "its sender learns of it by the drop");
    assert_eq!(second.recv().unwrap().unwrap(), [true]);
    // Both are still there: the third waits inside its transaction until the fourth has come.
    pair.again(First::CommitsLate);
    let third = submit(&ingest, vec![event(3)]);
    pair.wait_for(1);
    let fourth = submit(&ingest, vec![event(4)]);
    assert_eq!(third.recv().unwrap().unwrap(), [true]);
    assert_eq!(fourth.recv().unwrap().unwrap(), [true]);
    assert_eq!(stored(test), 3);
}

fn draining_waits_for_both(test: &TestStore) {
    let pair = Pair::new(test, First::CommitsLate);
    let ingest = started(&pair, 1);
    let first = submit(&ingest, vec![event(1)]);
    pair.wait_for(1);
    let second = submit(&ingest, vec![event(2)]);
    ingest.drain();
    assert_eq!(first.try_recv().unwrap().unwrap(), [true]);
    assert_eq!(second.try_recv().unwrap().unwrap(), [true]);
    assert!(matches!(ingest.submit(vec![event(3)], Box::new(drop)), Err(Error::Unavailable { .. })));
    assert_eq!(stored(test), 2);
}

fn senders_of_the_same_events_are_told_once_that_each_is_new(test: &TestStore) {
    const SENDERS: usize = 4;
    const ROUNDS: u128 = 25;
    let pair = Pair::new(test, First::IsLikeOthers);
    let ingest = started(&pair, 1);
    let told: Vec<Vec<(u128, bool)>> = thread::scope(|scope| {
        let senders = (0..SENDERS).map(|sender| {
            let ingest = &ingest;
            scope.spawn(move || {
                let mut told = Vec::new();
                for round in 0..ROUNDS {
                    // Each round shares half of its events with the one before, and brings a new user.
                    let mut numbers: Vec<u128> = (round * 4..round * 4 + 8).collect();
                    if sender % 2 == 1 {
                        numbers.reverse();
                    }
                    let user: Option<UserId> = Some(user_id(&format!("user-{round}")));
                    let events = numbers.iter().map(|n| Event { user_id: user.clone(), ..event(*n) }).collect();
                    let new = submit(ingest, events).recv().unwrap().unwrap();
                    told.extend(numbers.into_iter().zip(new));
                }
                told
            })
        });
        let senders: Vec<_> = senders.collect();
        senders.into_iter().map(|sender| sender.join().unwrap()).collect()
    });
    let mut new: Vec<u128> = told.into_iter().flatten().filter_map(|(number, new)| new.then_some(number)).collect();
    new.sort_unstable();
    let all: Vec<u128> = (0..(ROUNDS - 1) * 4 + 8).collect();
    assert_eq!(new, all);
    assert_eq!(stored(test), all.len());
}

fn started(pair: &Arc<Pair>, aside_events: usize) -> Ingest {
    let store: Arc<dyn Store> = pair.clone();
    Ingest::start(store, IngestLimits { aside_events, ..IngestLimits::default() }).unwrap()
}

fn submit(ingest: &Ingest, events: Vec<Event>) -> Receiver<Result<Vec<bool>>> {
    let (done, answer) = channel();
    ingest.submit(events, Box::new(move |result| drop(done.send(result)))).unwrap();
    answer
}

fn stored(test: &TestStore) -> usize {
    test.store.reading(|tx| tx.events(&all_events(), None, 1_000)).unwrap().len()
}

/// A store with two writers whose first transaction keeps company with the second.
struct Pair {
    inner: Arc<dyn Store>,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    first: First,
    /// Write transactions that were asked for.
    begun: usize,
    /// The first has done its work.
    worked: bool,
}

/// What the first transaction does.
#[derive(Clone, Copy)]
enum First {
    /// As every other.
    IsLikeOthers,
    /// It begins when the second does.
    Waits,
    /// It has done its work when the second begins, and then commits.
    CommitsLate,
    /// It has done its work when the second begins, and then comes to nothing.
    RollsBack,
    /// It panics when the second begins.
    Panics,
}

impl Pair {
    fn new(test: &TestStore, first: First) -> Arc<Self> {
        let state = Mutex::new(State { first, begun: 0, worked: false });
        Arc::new(Self { inner: Arc::clone(&test.store), state, changed: Condvar::new() })
    }

    /// The next transaction is the first again.
    fn again(&self, first: First) {
        *self.state.lock().unwrap() = State { first, begun: 0, worked: false };
    }

    fn begun(&self) -> usize {
        self.state.lock().unwrap().begun
    }

    fn wait_for(&self, begun: usize) {
        drop(self.changed.wait_while(self.state.lock().unwrap(), |state| state.begun < begun).unwrap());
    }

    fn wait_for_work(&self) {
        drop(self.changed.wait_while(self.state.lock().unwrap(), |state| !state.worked).unwrap());
    }

    /// Work of which the second transaction may know, before this one ends.
    fn work_first(&self, work: &mut dyn FnMut(&mut dyn WriteTx) -> Result<()>, tx: &mut dyn WriteTx) -> Result<()> {
        work(tx)?;
        self.state.lock().unwrap().worked = true;
        self.changed.notify_all();
        self.wait_for(2);
        Ok(())
    }
}

impl Store for Pair {
    fn read(&self, work: &mut dyn FnMut(&mut dyn ReadTx) -> Result<()>) -> Result<()> {
        self.inner.read(work)
    }

    fn write(&self, work: &mut dyn FnMut(&mut dyn WriteTx) -> Result<()>) -> Result<()> {
        let mut state = self.state.lock().unwrap();
        state.begun += 1;
        let first = if state.begun == 1 { state.first } else { First::IsLikeOthers };
        drop(state);
        self.changed.notify_all();
        match first {
            First::IsLikeOthers => self.inner.write(work),
            First::Waits => {
                self.wait_for(2);
                self.inner.write(work)
            }
            First::CommitsLate => self.inner.write(&mut |tx| self.work_first(work, tx)),
            First::RollsBack => self.inner.write(&mut |tx| {
                self.work_first(work, tx)?;
                Err(Error::internal("the test wants it undone"))
            }),
            First::Panics => {
                self.wait_for(2);
                panic!("the test wants it to panic");
            }
        }
    }

    fn prepare(&self, now: Timestamp) -> Result<()> {
        self.inner.prepare(now)
    }

    fn ready(&self) -> Result<()> {
        self.inner.ready()
    }

    fn writers(&self) -> usize {
        2
    }
}
