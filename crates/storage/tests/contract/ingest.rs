//! Group commit over the real databases: everyone gets their own answer, and only durable ones.

use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use trailkeeper_domain::event::Event;
use trailkeeper_domain::ingest::{Ingest, IngestLimits};
use trailkeeper_domain::ports::{ReadTx, Store, WriteTx};
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};
use trailkeeper_testkit::{all_events, event, uuid};

use crate::TestStore;

on_both!(
    every_request_gets_its_own_answer,
    of_two_requests_with_one_id_one_is_told_that_it_is_new,
    a_bad_event_hurts_nobody_else,
    requests_that_wait_together_are_committed_together,
    a_full_queue_refuses_at_once_and_takes_nothing,
    draining_answers_what_was_accepted,
);

fn every_request_gets_its_own_answer(test: &TestStore) {
    let ingest = started(&test.store, IngestLimits::default());
    thread::scope(|scope| {
        for sender in 0..8_u128 {
            let ingest = &ingest;
            scope.spawn(move || {
                for round in 0..25 {
                    let first = sender * 1_000 + round * 2;
                    let answer = submit(ingest, vec![event(first), event(first + 1)]).recv().unwrap().unwrap();
                    assert_eq!(answer, [true, true]);
                }
            });
        }
    });
    assert_eq!(stored(&test.store), 8 * 25 * 2);
}

fn of_two_requests_with_one_id_one_is_told_that_it_is_new(test: &TestStore) {
    let gate = Gate::closed(&test.store);
    let ingest = started_with(gate.clone(), IngestLimits::default());
    let waiting: Vec<_> = (0..4).map(|_| submit(&ingest, vec![event(1), event(2)])).collect();
    gate.open();
    let new: Vec<Vec<bool>> = waiting.into_iter().map(|answer| answer.recv().unwrap().unwrap()).collect();
    for period in 0..2 {
        assert_eq!(new.iter().filter(|answer| answer[period]).count(), 1, "{new:?}");
    }
    assert_eq!(stored(&test.store), 2);
}

fn a_bad_event_hurts_nobody_else(test: &TestStore) {
    let gate = Gate::closed(&test.store);
    let ingest = started_with(gate.clone(), IngestLimits::default());
    // The first takes the writer to the gate, so that the others wait and become one group.
    let first = submit(&ingest, vec![event(1)]);
    // The checks on the way in would refuse it; the database is the second line.
    let bad = Event { session_id: Some(String::new()), ..event(2) };
    let (before, ill, after) =
        (submit(&ingest, vec![event(3)]), submit(&ingest, vec![event(4), bad]), submit(&ingest, vec![event(5)]));
    gate.open();
    assert_eq!(first.recv().unwrap().unwrap(), [true]);
    assert_eq!(before.recv().unwrap().unwrap(), [true]);
    assert!(matches!(ill.recv().unwrap(), Err(Error::Internal { .. })));
    assert_eq!(after.recv().unwrap().unwrap(), [true]);
    assert_eq!(stored(&test.store), 3);
}

fn requests_that_wait_together_are_committed_together(test: &TestStore) {
    let gate = Gate::closed(&test.store);
    let ingest = started_with(gate.clone(), IngestLimits { group_events: 40, ..IngestLimits::default() });
    let waiting: Vec<_> = (0..100).map(|number| submit(&ingest, vec![event(number)])).collect();
    gate.open();
    for answer in waiting {
        assert_eq!(answer.recv().unwrap().unwrap(), [true]);
    }
    // At most the one that went to the gate first, and then groups of 40.
    assert!((3..=4).contains(&gate.commits()), "{} commits", gate.commits());
    assert_eq!(stored(&test.store), 100);
}

