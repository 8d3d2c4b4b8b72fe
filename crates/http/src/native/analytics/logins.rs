//! `GET /v1/analytics/logins`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use trailkeeper_analytics::Zone;
use trailkeeper_analytics::question::Series;
use trailkeeper_analytics::question::logins::{Attempts, Logins, logins};
use trailkeeper_domain::time::TimeRange;
use utoipa::ToSchema;

use super::params::SeriesParams;
use super::series_view::{PeriodView, SeriesView};
use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Caller, ReadAnalytics};
use crate::native::problems::{CommonProblems, NotFound};
use crate::native::schemas;
use crate::operation::{FromQuery, operation};
use crate::state::AppState;

/// Logins of one period.
#[derive(Serialize, ToSchema)]
pub struct LoginsPeriod {
    /// The first instant inside.
    #[schema(value_type = schemas::LocalInstant)]
    start: String,
    /// The first instant after it.
    #[schema(value_type = schemas::LocalInstant)]
    end: String,
    /// Over the whole period.
    totals: LoginsTotals,
    /// By time, those without anything included.
    #[schema(max_items = 10000)]
    buckets: Vec<LoginsBucket>,
}

/// Logins of a whole period.
#[derive(Serialize, ToSchema)]
pub struct LoginsTotals {
    /// Those that succeeded.
    success: LoginCounts,
    /// Those that were refused.
    failure: LoginCounts,
}

/// Logins of one bucket.
#[derive(Serialize, ToSchema)]
pub struct LoginsBucket {
    /// The first instant inside.
    #[schema(value_type = schemas::LocalInstant)]
    start: String,
    /// The first instant after it.
    #[schema(value_type = schemas::LocalInstant)]
    end: String,
    /// Those that succeeded.
    success: LoginCounts,
    /// Those that were refused.
    failure: LoginCounts,
}

/// Logins of one outcome.
#[derive(Serialize, ToSchema)]
pub struct LoginCounts {
    /// Logins.
    #[schema(value_type = schemas::Count)]
    logins: u64,
    /// Distinct users; a login without a user counts as a login alone.
    #[schema(value_type = schemas::Count)]
    users: u64,
    /// Distinct source addresses; a login without one counts as a login alone.
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

/// Count logins that succeeded and that were refused, with their users and sources.
///
/// Events of the types `login_success` and `login_fail`, whatever outcome they were sent with. All numbers are
/// exact and of one snapshot. Events that arrive late count where they occurred.
#[operation(get, "/v1/analytics/logins", tag = "analytics",
    responses((status = 200, description = "The numbers of logins.", body = LoginsView), CommonProblems, NotFound))]
pub async fn get_logins(
    caller: Caller<ReadAnalytics, Native>,
    FromQuery(params): FromQuery<SeriesParams>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let spec = params.spec(state.clock().now())?;
    let audience = params.audience(&state, &caller.principal)?;
    let answer = blocking::run_analytic(&state, move |state| logins(state.store(), spec, &audience)).await?;
    Ok(HttpResponse::Ok().json(LoginsView::of(spec, answer)))
}
