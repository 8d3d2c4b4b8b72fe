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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::TenantId;
    use crate::tenant::TenantDraft;
    use crate::testing::{World, event, tenant_id};
    use crate::usecase::{delete_tenant, put_tenant};

    #[test]
    fn a_change_and_its_audit_event_are_stored_together() {
        let world = World::default();
        let audit_event = world.audit_event(1);
        put_tenant(world.audited(&audit_event), tenant_id(1), &TenantDraft::default()).unwrap();
        let records = world.store.records();
        assert_eq!(records.events, [audit_event]);
        assert_eq!(records.tenants.len(), 1);
        assert_eq!(world.store.writes(), 1, "one transaction for both");
    }

    #[test]
    fn a_change_of_a_program_has_no_audit_event() {
        let world = World::default();
        put_tenant(world.change(), tenant_id(1), &TenantDraft::default()).unwrap();
        assert_eq!(world.store.records().events, []);
    }

    #[test]
    fn a_change_that_finds_nothing_to_change_is_not_recorded() {
        let world = World::default();
        let error = delete_tenant(world.audited(&world.audit_event(1)), tenant_id(1)).unwrap_err();
        assert!(matches!(error, Error::NotFound(_)), "{error:?}");
        assert_eq!(world.store.records().events, []);
    }

    #[test]
    fn a_change_whose_audit_event_cannot_be_stored_is_undone() {
        let world = World::default();
        let audit_event = world.audit_event(1);
        world.store.prepared(|records| records.events.push(audit_event.clone()));
        let before = world.store.records();
        let error = put_tenant(world.audited(&audit_event), tenant_id(1), &TenantDraft::default()).unwrap_err();
        assert!(matches!(error, Error::Internal { .. }), "{error:?}");
        assert!(error.chain().to_string().contains(&audit_event.id.to_string()), "the operator learns the id");
        assert_eq!(world.store.records(), before);
    }

    #[test]
    fn the_id_of_an_audit_event_is_free_if_only_a_customer_uses_it() {
        let world = World::default();
        let audit_event = world.audit_event(1);
        let of_customer = Event { id: audit_event.id, tenant_id: tenant_id(1), ..event(1) };
        world.store.prepared(|records| records.events.push(of_customer));
        world.audited(&audit_event).write(|_| Ok(())).unwrap();
        let tenants: Vec<TenantId> = world.store.records().events.iter().map(|event| event.tenant_id).collect();
        assert_eq!(tenants, [tenant_id(1), TenantId::SYSTEM]);
    }
}
