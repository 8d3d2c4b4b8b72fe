//! Rows of tenants, users, memberships, the ledger of creations, the history of attributes and reported active users.

use diesel::{AsChangeset, Insertable, Queryable, Selectable};
use trailkeeper_domain::activity::{ActiveUsers, Period};
use trailkeeper_domain::creation::Creation;
use trailkeeper_domain::error::{BoxedError, Context};
use trailkeeper_domain::folding::folded;
use trailkeeper_domain::id::{CreationId, EnvId, TenantId, UserId};
use trailkeeper_domain::tenant::Tenant;
use trailkeeper_domain::user::{Attribute, AttributeChange, Membership, PoolId, User, UserStatus};
use trailkeeper_domain::{Error, Result};

use super::unreadable;
use crate::columns::{DbDay, DbTime, DbUuid, JsonText};
use crate::schema::{attribute_changes, creations, memberships, reported_active_users, tenants, users};

/// A tenant.
#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = tenants, primary_key(tenant_id))]
#[diesel(treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct TenantRow {
    tenant_id: DbUuid,
    name: Option<String>,
    created_at: DbTime,
    updated_at: DbTime,
    creation_id: DbUuid,
}

impl From<&Tenant> for TenantRow {
    fn from(tenant: &Tenant) -> Self {
        Self {
            tenant_id: DbUuid(tenant.id.0),
            name: tenant.name.clone(),
            created_at: DbTime(tenant.created_at),
            updated_at: DbTime(tenant.updated_at),
            creation_id: DbUuid(tenant.creation_id.0),
        }
    }
}

impl From<TenantRow> for Tenant {
    fn from(row: TenantRow) -> Self {
        Self {
            id: TenantId(row.tenant_id.0),
            name: row.name,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
            creation_id: CreationId(row.creation_id.0),
        }
    }
}

/// A user.
#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = users, primary_key(user_id))]
#[diesel(treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct UserRow {
    user_id: String,
    email: Option<String>,
    /// By [`crate::email_key`]; of a new row the folded form.
    pub email_folded: Option<String>,
    username: Option<String>,
    attributes: JsonText,
    region: Option<String>,
    user_pool_id: Option<String>,
    status: String,
    enabled: bool,
    registered_at: DbTime,
    updated_at: DbTime,
    creation_id: DbUuid,
}

impl From<&User> for UserRow {
    fn from(user: &User) -> Self {
        let attributes: serde_json::Map<String, serde_json::Value> =
            user.attributes.iter().map(|attribute| (attribute.name.clone(), attribute.value.as_str().into())).collect();
        Self {
            user_id: user.id.as_str().to_owned(),
            email: user.email.clone(),
            email_folded: user.email.as_deref().map(folded),
            username: user.username.clone(),
            attributes: JsonText(serde_json::Value::Object(attributes).to_string()),
            region: user.region.clone(),
            user_pool_id: user.user_pool_id.as_ref().map(|pool| pool.as_str().to_owned()),
            status: user.status.as_str().to_owned(),
            enabled: user.enabled,
            registered_at: DbTime(user.registered_at),
            updated_at: DbTime(user.updated_at),
            creation_id: DbUuid(user.creation_id.0),
        }
    }
}

impl TryFrom<UserRow> for User {
    type Error = Error;

    fn try_from(row: UserRow) -> Result<Self> {
        let status =
            UserStatus::parse("status", &row.status).map_err(|e| unreadable("users", "status", &row.user_id, e))?;
        let attributes = attributes_of(&row.attributes.0)
            .map_err(|reason| unreadable("users", "attributes", &row.user_id, reason))?;
        Ok(Self {
            id: UserId::stored(row.user_id),
            email: row.email,
            username: row.username,
            attributes,
            region: row.region,
            user_pool_id: row.user_pool_id.map(PoolId::stored),
            status,
            enabled: row.enabled,
            registered_at: row.registered_at.0,
            updated_at: row.updated_at.0,
            creation_id: CreationId(row.creation_id.0),
        })
    }
}

/// Attributes in the order of their names. `jsonb` orders keys by length.
fn attributes_of(text: &str) -> Result<Vec<Attribute>, BoxedError> {
    let object: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(text).map_err(|error| Context::new("is not a JSON object", error))?;
    let mut attributes = object
        .into_iter()
        .map(|(name, value)| match value {
            serde_json::Value::String(value) => Ok(Attribute { name, value }),
            other => Err(format!("'{name}' is {other}, not a text")),
        })
        .collect::<Result<Vec<_>, _>>()?;
    attributes.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(attributes)
}

/// A membership.
#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = memberships, primary_key(tenant_id, user_id))]
pub struct MembershipRow {
    tenant_id: DbUuid,
    user_id: String,
    created_at: DbTime,
    creation_id: DbUuid,
}

