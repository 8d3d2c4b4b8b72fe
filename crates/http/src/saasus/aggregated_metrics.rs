//! `GET /metrics/aggregated`.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::web::Data;
use chrono::NaiveDate;
use serde::Serialize;
use trailkeeper_analytics::EachTenant;
use trailkeeper_analytics::question::metrics::{DailyMetric as Metric, MetricsQuestion, metrics};
use trailkeeper_domain::creation::CreationKind;
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

/// The requested metric.
#[derive(QueryParams)]
pub struct AggregatedMetricsParams {
    /// Metrics type
    #[param(schema = values::MetricsType, inline, example = "create_tenant", with = CreationKind::parse)]
    metrics_type: CreationKind,
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

impl AggregatedMetricsParams {
    fn question(&self) -> MetricsQuestion {
        MetricsQuestion {
            kind: self.metrics_type,
            start_date: self.start_date,
            end_date: self.end_date,
            zone: self.timezone.zone(),
        }
    }
}

/// The numbers of created records by day.
#[derive(Serialize, ToSchema)]
pub struct AggregatedMetrics {
    /// Every day of the range, ascending.
    metrics: Vec<DailyMetric>,
}

/// The number of created records on one day.
#[derive(Serialize, ToSchema)]
pub struct DailyMetric {
    /// The local day: YYYY-MM-DD.
    #[schema(value_type = values::LocalDay, inline)]
    date: String,
    /// The number over all tenants.
    #[schema(value_type = values::Count, inline)]
    count: u64,
    /// The number per tenant. Tenants without any are left out. Only for `create_tenant_user`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    details: Option<BTreeMap<String, u64>>,
}

impl From<Metric> for DailyMetric {
    fn from(day: Metric) -> Self {
        let named = |tenants: BTreeMap<TenantId, u64>| {
            tenants.into_iter().map(|(tenant, count)| (tenant.to_string(), count)).collect()
        };
        Self { date: day.date.to_string(), count: day.count, details: day.details.map(named) }
    }
}

impl AggregatedMetrics {
    fn sample() -> Self {
        let day = DailyMetric {
            date: "2025-01-01".to_owned(),
            count: 2,
            details: Some(BTreeMap::from([("f94bfffc-8be2-11ec-b41a-0242ac120004".to_owned(), 2)])),
        };
        Self { metrics: vec![day] }
    }
}

/// Get aggregated metrics
///
/// Get aggregated metrics by type and date range.
///
/// The answer contains every local day of the range, including days with zero. Send `tenant_ids` as repeated parameters,
/// as one parameter joined with commas, or both. A credential that is scoped to a tenant may name only that tenant, and
/// gets that tenant's numbers without naming it. Removed records stay counted on the day of their creation.
#[operation(get, "/metrics/aggregated", operation_id = "GetAggregatedMetrics", tag = "metrics",
    responses(
        (status = 200, description = "The metrics of each day.", body = AggregatedMetrics, example = json!(AggregatedMetrics::sample())),
        ErrorResponses,
        TenantErrorResponses,
    ))]
pub async fn get_aggregated_metrics(
    caller: SaasusCaller<ReadAnalytics>,
    FromQuery(params): FromQuery<AggregatedMetricsParams>,
    state: Data<AppState>,
) -> ApiResult<Saasus> {
    let question = params.question();
    let tenants = EachTenant::of(caller.principal.visibility(), params.tenant_ids.as_deref(), None)?;
    let days = blocking::run_analytic(&state, move |state| metrics(state.store(), &question, &tenants)).await?;
    let metrics = days.into_iter().map(DailyMetric::from).collect();
    Ok(HttpResponse::Ok().json(AggregatedMetrics { metrics }))
}
