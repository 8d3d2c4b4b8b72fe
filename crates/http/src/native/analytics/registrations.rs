//! `GET /v1/analytics/registrations`.

use std::collections::BTreeMap;

use actix_web::web::Data;
use serde::Serialize;
use trailkeeper_analytics::question::Series;
use trailkeeper_analytics::question::registrations::{Registrations, RegistrationsFilter, registrations};
use trailkeeper_analytics::{Audience, Zone};
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::time::TimeRange;
use trailkeeper_domain::user::{self, PoolId};
use utoipa::ToSchema;
use uuid::Uuid;

use super::csv::{FormatParam, Table};
use super::params::SeriesSpecParams;
use super::series_view::{PeriodView, SeriesView};
use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Caller, ReadAnalytics};
use crate::native::schemas;
use crate::operation::{FromQuery, QueryParams, operation};
use crate::problems::{CommonProblems, TenantNotFound};
use crate::state::AppState;

/// Registrations of one period.
#[derive(Serialize, ToSchema)]
pub struct RegistrationsPeriod {
    /// The start, inclusive.
    #[schema(value_type = schemas::LocalInstant)]
    start: String,
    /// The end, exclusive.
    #[schema(value_type = schemas::LocalInstant)]
    end: String,
    /// The totals of the whole period.
    totals: RegistrationCounts,
    /// The buckets in order of time. Empty buckets are included.
    #[schema(max_items = 10000)]
    buckets: Vec<RegistrationsBucket>,
}

/// Registrations of one bucket.
#[derive(Serialize, ToSchema)]
pub struct RegistrationsBucket {
    /// The start, inclusive.
    #[schema(value_type = schemas::LocalInstant)]
    start: String,
    /// The end, exclusive.
    #[schema(value_type = schemas::LocalInstant)]
    end: String,
    /// The registrations in the bucket.
    counts: RegistrationCounts,
}

/// Numbers of registrations and memberships.
#[derive(Serialize, ToSchema)]
pub struct RegistrationCounts {
    /// The number of users who registered, including removed users.
    #[schema(value_type = schemas::Count)]
    users: u64,
    /// The number of users by region. Users without a region come first.
    regions: Vec<RegionCount>,
    /// The number of users by user pool. Users without a pool come first.
    user_pools: Vec<UserPoolCount>,
    /// The number of memberships that began, including ended memberships; null if `region` or `user_pool_id` was sent,
    /// because a membership has neither.
    #[schema(required, value_type = Option<schemas::Count>)]
    memberships: Option<u64>,
    /// The memberships by tenant, in the order of the tenants' ids; null if `memberships` is null.
    #[schema(required)]
    tenants: Option<Vec<TenantCount>>,
}

/// Users of one region.
#[derive(Serialize, ToSchema)]
pub struct RegionCount {
    /// The region; null for users without one.
    #[schema(required, value_type = Option<schemas::Region>)]
    region: Option<String>,
    /// The number of users who registered.
    #[schema(value_type = schemas::Count)]
    users: u64,
}

/// Users of one pool.
#[derive(Serialize, ToSchema)]
pub struct UserPoolCount {
    /// The pool; null for users without one.
    #[schema(required, value_type = Option<schemas::UserPoolId>)]
    user_pool_id: Option<String>,
    /// The number of users who registered.
    #[schema(value_type = schemas::Count)]
    users: u64,
}

/// Memberships of one tenant.
#[derive(Serialize, ToSchema)]
pub struct TenantCount {
    /// The tenant.
    #[schema(value_type = schemas::TenantId)]
    tenant_id: Uuid,
    /// The number of memberships that began.
    #[schema(value_type = schemas::Count)]
    memberships: u64,
}

fn tenants_of(tenants: BTreeMap<TenantId, u64>) -> Vec<TenantCount> {
    tenants.into_iter().map(|(id, memberships)| TenantCount { tenant_id: id.0, memberships }).collect()
}

impl From<Registrations> for RegistrationCounts {
    fn from(counts: Registrations) -> Self {
        let regions = counts.regions.into_iter();
        let pools = counts.user_pools.into_iter();
        Self {
            users: counts.users,
            regions: regions.map(|(region, users)| RegionCount { region, users }).collect(),
            user_pools: pools.map(|(user_pool_id, users)| UserPoolCount { user_pool_id, users }).collect(),
            memberships: counts.memberships.as_ref().map(|memberships| memberships.count),
            tenants: counts.memberships.map(|memberships| tenants_of(memberships.tenants)),
        }
    }
}

