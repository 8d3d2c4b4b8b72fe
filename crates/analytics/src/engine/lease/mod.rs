//! The lease: the right to write sheets, which one process holds at a time.
//!
//! ```text
//! holder     take ── beat ── write ── beat ── killed
//! another         look    look    look    look    look    look    look: unchanged for SPAN ─► take
//! ```

mod beat;
#[cfg(test)]
mod tests;
mod watch;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use chrono::TimeDelta;
use parking_lot::Mutex;
use trailkeeper_domain::clock::{self, Clock, Entropy};
use trailkeeper_domain::ports::{Store, WriteTx};
use trailkeeper_domain::time::{Timestamp, rfc3339};
use trailkeeper_domain::{Error, Result};
use uuid::Uuid;

pub use watch::{LeaseWatch, NAME, OwnLeases};
use watch::{Look, SPAN};

/// The pause between two attempts to take the lease.
const PAUSE: Duration = Duration::from_millis(100);

/// After this time without a write, [`Lease::keep`] prolongs the lease. A third of [`SPAN`], so that a holder keeps it
/// although the database is slow for a second or two.
const KEEP_AFTER: TimeDelta = TimeDelta::seconds(1);

/// The lease on the sheets. It is released when it is dropped; if that fails, it runs out.
pub struct Lease<'a> {
    store: &'a dyn Store,
    clock: &'a dyn Clock,
    holder: Uuid,
    kept_at: Mutex<Timestamp>,
    /// The number of transactions in progress that prolong the lease.
    writing: AtomicUsize,
    /// The leases of the process, this one among them.
    own: Arc<OwnLeases>,
}

impl<'a> Lease<'a> {
    /// Takes the lease; `None` if another process holds it and is not gone by what `watch` has seen, or if another thread of
    /// this process holds it.
    pub fn take(
        store: &'a dyn Store,
        clock: &'a dyn Clock,
        entropy: &dyn Entropy,
        watch: &LeaseWatch,
    ) -> Result<Option<Self>> {
        let look = watch.look(store, clock)?;
        if look == Look::Taken {
            return Ok(None);
        }
        let holder = clock::new_uuid(clock, entropy);
        let taken = store.writing(|tx| {
            let now = clock.now();
            tx.take_lease(NAME, holder, LeaseWatch::expired_at(look, now), now + SPAN)
        })?;
        if !taken {
            return Ok(None);
        }
        let (kept_at, own) = (Mutex::new(clock.now()), Arc::clone(watch.own()));
        own.add(holder);
        Ok(Some(Self { store, clock, holder, kept_at, writing: AtomicUsize::new(0), own }))
    }

    /// Takes the lease, and waits up to `patience` until another process releases it.
    ///
    /// # Errors
    /// Those of the store; [`Error::Unavailable`] if another process holds it for longer.
    pub fn take_within(
        store: &'a dyn Store,
        clock: &'a dyn Clock,
        entropy: &dyn Entropy,
        patience: Duration,
    ) -> Result<Self> {
        let watch = LeaseWatch::default();
        let mut waited = Duration::ZERO;
        loop {
            if let Some(lease) = Self::take(store, clock, entropy, &watch)? {
                return Ok(lease);
            }
            if waited >= patience {
                let until = Self::taken_until(store)?;
                let until = until.map_or_else(String::new, |until| format!(" (now until {})", rfc3339(until)));
                return Err(Error::unavailable(format!(
                    "another process has the lease on the sheets{until}, and did not release it within {} seconds: a merger under heavy load or another rebuild; try again when that one is done (a killed one loses it after three seconds)",
                    patience.as_secs()
                )));
            }
            thread::sleep(PAUSE);
            waited += PAUSE;
        }
    }

    /// The end of the lease, which may have passed; `None` if no process holds it.
    fn taken_until(store: &dyn Store) -> Result<Option<Timestamp>> {
        Ok(store.reading(|tx| tx.lease(NAME))?.map(|(_, until)| until))
    }

    /// Runs `work` in a write transaction that prolongs the lease first. `None`, without running `work`, if another process
    /// has taken the lease: then nothing may be written.
    pub fn writing<T>(&self, mut work: impl FnMut(&mut dyn WriteTx) -> Result<T>) -> Result<Option<T>> {
        self.writing.fetch_add(1, Ordering::SeqCst);
        let now = self.clock.now();
        let done = self
            .store
            .writing(|tx| if tx.keep_lease(NAME, self.holder, now + SPAN)? { work(tx).map(Some) } else { Ok(None) });
        self.writing.fetch_sub(1, Ordering::SeqCst);
        if let Ok(Some(_)) = &done {
            *self.kept_at.lock() = now;
        }
        done
    }

    /// Prolongs the lease during work that does not write, if the last write is a while ago.
    ///
    /// # Errors
    /// Those of the store, and [`lost`].
    pub fn keep(&self) -> Result<()> {
        // A transaction in progress prolongs it, and would only make this one wait.
        if self.writing.load(Ordering::SeqCst) > 0 || self.clock.now() < *self.kept_at.lock() + KEEP_AFTER {
            return Ok(());
        }
        self.writing(|_| Ok(()))?.ok_or_else(lost)
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        self.own.remove(self.holder);
        if let Err(error) = self.store.writing(|tx| tx.release_lease(NAME, self.holder)) {
            tracing::debug!(error = %error.chain(), "the lease on the sheets could not be released; it runs out");
        }
    }
}

/// The error of work that cannot finish because it has lost the lease.
pub fn lost() -> Error {
    Error::unavailable(
        "another process took the lease on the sheets while this one was held up for more than three seconds; nothing more was written, try again",
    )
}
