//! The right to write sheets, which one process at a time has.

use std::cell::Cell;

use chrono::TimeDelta;
use trailkeeper_domain::clock::{self, Clock, Entropy};
use trailkeeper_domain::ports::{Store, WriteTx};
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};
use uuid::Uuid;

/// Its name in the database.
const NAME: &str = "sheets";

/// For how long it is taken, and prolonged from each write on. Whoever takes longer between two writes may lose it.
const SPAN: TimeDelta = TimeDelta::seconds(30);

/// After this time without a write it is prolonged by itself.
const DROWSY: TimeDelta = TimeDelta::seconds(10);

/// The lease on the sheets. Given back when it is dropped; where that fails, it runs out.
pub struct Lease<'a> {
    store: &'a dyn Store,
    clock: &'a dyn Clock,
    holder: Uuid,
    kept_at: Cell<Timestamp>,
}

impl<'a> Lease<'a> {
    /// Takes it; `None` when somebody else has it.
    pub fn take(store: &'a dyn Store, clock: &'a dyn Clock, entropy: &dyn Entropy) -> Result<Option<Self>> {
        let holder = clock::new_uuid(clock, entropy);
        let taken = store.writing(|tx| {
            let now = clock.now();
            tx.take_lease(NAME, holder, now, now + SPAN)
        })?;
        Ok(taken.then(|| Self { store, clock, holder, kept_at: Cell::new(clock.now()) }))
    }

    /// Until when somebody has it; `None` when nobody does.
    pub fn taken_until(store: &dyn Store) -> Result<Option<Timestamp>> {
        Ok(store.reading(|tx| tx.lease(NAME))?.map(|(_, until)| until))
    }

    /// Runs `work` in a write transaction in which the lease is prolonged. `None`, and `work` does not run, when somebody
    /// else took it meanwhile: then nothing may be written.
    pub fn writing<T>(&self, mut work: impl FnMut(&mut dyn WriteTx) -> Result<T>) -> Result<Option<T>> {
        let now = self.clock.now();
        let done = self
            .store
            .writing(|tx| if tx.keep_lease(NAME, self.holder, now + SPAN)? { work(tx).map(Some) } else { Ok(None) })?;
        self.kept_at.set(now);
        Ok(done)
    }

    /// Prolongs it, if it was not for a while, during work that does not write.
    ///
    /// # Errors
    /// Those of the store, and [`lost`].
    pub fn keep_awake(&self) -> Result<()> {
        if self.clock.now() < self.kept_at.get() + DROWSY {
            return Ok(());
        }
        self.writing(|_| Ok(()))?.ok_or_else(lost)
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.store.writing(|tx| tx.release_lease(NAME, self.holder)) {
            tracing::debug!(error = %error.chain(), "the lease on the sheets could not be given back; it runs out");
        }
    }
}

/// What whoever needs the lease to finish is told when it is gone.
pub fn lost() -> Error {
    Error::unavailable(
        "the lease on the sheets was lost to another server while this one was held up; nothing more was written, try again",
    )
}
