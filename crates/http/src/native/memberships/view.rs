//! A membership as readers see it.

use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::user::Membership;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::native::schemas;

/// A membership.
#[derive(Serialize, ToSchema)]
#[schema(example = MembershipView::sample)]
pub struct MembershipView {
    /// The tenant.
    #[schema(value_type = schemas::TenantId)]
    tenant_id: Uuid,
    /// The user.
    #[schema(value_type = schemas::UserId)]
    user_id: String,
    /// The start of the membership. The membership counts as created on this day.
    #[schema(value_type = schemas::Instant)]
    created_at: Timestamp,
}

impl From<Membership> for MembershipView {
    fn from(membership: Membership) -> Self {
        Self {
            tenant_id: membership.tenant_id.0,
            user_id: membership.user_id.as_str().to_owned(),
            created_at: membership.created_at,
        }
    }
}

impl MembershipView {
    /// The example of the documentation.
    pub fn sample() -> Value {
        json!(Self {
            tenant_id: uuid::uuid!("69e732d6-8ecc-45c4-a2eb-8438f7ffe775"),
            user_id: "u-4711".to_owned(),
            created_at: Timestamp::from_timestamp(1_769_860_800, 0).unwrap_or_default(),
        })
    }
}
