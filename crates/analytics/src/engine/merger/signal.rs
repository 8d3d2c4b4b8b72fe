//! The signal that ends the merger's thread.

use std::time::Duration;

use parking_lot::{Condvar, Mutex};

/// The signal by which the thread is stopped.
#[derive(Default)]
pub struct Signal {
    stopped: Mutex<bool>,
    changed: Condvar,
}

impl Signal {
    /// Asks the thread to end.
    pub fn stop(&self) {
        *self.stopped.lock() = true;
        self.changed.notify_all();
    }

    /// Whether the thread is to end.
    pub fn is_stopped(&self) -> bool {
        *self.stopped.lock()
    }

    /// Waits until the thread is to end, at most for `wait`. Returns whether it is to end.
    pub fn stopped_within(&self, wait: Duration) -> bool {
        let mut stopped = self.stopped.lock();
        self.changed.wait_while_for(&mut stopped, |stopped| !*stopped, wait);
        *stopped
    }
}
