//! Memberships of tenants, and the ledger of their creations.

use crate::clock::{self, Clock, Entropy};
use crate::creation::{Creation, CreationKind};
use crate::error::{Error, Result};
use crate::id::{CreationId, TenantId, UserId};
use crate::ports::Store;
use crate::text;
use crate::time::Timestamp;
use crate::usecase::Put;
use crate::usecase::keep_tenants::{check_creation_time, refuse_reserved};
use crate::user::Membership;

/// Makes a user a member of a tenant, or corrects since when. Neither needs a record: records may
/// come later, in any order, as a backfill brings them.
pub fn put_membership(
    store: &dyn Store,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    tenant_id: TenantId,
    user_id: &UserId,
    created_at: Option<Timestamp>,
) -> Result<(Membership, Put)> {
    refuse_reserved(tenant_id)?;
    let now = clock.now();
    check_creation_time("created_at", created_at, now)?;
    let fresh = CreationId(clock::new_uuid(clock, entropy));
    store.writing(|tx| {
        tx.lock_directory()?;
        let before = tx.membership(tenant_id, user_id)?;
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
        Ok((membership, if before.is_some() { Put::Replaced } else { Put::Created }))
    })
}

/// Ends a membership. Its creation stays counted.
pub fn delete_membership(store: &dyn Store, tenant: TenantId, user: &UserId) -> Result<()> {
    if store.writing(|tx| tx.delete_membership(tenant, user))? {
        return Ok(());
    }
    Err(Error::not_found(
        "membership_not_found",
        format!("user '{}' is no member of tenant '{tenant}'", text::shown(user.as_str())),
    ))
}
