//! Memberships of tenants, and the ledger of their creations.

use crate::creation::{Creation, CreationKind};
use crate::error::{Error, Result};
use crate::id::{TenantId, UserId};
use crate::text;
use crate::time::Timestamp;
use crate::usecase::keep_tenants::{check_creation_time, refuse_reserved};
use crate::usecase::{Change, Put};
use crate::user::Membership;

/// Makes a user a member of a tenant, or corrects the start of the membership. Neither the user nor the tenant needs a
/// record: a backfill may bring the records later, in any order.
pub fn put_membership(
    change: Change<'_>,
    tenant_id: TenantId,
    user_id: &UserId,
    created_at: Option<Timestamp>,
) -> Result<(Membership, Put)> {
    put(change, tenant_id, user_id, created_at, || Ok(Put::Created))
}

/// Corrects the start of a membership, for a caller who sees only this tenant.
///
/// Such a caller may not add members. The record of a member is visible to the tenant, so a caller who could add any
/// user could read the record of any user, now or as soon as it exists.
///
/// [`Error::Forbidden`] if the user is not a member.
pub fn correct_membership(
    change: Change<'_>,
    tenant_id: TenantId,
    user_id: &UserId,
    created_at: Option<Timestamp>,
) -> Result<(Membership, Put)> {
    put(change, tenant_id, user_id, created_at, || {
        Err(Error::forbidden("a credential scoped to a tenant cannot add members to it; use one that is not"))
    })
}

fn put(
    change: Change<'_>,
    tenant_id: TenantId,
    user_id: &UserId,
    created_at: Option<Timestamp>,
    without_one: impl Fn() -> Result<Put>,
) -> Result<(Membership, Put)> {
    refuse_reserved(tenant_id)?;
    let (now, fresh) = (change.now(), change.fresh_creation());
    check_creation_time("created_at", created_at, now)?;
    change.write(|tx| {
        tx.lock_directory()?;
        let before = tx.membership(tenant_id, user_id)?;
        let put = if before.is_some() { Put::Replaced } else { without_one()? };
        let membership = Membership {
            tenant_id,
            user_id: user_id.clone(),
            created_at: created_at.or(before.as_ref().map(|old| old.created_at)).unwrap_or(now),
            creation_id: before.as_ref().map_or(fresh, |old| old.creation_id),
        };
        tx.put_membership(&membership)?;
        tx.put_creation(&Creation {
            id: membership.creation_id,
            kind: CreationKind::TenantUser,
            tenant_id,
            user_id: Some(user_id.clone()),
            region: None,
            user_pool_id: None,
            created_at: membership.created_at,
        })?;
        Ok((membership, put))
    })
}