fn a_full_queue_refuses_at_once_and_takes_nothing(test: &TestStore) {
    let gate = Gate::closed(&test.store);
    let ingest = started_with(gate.clone(), IngestLimits { queue_events: 10, ..IngestLimits::default() });
    let first = submit(&ingest, vec![event(0)]);
    gate.wait_for_writer();
    let waiting: Vec<_> = (1..=10).map(|number| submit(&ingest, vec![event(number)])).collect();
    let (done, refused) = channel();
    let error = ingest.submit(vec![event(11)], Box::new(move |result| drop(done.send(result)))).unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    assert!(refused.recv().is_err(), "a refused request is not answered later");
    gate.open();
    for answer in waiting.into_iter().chain([first]) {
        assert_eq!(answer.recv().unwrap().unwrap(), [true]);
    }
    assert_eq!(stored(&test.store), 11);
    assert_eq!(submit(&ingest, vec![event(11)]).recv().unwrap().unwrap(), [true]);
}

fn draining_answers_what_was_accepted(test: &TestStore) {
    let gate = Gate::closed(&test.store);
    let ingest = started_with(gate.clone(), IngestLimits::default());
    let waiting: Vec<_> = (0..5).map(|number| submit(&ingest, vec![event(number)])).collect();
    gate.open();
    ingest.drain();
    for answer in waiting {
        assert_eq!(answer.try_recv().unwrap().unwrap(), [true]);
    }
    assert!(matches!(ingest.submit(vec![event(9)], Box::new(drop)), Err(Error::Unavailable { .. })));
    assert_eq!(stored(&test.store), 5);
}

fn started(store: &Arc<dyn Store>, limits: IngestLimits) -> Ingest {
    Ingest::start(Arc::clone(store), limits).unwrap()
}

fn started_with(gate: Arc<Gate>, limits: IngestLimits) -> Ingest {
    Ingest::start(gate, limits).unwrap()
}

fn submit(ingest: &Ingest, events: Vec<Event>) -> Receiver<Result<Vec<bool>>> {
    let (done, answer) = channel();
    ingest.submit(events, Box::new(move |result| drop(done.send(result)))).unwrap();
    answer
}

fn stored(store: &Arc<dyn Store>) -> usize {
    let events = store.reading(|tx| tx.events(&all_events(), None, 1_000)).unwrap();
    let mut ids: Vec<_> = events.iter().map(|stored| stored.event.id.0).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), events.len(), "an event is stored twice");
    assert!(ids.iter().all(|id| *id >= uuid(0)));
    ids.len()
}

/// A store whose writers wait until it opens, so that a test says what waits together.
struct Gate {
    inner: Arc<dyn Store>,
    state: Mutex<GateState>,
    changed: Condvar,
}

#[derive(Default)]
struct GateState {
    open: bool,
    arrived: bool,
    commits: usize,
}

impl Gate {
    fn closed(store: &Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Self { inner: Arc::clone(store), state: Mutex::default(), changed: Condvar::new() })
    }

    fn open(&self) {
        self.state.lock().unwrap().open = true;
        self.changed.notify_all();
    }

    fn wait_for_writer(&self) {
        drop(self.changed.wait_while(self.state.lock().unwrap(), |state| !state.arrived).unwrap());
    }

    fn commits(&self) -> usize {
        self.state.lock().unwrap().commits
    }
}

impl Store for Gate {
    fn read(&self, work: &mut dyn FnMut(&mut dyn ReadTx) -> Result<()>) -> Result<()> {
        self.inner.read(work)
    }

    fn write(&self, work: &mut dyn FnMut(&mut dyn WriteTx) -> Result<()>) -> Result<()> {
        self.state.lock().unwrap().arrived = true;
        self.changed.notify_all();
        drop(self.changed.wait_while(self.state.lock().unwrap(), |state| !state.open).unwrap());
        let outcome = self.inner.write(work);
        self.state.lock().unwrap().commits += usize::from(outcome.is_ok());
        outcome
    }

    fn prepare(&self, now: Timestamp) -> Result<()> {
        self.inner.prepare(now)
    }

    fn ready(&self) -> Result<()> {
        self.inner.ready()
    }
}
