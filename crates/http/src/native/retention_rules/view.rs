//! A rule of retention as administrators see it.

use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_domain::retention::RetentionRule;
use trailkeeper_domain::time::Timestamp;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::native::schemas;

/// A rule of retention. Of all rules that fit an event, the most specific one decides: that of its tenant and type, then
/// that of its tenant, then that of its type, then that of everything.
#[derive(Serialize, ToSchema)]
#[schema(example = RuleView::sample)]
pub struct RuleView {
    /// The id.
    #[schema(value_type = schemas::RetentionRuleId)]
    rule_id: Uuid,
    /// The tenant of the events; null: any tenant, but not the system tenant.
    #[schema(required, value_type = Option<schemas::TenantId>)]
    tenant_id: Option<Uuid>,
    /// The type of the events; null: any type.
    #[schema(required, value_type = Option<schemas::EventType>)]
    r#type: Option<String>,
    /// Whole UTC days that events are kept, today not counted.
    #[schema(value_type = schemas::RetentionDays)]
    keep_days: u32,
    /// Whole UTC days that sheets go on counting removed events; null: until the events are removed.
    #[schema(required, value_type = Option<schemas::RetentionDays>)]
    keep_sheets_days: Option<u32>,
    /// Events before this time were removed by the rule, and older ones are not accepted; null if it has removed none.
    #[schema(required, value_type = Option<schemas::Instant>)]
    removed_before: Option<Timestamp>,
    /// The time of creation.
    #[schema(value_type = schemas::Instant)]
    created_at: Timestamp,
    /// The time of the last change. A rule removes nothing in the first minute after it.
    #[schema(value_type = schemas::Instant)]
    changed_at: Timestamp,
}

impl From<RetentionRule> for RuleView {
    fn from(rule: RetentionRule) -> Self {
        Self {
            rule_id: rule.id.0,
            tenant_id: rule.subject.tenant_id.map(|tenant| tenant.0),
            r#type: rule.subject.kind.map(|kind| kind.as_str().to_owned()),
            keep_days: rule.keeps.map_or(0, |keeps| keeps.keep_days),
            keep_sheets_days: rule.keeps.and_then(|keeps| keeps.keep_sheets_days),
            removed_before: rule.removed_before,
            created_at: rule.created_at,
            changed_at: rule.changed_at,
        }
    }
}

impl RuleView {
    /// The example of the documentation.
    pub fn sample() -> Value {
        let at = Timestamp::from_timestamp(1_769_860_800, 0).unwrap_or_default();
        json!(Self {
            rule_id: uuid::uuid!("01975f3c-2b4e-7c10-9a31-5f0d2f9b1c05"),
            tenant_id: None,
            r#type: Some("page_load".to_owned()),
            keep_days: 90,
            keep_sheets_days: Some(730),
            removed_before: None,
            created_at: at,
            changed_at: at,
        })
    }
}
