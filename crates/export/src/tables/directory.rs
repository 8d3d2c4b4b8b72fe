//! The columns of users, tenants and memberships.

use serde_json::Value;
use trailkeeper_domain::tenant::Tenant;
use trailkeeper_domain::user::{Membership, PoolId, User};

use crate::cell::{Cell, Kind};
use crate::column::{Column, Record};

impl Record for User {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("user_id", Kind::Text, |user| Cell::text(Some(user.id.as_str()))),
        Column::new("email", Kind::Text, |user| Cell::text(user.email.as_deref())),
        Column::new("username", Kind::Text, |user| Cell::text(user.username.as_deref())),
        Column::new("attributes", Kind::Json, |user| {
            let attributes = user.attributes.iter();
            let attributes = attributes.map(|attribute| (attribute.name.clone(), attribute.value.clone().into()));
            Cell::json(&Value::Object(attributes.collect()))
        }),
        Column::new("region", Kind::Text, |user| Cell::text(user.region.as_deref())),
        Column::new("user_pool_id", Kind::Text, |user| Cell::text(user.user_pool_id.as_ref().map(PoolId::as_str))),
        Column::new("status", Kind::Text, |user| Cell::text(Some(user.status.as_str()))),
        Column::new("enabled", Kind::Boolean, |user| Cell::Boolean(user.enabled)),
        Column::new("registered_at", Kind::Time, |user| Cell::Time(user.registered_at)),
        Column::new("updated_at", Kind::Time, |user| Cell::Time(user.updated_at)),
    ];
}

impl Record for Tenant {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("tenant_id", Kind::Uuid, |tenant| Cell::Uuid(tenant.id.0)),
        Column::new("name", Kind::Text, |tenant| Cell::text(tenant.name.as_deref())),
        Column::new("created_at", Kind::Time, |tenant| Cell::Time(tenant.created_at)),
        Column::new("updated_at", Kind::Time, |tenant| Cell::Time(tenant.updated_at)),
    ];
}

impl Record for Membership {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("tenant_id", Kind::Uuid, |membership| Cell::Uuid(membership.tenant_id.0)),
        Column::new("user_id", Kind::Text, |membership| Cell::text(Some(membership.user_id.as_str()))),
        Column::new("created_at", Kind::Time, |membership| Cell::Time(membership.created_at)),
    ];
}
