//! `GET /userinfo/aggregated`.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::web::Data;
use chrono::NaiveDate;
use serde::Serialize;
use trailkeeper_analytics::EachTenant;
use trailkeeper_analytics::question::userinfo::{DailyUserinfo, UserinfoQuestion, userinfo};
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::time;
use utoipa::ToSchema;

use super::error_responses::{ErrorResponses, TenantErrorResponses};
use super::{tenant_ids, values};
use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Saasus;
use crate::extract::caller::{ReadAnalytics, SaasusCaller};
use crate::operation::{FromQuery, QueryParams, operation};
use crate::state::AppState;
use crate::timezone::TimeZoneParam;

/// The range and the tenants of the calls.
#[derive(QueryParams)]
pub struct AggregatedUserInfoParams {
    /// Start date (YYYY-MM-DD)
    #[param(schema = values::LocalDay, inline, example = "2025-01-01", with = time::parse_day)]
    start_date: NaiveDate,
    /// End date (YYYY-MM-DD)
    #[param(schema = values::LocalDay, inline, example = "2025-01-31", with = time::parse_day)]
    end_date: NaiveDate,
    /// Tenant IDs
    #[param(schema = values::ListedTenantId, inline, example = ["f94bfffc-8be2-11ec-b41a-0242ac120004"], read = tenant_ids::read)]
    tenant_ids: Option<Vec<TenantId>>,
    #[param(flatten)]
    timezone: TimeZoneParam<values::ZoneOfDays>,
}

impl AggregatedUserInfoParams {
    fn question(&self) -> UserinfoQuestion {
        UserinfoQuestion { start_date: self.start_date, end_date: self.end_date, zone: self.timezone.zone() }
    }
}

/// The number of userinfo calls.
#[derive(Serialize, ToSchema)]
pub struct AggregatedUserInfoMetrics {
    /// Every day of the range, ascending.
    metrics: Vec<DailyUserInfoMetric>,
}

/// The number of userinfo calls on one day.
#[derive(Serialize, ToSchema)]
pub struct DailyUserInfoMetric {
    /// The local day: YYYY-MM-DD.
    #[schema(value_type = values::LocalDay, inline)]
    date: String,
    /// The number of calls per tenant. Tenants without calls are left out. Calls outside any tenant are under the
    /// all-zero UUID.
    details: BTreeMap<String, u64>,
}

impl From<DailyUserinfo> for DailyUserInfoMetric {
    fn from(day: DailyUserinfo) -> Self {
        let details = day.details.into_iter().map(|(tenant, count)| (tenant.to_string(), count)).collect();
        Self { date: day.date.to_string(), details }
    }
}

impl AggregatedUserInfoMetrics {
    fn sample() -> Self {
        let day = DailyUserInfoMetric {
            date: "2025-01-01".to_owned(),
            details: BTreeMap::from([("f94bfffc-8be2-11ec-b41a-0242ac120004".to_owned(), 42)]),
        };
        Self { metrics: vec![day] }
    }
}

/// Get aggregated userinfo call count
///
/// Get aggregated userinfo API call count by date range and tenants.
///
/// The answer contains every local day of the range; a day without calls has empty `details`. Send `tenant_ids` as
/// repeated parameters, as one parameter joined with commas, or both. A credential that is scoped to a tenant may name
/// only that tenant, and gets that tenant's numbers without naming it.
#[operation(get, "/userinfo/aggregated", operation_id = "GetAggregatedUserInfo", tag = "metrics",
    responses(
        (status = 200, description = "The calls of each day.", body = AggregatedUserInfoMetrics, example = json!(AggregatedUserInfoMetrics::sample())),
        ErrorResponses,
        TenantErrorResponses,
    ))]
pub async fn get_aggregated_userinfo(
    caller: SaasusCaller<ReadAnalytics>,
    FromQuery(params): FromQuery<AggregatedUserInfoParams>,
    state: Data<AppState>,
) -> ApiResult<Saasus> {
    let question = params.question();
    let tenants = EachTenant::of(caller.principal.visibility(), params.tenant_ids.as_deref(), None)?;
    let days = blocking::run_analytic(&state, move |state| userinfo(state.store(), &question, &tenants)).await?;
    let metrics = days.into_iter().map(DailyUserInfoMetric::from).collect();
    Ok(HttpResponse::Ok().json(AggregatedUserInfoMetrics { metrics }))
}
