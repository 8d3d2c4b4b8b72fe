//! Tests of a queue that sorts by bucket.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use parking_lot::Condvar;

use super::*;
use crate::id::TenantId;
use crate::ports::{ReadTx, WriteTx};
use crate::testing::{MemoryStore, event_of, tenant_in};

/// The number of events that are enough for a transaction of one bucket. Fewer are few.
const ENOUGH: usize = 3;

fn two_buckets() -> Buckets {
    Buckets::new(2).unwrap()
}

/// A tenant of the first bucket and one of the second.
fn tenants() -> [TenantId; 2] {
    [0, 1].map(|bucket| tenant_in(two_buckets(), bucket))
}

/// The first tenant's events with numbers below 100, and the second tenant's others.
fn events(numbers: impl IntoIterator<Item = u32>) -> Vec<Event> {
    let [first, second] = tenants();
    numbers.into_iter().map(|number| event_of(if number < 100 { first } else { second }, number)).collect()
}

/// The numbers of the events of each transaction that was committed, or tried.
type Transactions = Arc<Mutex<Vec<Vec<u32>>>>;

/// A store with two buckets that notes its transactions. `on_insert` may answer an insertion of these numbers.
fn noting(
    on_insert: impl Fn(&[u32]) -> Option<Result<Vec<bool>>> + Send + Sync + 'static,
) -> (Arc<MemoryStore>, Transactions) {
    let transactions = Transactions::default();
    let noted = Arc::clone(&transactions);
    let store = MemoryStore::on_insert(move |events| {
        let numbers: Vec<u32> = events.iter().map(|event| event.id.0.as_u128().try_into().unwrap()).collect();
        let answer = on_insert(&numbers);
        let mut noted = noted.lock();
        // The store runs each transaction twice.
        if noted.last() != Some(&numbers) {
            noted.push(numbers);
        }
        answer
    });
    (Arc::new(store.divided(two_buckets(), ENOUGH)), transactions)
}

fn started<S: Store + 'static>(store: &Arc<S>) -> Ingest {
    Ingest::start(Arc::clone(store) as Arc<dyn Store>, IngestLimits::default()).unwrap()
}

fn stored(store: &MemoryStore) -> Vec<u128> {
    let mut stored: Vec<_> = store.records().events.iter().map(|event| event.id.0.as_u128()).collect();
    stored.sort_unstable();
    stored
}

/// A store whose writes begin in pairs: each waits for another one, for a minute at most.
struct Paired {
    store: Arc<MemoryStore>,
    begun: Mutex<usize>,
    changed: Condvar,
    /// Whether a write waited for a minute.
    missed: AtomicBool,
}

impl Store for Paired {
    fn read(&self, work: &mut dyn FnMut(&mut dyn ReadTx) -> Result<()>) -> Result<()> {
        self.store.read(work)
    }

    fn write(&self, work: &mut dyn FnMut(&mut dyn WriteTx) -> Result<()>) -> Result<()> {
        let mut begun = self.begun.lock();
        *begun += 1;
        self.changed.notify_all();
        let pair = begun.next_multiple_of(2);
        let waited = self.changed.wait_while_for(&mut begun, |begun| *begun < pair, Duration::from_mins(1));
        self.missed.fetch_or(waited.timed_out(), Ordering::SeqCst);
        drop(begun);
        self.store.write(work)
    }

    fn settled(&self) -> Result<i64> {
        self.store.settled()
    }

    fn ready(&self) -> Result<()> {
        self.store.ready()
    }

    fn writers(&self, buckets: Buckets) -> usize {
        self.store.writers(buckets)
    }

    fn bucket_events(&self) -> Option<usize> {
        self.store.bucket_events()
    }
}

#[test]
fn writers_commit_the_buckets_of_one_request_side_by_side() {
    let (store, transactions) = noting(|_| None);
    let (begun, changed, missed) = (Mutex::default(), Condvar::new(), AtomicBool::default());
    let store = Arc::new(Paired { store, begun, changed, missed });
    let ingest = started(&store);
    let first = ingest.submit(events([1, 101, 2, 102, 3, 103, 2])).unwrap();
    assert_eq!(first.wait().unwrap(), [true, true, true, true, true, true, false]);
    let again = ingest.submit(events([101, 104, 4, 1, 102, 2])).unwrap();
    assert_eq!(again.wait().unwrap(), [false, true, true, false, false, false]);
    assert!(!store.missed.load(Ordering::SeqCst), "a bucket waited for the commit of the other one");
    let mut transactions = transactions.lock().clone();
    transactions[..2].sort_unstable();
    transactions[2..].sort_unstable();
    assert_eq!(transactions, [vec![1, 2, 3, 2], vec![101, 102, 103], vec![4, 1, 2], vec![101, 104, 102]]);
    assert_eq!(stored(&store.store), [1, 2, 3, 4, 101, 102, 103, 104]);
}

