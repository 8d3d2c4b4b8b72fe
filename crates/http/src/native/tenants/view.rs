//! A tenant's record as readers see it.

use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_domain::tenant::Tenant;
use trailkeeper_domain::time::Timestamp;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::native::schemas;

/// A tenant.
#[derive(Serialize, ToSchema)]
#[schema(example = TenantView::sample)]
pub struct TenantView {
    /// Your id of the tenant.
    #[schema(value_type = schemas::TenantId)]
    tenant_id: Uuid,
    /// The name.
    #[schema(required, value_type = Option<schemas::TenantName>)]
    name: Option<String>,
    /// The time of creation. The tenant counts as created on this day.
    #[schema(value_type = schemas::Instant)]
    created_at: Timestamp,
    /// The time of the record's last change.
    #[schema(value_type = schemas::Instant)]
    updated_at: Timestamp,
}

impl From<Tenant> for TenantView {
    fn from(tenant: Tenant) -> Self {
        Self { tenant_id: tenant.id.0, name: tenant.name, created_at: tenant.created_at, updated_at: tenant.updated_at }
    }
}

impl TenantView {
    /// The example of the documentation.
    pub fn sample() -> Value {
        let at = Timestamp::from_timestamp(1_769_860_800, 0).unwrap_or_default();
        json!(Self {
            tenant_id: uuid::uuid!("69e732d6-8ecc-45c4-a2eb-8438f7ffe775"),
            name: Some("Example Ltd".to_owned()),
            created_at: at,
            updated_at: at,
        })
    }
}
