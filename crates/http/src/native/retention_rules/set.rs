//! `PUT /v1/retention/rules`.

use actix_web::web::Data;
use serde_json::{Value, json};
use trailkeeper_domain::event::EventKind;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::retention::{RuleDraft, RuleSubject};
use utoipa::ToSchema;

use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Administer, Caller};
use crate::native::put_response::put_response;
use crate::native::retention_rules::view::RuleView;
use crate::native::schemas;
use crate::operation::{Body, FromBody, operation};
use crate::problems::{BodyProblems, CommonProblems, TooManyRules};
use crate::state::AppState;

/// The rule of a tenant and type. Null is the same as leaving a field out.
#[derive(ToSchema, Body)]
#[serde(deny_unknown_fields)]
#[body(name = "a rule of retention")]
#[schema(example = RuleInput::sample)]
pub struct RuleInput {
    /// The tenant of the events; absent: any tenant, but not the system tenant.
    #[schema(value_type = Option<schemas::TenantId>)]
    tenant_id: Option<TenantId>,
    /// The type of the events; absent: any type.
    #[schema(value_type = Option<schemas::EventType>)]
    r#type: Option<EventKind>,
    /// Whole UTC days to keep events, today not counted.
    #[schema(value_type = schemas::RetentionDays)]
    keep_days: u32,
    /// Whole UTC days for which sheets go on counting removed events, more than `keep_days`; absent: until the events are
    /// removed.
    #[schema(value_type = Option<schemas::RetentionDays>)]
    keep_sheets_days: Option<u32>,
}

impl RuleInput {
    fn sample() -> Value {
        json!({"tenant_id": null, "type": "page_load", "keep_days": 90, "keep_sheets_days": 730})
    }
}

/// Set how long the events of a tenant and type are kept.
///
/// There is one rule for each combination of tenant and type: this makes it, or changes its days. Older events are not
/// accepted from the next seconds on. Servers remove them step by step, not before a minute has passed; events on legal hold
/// stay. Ask for a preview first: what is removed does not come back.
#[operation(put, "/v1/retention/rules", tag = "retention", body = "The rule.",
    responses(
        (status = 200, description = "The rule has other days now.", body = RuleView),
        (status = 201, description = "The rule is new.", body = RuleView),
        CommonProblems, BodyProblems, TooManyRules,
    ))]
pub async fn set_retention_rule(
    caller: Caller<Administer, Native>,
    FromBody(input): FromBody<RuleInput>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let context = caller.audit_context(&state);
    let (rule, put) = blocking::run(&state, move |state| {
        let RuleInput { tenant_id, r#type: kind, keep_days, keep_sheets_days } = input;
        let subject = RuleSubject { tenant_id, kind };
        state.access().retention(&context).set_rule(&subject, RuleDraft { keep_days, keep_sheets_days })
    })
    .await?;
    Ok(put_response(put, RuleView::from(rule)))
}
