//! `PUT /active-users`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde_json::{Value, json};
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
use crate::error_formats::Saasus;
use crate::extract::caller::{SaasusCaller, WriteAnalytics};
use crate::operation::{Body, FromBody, operation};
use crate::settings::MAX_SIGNED_BODY_BYTES;
use crate::state::AppState;

/// A reported number of active users, which replaces the computed one.
#[derive(ToSchema, Body)]
#[body(name = "a number of active users", ignores_unknown_fields, max_bytes = MAX_SIGNED_BODY_BYTES)]
pub struct UpdateActiveUsersParam {
    /// Type of active users data (monthly or daily)
    #[schema(value_type = values::ReportedType, inline)]
    #[body(with = period)]
    r#type: Period,
    /// Date (YYYY-MM for monthly, YYYY-MM-DD for daily)
    #[schema(value_type = values::ReportedDate, inline)]
    #[body(expected = "YYYY-MM-DD for daily, YYYY-MM for monthly, in quotes")]
    date: String,
    /// Tenant ID
    #[schema(value_type = values::TenantId, inline)]
    #[body(expected = "the tenant's UUID in quotes")]
    tenant_id: TenantId,
    /// Environment ID
    #[schema(value_type = values::EnvId, inline)]
    #[body(with = environment)]
    env_id: EnvId,
    /// Number of active users
    #[schema(value_type = values::ReportedCount, inline)]
    #[body(with = count)]
    active_users: u64,
}

fn period(json: &mut JsonObject, name: &str) -> Result<Period> {
    json.required_parsed(name, "\"daily\" or \"monthly\"", Period::parse)
}

fn environment(json: &mut JsonObject, name: &str) -> Result<EnvId> {
    json.required(name, "a whole number, for example 1", |json, field, _| json.unsigned(field)).map(EnvId)
}

fn count(json: &mut JsonObject, name: &str) -> Result<u64> {
    let expected = "how many users were active, for example 100";
    let count = json.required(name, expected, |json, field, way_out| json.integer(field, 0, i64::MAX, way_out))?;
    u64::try_from(count).map_err(Error::internal)
}

impl UpdateActiveUsersParam {
    fn sample() -> Value {
        json!({
            "type": "daily",
            "date": "2025-01-01",
            "tenant_id": "69e732d6-8ecc-45c4-c2eb-8438f7ffe775",
            "env_id": 1,
            "active_users": 100,
        })
    }

    fn reported(&self) -> Result<ActiveUsers> {
        let start = self.r#type.parse_date("date", &self.date)?;
        Ok(ActiveUsers { start, tenant_id: self.tenant_id, env_id: self.env_id, users: self.active_users })
    }
}

/// Update or insert active users data
///
/// Update or insert daily or monthly active users data.
///
/// From then on, the number replaces the one computed from events for the same period, tenant and environment. If
/// several numbers are sent, the last one is valid. A signed request takes effect once, even if it is sent several
/// times. A credential that is scoped to a tenant can report only for that tenant.
#[operation(put, "/active-users", operation_id = "UpdateActiveUsers", tag = "userAnalysis",
    request_body(content = UpdateActiveUsersParam, example = json!(UpdateActiveUsersParam::sample())),
    responses((status = 200, description = "The number is stored."), BodyErrorResponses, TenantErrorResponses))]
pub async fn update_active_users(
    caller: SaasusCaller<WriteAnalytics>,
    FromBody(input): FromBody<UpdateActiveUsersParam>,
    state: Data<AppState>,
) -> ApiResult<Saasus> {
    let (period, reported) = (input.r#type, input.reported()?);
    caller.audit_report(None, reported_fields(period, &reported));
    let visibility = caller.principal.visibility();
    let now = state.clock().now();
    let signed = caller.signature.map(|signature| (signature::spent(signature, now), now));
    caller.changing(&state, move |change| report_active_users(change, period, &reported, visibility, signed)).await?;
    Ok(HttpResponse::Ok().finish())
}

/// The whole report, for its audit event, by the names of the body.
fn reported_fields(period: Period, reported: &ActiveUsers) -> Vec<(&'static str, Value)> {
    vec![
        ("type", period.as_str().into()),
        // A month is stored as its first day.
        ("date", reported.start.to_string().into()),
        ("tenant_id", reported.tenant_id.to_string().into()),
        ("env_id", reported.env_id.0.into()),
        ("active_users", reported.users.into()),
    ]
}
