//! The thread that looks how far the feed is readable, while somebody listens.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use tokio::sync::watch;
use trailkeeper_domain::ports::Store;
use trailkeeper_domain::{Error, Result, deadline};

/// Time between two looks.
const INTERVAL: Duration = Duration::from_millis(50);

/// Time between two looks while the database does not answer.
const INTERVAL_OF_OUTAGE: Duration = Duration::from_millis(500);

/// The longest time that one look waits for the database.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the watcher and the listeners share.
pub struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    /// The number up to which the feed is readable, as the last look found it; 0 before the first one.
    pub settled: watch::Sender<i64>,
    /// Whether listeners must end.
    pub stopping: watch::Sender<bool>,
}

#[derive(Default)]
struct State {
    listeners: usize,
    /// Whether the thread must end.
    ended: bool,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            state: Mutex::default(),
            changed: Condvar::new(),
            settled: watch::Sender::new(0),
            stopping: watch::Sender::new(false),
        }
    }
}

impl Shared {
    /// Counts a listener, until [`left`](Self::left).
    pub fn joined(&self) {
        self.state.lock().listeners += 1;
        self.changed.notify_all();
    }

    /// Counts a listener no longer.
    pub fn left(&self) {
        self.state.lock().listeners -= 1;
    }

    /// The number of listeners.
    pub fn listeners(&self) -> usize {
        self.state.lock().listeners
    }

    /// Ends the waiting of all listeners.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Waits until somebody listens. `false` if the thread must end.
    fn wait_for_listeners(&self) -> bool {
        let mut state = self.state.lock();
        self.changed.wait_while(&mut state, |state| state.listeners == 0 && !state.ended);
        !state.ended
    }

    /// Waits for `interval`, or until the thread must end.
    fn pause(&self, interval: Duration) {
        let mut state = self.state.lock();
        self.changed.wait_while_for(&mut state, |state| !state.ended, interval);
    }
}

/// Looks until it is dropped.
pub struct Watcher {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Watcher {
    /// Starts the thread.
    ///
    /// # Errors
    /// [`Error::Internal`] if the system cannot start a thread.
    pub fn start(shared: Arc<Shared>, store: Arc<dyn Store>) -> Result<Self> {
        let watched = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("feed".to_owned())
            .spawn(move || watch_until_ended(&watched, store.as_ref()))
            .map_err(Error::internal)?;
        Ok(Self { shared, thread: Some(thread) })
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.shared.state.lock().ended = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // The thread has no result.
            drop(thread.join());
        }
    }
}

fn watch_until_ended(shared: &Shared, store: &dyn Store) {
    let mut is_failing = false;
    while shared.wait_for_listeners() {
        match deadline::until(Instant::now() + PATIENCE, || store.settled()) {
            Ok(settled) => {
                is_failing = false;
                shared.settled.send_if_modified(|known| {
                    let is_new = *known != settled;
                    *known = settled;
                    is_new
                });
            }
            Err(error) => {
                // Logged once per outage. Listeners wait on.
                if !is_failing {
                    tracing::warn!(error = %error.chain(), "those who follow the feed get no events for now");
                }
                is_failing = true;
            }
        }
        shared.pause(if is_failing { INTERVAL_OF_OUTAGE } else { INTERVAL });
    }
}
