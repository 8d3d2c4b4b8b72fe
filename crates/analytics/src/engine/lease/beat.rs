//! The thread that prolongs the lease while its holder computes.

use std::thread;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::Lease;

/// The pause between two looks whether the lease is to be prolonged.
const TICK: Duration = Duration::from_millis(250);

/// Says when the work is done, also when it panics.
#[derive(Default)]
struct Done {
    is: Mutex<bool>,
    changed: Condvar,
}

impl Done {
    /// Waits for one tick. Returns whether the work is done.
    fn within_a_tick(&self) -> bool {
        let mut is = self.is.lock();
        self.changed.wait_while_for(&mut is, |is| !*is, TICK);
        *is
    }
}

struct AtEnd<'a>(&'a Done);

impl Drop for AtEnd<'_> {
    fn drop(&mut self) {
        *self.0.is.lock() = true;
        self.0.changed.notify_all();
    }
}

impl Lease<'_> {
    /// Runs `work` on this thread while another one prolongs the lease, however long the work computes between two writes.
    ///
    /// A process that is stopped as a whole does not prolong it, and loses it. Then the next [`Lease::writing`] of the work
    /// writes nothing.
    pub fn beating<T>(&self, work: impl FnOnce() -> T) -> T {
        let done = Done::default();
        thread::scope(|scope| {
            let beat = thread::Builder::new().name("lease".to_owned()).spawn_scoped(scope, || self.beat(&done));
            if let Err(error) = beat {
                tracing::warn!(%error, "there is no thread that prolongs the lease on the sheets; only writes do");
            }
            let _end = AtEnd(&done);
            work()
        })
    }

    fn beat(&self, done: &Done) {
        while !done.within_a_tick() {
            // The work notices a lost lease at its next write, and reports an outage of the database.
            if let Err(error) = self.keep() {
                tracing::debug!(error = %error.chain(), "the lease on the sheets could not be prolonged");
            }
        }
    }
}
