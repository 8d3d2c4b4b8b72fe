//! The background task that merges deltas into sheets.
//!
//! One merger works on a bucket at a time, whatever number of servers run: it holds the lease of the bucket, and prolongs it
//! inside every transaction in which it writes. A merger that was held up so long that another one took over writes
//! nothing of what it has computed.
//!
//! ```text
//! wait ─► enough waiting? ─► take the lease ─► read, compute ─► write: lease, sheets, marks ─► … ─► release
//!   ▲                                                                                                 │
//!   └─────────────────────────────────────────────────────────────────────────────────────────────────┘
//! ```

mod finished;
mod merged;
mod pass;
mod rounds;
mod settings;
mod signal;
mod worker;

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use parking_lot::Mutex;
use trailkeeper_domain::clock::{Clock, Entropy};
use trailkeeper_domain::ports::Store;
use trailkeeper_domain::{Error, Result};

pub use finished::{Finished, finish_periods};
pub use merged::{LeftOut, Merged};
pub use pass::run_once;
pub use settings::MergerSettings;

pub(super) use pass::{Pass, write};

use crate::engine::lease::OwnLeases;
use rounds::Rounds;
use signal::Signal;

/// Merges in the background until it is stopped or dropped.
pub struct Merger {
    signal: Arc<Signal>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Merger {
    /// Starts the merger's thread, which also prepares the store for the coming months. `own` are the leases of this process:
    /// none of its threads takes one from another.
    ///
    /// Failures are logged and tried again: an outage of the database is logged once, an unreadable row once an hour.
    ///
    /// # Errors
    /// [`Error::Internal`] if the system cannot start a thread.
    pub fn start(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        settings: MergerSettings,
        own: &Arc<OwnLeases>,
    ) -> Result<Self> {
        let signal = Arc::new(Signal::default());
        let mut rounds = Rounds::new(store, clock, entropy, Arc::clone(&signal), (settings, Arc::clone(own)));
        let thread =
            thread::Builder::new().name("merger".to_owned()).spawn(move || rounds.work()).map_err(Error::internal)?;
        Ok(Self { signal, thread: Mutex::new(Some(thread)) })
    }

    /// Stops the thread and waits for its end. It finishes the current step; the other deltas wait for the next merger.
    pub fn stop(&self) {
        self.signal.stop();
        let thread = self.thread.lock().take();
        if let Some(thread) = thread {
            // The thread returns nothing, and logs its panics itself.
            drop(thread.join());
        }
    }
}

impl Drop for Merger {
    fn drop(&mut self) {
        self.stop();
    }
}
