//! Records of tenants, and the ledger of their creations.

use crate::creation::{Creation, CreationKind};
use crate::error::{Error, Result};
use crate::id::TenantId;
use crate::tenant::{Tenant, TenantDraft};
use crate::time::Timestamp;
use crate::usecase::{Change, Put};

/// Creates or replaces the record of a tenant. The first call, and the first call after each deletion, count as a
/// creation. A later `created_at` corrects the time of that creation.
pub fn put_tenant(change: Change<'_>, id: TenantId, draft: &TenantDraft) -> Result<(Tenant, Put)> {
    refuse_reserved(id)?;
    draft.check()?;
    let (now, fresh) = (change.now(), change.fresh_creation());
    check_creation_time("created_at", draft.created_at, now)?;
    change.write(|tx| {
        tx.lock_directory()?;
        let before = tx.tenant(id)?;
        let tenant = Tenant {
            id,
            name: draft.name.clone(),
            created_at: draft.created_at.or(before.as_ref().map(|old| old.created_at)).unwrap_or(now),
            updated_at: now,
            creation_id: before.as_ref().map_or(fresh, |old| old.creation_id),
        };
        tx.put_tenant(&tenant)?;
        tx.put_creation(&Creation {
            id: tenant.creation_id,
            kind: CreationKind::Tenant,
            tenant_id: id,
            user_id: None,
            region: None,
            user_pool_id: None,
            created_at: tenant.created_at,
        })?;
        Ok((tenant, if before.is_some() { Put::Replaced } else { Put::Created }))
    })
}

/// Removes the record and the memberships of a tenant. Its events stay, and its creation stays counted.
pub fn delete_tenant(change: Change<'_>, id: TenantId) -> Result<()> {
    refuse_reserved(id)?;
    change.write(|tx| {
        // Otherwise a concurrent replacement could restore the record under the old creation.
        tx.lock_directory()?;
        if tx.delete_tenant(id)? {
            return Ok(());
        }
        Err(Error::not_found("tenant_not_found", format!("there is no tenant '{id}'")))
    })
}

/// Rejects the ids of "no tenant" and of the system tenant, because neither is a customer.
pub(super) fn refuse_reserved(id: TenantId) -> Result<()> {
    if id == TenantId::NONE || id == TenantId::SYSTEM {
        return Err(Error::invalid(
            "tenant_id",
            format!(
                "'{id}' is reserved (all zero: no tenant, all ones: the server's own trail); use the tenant's own id"
            ),
        ));
    }
    Ok(())
}

