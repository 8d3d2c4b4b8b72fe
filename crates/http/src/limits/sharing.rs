//! The thread that shares request counts between the servers of one database.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use trailkeeper_domain::clock::{Clock, Entropy};
use trailkeeper_domain::ports::Store;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};

use super::{Limits, window};

/// Time between two exchanges of counts.
const INTERVAL: Duration = Duration::from_secs(1);

/// Shares counts until it is dropped.
pub struct LimitSharing {
    stop: Arc<StopSignal>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct StopSignal {
    stopped: Mutex<bool>,
    changed: Condvar,
}

impl StopSignal {
    /// Waits for one interval; `true` if the signal came.
    fn wait(&self) -> bool {
        let mut stopped = self.stopped.lock();
        self.changed.wait_while_for(&mut stopped, |stopped| !*stopped, INTERVAL);
        *stopped
    }
}

impl LimitSharing {
    /// Starts the thread.
    ///
    /// # Errors
    /// [`Error::Internal`] if the system cannot start a thread.
    pub fn start(
        limits: Arc<Limits>,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self> {
        let stop = Arc::new(StopSignal::default());
        let signal = Arc::clone(&stop);
        let thread = thread::Builder::new()
            .name("limits".to_owned())
            .spawn(move || share_until(&signal, &limits, store.as_ref(), clock.as_ref(), entropy.as_ref()))
            .map_err(Error::internal)?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for LimitSharing {
    fn drop(&mut self) {
        *self.stop.stopped.lock() = true;
        self.stop.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // The thread has no result.
            drop(thread.join());
        }
    }
}

fn share_until(signal: &StopSignal, limits: &Limits, store: &dyn Store, clock: &dyn Clock, entropy: &dyn Entropy) {
    let mut is_failing = false;
    let mut cleaned_window = None;
    // The first exchange is made at once: until then, a server does not know of the others.
    loop {
        match share_once(limits, store, clock, entropy, &mut cleaned_window) {
            Ok(()) => is_failing = false,
            // Logged once per outage. Until it ends, each server limits by its own counts.
            Err(error) if !is_failing => {
                is_failing = true;
                tracing::warn!(error = %error.chain(), "request counts cannot be shared with other servers for now");
            }
            Err(_) => {}
        }
        if signal.wait() {
            return;
        }
    }
}

/// Exchanges counts, and deletes those of past windows once per window, if there may be any.
fn share_once(
    limits: &Limits,
    store: &dyn Store,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    cleaned_window: &mut Option<Timestamp>,
) -> Result<()> {
    limits.share(store, clock, entropy)?;
    let now = clock.now();
    let window = window::start_of(now);
    if *cleaned_window != Some(window) && limits.has_published(now) {
        Limits::delete_past_counts(store, now)?;
        *cleaned_window = Some(window);
    }
    Ok(())
}
