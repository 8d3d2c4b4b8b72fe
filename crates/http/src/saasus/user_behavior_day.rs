//! `PUT /user-behavior-day`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::Value;
use trailkeeper_analytics::report::{BehaviorReport, ReportedPage, report_behavior};
use trailkeeper_domain::Result;
use trailkeeper_domain::id::{EnvId, TenantId, UserId};
use trailkeeper_domain::json::JsonObject;
use trailkeeper_domain::time::{self, MAX_UNIX_SECONDS, Timestamp};
use utoipa::ToSchema;

use super::error_responses::BodyErrorResponses;
use super::values;
use crate::api_error::ApiResult;
use crate::audit;
use crate::error_formats::Saasus;
use crate::extract::body::must_be_json;
use crate::extract::caller::{ReportBehavior, SaasusCaller};
use crate::state::AppState;

/// A user's pages of one day.
#[derive(Serialize, ToSchema)]
pub struct UpdateUserBehaviorHistoriesByDayParam {
    /// Date subject to renewal
    #[schema(value_type = values::Day, inline)]
    timestamp: i64,
    #[schema(value_type = values::UserId, inline)]
    user_id: String,
    /// user behavior history list
    #[schema(max_items = 10_000)]
    histories: Vec<UserBehaviorHistory>,
}

/// One page that a user was on.
#[derive(Serialize, ToSchema)]
pub struct UserBehaviorHistory {
    /// When, in UNIX seconds.
    #[schema(value_type = values::Seconds, inline)]
    pub timestamp: i64,
    /// The page, a URL or a bare path, as it was sent.
    #[schema(value_type = values::Referer, inline)]
    pub referer: String,
}

impl UpdateUserBehaviorHistoriesByDayParam {
    fn sample() -> Self {
        let history = UserBehaviorHistory { timestamp: 1_640_998_800, referer: "/users?action=delete_user".to_owned() };
        Self {
            timestamp: 1_640_995_200,
            user_id: "69e732d6-8ecc-45c4-c2eb-8438f7ffe775".to_owned(),
            histories: vec![history],
        }
    }
}

/// Analysis of user behavior on the day
///
/// Analysis of user behavior on the day.
///
/// Adds the pages to the user's history and never removes any: a page that was sent before is stored
/// once, so the growing list of a day may be sent again and again. All of them must lie on the UTC
/// day of `timestamp`, else nothing is stored. At most 10,000 in one request.
#[utoipa::path(
    put, path = "/user-behavior-day", operation_id = "UpdateUserBehaviorHistoriesByDay", tag = "userAnalysis",
    request_body(
        content = UpdateUserBehaviorHistoriesByDayParam,
        example = json!(UpdateUserBehaviorHistoriesByDayParam::sample()),
    ),
    responses((status = 200, description = "The pages are stored."), BodyErrorResponses),
    security(("Bearer" = [])),
)]
pub async fn update(
    caller: SaasusCaller<ReportBehavior>,
    request: HttpRequest,
    state: Data<AppState>,
) -> ApiResult<Saasus> {
    must_be_json(&request)?;
    let report = report_of(&caller.body)?;
    let reporter = caller.principal.visibility();
    audit::reported_in_body(&request, Some(&report.user_id), reported_fields(&report, reporter.tenant()));
    let queries = state.settings.page_queries;
    caller.changing(&state, move |change| report_behavior(change, queries, &report, reporter)).await?;
    Ok(HttpResponse::Ok().finish())
}

/// What the trail tells of it: of which day and where to, and how many pages. The pages are events themselves.
fn reported_fields(report: &BehaviorReport, tenant_scoped: Option<TenantId>) -> Vec<(&'static str, Value)> {
    vec![
        ("date", report.day.date_naive().to_string().into()),
        ("tenant_id", tenant_scoped.unwrap_or(TenantId::NONE).to_string().into()),
        ("env_id", EnvId::default().0.into()),
        ("histories", report.histories.len().into()),
    ]
}

fn report_of(body: &[u8]) -> Result<BehaviorReport> {
    let mut json = JsonObject::parse("a user's pages of one day", body)?;
    let day = seconds(&mut json)?;
    let user_id = json.required("user_id", "the user's id in quotes", JsonObject::text)?;
    let pages = "a list of pages such as [{\"timestamp\":1640998800,\"referer\":\"/users\"}]";
    let histories = json.required("histories", pages, JsonObject::objects)?;
    Ok(BehaviorReport {
        day,
        user_id: UserId::parse("user_id", user_id)?,
        histories: histories.into_iter().map(page_of).collect::<Result<_>>()?,
    })
}

fn page_of(mut json: JsonObject) -> Result<ReportedPage> {
    let at = seconds(&mut json)?;
    let referer = json.required("referer", "the page in quotes, for example \"/users\"", JsonObject::text)?;
    Ok(ReportedPage { at, referer })
}

fn seconds(json: &mut JsonObject) -> Result<Timestamp> {
    let way_out = "UNIX seconds (not milliseconds), for example 1640995200";
    let seconds =
        json.required("timestamp", way_out, |json, field, way_out| json.integer(field, 0, MAX_UNIX_SECONDS, way_out))?;
    time::from_unix_seconds(&json.named("timestamp"), seconds)
}