/// Checks that a creation is not in the future. It allows the same clock skew as for events.
pub(super) fn check_creation_time(field: &str, at: Option<Timestamp>, now: Timestamp) -> Result<()> {
    match at {
        Some(at) if at > now + crate::event::MAX_FUTURE => Err(Error::invalid(
            field,
            format!("'{}' is more than 10 minutes ahead of the server's clock", crate::time::rfc3339(at)),
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::clock::Clock as _;
    use crate::testing::{World, at, code_and_field, event, tenant_id, user_id};
    use crate::usecase::put_membership;

    const NOON: &str = "2026-03-01T12:00:00Z";

    fn named(name: &str) -> TenantDraft {
        TenantDraft { name: Some(name.to_owned()), created_at: None }
    }

    fn created(created_at: &str) -> TenantDraft {
        TenantDraft { name: None, created_at: Some(at(created_at)) }
    }

    #[test]
    fn a_new_tenant_counts_as_created_now() {
        let world = World::default();
        let (tenant, put) = put_tenant(world.change(), tenant_id(1), &named("Acme")).unwrap();
        assert_eq!(put, Put::Created);
        assert_eq!((tenant.name.as_deref(), tenant.created_at, tenant.updated_at), (Some("Acme"), at(NOON), at(NOON)));
        let records = world.store.records();
        assert_eq!(records.tenants[&tenant_id(1)], tenant);
        let entry = Creation {
            id: tenant.creation_id,
            kind: CreationKind::Tenant,
            tenant_id: tenant_id(1),
            user_id: None,
            region: None,
            user_pool_id: None,
            created_at: at(NOON),
        };
        assert_eq!(records.creations.into_values().collect::<Vec<_>>(), [entry]);
    }

    #[test]
    fn a_replaced_tenant_keeps_its_creation_and_loses_fields_that_are_not_sent() {
        let world = World::default();
        let (first, _) = put_tenant(world.change(), tenant_id(1), &named("Acme")).unwrap();
        world.fixed.advance(TimeDelta::hours(1));
        let (second, put) = put_tenant(world.change(), tenant_id(1), &TenantDraft::default()).unwrap();
        assert_eq!(put, Put::Replaced);
        assert_eq!(second, Tenant { name: None, updated_at: at("2026-03-01T13:00:00Z"), ..first });
        assert_eq!(world.store.records().creations.len(), 1);
    }

    #[test]
    fn a_later_created_at_moves_the_counted_creation() {
        let world = World::default();
        put_tenant(world.change(), tenant_id(1), &created("2026-02-01T00:00:00Z")).unwrap();
        put_tenant(world.change(), tenant_id(1), &created("2026-01-15T00:00:00Z")).unwrap();
        let records = world.store.records();
        let times: Vec<Timestamp> = records.creations.values().map(|creation| creation.created_at).collect();
        assert_eq!(times, [at("2026-01-15T00:00:00Z")]);
        assert_eq!(records.tenants[&tenant_id(1)].created_at, at("2026-01-15T00:00:00Z"));
    }

    #[test]
    fn a_tenant_that_comes_back_counts_as_another_creation() {
        let world = World::default();
        put_tenant(world.change(), tenant_id(1), &created("2026-01-15T00:00:00Z")).unwrap();
        delete_tenant(world.change(), tenant_id(1)).unwrap();
        let (again, put) = put_tenant(world.change(), tenant_id(1), &TenantDraft::default()).unwrap();
        assert_eq!((put, again.created_at), (Put::Created, at(NOON)), "it does not inherit the old time");
        let records = world.store.records();
        let mut times: Vec<Timestamp> = records.creations.values().map(|creation| creation.created_at).collect();
        times.sort_unstable();
        assert_eq!(times, [at("2026-01-15T00:00:00Z"), at(NOON)]);
    }

    #[test]
    fn the_ids_of_no_tenant_and_of_the_system_tenant_are_no_tenants_to_keep() {
        let world = World::default();
        for reserved in [TenantId::NONE, TenantId::SYSTEM] {
            for error in [
                put_tenant(world.change(), reserved, &TenantDraft::default()).unwrap_err(),
                delete_tenant(world.change(), reserved).unwrap_err(),
            ] {
                assert_eq!(code_and_field(&error), ("invalid_parameter", Some("tenant_id")));
                assert!(error.to_string().contains(&reserved.to_string()), "{error}");
            }
        }
        assert_eq!(world.store.writes(), 0, "the refusal needs no transaction");
    }

    #[test]
    fn a_creation_may_be_ten_minutes_ahead_of_the_clock_and_no_more() {
        let world = World::default();
        let latest = world.fixed.now() + TimeDelta::minutes(10);
        let draft = |created_at| TenantDraft { name: None, created_at: Some(created_at) };
        put_tenant(world.change(), tenant_id(1), &draft(latest)).unwrap();
        let beyond = latest + TimeDelta::microseconds(1);
        let error = put_tenant(world.change(), tenant_id(1), &draft(beyond)).unwrap_err();
        assert_eq!(code_and_field(&error), ("invalid_parameter", Some("created_at")));
        assert_eq!(world.store.records().tenants[&tenant_id(1)].created_at, latest, "nothing changed");
    }

    #[test]
    fn a_bad_name_is_refused_and_names_its_field() {
        let world = World::default();
        let error = put_tenant(world.change(), tenant_id(1), &named("")).unwrap_err();
        assert_eq!(code_and_field(&error), ("invalid_parameter", Some("name")));
        assert_eq!(world.store.writes(), 0);
    }

    #[test]
    fn a_removed_tenant_loses_its_memberships_and_keeps_its_events_and_creations() {
        let world = World::default();
        for tenant in [tenant_id(1), tenant_id(2)] {
            put_tenant(world.change(), tenant, &TenantDraft::default()).unwrap();
            put_membership(world.change(), tenant, &user_id("ann"), None).unwrap();
        }
        world
            .store
            .prepared(|records| records.events.push(crate::event::Event { tenant_id: tenant_id(1), ..event(1) }));
        let before = world.store.records();
        delete_tenant(world.change(), tenant_id(1)).unwrap();
        let after = world.store.records();
        assert_eq!(after.tenants.into_keys().collect::<Vec<_>>(), [tenant_id(2)]);
        assert_eq!(after.memberships.into_keys().collect::<Vec<_>>(), [(tenant_id(2), user_id("ann"))]);
        assert_eq!((after.events, after.creations), (before.events, before.creations));
    }

    #[test]
    fn an_unknown_tenant_cannot_be_removed() {
        let world = World::default();
        let error = delete_tenant(world.change(), tenant_id(1)).unwrap_err();
        assert!(matches!(error, Error::NotFound(_)));
        assert_eq!(code_and_field(&error), ("tenant_not_found", None));
    }
}
