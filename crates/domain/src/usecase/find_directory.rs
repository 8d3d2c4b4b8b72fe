//! Finding tenants, users and memberships: single records by id, and lists with a cursor.

use crate::cursor::{self, Paged};
use crate::error::{Error, Result};
use crate::id::{TenantId, UserId};
use crate::ports::Store;
use crate::tenant::Tenant;
use crate::text;
use crate::user::{AttributeChange, Membership, User, UserFilter};
use crate::visibility::Visibility;

/// The record of a tenant.
pub fn find_tenant(store: &dyn Store, visibility: Visibility, id: TenantId) -> Result<Tenant> {
    visibility.check(id)?;
    store.reading(|tx| tx.tenant(id))?.ok_or_else(|| unknown_tenant(id))
}

/// A page of the visible tenants, sorted by id.
pub fn list_tenants(
    store: &dyn Store,
    visibility: Visibility,
    cursor: Option<&str>,
    limit: usize,
) -> Result<Paged<Tenant>> {
    let after = match cursor {
        Some(cursor) => Some(TenantId::parse("cursor", &cursor::decode("cursor", 't', cursor)?)?),
        None => None,
    };
    let tenants = match visibility.tenant() {
        Some(id) if after.is_some_and(|after| after >= id) => Vec::new(),
        Some(id) => store.reading(|tx| tx.tenant(id))?.into_iter().collect(),
        None => store.reading(|tx| tx.tenants(after, limit + 1))?,
    };
    Ok(Paged::cut(tenants, limit, |tenant| cursor::encode('t', &tenant.id.to_string())))
}

/// The record of a user. If only one tenant is visible, the user must be a member of it.
pub fn find_user(store: &dyn Store, visibility: Visibility, id: &UserId) -> Result<User> {
    let found = store.reading(|tx| {
        if let Some(tenant) = visibility.tenant()
            && tx.membership(tenant, id)?.is_none()
        {
            return Ok(None);
        }
        tx.user(id)
    })?;
    found.ok_or_else(|| unknown_user(id))
}

/// A page of users, sorted by id.
pub fn list_users(store: &dyn Store, filter: &UserFilter, cursor: Option<&str>, limit: usize) -> Result<Paged<User>> {
    let after = user_behind(cursor)?;
    let users = store.reading(|tx| tx.users(filter, after.as_ref(), limit + 1))?;
    Ok(Paged::cut(users, limit, |user| cursor::encode('u', user.id.as_str())))
}

/// A page of the changes of a user's attributes, newest first. Same errors as [`find_user`].
pub fn list_attribute_changes(
    store: &dyn Store,
    visibility: Visibility,
    id: &UserId,
    cursor: Option<&str>,
    limit: usize,
) -> Result<Paged<AttributeChange>> {
    let after: Option<i64> = match cursor {
        Some(cursor) => Some(cursor::decode("cursor", 'c', cursor)?.parse().map_err(|_| cursor::refused("cursor"))?),
        None => None,
    };
    find_user(store, visibility, id)?;
    let changes = store.reading(|tx| tx.attribute_changes(id, after, limit + 1))?;
    let page = Paged::cut(changes, limit, |(number, _)| cursor::encode('c', &number.to_string()));
    Ok(page.map(|(_, change)| change))
}

/// The membership of a user in a tenant.
pub fn find_membership(
    store: &dyn Store,
    visibility: Visibility,
    tenant: TenantId,
    user: &UserId,
) -> Result<Membership> {
    visibility.check(tenant)?;
    store.reading(|tx| tx.membership(tenant, user))?.ok_or_else(|| {
        Error::not_found(
            "membership_not_found",
            format!("user '{}' is no member of tenant '{tenant}'", text::shown(user.as_str())),
        )
    })
}

/// A page of a tenant's memberships, sorted by user id. A tenant without a record may have memberships; a tenant with
/// neither is unknown.
pub fn list_memberships(
    store: &dyn Store,
    visibility: Visibility,
    tenant: TenantId,
    cursor: Option<&str>,
    limit: usize,
) -> Result<Paged<Membership>> {
    visibility.check(tenant)?;
    let after = user_behind(cursor)?;
    let found = store.reading(|tx| {
        let page = tx.memberships(tenant, after.as_ref(), limit + 1)?;
        let known = !page.is_empty() || tx.tenant(tenant)?.is_some() || !tx.memberships(tenant, None, 1)?.is_empty();
        Ok(known.then_some(page))
    })?;
    let memberships = found.ok_or_else(|| unknown_tenant(tenant))?;
    Ok(Paged::cut(memberships, limit, |membership| cursor::encode('u', membership.user_id.as_str())))
}

fn user_behind(cursor: Option<&str>) -> Result<Option<UserId>> {
    let Some(cursor) = cursor else { return Ok(None) };
    UserId::parse("cursor", cursor::decode("cursor", 'u', cursor)?).map(Some)
}

fn unknown_tenant(id: TenantId) -> Error {
    Error::not_found("tenant_not_found", format!("there is no tenant '{id}'"))
}

fn unknown_user(id: &UserId) -> Error {
    Error::not_found("user_not_found", format!("there is no user '{}'", text::shown(id.as_str())))
}