#[test]
fn few_events_of_several_buckets_are_one_transaction() {
    let (store, transactions) = noting(|_| None);
    let ingest = started(&store);
    assert_eq!(ingest.submit(events([101, 1, 101, 2])).unwrap().wait().unwrap(), [true, true, false, true]);
    // By bucket: the order between tenants has no meaning.
    assert_eq!(*transactions.lock(), [vec![1, 2, 101, 101]]);
}

#[test]
fn a_failed_bucket_fails_the_request_and_a_repetition_stores_the_rest_once() {
    let fails = Arc::new(AtomicBool::new(true));
    let failing = Arc::clone(&fails);
    let (store, _) = noting(move |numbers| {
        let fails = numbers.contains(&101) && failing.load(Ordering::SeqCst);
        fails.then(|| Err(Error::overloaded("busy; nothing was stored", "busy")))
    });
    let ingest = started(&store);
    let request = || ingest.submit(events([101, 1, 102, 2, 103, 3])).unwrap();
    let error = request().wait().unwrap_err();
    assert!(error.is_maybe_stored(), "some of it is stored: {error:?}");
    assert_eq!(stored(&store), [1, 2, 3]);
    assert!(ingest.submit(events([101, 102, 103])).unwrap().wait().is_err_and(|error| !error.is_maybe_stored()));
    fails.store(false, Ordering::SeqCst);
    assert_eq!(request().wait().unwrap(), [true, false, true, false, true, false]);
    assert_eq!(stored(&store), [1, 2, 3, 101, 102, 103]);
}

#[test]
fn a_panic_in_one_bucket_fails_its_requests_and_no_other_bucket() {
    let (store, _) = noting(|numbers| {
        assert!(!numbers.contains(&113), "a defect that this test wants");
        None
    });
    let ingest = started(&store);
    let of_both = ingest.submit(events([111, 1, 112, 2, 113, 3])).unwrap();
    assert!(matches!(of_both.wait(), Err(Error::Internal { .. })));
    assert_eq!(stored(&store), [1, 2, 3]);
    // Both writers survive, for both buckets.
    for next in [10, 20, 30] {
        let events = events([next, 100 + next, next + 1, 101 + next, next + 2, 102 + next]);
        assert_eq!(ingest.submit(events).unwrap().wait().unwrap(), [true; 6]);
    }
}

#[test]
fn a_full_queue_takes_no_event_of_a_request_of_several_buckets() {
    let (entered, inside) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let first = Mutex::new(Some((entered, released)));
    let (store, _) = noting(move |_| {
        if let Some((entered, released)) = first.lock().take() {
            entered.send(()).unwrap();
            released.recv().unwrap();
        }
        None
    });
    let limits = IngestLimits { queue_events: 3, ..IngestLimits::default() };
    let ingest = Ingest::start(Arc::clone(&store) as Arc<dyn Store>, limits).unwrap();
    let first = ingest.submit(events([1])).unwrap();
    inside.recv().unwrap();
    // Too few for a second group, so the other writer leaves them in the queue.
    let second = ingest.submit(events([2, 102])).unwrap();
    let refused = ingest.submit(events([3, 103]));
    assert!(matches!(refused, Err(Error::Overloaded { .. })), "{refused:?}");
    release.send(()).unwrap();
    ingest.drain();
    assert_eq!((first.wait().unwrap(), second.wait().unwrap()), (vec![true], vec![true, true]));
    assert_eq!(stored(&store), [1, 2, 102]);
}

#[test]
fn a_drained_queue_has_stored_every_bucket_of_what_it_accepted() {
    let (store, _) = noting(|_| None);
    let ingest = started(&store);
    // Some with few events, and some with enough.
    let request = |nth: u32| events((nth..=nth + nth % 5).chain([100 + nth, 200 + nth, 300 + nth]));
    let commits: Vec<Commit> = (0..20).map(|nth| ingest.submit(request(nth)).unwrap()).collect();
    ingest.drain();
    assert!(commits.iter().all(Commit::is_done));
    assert!(commits.into_iter().all(|commit| commit.wait().is_ok()));
    assert_eq!(stored(&store).len(), 24 + 60);
    assert!(matches!(ingest.submit(events([1, 101])), Err(Error::Stopping(_))));
}

#[test]
fn a_database_with_one_bucket_has_one_writer_and_undivided_requests() {
    let store = Arc::new(MemoryStore::default().divided(Buckets::ONE, 1));
    let ingest = started(&store);
    assert_eq!(ingest.writers.lock().len(), 1);
    let events = events([101, 1, 102, 2]);
    assert_eq!(ingest.submit(events.clone()).unwrap().wait().unwrap(), [true; 4]);
    assert_eq!((store.writes(), store.records().events), (1, events), "in the order of the request");
}
