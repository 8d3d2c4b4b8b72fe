//! Group commit: many requests, one durable transaction.
//!
//! Each commit costs a sync of the disk, independent of its size. So a request does not commit its own events: it puts
//! them into a bounded queue and waits. A writer takes all waiting events, commits them in one transaction, and then
//! answers each request. While one group is being committed, the next one gathers.
//!
//! ```text
//! request A ─┐                        ┌─► A: which of its events were new
//! request B ─┼─► queue ─► writer ─────┼─► B: …
//! request C ─┘   (bounded)  one commit └─► C: …
//! ```
//!
//! A full queue rejects a request at once and accepts none of its events. So memory is bounded, and the sender gets an
//! error.
//!
//! The store says [how many writers](Store::writers) are useful. Writers relate to each other like two servers on one
//! database: if two groups hold the same event, the store keeps one of the two and reports which. If one writer is
//! enough for the load, the others stay idle.
//!
//! If a database has several buckets, the store may say [how many events](Store::bucket_events) of one bucket are worth a
//! transaction of their own. Then a request is divided into jobs of one bucket each, which wait sorted by bucket. A writer
//! takes those of one bucket if there are enough of them, and writers take different buckets side by side. Buckets with few
//! events share a group, so that groups stay large. A request gets its answer when all of its jobs are done.

mod commit;
mod group;
mod job;
mod queue;
mod retention;
mod waiting;

use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

pub use commit::{Commit, Promise};
use queue::Queue;
use retention::KnownRules;

use crate::bucket::Buckets;
use crate::deadline;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::ports::Store;
use crate::retention::RetentionRules;

/// The destination of valid events: a store, or the queue of a server.
pub trait EventSink {
    /// Submits events. If several of them share a (tenant, id), the first one counts.
    ///
    /// If this returns an error, no event is stored, unless the error says `maybe_stored`. [`Commit`] says what holds for an
    /// error of the commit.
    fn submit(&self, events: Vec<Event>) -> Result<Commit>;

    /// The rules of retention, by which events that are too old are rejected. They may be some seconds old.
    fn retention(&self) -> Result<Arc<RetentionRules>> {
        Ok(Arc::default())
    }
}

/// Each call runs one transaction, which is done when the call returns. For programs without many concurrent senders.
impl EventSink for dyn Store + '_ {
    fn submit(&self, events: Vec<Event>) -> Result<Commit> {
        group::insert(self, &events).map(Commit::done)
    }

    fn retention(&self) -> Result<Arc<RetentionRules>> {
        let rules = self.reading(|tx| tx.retention_rules())?;
        Ok(Arc::new(RetentionRules::new(rules)))
    }
}

/// The limits of the queue and of a group.
#[derive(Debug, Clone, Copy)]
pub struct IngestLimits {
    /// The largest number of waiting events. A request that does not fit is rejected, unless the queue is empty.
    pub queue_events: usize,
    /// The number of events at which a group is committed although more events are waiting. The events that a request has in
    /// one bucket are never split. Each writer holds one group in addition to the queue.
    pub group_events: usize,
    /// The number of events that are enough for a separate group while another group is being committed. Fewer events
    /// gather until that commit ends, as they would for a single writer, unless [`Store::bucket_events`] are enough.
    pub aside_events: usize,
    /// The longest time that a group waits for its database. Then its requests fail.
    pub commit_timeout: Duration,
}

impl Default for IngestLimits {
    /// Limits for about 50 MB of waiting events at 1 KB each, and for groups that commit within a fraction of a second.
    fn default() -> Self {
        Self { queue_events: 50_000, group_events: 10_000, aside_events: 500, commit_timeout: Duration::from_secs(15) }
    }
}

/// The queue and its writers.
pub struct Ingest {
    queue: Arc<Queue>,
    writers: Mutex<Vec<JoinHandle<()>>>,
    rules: KnownRules,
    /// By these, requests are divided: only one bucket if all share their transactions.
    buckets: Buckets,
}

impl Ingest {
    /// Starts the writers' threads, and the thread that reads the rules of retention every second. Reads the number of
    /// buckets if groups are sorted by bucket.
    ///
    /// Events that are older than the rules keep them are rejected here, because nothing shows any more whether such an event
    /// is a repetition of a removed one.
    ///
    /// [`Error::Internal`] if the system cannot create a thread; those of the store.
    pub fn start(store: Arc<dyn Store>, limits: IngestLimits) -> Result<Self> {
        let (buckets, separate) = match store.bucket_events() {
            None => (Buckets::ONE, usize::MAX),
            Some(events) => (store.reading(|tx| tx.buckets())?, events),
        };
        let writers = store.writers(buckets).max(1);
        // Made before the first thread starts: if the second thread cannot start, the drop of `ingest` ends the first.
        let queue = Arc::new(Queue::new(limits.queue_events, separate));
        let rules = KnownRules::start(Arc::clone(&store))?;
        let ingest = Self { queue, writers: Mutex::default(), rules, buckets };
        let writer = Arc::new(Writer { store, queue: Arc::clone(&ingest.queue), limits });
        for _ in 0..writers {
            let writer = Arc::clone(&writer);
            let thread = thread::Builder::new().name("ingest".to_owned()).spawn(move || writer.work());
            ingest.writers.lock().push(thread.map_err(Error::internal)?);
        }
        Ok(ingest)
    }

