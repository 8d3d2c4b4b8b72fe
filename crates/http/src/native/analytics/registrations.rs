//! `GET /v1/analytics/registrations`.

use std::collections::BTreeMap;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_analytics::question::Series;
use trailkeeper_analytics::question::registrations::{Registrations, RegistrationsFilter, registrations};
use trailkeeper_analytics::{Audience, Zone};
use trailkeeper_domain::Result;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::time::TimeRange;
use trailkeeper_domain::user::{self, PoolId};
use utoipa::ToSchema;
use uuid::Uuid;

use super::params::{self, CompareParam, GranularityParam, SpanParams};
use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Caller, ReadAnalytics};
use crate::extract::query::Query;
use crate::native::problems::{CommonProblems, NotFound};
use crate::native::schemas;
use crate::state::AppState;

const PARAMETERS: [&str; 8] =
    ["from", "to", "timezone", "granularity", "compare", "tenant_id", "region", "user_pool_id"];

/// Registrations of a period, and of the one before it.
#[derive(Serialize, ToSchema)]
#[schema(example = RegistrationsView::sample)]
pub struct RegistrationsView {
    /// The time zone.
    #[schema(value_type = schemas::TimeZone)]
    timezone: &'static str,
    /// How long a bucket is.
    #[schema(value_type = schemas::Granularity)]
    granularity: &'static str,
    /// The period that was asked for.
    current: RegistrationsPeriod,
    /// The period before it; null unless `compare` was sent.
    #[schema(required)]
    previous: Option<RegistrationsPeriod>,
}

/// Registrations of one period.
#[derive(Serialize, ToSchema)]
pub struct RegistrationsPeriod {
    /// The first instant inside.
    #[schema(value_type = schemas::LocalInstant)]
    start: String,
    /// The first instant after it.
    #[schema(value_type = schemas::LocalInstant)]
    end: String,
    /// Over the whole period.
    totals: RegistrationCounts,
    /// By time, those without anything included.
    #[schema(max_items = 10000)]
    buckets: Vec<RegistrationsBucket>,
}

/// Registrations of one bucket.
#[derive(Serialize, ToSchema)]
pub struct RegistrationsBucket {
    /// The first instant inside.
    #[schema(value_type = schemas::LocalInstant)]
    start: String,
    /// The first instant after it.
    #[schema(value_type = schemas::LocalInstant)]
    end: String,
    /// What came to be in it.
    counts: RegistrationCounts,
}

/// What came to be.
#[derive(Serialize, ToSchema)]
pub struct RegistrationCounts {
    /// Users who registered, removed ones included.
    #[schema(value_type = schemas::Count)]
    users: u64,
    /// By region, those without one first.
    regions: Vec<RegionCount>,
    /// By user pool, those without one first.
    user_pools: Vec<UserPoolCount>,
    /// Memberships that began, ended ones included; null where `region` or `user_pool_id` was sent, since a
    /// membership has neither.
    #[schema(required, value_type = Option<schemas::Count>)]
    memberships: Option<u64>,
    /// Memberships by tenant, in the order of their ids; null where `memberships` is.
    #[schema(required)]
    tenants: Option<Vec<TenantCount>>,
}

/// Users of one region.
#[derive(Serialize, ToSchema)]
pub struct RegionCount {
    /// The region; null for users without one.
    #[schema(required, value_type = Option<schemas::Region>)]
    region: Option<String>,
    /// Users who registered.
    #[schema(value_type = schemas::Count)]
    users: u64,
}

/// Users of one pool.
#[derive(Serialize, ToSchema)]
pub struct UserPoolCount {
    /// The pool; null for users without one.
    #[schema(required, value_type = Option<schemas::UserPoolId>)]
    user_pool_id: Option<String>,
    /// Users who registered.
    #[schema(value_type = schemas::Count)]
    users: u64,
}

/// Memberships of one tenant.
#[derive(Serialize, ToSchema)]
pub struct TenantCount {
    /// The tenant.
    #[schema(value_type = schemas::TenantId)]
    tenant_id: Uuid,
    /// Memberships that began.
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

impl RegistrationsView {
    fn sample() -> Value {
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
        let current = RegistrationsPeriod { start, end, totals: counts(), buckets: vec![bucket] };
        json!(Self { timezone: "Asia/Tokyo", granularity: "day", current, previous: None })
    }
}

/// Count users who registered and memberships that began.
///
/// Whoever was removed since stays counted, so that answers about the past do not change. Every filter that is
/// sent must hold. A credential that is confined to a tenant sees the users who ever became its members, and its
/// memberships. An answer has at most 200,000 rows inside its buckets.
#[utoipa::path(get, path = "/v1/analytics/registrations", tag = "analytics", security(("Bearer" = [])),
    params(SpanParams, GranularityParam, CompareParam,
        ("tenant_id" = Option<schemas::TenantId>, Query, description = "Only users who ever became members of this tenant, and its memberships; all zero: users who never became a member."),
        ("region" = Option<schemas::Region>, Query, description = "Only users of this region."),
        ("user_pool_id" = Option<schemas::UserPoolId>, Query, description = "Only users of this user pool."),
    ),
    responses((status = 200, description = "The numbers of registrations.", body = RegistrationsView), CommonProblems, NotFound))]
pub async fn get_registrations(
    caller: Caller<ReadAnalytics, Native>,
    request: HttpRequest,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let query = Query::of(&request)?.only(&PARAMETERS)?;
    let spec = params::series(&query, state.clock().now())?;
    let tenant = query.optional("tenant_id")?.map(|id| TenantId::parse("tenant_id", id)).transpose()?;
    let filter = filter_of(&query)?;
    let audience = Audience::of(caller.principal.visibility(), tenant, None)?;
    let answer =
        blocking::run_analytic(&state, move |state| registrations(state.store(), &filter, spec, &audience)).await?;
    Ok(HttpResponse::Ok().json(RegistrationsView {
        timezone: spec.span.zone.name(),
        granularity: spec.granularity.as_str(),
        current: answer.current.into(),
        previous: answer.previous.map(Into::into),
    }))
}

fn filter_of(query: &Query) -> Result<RegistrationsFilter> {
    Ok(RegistrationsFilter {
        // A pool in another region is no contradiction here: both conditions hold for nobody.
        region: user::checked_region("region", query.optional("region")?.map(str::to_owned), None)?,
        user_pool_id: query.optional("user_pool_id")?.map(|pool| PoolId::parse("user_pool_id", pool)).transpose()?,
    })
}
