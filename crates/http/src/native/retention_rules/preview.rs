//! `GET /v1/retention/preview`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_analytics::engine::retention::{Preview, preview};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Administer, Caller};
use crate::native::schemas;
use crate::operation::operation;
use crate::problems::CommonProblems;
use crate::state::AppState;

/// What the rules of retention would remove now.
#[derive(Serialize, ToSchema)]
#[schema(example = PreviewView::sample)]
pub struct PreviewView {
    /// The number of events that would be removed.
    #[schema(value_type = schemas::Count)]
    would_remove: u64,
    /// The number of events that rules would remove and legal holds keep.
    #[schema(value_type = schemas::Count)]
    held: u64,
    /// The rules, with the number of events that each would remove.
    #[schema(max_items = 1000)]
    rules: Vec<RuleCount>,
    /// The holds, with the number of events that each keeps. An event that several holds keep counts for one of them.
    #[schema(max_items = 10000)]
    holds: Vec<HoldCount>,
}

/// What one rule would remove.
#[derive(Serialize, ToSchema)]
pub struct RuleCount {
    /// The rule's id.
    #[schema(value_type = schemas::RetentionRuleId)]
    rule_id: Uuid,
    /// The number of events.
    #[schema(value_type = schemas::Count)]
    events: u64,
}

/// What one legal hold keeps.
#[derive(Serialize, ToSchema)]
pub struct HoldCount {
    /// The hold's id.
    #[schema(value_type = schemas::LegalHoldId)]
    hold_id: Uuid,
    /// The number of events.
    #[schema(value_type = schemas::Count)]
    events: u64,
}

impl PreviewView {
    fn sample() -> Value {
        json!({
            "would_remove": 1200,
            "held": 30,
            "rules": [{"rule_id": "01975f3c-2b4e-7c10-9a31-5f0d2f9b1c05", "events": 1200}],
            "holds": [{"hold_id": "01975f3c-2b4e-7c10-9a31-5f0d2f9b1c06", "events": 30}],
        })
    }
}

impl From<Preview> for PreviewView {
    fn from(found: Preview) -> Self {
        let rules = found.rules.into_iter().map(|(rule, events)| RuleCount { rule_id: rule.id.0, events });
        let holds = found.holds.into_iter().map(|(hold, events)| HoldCount { hold_id: hold.id.0, events });
        Self { would_remove: found.would_remove, held: found.held, rules: rules.collect(), holds: holds.collect() }
    }
}

/// Count what the rules of retention would remove now.
///
/// It reads every event, about a second per million, and changes nothing. Where that takes longer than a request may, use
/// `trailkeeper retention preview`.
#[operation(get, "/v1/retention/preview", tag = "retention",
    responses((status = 200, description = "The counts.", body = PreviewView), CommonProblems))]
pub async fn preview_retention(_: Caller<Administer, Native>, state: Data<AppState>) -> ApiResult<Native> {
    let found =
        blocking::run_analytic(&state, |state| preview(state.store(), state.clock().now(), &mut |_| ())).await?;
    Ok(HttpResponse::Ok().json(PreviewView::from(found)))
}
