//! Group commit: many requests, one durable transaction.
//!
//! A commit costs a sync of the disk, whatever it holds. So a request does not commit by itself: it puts
//! its events into a bounded queue and waits; a writer takes everything that waits there, commits it at
//! once, and then answers each request. While one group is on its way to the disk, the next gathers.
//!
//! ```text
//! request A ─┐                        ┌─► A: which of its events were new
//! request B ─┼─► queue ─► writer ─────┼─► B: …
//! request C ─┘   (bounded)  one commit └─► C: …
//! ```
//!
//! A full queue refuses at once and takes nothing: memory is bounded, and the sender knows.
//!
//! There are as many writers as the store [gains from](Store::writers). They are to each other what two servers of
//! one database are: of the same event in two groups the store stores one, and tells which. Where one writer is
//! enough for what comes, the others do nothing.

mod group;
mod queue;

use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crate::error::{Error, Result};
use crate::event::Event;
use crate::ports::Store;
use queue::{Job, Queue};

/// How much may wait, and how much is committed at once.
#[derive(Debug, Clone, Copy)]
pub struct IngestLimits {
    /// Events that may wait. A request that does not fit any more is refused, except by an empty queue.
    pub queue_events: usize,
    /// Events after which a group is committed although more are waiting. One request is never split. Beside what
    /// waits, each writer holds one group.
    pub group_events: usize,
    /// Events that make a group of their own while another is being committed. Fewer wait for that one's end, as they
    /// would for a single writer, and so gather.
    pub aside_events: usize,
}

impl Default for IngestLimits {
    /// About 50 MB of waiting events at 1 KB each, and groups that commit within a fraction of a second.
    fn default() -> Self {
        Self { queue_events: 50_000, group_events: 10_000, aside_events: 500 }
    }
}

/// What a request learns: for each of its events, in order, whether it was new. Its call runs on the
/// writer's thread and must not block.
pub type Done = Box<dyn FnOnce(Result<Vec<bool>>) + Send>;

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
        // Whole from the first thread on: where the system has no second one, the drop ends the first.
        let ingest = Self { queue: Arc::new(Queue::new(limits.queue_events)), writers: Mutex::default() };
        let writer = Arc::new(Writer { store, queue: Arc::clone(&ingest.queue), limits });
        for _ in 0..writers {
            let writer = Arc::clone(&writer);
            let thread = thread::Builder::new().name("ingest".to_owned()).spawn(move || writer.work());
            ingest.writers().push(thread.map_err(Error::internal)?);
        }
        Ok(ingest)
    }

    /// Hands events over. `done` is called once, after the commit or when it failed. No two of `events`
    /// may share a (tenant, id).
    ///
    /// [`Error::Overloaded`] when the queue is full, [`Error::Unavailable`] when it is closed: nothing was taken and
    /// `done` is dropped.
    pub fn submit(&self, events: Vec<Event>, done: Done) -> Result<()> {
        self.queue.push(Job { events, done })
    }

    /// Refuses what comes from now on, commits and answers what was accepted, and returns when that is done.
    pub fn drain(&self) {
        self.queue.close();
        let writers = mem::take(&mut *self.writers());
        for writer in writers {
            // It ends without a result of its own; what its groups came to, their waiters know.
            drop(writer.join());
        }
    }

    fn writers(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.writers.lock().unwrap_or_else(PoisonError::into_inner)
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
            // A panic is a defect of one group, whose waiters learn of it by the drop of their `done`; the writer
            // must outlive it, or nothing is ever stored again.
            let attempt = AssertUnwindSafe(|| group::commit(self.store.as_ref(), group.take()));
            drop(panic::catch_unwind(attempt));
        }
    }
}
