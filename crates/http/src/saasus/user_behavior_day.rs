//! `PUT /user-behavior-day`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_analytics::report::{BehaviorReport, Referer, ReportedPage, report_behavior};
use trailkeeper_domain::Result;
use trailkeeper_domain::id::{EnvId, TenantId, UserId};
use trailkeeper_domain::json::{JsonObject, JsonValue};
use trailkeeper_domain::time::{self, MAX_UNIX_SECONDS, Timestamp};
use utoipa::ToSchema;

use super::error_responses::{BodyErrorResponses, HistoriesErrorResponses};
use super::values;
use crate::api_error::ApiResult;
use crate::error_formats::Saasus;
use crate::extract::caller::{ReportBehavior, SaasusCaller};
use crate::operation::{Body, FromBody, operation};
use crate::settings::MAX_SIGNED_BODY_BYTES;
use crate::state::AppState;

/// A user's pages of one day.
#[derive(ToSchema, Body)]
#[body(name = "a user's pages of one day", ignores_unknown_fields, max_bytes = MAX_SIGNED_BODY_BYTES)]
pub struct UpdateUserBehaviorHistoriesByDayParam {
    /// Date subject to renewal
    #[schema(value_type = values::Day, inline)]
    #[body(with = seconds)]
    timestamp: Timestamp,
    /// User ID
    #[schema(value_type = values::UserId, inline)]
    user_id: UserId,
    /// user behavior history list
    #[schema(value_type = Vec<UserBehaviorHistory>, max_items = 10_000)]
    #[body(with = pages)]
    histories: Vec<ReportedPage>,
}

/// One page that a user was on.
#[derive(Serialize, ToSchema)]
pub struct UserBehaviorHistory {
    /// The time, in UNIX seconds.
    #[schema(value_type = values::Seconds, inline)]
    pub timestamp: i64,
    /// The page, a URL or a bare path, as it was sent.
    pub referer: String,
}

impl UpdateUserBehaviorHistoriesByDayParam {
    fn sample() -> Value {
        let history = UserBehaviorHistory { timestamp: 1_640_998_800, referer: "/users?action=delete_user".to_owned() };
        json!({
            "timestamp": 1_640_995_200,
            "user_id": "69e732d6-8ecc-45c4-c2eb-8438f7ffe775",
            "histories": [history],
        })
    }
}

impl From<UpdateUserBehaviorHistoriesByDayParam> for BehaviorReport {
    fn from(input: UpdateUserBehaviorHistoriesByDayParam) -> Self {
        Self { day: input.timestamp, user_id: input.user_id, histories: input.histories }
    }
}

/// Analysis of user behavior on the day
///
/// Analysis of user behavior on the day.
///
/// Adds the pages to the user's history and never removes any. The server stores a repeated page only once, so the
/// growing list of a day may be sent again and again. All pages must lie on one local day of any time zone, otherwise
/// nothing is stored; a day has at most 26 hours. `timestamp` is any time of that day, or of the UTC day with the same
/// date. A request has at most 10,000 pages. A page that is empty, longer than 2,048 characters or has control characters
/// does not refuse the report: it is stored as an event without a page, and is not in the history.
#[operation(put, "/user-behavior-day", operation_id = "UpdateUserBehaviorHistoriesByDay", tag = "userAnalysis",
    request_body(
        content = UpdateUserBehaviorHistoriesByDayParam,
        example = json!(UpdateUserBehaviorHistoriesByDayParam::sample()),
    ),
    responses((status = 200, description = "The pages are stored."), BodyErrorResponses, HistoriesErrorResponses))]
pub async fn update_user_behavior_day(
    caller: SaasusCaller<ReportBehavior>,
    FromBody(input): FromBody<UpdateUserBehaviorHistoriesByDayParam>,
    state: Data<AppState>,
) -> ApiResult<Saasus> {
    let report = BehaviorReport::from(input);
    let reporter = caller.principal.visibility();
    caller.audit_report(Some(&report.user_id), reported_fields(&report, reporter.tenant()));
    caller.changing(&state, move |change| report_behavior(change, &report, reporter)).await?;
    Ok(HttpResponse::Ok().finish())
}

/// Day, tenant, environment and number of pages, for the audit event. The pages are events themselves.
fn reported_fields(report: &BehaviorReport, tenant_scoped: Option<TenantId>) -> Vec<(&'static str, Value)> {
    vec![
        ("date", report.day.date_naive().to_string().into()),
        ("tenant_id", tenant_scoped.unwrap_or(TenantId::NONE).to_string().into()),
        ("env_id", EnvId::default().0.into()),
        ("histories", report.histories.len().into()),
    ]
}

fn pages(json: &mut JsonObject, name: &str) -> Result<Vec<ReportedPage>> {
    let expected = "a list of pages such as [{\"timestamp\":1640998800,\"referer\":\"/users\"}]";
    json.required(name, expected, JsonObject::objects)?.into_iter().map(page_of).collect()
}

fn page_of(mut json: JsonObject) -> Result<ReportedPage> {
    let at = seconds(&mut json, "timestamp")?;
    let way_out = "the page in quotes, for example \"/users\"";
    let referer = match json.required("referer", way_out, JsonObject::any_text)? {
        JsonValue::Text(text) => Referer::Text(text),
        other => Referer::NoUnicode(other.to_string()),
    };
    Ok(ReportedPage { at, referer })
}

fn seconds(json: &mut JsonObject, name: &str) -> Result<Timestamp> {
    let way_out = "UNIX seconds (not milliseconds), for example 1640995200";
    let seconds =
        json.required(name, way_out, |json, field, way_out| json.integer(field, 0, MAX_UNIX_SECONDS, way_out))?;
    time::from_unix_seconds(&json.named(name), seconds)
}
