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
