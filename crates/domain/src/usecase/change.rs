//! A change that people may make, and the event that tells of it: both are stored, or neither.

use crate::account::Actor;
use crate::clock::{self, Clock, Entropy};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::id::CreationId;
use crate::ports::{Store, WriteTx};
use crate::time::Timestamp;

/// What a use case needs to change tenants, users or memberships, or to take a report. Each takes one and spends it: one
/// change, one event.
pub struct Change<'a> {
    store: &'a dyn Store,
    clock: &'a dyn Clock,
    entropy: &'a dyn Entropy,
    actor: &'a Actor,
    told_by: Option<&'a Event>,
}

impl<'a> Change<'a> {
    /// A change by `actor`.
    ///
    /// `told_by` is the event of the system tenant that tells of it, where it leaves one: what people change does. Its
    /// id is made here and not inside the transaction, which may run more than once.
    pub fn new(
        store: &'a dyn Store,
        clock: &'a dyn Clock,
        entropy: &'a dyn Entropy,
        actor: &'a Actor,
        told_by: Option<&'a Event>,
    ) -> Self {
        Self { store, clock, entropy, actor, told_by }
    }

    /// Who changes it.
    pub(super) fn actor(&self) -> &'a Actor {
        self.actor
    }

    /// When.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// An id for the ledger of creations.
    pub(super) fn fresh_creation(&self) -> CreationId {
        CreationId(clock::new_uuid(self.clock, self.entropy))
    }

    /// Runs `work` in one transaction, and stores the event that tells of it in the same.
    ///
    /// `work` fails where it finds nothing to change: what it answers `Ok` to counts as done, and is told.
    pub fn write<T>(self, mut work: impl FnMut(&mut dyn WriteTx) -> Result<T>) -> Result<T> {
        self.store.writing(|tx| {
            let done = work(tx)?;
            if let Some(event) = self.told_by {
                append(tx, event)?;
            }
            Ok(done)
        })
    }
}

/// Stores an event of the system tenant in the transaction of what it tells.
///
/// [`Error::Internal`] when its id is taken: then the transaction must not be committed either.
pub fn append(tx: &mut dyn WriteTx, event: &Event) -> Result<()> {
    match tx.insert_events(std::slice::from_ref(event))?.as_slice() {
        [true] => Ok(()),
        _ => Err(Error::internal(format!("the trail's event '{}' was not stored: its id is taken", event.id))),
    }
}
