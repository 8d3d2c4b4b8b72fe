//! Group commit: many requests, one durable transaction.
//!
//! A commit costs a sync of the disk, whatever it holds. So a request does not commit by itself: it puts
//! its events into a bounded queue and waits; one writer takes everything that waits there, commits it at
//! once, and then answers each request. While one group is on its way to the disk, the next gathers.
//!
//! ```text
//! request A ─┐                        ┌─► A: which of its events were new
//! request B ─┼─► queue ─► writer ─────┼─► B: …
//! request C ─┘   (bounded)  one commit └─► C: …
//! ```
//!
//! A full queue refuses at once and takes nothing: memory is bounded, and the sender knows.

mod group;
mod queue;

use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, PoisonError};
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
    /// Events after which a group is committed although more are waiting. One request is never split.
    pub group_events: usize,
}

impl Default for IngestLimits {
    /// About 50 MB of waiting events at 1 KB each, and groups that commit within a fraction of a second.
    fn default() -> Self {
        Self { queue_events: 50_000, group_events: 10_000 }
    }
}

/// What a request learns: for each of its events, in order, whether it was new. Its call runs on the
/// writer's thread and must not block.
pub type Done = Box<dyn FnOnce(Result<Vec<bool>>) + Send>;

/// The queue and its writer.
pub struct Ingest {
    queue: Arc<Queue>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Ingest {
    /// Starts the writer's thread.
    ///
    /// [`Error::Internal`] when the system gives no thread.
    pub fn start(store: Arc<dyn Store>, limits: IngestLimits) -> Result<Self> {
        let queue = Arc::new(Queue::new(limits.queue_events));
        let waiting = Arc::clone(&queue);
        let writer = thread::Builder::new()
            .name("ingest".to_owned())
            .spawn(move || {
                while let Some(jobs) = waiting.next_group(limits.group_events) {
                    // A panic is a defect of one group, whose waiters learn of it by the drop of their
                    // `done`; the writer must outlive it, or nothing is ever stored again.
                    let attempt = AssertUnwindSafe(|| group::commit(store.as_ref(), jobs));
                    drop(panic::catch_unwind(attempt));
                }
            })
            .map_err(Error::internal)?;
        Ok(Self { queue, writer: Mutex::new(Some(writer)) })
    }

    /// Hands events over. `done` is called once, after the commit or when it failed. No two of `events`
    /// may share a (tenant, id).
    ///
    /// [`Error::Unavailable`] when the queue is full or closed: nothing was taken and `done` is dropped.
    pub fn submit(&self, events: Vec<Event>, done: Done) -> Result<()> {
        self.queue.push(Job { events, done })
    }

    /// Refuses what comes from now on, commits and answers what was accepted, and returns when that is done.
    pub fn drain(&self) {
        self.queue.close();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            // It ends without a result of its own; what its groups came to, their waiters know.
            drop(writer.join());
        }
    }
}

impl Drop for Ingest {
    fn drop(&mut self) {
        self.drain();
    }
}
