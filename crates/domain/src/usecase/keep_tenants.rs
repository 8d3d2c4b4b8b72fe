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
