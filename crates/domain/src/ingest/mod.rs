//! Group commit: many requests, one durable transaction.
//!
//! A commit costs a sync of the disk, whatever it holds. So a request does not commit by itself: it puts
//! its events into a bounded queue and waits. A writer takes everything that waits there, commits it in one transaction,
//! and then answers each request. While one group is on its way to the disk, the next gathers.
//!
//! ```text
//! request A ─┐                        ┌─► A: which of its events were new
//! request B ─┼─► queue ─► writer ─────┼─► B: …
//! request C ─┘   (bounded)  one commit └─► C: …
//! ```
//!
//! A full queue rejects a request at once and takes nothing of it: memory is bounded, and the sender knows.
//!
//! There are as many writers as the store [gains from](Store::writers). They relate to each other like two servers on
//! one database: if two groups hold the same event, the store keeps one of them and reports which. Where one writer is
//! enough for the load, the others stay idle.

mod commit;
mod group;
mod queue;

use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use parking_lot::Mutex;

pub use commit::{Commit, Promise};
use queue::{Job, Queue};

use crate::error::{Error, Result};
use crate::event::Event;
use crate::ports::Store;

/// Where accepted events go: into a store directly, or into the queue of a server.
pub trait EventSink {
    /// Hands events over. Several may share a (tenant, id): the first of them counts.
    ///
    /// After an error, nothing is stored.
    fn submit(&self, events: Vec<Event>) -> Result<Commit>;
}

/// One transaction for each call, which is done when the call returns. For programs without many concurrent senders.
impl EventSink for dyn Store + '_ {
    fn submit(&self, events: Vec<Event>) -> Result<Commit> {
        group::insert(self, &events).map(Commit::done)
    }
}

/// How much may wait, and how much is committed at once.
#[derive(Debug, Clone, Copy)]
pub struct IngestLimits {
    /// Events that may wait. A request that does not fit is rejected, unless the queue is empty.
    pub queue_events: usize,
    /// Events after which a group is committed although more are waiting. A request is never split. In addition to the
    /// queue, each writer holds one group.
    pub group_events: usize,
    /// Events that make a group of their own while another is being committed. Fewer events wait until that commit
    /// ends, as they would for a single writer, and so gather.
    pub aside_events: usize,
}

impl Default for IngestLimits {
    /// About 50 MB of waiting events at 1 KB each, and groups that commit within a fraction of a second.
    fn default() -> Self {
        Self { queue_events: 50_000, group_events: 10_000, aside_events: 500 }
    }
}

/// The queue and its writers.
pub struct Ingest {
    queue: Arc<Queue>,
    writers: Mutex<Vec<JoinHandle<()>>>,
}

impl Ingest {
    /// Starts the writers' threads.
    ///
    /// [`Error::Internal`] when the system gives no thread.
    pub fn start(store: Arc<dyn Store>, limits: IngestLimits) -> Result<Self> {
        let writers = store.writers().max(1);
        // Complete before the first thread: if the system has no second one, the drop ends the first.
        let ingest = Self { queue: Arc::new(Queue::new(limits.queue_events)), writers: Mutex::default() };
        let writer = Arc::new(Writer { store, queue: Arc::clone(&ingest.queue), limits });
        for _ in 0..writers {
            let writer = Arc::clone(&writer);
            let thread = thread::Builder::new().name("ingest".to_owned()).spawn(move || writer.work());
            ingest.writers.lock().push(thread.map_err(Error::internal)?);
        }
        Ok(ingest)
    }

    /// Closes the queue, commits and answers what was accepted, and returns when that is done.
    pub fn drain(&self) {
        self.queue.close();
        let writers = mem::take(&mut *self.writers.lock());
        for writer in writers {
            // A writer has no result of its own; the results of its groups went to their senders.
            drop(writer.join());
        }
    }
}

/// [`Error::Overloaded`] when the queue is full, [`Error::Unavailable`] when it is closed.
impl EventSink for Ingest {
    fn submit(&self, events: Vec<Event>) -> Result<Commit> {
        let (promise, commit) = Commit::pending();
        self.queue.push(Job { events, promise })?;
        Ok(commit)
    }
}

impl Drop for Ingest {
    fn drop(&mut self) {
        self.drain();
    }
}

/// What each writer's thread does.
struct Writer {
    store: Arc<dyn Store>,
    queue: Arc<Queue>,
    limits: IngestLimits,
}

impl Writer {
    fn work(&self) {
        while let Some(mut group) = self.queue.next_group(self.limits.group_events, self.limits.aside_events) {
            // A panic is a defect of one group, whose senders learn of it by the drop of their promises. The writer
            // must outlive it, or nothing is ever stored again.
            let attempt = AssertUnwindSafe(|| group::commit(self.store.as_ref(), group.take()));
            drop(panic::catch_unwind(attempt));
        }
    }
}
