//! Group commit on the real databases: each request gets its own answer after its events are durable.

use std::sync::Arc;
use std::thread;

use trailkeeper_domain::Error;
use trailkeeper_domain::event::Event;
use trailkeeper_domain::ingest::{Commit, EventSink as _, Ingest, IngestLimits};
use trailkeeper_domain::ports::Store;
use trailkeeper_testkit::{Call, FaultyStore, all_events, event, uuid};

use crate::TestStore;

trailkeeper_testkit::on_both!(crate::TestStore::new =>
    every_request_gets_its_own_answer,
    an_event_in_several_requests_is_new_in_one,
    a_bad_event_fails_no_other_request,
    requests_that_wait_together_are_committed_together,
    a_full_queue_rejects_a_request_at_once,
    draining_answers_every_accepted_request,
);

fn every_request_gets_its_own_answer(test: &TestStore) {
    let ingest = started(&test.store, IngestLimits::default());
    thread::scope(|scope| {
        for sender in 0..8_u128 {
            let ingest = &ingest;
            scope.spawn(move || {
                for round in 0..25 {
                    let first = sender * 1_000 + round * 2;
                    let answer = submit(ingest, vec![event(first), event(first + 1)]).wait().unwrap();
                    assert_eq!(answer, [true, true]);
                }
            });
        }
    });
    assert_eq!(stored(&test.store), 8 * 25 * 2);
}

fn an_event_in_several_requests_is_new_in_one(test: &TestStore) {
    let store = held(test);
    let ingest = started_with(store.clone(), IngestLimits::default());
    let waiting: Vec<_> = (0..4).map(|_| submit(&ingest, vec![event(1), event(2)])).collect();
    store.restore();
    let new: Vec<Vec<bool>> = waiting.into_iter().map(|answer| answer.wait().unwrap()).collect();
    for nth in 0..2 {
        assert_eq!(new.iter().filter(|answer| answer[nth]).count(), 1, "{new:?}");
    }
    assert_eq!(stored(&test.store), 2);
}

fn a_bad_event_fails_no_other_request(test: &TestStore) {
    let store = held(test);
    let ingest = started_with(store.clone(), IngestLimits::default());
    // The first occupies the writer, so that the others wait and become one group.
    let first = submit(&ingest, vec![event(1)]);
    // Validation of requests rejects it earlier; the database is the second line of defence.
    let bad = Event { session_id: Some(String::new()), ..event(2) };
    let (before, ill, after) =
        (submit(&ingest, vec![event(3)]), submit(&ingest, vec![event(4), bad]), submit(&ingest, vec![event(5)]));
    store.restore();
    assert_eq!(first.wait().unwrap(), [true]);
    assert_eq!(before.wait().unwrap(), [true]);
    assert!(matches!(ill.wait(), Err(Error::Internal { .. })));
    assert_eq!(after.wait().unwrap(), [true]);
    assert_eq!(stored(&test.store), 3);
}

fn requests_that_wait_together_are_committed_together(test: &TestStore) {
    let store = held(test);
    let ingest = started_with(store.clone(), IngestLimits { group_events: 40, ..IngestLimits::default() });
    let waiting: Vec<_> = (0..100).map(|number| submit(&ingest, vec![event(number)])).collect();
    store.restore();
    for answer in waiting {
        assert_eq!(answer.wait().unwrap(), [true]);
    }
    // At most one request that the writer took first, and then groups of 40.
    assert!((3..=4).contains(&store.commits()), "{} commits", store.commits());
    assert_eq!(stored(&test.store), 100);
}

fn a_full_queue_rejects_a_request_at_once(test: &TestStore) {
    let store = held(test);
    let ingest = started_with(store.clone(), IngestLimits { queue_events: 10, ..IngestLimits::default() });
    let first = submit(&ingest, vec![event(0)]);
    store.wait_for_calls(Call::Write, 1);
    let waiting: Vec<_> = (1..=10).map(|number| submit(&ingest, vec![event(number)])).collect();
    let error = ingest.submit(vec![event(11)]).unwrap_err();
    assert!(matches!(error, Error::Overloaded { .. }), "{error}");
    store.restore();
    for answer in waiting.into_iter().chain([first]) {
        assert_eq!(answer.wait().unwrap(), [true]);
    }
    assert_eq!(stored(&test.store), 11);
    assert_eq!(submit(&ingest, vec![event(11)]).wait().unwrap(), [true]);
}

fn draining_answers_every_accepted_request(test: &TestStore) {
    let store = held(test);
    let ingest = started_with(store.clone(), IngestLimits::default());
    let waiting: Vec<_> = (0..5).map(|number| submit(&ingest, vec![event(number)])).collect();
    store.restore();
    ingest.drain();
    for answer in waiting {
        assert!(answer.is_done());
        assert_eq!(answer.wait().unwrap(), [true]);
    }
    assert!(matches!(ingest.submit(vec![event(9)]), Err(Error::Stopping(_))));
    assert_eq!(stored(&test.store), 5);
}

/// A store that holds writes until it is restored, so that a test decides which requests wait together.
fn held(test: &TestStore) -> Arc<FaultyStore> {
    let store = FaultyStore::over(&test.store);
    store.hold(Call::Write, usize::MAX);
    store
}

fn started(store: &Arc<dyn Store>, limits: IngestLimits) -> Ingest {
    Ingest::start(Arc::clone(store), limits).unwrap()
}

fn started_with(store: Arc<FaultyStore>, limits: IngestLimits) -> Ingest {
    Ingest::start(store, limits).unwrap()
}

fn submit(ingest: &Ingest, events: Vec<Event>) -> Commit {
    ingest.submit(events).unwrap()
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