impl From<&Membership> for MembershipRow {
    fn from(membership: &Membership) -> Self {
        Self {
            tenant_id: DbUuid(membership.tenant_id.0),
            user_id: membership.user_id.as_str().to_owned(),
            created_at: DbTime(membership.created_at),
            creation_id: DbUuid(membership.creation_id.0),
        }
    }
}

impl From<MembershipRow> for Membership {
    fn from(row: MembershipRow) -> Self {
        Self {
            tenant_id: TenantId(row.tenant_id.0),
            user_id: UserId::stored(row.user_id),
            created_at: row.created_at.0,
            creation_id: CreationId(row.creation_id.0),
        }
    }
}

/// An entry of the ledger of creations.
#[derive(Debug, Insertable, AsChangeset)]
#[diesel(table_name = creations, primary_key(tenant_id, id))]
#[diesel(treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct CreationRow {
    tenant_id: DbUuid,
    id: DbUuid,
    kind: String,
    user_id: Option<String>,
    region: Option<String>,
    user_pool_id: Option<String>,
    created_at: DbTime,
}

impl From<&Creation> for CreationRow {
    fn from(creation: &Creation) -> Self {
        Self {
            tenant_id: DbUuid(creation.tenant_id.0),
            id: DbUuid(creation.id.0),
            kind: creation.kind.as_str().to_owned(),
            user_id: creation.user_id.as_ref().map(|id| id.as_str().to_owned()),
            region: creation.region.clone(),
            user_pool_id: creation.user_pool_id.as_ref().map(|pool| pool.as_str().to_owned()),
            created_at: DbTime(creation.created_at),
        }
    }
}

/// A new change of an attribute.
#[derive(Debug, Insertable)]
#[diesel(table_name = attribute_changes, treat_none_as_default_value = false)]
pub struct NewAttributeChangeRow {
    user_id: String,
    changed_at: DbTime,
    changed_by: String,
    name: String,
    old_value: Option<String>,
    new_value: Option<String>,
}

impl From<&AttributeChange> for NewAttributeChangeRow {
    fn from(change: &AttributeChange) -> Self {
        Self {
            user_id: change.user_id.as_str().to_owned(),
            changed_at: DbTime(change.changed_at),
            changed_by: change.changed_by.clone(),
            name: change.name.clone(),
            old_value: change.old_value.clone(),
            new_value: change.new_value.clone(),
        }
    }
}

/// A stored change of an attribute.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = attribute_changes)]
pub struct AttributeChangeRow {
    seq: i64,
    user_id: String,
    changed_at: DbTime,
    changed_by: String,
    name: String,
    old_value: Option<String>,
    new_value: Option<String>,
}

impl From<AttributeChangeRow> for (i64, AttributeChange) {
    fn from(row: AttributeChangeRow) -> Self {
        let change = AttributeChange {
            user_id: UserId::stored(row.user_id),
            changed_at: row.changed_at.0,
            changed_by: row.changed_by,
            name: row.name,
            old_value: row.old_value,
            new_value: row.new_value,
        };
        (row.seq, change)
    }
}

/// A number of active users that a caller reported.
#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = reported_active_users, primary_key(tenant_id, env_id, period, first_day))]
pub struct ReportedRow {
    tenant_id: DbUuid,
    env_id: i64,
    period: String,
    first_day: DbDay,
    users: i64,
}

impl ReportedRow {
    /// The row of a report. A number that is too large for its column is an invalid request.
    pub fn new(period: Period, reported: &ActiveUsers) -> Result<Self> {
        Ok(Self {
            tenant_id: DbUuid(reported.tenant_id.0),
            env_id: i64::from(reported.env_id.0),
            period: period.as_str().to_owned(),
            first_day: DbDay(reported.start),
            users: i64::try_from(reported.users).map_err(|_| {
                Error::invalid("active_users", format!("{} is too large; send at most {}", reported.users, i64::MAX))
            })?,
        })
    }
}

impl TryFrom<ReportedRow> for ActiveUsers {
    type Error = Error;

    fn try_from(row: ReportedRow) -> Result<Self> {
        let at = format!("{} of {} {}", row.tenant_id.0, row.period, row.first_day.0);
        let wrong = |column, reason| unreadable("reported_active_users", column, &at, reason);
        Ok(Self {
            start: row.first_day.0,
            tenant_id: TenantId(row.tenant_id.0),
            env_id: EnvId(u32::try_from(row.env_id).map_err(|e| wrong("env_id", e))?),
            users: u64::try_from(row.users).map_err(|e| wrong("users", e))?,
        })
    }
}
