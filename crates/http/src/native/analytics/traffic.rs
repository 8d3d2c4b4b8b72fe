//! `GET /v1/analytics/traffic`.

use std::collections::BTreeMap;

use actix_web::web::Data;
use serde::Serialize;
use trailkeeper_analytics::Zone;
use trailkeeper_analytics::question::Series;
use trailkeeper_analytics::question::traffic::{Traffic, TypeTraffic, traffic};
use trailkeeper_domain::event::EventKind;
use trailkeeper_domain::time::TimeRange;
use utoipa::ToSchema;

use super::csv::Table;
use super::params::SeriesParams;
use super::series_view::{PeriodView, SeriesView};
use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Caller, ReadAnalytics};
use crate::native::schemas;
use crate::operation::{FromQuery, QueryParams, operation};
use crate::problems::{CommonProblems, TenantNotFound};
use crate::state::AppState;

/// Events and users of one period.
#[derive(Serialize, ToSchema)]
pub struct TrafficPeriod {
    /// The start, inclusive.
    #[schema(value_type = schemas::LocalInstant)]
    start: String,
    /// The end, exclusive.
    #[schema(value_type = schemas::LocalInstant)]
    end: String,
    /// The totals of the whole period.
    totals: TrafficTotals,
    /// The buckets in order of time. Empty buckets are included.
    #[schema(max_items = 10000)]
    buckets: Vec<TrafficBucket>,
}

/// Events and users of a whole period.
#[derive(Serialize, ToSchema)]
pub struct TrafficTotals {
    /// The number of events, including failed events and events without a user.
    #[schema(value_type = schemas::Count)]
    events: u64,
    /// The number of distinct users over all types. It is not a sum.
    #[schema(value_type = schemas::Count)]
    users: u64,
    /// The numbers by type, in the order of the types' names. Types without events are left out.
    types: Vec<TypeTrafficView>,
}

/// Events and users of one type.
#[derive(Serialize, ToSchema)]
pub struct TypeTrafficView {
    /// The type of the event.
    #[schema(value_type = schemas::EventType)]
    r#type: String,
    /// The number of events.
    #[schema(value_type = schemas::Count)]
    events: u64,
    /// The number of distinct users.
    #[schema(value_type = schemas::Count)]
    users: u64,
}

/// Events and users of one bucket.
#[derive(Serialize, ToSchema)]
pub struct TrafficBucket {
    /// The start, inclusive.
    #[schema(value_type = schemas::LocalInstant)]
    start: String,
    /// The end, exclusive.
    #[schema(value_type = schemas::LocalInstant)]
    end: String,
    /// The number of events, including failed events and events without a user.
    #[schema(value_type = schemas::Count)]
    events: u64,
    /// The number of distinct users over all types. It is not a sum.
    #[schema(value_type = schemas::Count)]
    users: u64,
    /// The numbers by type, in the order of the types' names. Types without events are left out.
    types: Vec<TypeTrafficView>,
}

fn types_of(types: BTreeMap<String, TypeTraffic>) -> Vec<TypeTrafficView> {
    let view = |(name, traffic): (String, TypeTraffic)| TypeTrafficView {
        r#type: name,
        events: traffic.events,
        users: traffic.users,
    };
    types.into_iter().map(view).collect()
}

impl TrafficBucket {
    fn of(zone: Zone, (range, traffic): (TimeRange, Traffic)) -> Self {
        Self {
            start: zone.rfc3339(range.start),
            end: zone.rfc3339(range.end),
            events: traffic.events,
            users: traffic.users,
            types: types_of(traffic.types),
        }
    }
}

impl From<Series<Traffic>> for TrafficPeriod {
    fn from(series: Series<Traffic>) -> Self {
        let (zone, range, totals) = (series.span.zone, series.span.range, series.totals);
        Self {
            start: zone.rfc3339(range.start),
            end: zone.rfc3339(range.end),
            totals: TrafficTotals { events: totals.events, users: totals.users, types: types_of(totals.types) },
            buckets: series.buckets.into_iter().map(|bucket| TrafficBucket::of(zone, bucket)).collect(),
        }
    }
}

/// The answer.
type TrafficView = SeriesView<TrafficPeriod>;

impl PeriodView for TrafficPeriod {
    const ANSWER: &'static str = "TrafficView";
    const DESCRIPTION: &'static str = "Events and users of a period, and of the one before it.";
    type Granularity = schemas::Granularity;

    fn sample() -> (Self, &'static str) {
        let (start, end) = ("2026-01-31T00:00:00+09:00".to_owned(), "2026-02-01T00:00:00+09:00".to_owned());
        let types = || {
            let of = |name: &str, events, users| TypeTrafficView { r#type: name.to_owned(), events, users };
            vec![of("login_success", 130, 110), of("page_load", 5_200, 120)]
        };
        let bucket =
            TrafficBucket { start: start.clone(), end: end.clone(), events: 5_330, users: 120, types: types() };
        let totals = TrafficTotals { events: 5_330, users: 120, types: types() };
        let period = TrafficPeriod { start, end, totals, buckets: vec![bucket] };
        (period, "day")
    }
}

/// The range and the filters of the traffic.
#[derive(QueryParams)]
pub struct TrafficParams {
    #[param(flatten)]
    series: SeriesParams,
    /// Only events of these types: a repeated parameter, or one that is joined by commas.
    #[param(schema = schemas::EventType, min_items = 1, max_items = 50)]
    r#type: Vec<EventKind>,
}

/// The columns in CSV.
const TABLE: Table = Table { rows: "buckets", columns: &["start", "end", "events", "users", "types"] };

/// Count events and their users by type.
///
/// All numbers are exact and come from one snapshot. Late events count at the time when they occurred. An answer has at
/// most 200,000 rows inside its buckets.
#[operation(get, "/v1/analytics/traffic", tag = "analytics",
    responses((status = 200, description = "The numbers of events and users.", content((TrafficView = "application/json"), (String = "text/csv"))), CommonProblems, TenantNotFound))]
pub async fn get_traffic(
    caller: Caller<ReadAnalytics, Native>,
    FromQuery(params): FromQuery<TrafficParams>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let spec = params.series.spec(state.clock().now())?;
    let audience = params.series.audience(&state, &caller.principal)?;
    let types = params.r#type;
    let answer = blocking::run_analytic(&state, move |state| traffic(state.store(), spec, &types, &audience)).await?;
    Ok(params.series.format.answer(&TrafficView::of(spec, answer), &TABLE)?)
}
