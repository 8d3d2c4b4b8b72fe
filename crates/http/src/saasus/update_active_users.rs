//! `PUT /active-users`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::Value;
use trailkeeper_analytics::report::report_active_users;
use trailkeeper_auth::signature;
use trailkeeper_domain::activity::{ActiveUsers, Period};
use trailkeeper_domain::id::{EnvId, TenantId};
use trailkeeper_domain::json::JsonObject;
use trailkeeper_domain::{Error, Result};
use utoipa::ToSchema;

use super::error_responses::{BodyErrorResponses, TenantErrorResponses};
use super::values;
use crate::api_error::ApiResult;
use crate::audit;
use crate::error_formats::Saasus;
use crate::extract::body::must_be_json;
use crate::extract::caller::{SaasusCaller, WriteAnalytics};
use crate::state::AppState;

/// A number of active users that is known better outside.
#[derive(Serialize, ToSchema)]
pub struct UpdateActiveUsersParam {
    /// Type of active users data (monthly or daily)
    #[schema(value_type = values::ReportedType, inline)]
    r#type: String,
    /// Date (YYYY-MM for monthly, YYYY-MM-DD for daily)
    #[schema(value_type = values::ReportedDate, inline)]
    date: String,
    #[schema(value_type = values::TenantId, inline)]
    tenant_id: String,
    #[schema(value_type = values::EnvId, inline)]
    env_id: u32,
    /// Number of active users
    #[schema(value_type = values::ReportedCount, inline)]
    active_users: i64,
}

impl UpdateActiveUsersParam {
    fn sample() -> Self {
        Self {
            r#type: "daily".to_owned(),
            date: "2025-01-01".to_owned(),
            tenant_id: "69e732d6-8ecc-45c4-c2eb-8438f7ffe775".to_owned(),
            env_id: 1,
            active_users: 100,
        }
    }
}

/// Update or insert active users data
///
/// Update or insert daily or monthly active users data.
///
/// The number wins over the one computed from events for the same period, tenant and environment,
/// from then on. Sent again, the last one holds; a signed request takes effect once, however often it is
/// sent. A credential that is confined to a tenant reports for
/// that one alone.
#[utoipa::path(
    put, path = "/active-users", operation_id = "UpdateActiveUsers", tag = "userAnalysis",
    request_body(content = UpdateActiveUsersParam, example = json!(UpdateActiveUsersParam::sample())),
    responses((status = 200, description = "The number is stored."), BodyErrorResponses, TenantErrorResponses),
    security(("Bearer" = [])),
)]
pub async fn update(
    caller: SaasusCaller<WriteAnalytics>,
    request: HttpRequest,
    state: Data<AppState>,
) -> ApiResult<Saasus> {
    must_be_json(&request)?;
    let (period, reported) = reported_in(&caller.body)?;
    audit::reported_in_body(&request, None, reported_fields(period, &reported));
    let reporter = caller.principal.visibility();
    let now = state.clock().now();
    let signed = caller.signature.map(|signature| (signature::spent(signature, now), now));
    caller.changing(&state, move |change| report_active_users(change, period, &reported, reporter, signed)).await?;
    Ok(HttpResponse::Ok().finish())
}

/// What the trail tells of it: all of it, by the names that it has in the body.
fn reported_fields(period: Period, reported: &ActiveUsers) -> Vec<(&'static str, Value)> {
    vec![
        ("type", period.as_str().into()),
        // Of a month its first day.
        ("date", reported.start.to_string().into()),
        ("tenant_id", reported.tenant_id.to_string().into()),
        ("env_id", reported.env_id.0.into()),
        ("active_users", reported.users.into()),
    ]
}

fn reported_in(body: &[u8]) -> Result<(Period, ActiveUsers)> {
    let mut json = JsonObject::parse("a number of active users", body)?;
    let period = json.required_parsed("type", "\"daily\" or \"monthly\"", Period::parse)?;
    let a_date = "YYYY-MM-DD for daily, YYYY-MM for monthly, in quotes";
    let start = json.required_parsed("date", a_date, |field, value| period.parse_date(field, value))?;
    let tenant_id = json.required_parsed("tenant_id", "the tenant's UUID in quotes", TenantId::parse)?;
    let env_id = json.required("env_id", "a whole number, for example 1", |json, field, _| json.unsigned(field))?;
    let a_count = "how many users were active, for example 100";
    let users =
        json.required("active_users", a_count, |json, field, way_out| json.integer(field, 0, i64::MAX, way_out))?;
    let users = u64::try_from(users).map_err(Error::internal)?;
    Ok((period, ActiveUsers { start, tenant_id, env_id: EnvId(env_id), users }))
}
