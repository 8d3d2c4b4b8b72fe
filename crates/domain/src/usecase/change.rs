//! A change that people may make, and the audit event that records it. Either both are stored or neither.

use crate::account::Actor;
use crate::clock::{self, Clock, Entropy};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::id::CreationId;
use crate::ports::{Store, WriteTx};
use crate::time::Timestamp;

/// The means of a use case to change tenants, users or memberships, or to store a report. A use case consumes it, so
/// that one change stores one event.
pub struct Change<'a> {
    store: &'a dyn Store,
    clock: &'a dyn Clock,
    entropy: &'a dyn Entropy,
    actor: &'a Actor,
    audit_event: Option<&'a Event>,
}

impl<'a> Change<'a> {
    /// A change by `actor`.
    ///
    /// `audit_event` is the audit event that records the change. Only changes by people have one. Its id exists before the
    /// transaction and is not made inside it, because the transaction may run more than once.
    pub fn new(
        store: &'a dyn Store,
        clock: &'a dyn Clock,
        entropy: &'a dyn Entropy,
        actor: &'a Actor,
        audit_event: Option<&'a Event>,
    ) -> Self {
        Self { store, clock, entropy, actor, audit_event }
    }

    /// The actor who makes the change.
    pub(super) fn actor(&self) -> &'a Actor {
        self.actor
    }

    /// The present time, by the server's clock.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A new id for the ledger of creations.
    pub(super) fn fresh_creation(&self) -> CreationId {
        CreationId(clock::new_uuid(self.clock, self.entropy))
    }

    /// Runs `work` in one transaction and stores the audit event in the same transaction.
    ///
    /// `work` must fail if it finds nothing to change: an `Ok` counts as a change and is recorded.
    pub fn write<T>(self, mut work: impl FnMut(&mut dyn WriteTx) -> Result<T>) -> Result<T> {
        self.store.writing(|tx| {
            let done = work(tx)?;
            if let Some(event) = self.audit_event {
                append(tx, event)?;
            }
            Ok(done)
        })
    }
}

/// Stores an event of the system tenant in the transaction of the change that it records.
///
/// [`Error::Internal`] if the id of the event is taken. Then the transaction must not be committed either.
pub fn append(tx: &mut dyn WriteTx, event: &Event) -> Result<()> {
    match tx.insert_events(std::slice::from_ref(event))?.as_slice() {
        [true] => Ok(()),
        _ => Err(Error::internal(format!("the trail's event '{}' was not stored: its id is taken", event.id))),
    }
}
