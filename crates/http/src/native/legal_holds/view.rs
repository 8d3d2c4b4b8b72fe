//! A legal hold as administrators see it.

use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_domain::retention::LegalHold;
use trailkeeper_domain::time::Timestamp;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::native::schemas;

/// A legal hold: nothing removes the events of its tenant, of its user, or of its user in its tenant.
#[derive(Serialize, ToSchema)]
#[schema(example = HoldView::sample)]
pub struct HoldView {
    /// The id.
    #[schema(value_type = schemas::LegalHoldId)]
    hold_id: Uuid,
    /// The name of the case. Several holds may belong to one case.
    #[schema(value_type = schemas::CaseName)]
    case: String,
    /// The reason.
    #[schema(value_type = schemas::HoldReason)]
    reason: String,
    /// The tenant of the events; null: any tenant.
    #[schema(required, value_type = Option<schemas::TenantId>)]
    tenant_id: Option<Uuid>,
    /// The user of the events; null: any user.
    #[schema(required, value_type = Option<schemas::UserId>)]
    user_id: Option<String>,
    /// The time when it was placed.
    #[schema(value_type = schemas::Instant)]
    created_at: Timestamp,
}

impl From<LegalHold> for HoldView {
    fn from(hold: LegalHold) -> Self {
        Self {
            hold_id: hold.id.0,
            case: hold.about.case,
            reason: hold.about.reason,
            tenant_id: hold.about.tenant_id.map(|tenant| tenant.0),
            user_id: hold.about.user_id.map(|user| user.as_str().to_owned()),
            created_at: hold.created_at,
        }
    }
}

impl HoldView {
    /// The example of the documentation.
    pub fn sample() -> Value {
        json!(Self {
            hold_id: uuid::uuid!("01975f3c-2b4e-7c10-9a31-5f0d2f9b1c06"),
            case: "2026-17".to_owned(),
            reason: "court order".to_owned(),
            tenant_id: None,
            user_id: Some("u-4711".to_owned()),
            created_at: Timestamp::from_timestamp(1_769_860_800, 0).unwrap_or_default(),
        })
    }
}
