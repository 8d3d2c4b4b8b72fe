//! The background task that merges deltas into sheets.
//!
//! One merger works on a database at a time, whatever number of servers run: it has the [lease](Lease), and asks for
//! it again inside every transaction by which it writes. A merger that was held up so long that another one took over
//! writes nothing of what it had computed.
//!
//! ```text
//! wait ─► anything pending? ─► take the lease ─► read, compute ─► write: lease, deltas away, runs ─► … ─► release
//!   ▲                                                                                                     │
//!   └─────────────────────────────────────────────────────────────────────────────────────────────────────┘
//! ```

mod lease;
mod pass;
mod worker;

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use trailkeeper_domain::clock::{Clock, Entropy};
use trailkeeper_domain::ports::Store;
use trailkeeper_domain::{Error, Result};

pub use pass::{Merged, run_once};

pub(super) use lease::{Lease, lost};
pub(super) use pass::{Pass, write};

use worker::{Signal, Worker};

/// How a merger works.
#[derive(Debug, Clone, Copy)]
pub struct MergerSettings {
    /// How long to wait after one look for deltas before the next.
    pub every: Duration,
}

impl Default for MergerSettings {
    /// Each five seconds: questions fold what waits, so nothing depends on it but their speed. Of busy times, rarer
    /// passes leave more to those who store: a pass costs by the periods that it touches more than by the events.
    fn default() -> Self {
        Self { every: Duration::from_secs(5) }
    }
}

/// Merges in the background until it is stopped or dropped.
pub struct Merger {
    signal: Arc<Signal>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Merger {
    /// Starts the merger's thread. It also has the store prepared for the months to come.
    ///
    /// What goes wrong is logged, and tried again: an outage of the database once, an unreadable row now and then.
    ///
    /// # Errors
    /// [`Error::Internal`] when the system gives no thread.
    pub fn start(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        settings: MergerSettings,
    ) -> Result<Self> {
        let signal = Arc::new(Signal::default());
        let mut worker = Worker::new(store, clock, entropy, Arc::clone(&signal));
        let thread = thread::Builder::new()
            .name("merger".to_owned())
            .spawn(move || worker.work(settings.every))
            .map_err(Error::internal)?;
        Ok(Self { signal, thread: Mutex::new(Some(thread)) })
    }

    /// Ends the work and returns when that is done. A step that is being written is finished, one that is being
    /// computed as well; the rest waits for the next merger.
    pub fn stop(&self) {
        self.signal.stop();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // It ends without a result of its own.
            drop(thread.join());
        }
    }
}

impl Drop for Merger {
    fn drop(&mut self) {
        self.stop();
    }
}