    /// Closes the queue, commits and answers all accepted events, and returns when that is done.
    pub fn drain(&self) {
        self.queue.close();
        let writers = mem::take(&mut *self.writers.lock());
        for writer in writers {
            // A writer has no result of its own: the senders got the results of its groups.
            drop(writer.join());
        }
    }
}

/// [`Error::Overloaded`] if the queue is full, [`Error::Stopping`] if it is closed.
impl EventSink for Ingest {
    fn submit(&self, events: Vec<Event>) -> Result<Commit> {
        let (promise, commit) = Commit::pending();
        self.queue.push(job::jobs(events, promise, self.buckets))?;
        Ok(commit)
    }

    fn retention(&self) -> Result<Arc<RetentionRules>> {
        self.rules.get()
    }
}

impl Drop for Ingest {
    fn drop(&mut self) {
        self.drain();
    }
}

/// The work of a writer's thread.
struct Writer {
    store: Arc<dyn Store>,
    queue: Arc<Queue>,
    limits: IngestLimits,
}

impl Writer {
    fn work(&self) {
        while let Some(mut group) = self.queue.next_group(self.limits.group_events, self.limits.aside_events) {
            // A panic is a defect in one group. The drop of its promises reports it to the senders. The writer must
            // survive it, or no event is ever stored again.
            let attempt = AssertUnwindSafe(|| {
                let end = Instant::now() + self.limits.commit_timeout;
                deadline::until(end, || group::commit(self.store.as_ref(), group.take()));
            });
            drop(panic::catch_unwind(attempt));
        }
    }
}

#[cfg(test)]
mod bucket_tests;

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;
    use crate::testing::{MemoryStore, event};

    fn started(store: &Arc<MemoryStore>, limits: IngestLimits) -> Ingest {
        Ingest::start(Arc::clone(store) as Arc<dyn Store>, limits).unwrap()
    }

    /// A store whose first insertion waits until the test has met it at the barrier twice: once when the writer is
    /// inside, and once when it may go on. The second run of that transaction does not wait.
    fn store_with_barrier() -> (Arc<MemoryStore>, Arc<Barrier>) {
        let barrier = Arc::new(Barrier::new(2));
        let first = Mutex::new(Some(Arc::clone(&barrier)));
        let store = MemoryStore::on_insert(move |_| {
            if let Some(barrier) = first.lock().take() {
                barrier.wait();
                barrier.wait();
            }
            None
        });
        (Arc::new(store), barrier)
    }

    #[test]
    fn a_store_is_a_sink_that_is_done_at_once() {
        let store = MemoryStore::default();
        let sink: &dyn Store = &store;
        let commit = sink.submit(vec![event(1), event(2), event(1)]).unwrap();
        assert!(commit.is_done());
        assert_eq!(commit.wait().unwrap(), [true, true, false]);
        assert_eq!(store.writes(), 1);
    }

    #[test]
    fn requests_that_wait_for_a_commit_share_the_next_one() {
        let (store, barrier) = store_with_barrier();
        let ingest = started(&store, IngestLimits::default());
        let first = ingest.submit(vec![event(1)]).unwrap();
        barrier.wait();
        let others: Vec<Commit> = (2..=9).map(|number| ingest.submit(vec![event(number)]).unwrap()).collect();
        barrier.wait();
        assert_eq!(first.wait().unwrap(), [true]);
        for other in others {
            assert_eq!(other.wait().unwrap(), [true]);
        }
        assert_eq!(store.writes(), 2);
    }

    #[test]
    fn a_full_queue_refuses_a_request_and_takes_none_of_its_events() {
        let (store, barrier) = store_with_barrier();
        let ingest = started(&store, IngestLimits { queue_events: 2, ..IngestLimits::default() });
        let first = ingest.submit(vec![event(1)]).unwrap();
        barrier.wait();
        let second = ingest.submit(vec![event(2)]).unwrap();
        let refused = ingest.submit(vec![event(3), event(4)]);
        assert!(matches!(refused, Err(Error::Overloaded { .. })), "{refused:?}");
        barrier.wait();
        ingest.drain();
        assert_eq!((first.wait().unwrap(), second.wait().unwrap()), (vec![true], vec![true]));
        assert_eq!(store.records().events, [event(1), event(2)]);
    }

    #[test]
    fn a_drained_queue_has_stored_all_that_it_accepted_and_accepts_no_more() {
        let store = Arc::new(MemoryStore::default());
        let ingest = started(&store, IngestLimits::default());
        let commits: Vec<Commit> = (1..=20).map(|number| ingest.submit(vec![event(number)]).unwrap()).collect();
        ingest.drain();
        assert!(commits.iter().all(Commit::is_done));
        assert_eq!(store.records().events.len(), 20);
        assert!(matches!(ingest.submit(vec![event(21)]), Err(Error::Stopping(_))));
        ingest.drain();
    }

    #[test]
    fn a_panic_fails_its_request_and_the_writer_goes_on() {
        let store = Arc::new(MemoryStore::on_insert(|events| {
            assert!(events.iter().all(|inserted| inserted.id != event(13).id), "a defect that this test wants");
            None
        }));
        let ingest = started(&store, IngestLimits::default());
        let bad = ingest.submit(vec![event(13)]).unwrap();
        assert!(matches!(bad.wait(), Err(Error::Internal { .. })));
        assert_eq!(ingest.submit(vec![event(1)]).unwrap().wait().unwrap(), [true]);
    }
}
