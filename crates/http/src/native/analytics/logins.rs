//! `GET /v1/analytics/logins`.

use actix_web::web::Data;
use serde::Serialize;
use trailkeeper_analytics::Zone;
use trailkeeper_analytics::question::Series;
use trailkeeper_analytics::question::logins::{Attempts, Logins, logins};
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
use crate::operation::{FromQuery, operation};
use crate::problems::{CommonProblems, TenantNotFound};
use crate::state::AppState;

/// Logins of one period.
#[derive(Serialize, ToSchema)]
pub struct LoginsPeriod {
    /// The start, inclusive.
    #[schema(value_type = schemas::LocalInstant)]
    start: String,
    /// The end, exclusive.
    #[schema(value_type = schemas::LocalInstant)]
    end: String,
    /// The totals of the whole period.
    totals: LoginsTotals,
    /// The buckets in order of time. Empty buckets are included.
    #[schema(max_items = 10000)]
    buckets: Vec<LoginsBucket>,
}

/// Logins of a whole period.
#[derive(Serialize, ToSchema)]
pub struct LoginsTotals {
    /// The successful logins.
    success: LoginCounts,
    /// The refused logins.
    failure: LoginCounts,
}

/// Logins of one bucket.
#[derive(Serialize, ToSchema)]
pub struct LoginsBucket {
    /// The start, inclusive.
    #[schema(value_type = schemas::LocalInstant)]
    start: String,
    /// The end, exclusive.
    #[schema(value_type = schemas::LocalInstant)]
    end: String,
    /// The successful logins.
    success: LoginCounts,
    /// The refused logins.
    failure: LoginCounts,
}

/// Logins of one outcome.
#[derive(Serialize, ToSchema)]
pub struct LoginCounts {
    /// The number of logins.
    #[schema(value_type = schemas::Count)]
    logins: u64,
    /// The number of distinct users. A login without a user counts in `logins` but not here.
    #[schema(value_type = schemas::Count)]
    users: u64,
    /// The number of distinct source addresses. A login without an address counts in `logins` but not here.
    #[schema(value_type = schemas::Count)]
    sources: u64,
}

impl From<Attempts> for LoginCounts {
    fn from(attempts: Attempts) -> Self {
        Self { logins: attempts.logins, users: attempts.users, sources: attempts.sources }
    }
}

impl LoginsBucket {
    fn of(zone: Zone, (range, logins): (TimeRange, Logins)) -> Self {
        Self {
            start: zone.rfc3339(range.start),
            end: zone.rfc3339(range.end),
            success: logins.success.into(),
            failure: logins.failure.into(),
        }
    }
}

impl From<Series<Logins>> for LoginsPeriod {
    fn from(series: Series<Logins>) -> Self {
        let (zone, range, totals) = (series.span.zone, series.span.range, series.totals);
        Self {
            start: zone.rfc3339(range.start),
            end: zone.rfc3339(range.end),
            totals: LoginsTotals { success: totals.success.into(), failure: totals.failure.into() },
            buckets: series.buckets.into_iter().map(|bucket| LoginsBucket::of(zone, bucket)).collect(),
        }
    }
}

/// The answer.
type LoginsView = SeriesView<LoginsPeriod>;

impl PeriodView for LoginsPeriod {
    const ANSWER: &'static str = "LoginsView";
    const DESCRIPTION: &'static str = "Logins of a period, and of the one before it.";
    type Granularity = schemas::Granularity;

    fn sample() -> (Self, &'static str) {
        let (start, end) = ("2026-01-31T00:00:00+09:00".to_owned(), "2026-02-01T00:00:00+09:00".to_owned());
        let success = || LoginCounts { logins: 130, users: 110, sources: 90 };
        let failure = || LoginCounts { logins: 12, users: 5, sources: 4 };
        let bucket = LoginsBucket { start: start.clone(), end: end.clone(), success: success(), failure: failure() };
        let totals = LoginsTotals { success: success(), failure: failure() };
        let period = LoginsPeriod { start, end, totals, buckets: vec![bucket] };
        (period, "day")
    }
}

/// The columns in CSV.
const TABLE: Table = Table {
    rows: "buckets",
    columns: &[
        "start",
        "end",
        "success.logins",
        "success.users",
        "success.sources",
        "failure.logins",
        "failure.users",
        "failure.sources",
    ],
};

/// Count successful and refused logins, with their users and sources.
///
/// The operation counts the events of the types `login_success` and `login_fail`, with any outcome. All numbers are
/// exact and come from one snapshot. Late events count at the time when they occurred.
#[operation(get, "/v1/analytics/logins", tag = "analytics",
    responses((status = 200, description = "The numbers of logins.", content((LoginsView = "application/json"), (String = "text/csv"))), CommonProblems, TenantNotFound))]
pub async fn get_logins(
    caller: Caller<ReadAnalytics, Native>,
    FromQuery(params): FromQuery<SeriesParams>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let spec = params.spec(state.clock().now())?;
    let audience = params.audience(&state, &caller.principal)?;
    let answer = blocking::run_analytic(&state, move |state| logins(state.store(), spec, &audience)).await?;
    Ok(params.format.answer(&LoginsView::of(spec, answer), &TABLE)?)
}