/// Ends a membership. Its creation stays counted.
pub fn delete_membership(change: Change<'_>, tenant: TenantId, user: &UserId) -> Result<()> {
    change.write(|tx| {
        // Otherwise a concurrent correction could find the membership and then create it again.
        tx.lock_directory()?;
        if tx.delete_membership(tenant, user)? {
            return Ok(());
        }
        Err(Error::not_found(
            "membership_not_found",
            format!("user '{}' is no member of tenant '{tenant}'", text::shown(user.as_str())),
        ))
    })
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::clock::Clock as _;
    use crate::testing::{World, at, code_and_field, tenant_id, user_id};

    const EARLIER: &str = "2026-01-15T00:00:00Z";

    #[test]
    fn a_user_becomes_a_member_without_any_record() {
        let world = World::default();
        let (membership, put) = put_membership(world.change(), tenant_id(1), &user_id("ann"), None).unwrap();
        assert_eq!((put, membership.created_at), (Put::Created, world.fixed.now()));
        let records = world.store.records();
        assert!(records.tenants.is_empty() && records.users.is_empty());
        assert_eq!(records.memberships[&(tenant_id(1), user_id("ann"))], membership);
        let entry = &records.creations[&membership.creation_id];
        assert_eq!((entry.kind, entry.tenant_id), (CreationKind::TenantUser, tenant_id(1)));
        assert_eq!((entry.user_id.as_ref(), entry.created_at), (Some(&user_id("ann")), world.fixed.now()));
    }

    #[test]
    fn a_membership_that_is_put_again_keeps_its_start_and_is_counted_once() {
        let world = World::default();
        let (first, _) = put_membership(world.change(), tenant_id(1), &user_id("ann"), Some(at(EARLIER))).unwrap();
        world.fixed.advance(TimeDelta::days(1));
        let (second, put) = put_membership(world.change(), tenant_id(1), &user_id("ann"), None).unwrap();
        assert_eq!((put, second), (Put::Replaced, first));
        assert_eq!(world.store.records().creations.len(), 1);
    }

    #[test]
    fn a_corrected_start_moves_the_counted_creation() {
        let world = World::default();
        put_membership(world.change(), tenant_id(1), &user_id("ann"), None).unwrap();
        for correct in [put_membership, correct_membership] {
            let start = world.fixed.now() - TimeDelta::days(i64::try_from(world.store.writes()).unwrap());
            let (membership, put) = correct(world.change(), tenant_id(1), &user_id("ann"), Some(start)).unwrap();
            assert_eq!((put, membership.created_at), (Put::Replaced, start));
            let times: Vec<_> = world.store.records().creations.values().map(|creation| creation.created_at).collect();
            assert_eq!(times, [start]);
        }
    }

    #[test]
    fn a_caller_of_one_tenant_cannot_add_a_member() {
        let world = World::default();
        put_membership(world.change(), tenant_id(2), &user_id("ann"), None).unwrap();
        let before = world.store.records();
        let error = correct_membership(world.change(), tenant_id(1), &user_id("ann"), None).unwrap_err();
        assert!(matches!(error, Error::Forbidden(_)), "a membership elsewhere does not help: {error:?}");
        assert_eq!(world.store.records(), before);
    }

    #[test]
    fn every_membership_is_counted_in_its_own_tenant() {
        let world = World::default();
        for tenant in [tenant_id(1), tenant_id(2)] {
            put_membership(world.change(), tenant, &user_id("ann"), None).unwrap();
        }
        let mut tenants: Vec<_> = world.store.records().creations.values().map(|creation| creation.tenant_id).collect();
        tenants.sort_unstable();
        assert_eq!(tenants, [tenant_id(1), tenant_id(2)]);
    }

    #[test]
    fn no_tenant_and_the_system_tenant_have_no_members() {
        let world = World::default();
        for reserved in [TenantId::NONE, TenantId::SYSTEM] {
            for put in [put_membership, correct_membership] {
                let error = put(world.change(), reserved, &user_id("ann"), None).unwrap_err();
                assert_eq!(code_and_field(&error), ("invalid_parameter", Some("tenant_id")));
            }
        }
        assert_eq!(world.store.writes(), 0);
    }

    #[test]
    fn a_membership_cannot_begin_in_the_future() {
        let world = World::default();
        let latest = world.fixed.now() + TimeDelta::minutes(10);
        put_membership(world.change(), tenant_id(1), &user_id("ann"), Some(latest)).unwrap();
        let beyond = Some(latest + TimeDelta::seconds(1));
        let error = put_membership(world.change(), tenant_id(1), &user_id("ann"), beyond).unwrap_err();
        assert_eq!(code_and_field(&error), ("invalid_parameter", Some("created_at")));
    }

    #[test]
    fn an_ended_membership_stays_counted_and_a_new_one_counts_again() {
        let world = World::default();
        put_membership(world.change(), tenant_id(1), &user_id("ann"), Some(at(EARLIER))).unwrap();
        delete_membership(world.change(), tenant_id(1), &user_id("ann")).unwrap();
        let records = world.store.records();
        assert!(records.memberships.is_empty());
        assert_eq!(records.creations.len(), 1);
        let (again, put) = put_membership(world.change(), tenant_id(1), &user_id("ann"), None).unwrap();
        assert_eq!((put, again.created_at), (Put::Created, world.fixed.now()));
        assert_eq!(world.store.records().creations.len(), 2);
    }

    #[test]
    fn ending_a_membership_that_does_not_exist_is_an_error_which_names_both_sides() {
        let world = World::default();
        put_membership(world.change(), tenant_id(1), &user_id("ann"), None).unwrap();
        for (tenant, user) in [(tenant_id(1), "bob"), (tenant_id(2), "ann")] {
            let error = delete_membership(world.change(), tenant, &user_id(user)).unwrap_err();
            assert_eq!(code_and_field(&error), ("membership_not_found", None));
            assert_eq!(error.to_string(), format!("user '{user}' is no member of tenant '{tenant}'"));
        }
        assert_eq!(world.store.records().memberships.len(), 1);
    }
}