impl RegistrationsBucket {
    fn of(zone: Zone, (range, counts): (TimeRange, Registrations)) -> Self {
        Self { start: zone.rfc3339(range.start), end: zone.rfc3339(range.end), counts: counts.into() }
    }
}

impl From<Series<Registrations>> for RegistrationsPeriod {
    fn from(series: Series<Registrations>) -> Self {
        let (zone, range) = (series.span.zone, series.span.range);
        Self {
            start: zone.rfc3339(range.start),
            end: zone.rfc3339(range.end),
            totals: series.totals.into(),
            buckets: series.buckets.into_iter().map(|bucket| RegistrationsBucket::of(zone, bucket)).collect(),
        }
    }
}

/// The answer.
type RegistrationsView = SeriesView<RegistrationsPeriod>;

impl PeriodView for RegistrationsPeriod {
    const ANSWER: &'static str = "RegistrationsView";
    const DESCRIPTION: &'static str = "Registrations of a period, and of the one before it.";
    type Granularity = schemas::Granularity;

    fn sample() -> (Self, &'static str) {
        let (start, end) = ("2026-01-31T00:00:00+09:00".to_owned(), "2026-02-01T00:00:00+09:00".to_owned());
        let counts = || RegistrationCounts {
            users: 7,
            regions: vec![RegionCount { region: Some("eu-west-1".to_owned()), users: 7 }],
            user_pools: vec![UserPoolCount { user_pool_id: Some("eu-west-1_aBcD12345".to_owned()), users: 7 }],
            memberships: Some(9),
            tenants: Some(vec![TenantCount {
                tenant_id: uuid::uuid!("69e732d6-8ecc-45c4-a2eb-8438f7ffe775"),
                memberships: 9,
            }]),
        };
        let bucket = RegistrationsBucket { start: start.clone(), end: end.clone(), counts: counts() };
        let period = RegistrationsPeriod { start, end, totals: counts(), buckets: vec![bucket] };
        (period, "day")
    }
}

/// The range and the filters of the registrations.
#[derive(QueryParams)]
pub struct RegistrationsParams {
    #[param(flatten)]
    series: SeriesSpecParams,
    /// Only users who ever became members of this tenant, and its memberships; all zero: users who never became a member.
    #[param(schema = schemas::TenantId)]
    tenant_id: Option<TenantId>,
    /// Only users of this region.
    #[param(schema = schemas::Region)]
    region: Option<String>,
    /// Only users of this user pool.
    #[param(schema = schemas::UserPoolId)]
    user_pool_id: Option<PoolId>,
    #[param(flatten)]
    format: FormatParam,
}

/// The columns in CSV.
const TABLE: Table = Table {
    rows: "buckets",
    columns: &[
        "start",
        "end",
        "counts.users",
        "counts.memberships",
        "counts.regions",
        "counts.user_pools",
        "counts.tenants",
    ],
};

/// Count users who registered and memberships that began.
///
/// The numbers include removed users and ended memberships, so that answers about the past do not change. A
/// registration must match every filter that is sent. A credential that is scoped to a tenant sees the users who ever
/// became members of that tenant, and the memberships of that tenant. An answer has at most 200,000 rows inside its
/// buckets.
#[operation(get, "/v1/analytics/registrations", tag = "analytics",
    responses((status = 200, description = "The numbers of registrations.", content((RegistrationsView = "application/json"), (String = "text/csv"))), CommonProblems, TenantNotFound))]
pub async fn get_registrations(
    caller: Caller<ReadAnalytics, Native>,
    FromQuery(params): FromQuery<RegistrationsParams>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let spec = params.series.spec(state.clock().now())?;
    let audience = Audience::of(caller.principal.visibility(), params.tenant_id, None)?;
    // A pool in another region is no contradiction here: both conditions hold for nobody.
    let region = user::checked_region("region", params.region, None)?;
    let filter = RegistrationsFilter { region, user_pool_id: params.user_pool_id };
    let answer =
        blocking::run_analytic(&state, move |state| registrations(state.store(), &filter, spec, &audience)).await?;
    Ok(params.format.answer(&RegistrationsView::of(spec, answer), &TABLE)?)
}
