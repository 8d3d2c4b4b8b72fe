//! The lease: the right to write sheets, which one process holds at a time.

use std::cell::Cell;
use std::thread;
use std::time::Duration;

use chrono::TimeDelta;
use trailkeeper_domain::clock::{self, Clock, Entropy};
use trailkeeper_domain::ports::{Store, WriteTx};
use trailkeeper_domain::time::{Timestamp, rfc3339};
use trailkeeper_domain::{Error, Result};
use uuid::Uuid;

/// The name of the lease in the database.
const NAME: &str = "sheets";

/// How long the lease lasts after it is taken and after each write. A process that does not write for longer may lose it.
const SPAN: TimeDelta = TimeDelta::seconds(30);

/// The pause between two attempts to take the lease.
const PAUSE: Duration = Duration::from_millis(100);

/// After this time without a write, [`Lease::keep`] prolongs the lease.
const KEEP_AFTER: TimeDelta = TimeDelta::seconds(10);

/// The lease on the sheets. It is released when it is dropped; if that fails, it runs out.
pub struct Lease<'a> {
    store: &'a dyn Store,
    clock: &'a dyn Clock,
    holder: Uuid,
    kept_at: Cell<Timestamp>,
}

impl<'a> Lease<'a> {
    /// Takes the lease; `None` if another process holds it.
    pub fn take(store: &'a dyn Store, clock: &'a dyn Clock, entropy: &dyn Entropy) -> Result<Option<Self>> {
        let holder = clock::new_uuid(clock, entropy);
        let taken = store.writing(|tx| {
            let now = clock.now();
            tx.take_lease(NAME, holder, now, now + SPAN)
        })?;
        Ok(taken.then(|| Self { store, clock, holder, kept_at: Cell::new(clock.now()) }))
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
        let mut waited = Duration::ZERO;
        loop {
            if let Some(lease) = Self::take(store, clock, entropy)? {
                return Ok(lease);
            }
            if waited >= patience {
                let until = Self::taken_until(store)?;
                let until = until.map_or_else(String::new, |until| format!(" (now until {})", rfc3339(until)));
                return Err(Error::unavailable(format!(
                    "another process has the lease on the sheets{until}, and did not release it within {} seconds: a merger under heavy load or another rebuild; try again when that one is done (a killed one loses it 30 seconds after its last write)",
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
        let now = self.clock.now();
        let done = self
            .store
            .writing(|tx| if tx.keep_lease(NAME, self.holder, now + SPAN)? { work(tx).map(Some) } else { Ok(None) })?;
        self.kept_at.set(now);
        Ok(done)
    }

    /// Prolongs the lease during work that does not write, if the last write is a while ago.
    ///
    /// # Errors
    /// Those of the store, and [`lost`].
    pub fn keep(&self) -> Result<()> {
        if self.clock.now() < self.kept_at.get() + KEEP_AFTER {
            return Ok(());
        }
        self.writing(|_| Ok(()))?.ok_or_else(lost)
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.store.writing(|tx| tx.release_lease(NAME, self.holder)) {
            tracing::debug!(error = %error.chain(), "the lease on the sheets could not be released; it runs out");
        }
    }
}

/// The error of work that cannot finish because it has lost the lease.
pub fn lost() -> Error {
    Error::unavailable(
        "another server took the lease on the sheets while this one was held up; nothing more was written, try again",
    )
}
