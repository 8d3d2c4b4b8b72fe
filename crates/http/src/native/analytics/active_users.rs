//! `GET /v1/analytics/active-users`.

use actix_web::web::Data;
use serde::Serialize;
use trailkeeper_analytics::Zone;
use trailkeeper_analytics::question::active_users::{ActiveUsers, ActiveUsersSeries, Stickiness, active_users};
use trailkeeper_domain::time::TimeRange;
use utoipa::ToSchema;

use super::csv::Table;
use super::params::{self, SeriesParams};
use super::series_view::{PeriodView, SeriesView};
use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Caller, ReadAnalytics};
use crate::native::schemas;
use crate::operation::{FromQuery, operation};
use crate::problems::{CommonProblems, TenantNotFound};
use crate::state::AppState;

/// Active users of one period.
#[derive(Serialize, ToSchema)]
pub struct ActiveUsersPeriod {
    /// The start, inclusive.
    #[schema(value_type = schemas::LocalInstant)]
    start: String,
    /// The end, exclusive.
    #[schema(value_type = schemas::LocalInstant)]
    end: String,
    /// The totals of the whole period.
    totals: ActiveUsersTotals,
    /// The buckets in order of time. Empty buckets are included.
    #[schema(max_items = 10000)]
    buckets: Vec<ActiveUsersBucket>,
}

/// Active users of a whole period.
#[derive(Serialize, ToSchema)]
pub struct ActiveUsersTotals {
    /// The number of distinct users with at least one event that did not fail.
    #[schema(value_type = schemas::Count)]
    active_users: u64,
    /// The active users who were never active before the period began, over all time.
    #[schema(value_type = schemas::Count)]
    new_users: u64,
    /// The active users who were active before, over all time.
    #[schema(value_type = schemas::Count)]
    returning_users: u64,
    /// The stickiness of the period.
    stickiness: StickinessView,
}

/// The stickiness: daily active users divided by monthly active users.
#[derive(Serialize, ToSchema)]
pub struct StickinessView {
    /// Distinct active users per local day, on average over the local days that the period touches. Rounded to
    /// four decimals.
    #[schema(minimum = 0)]
    average_daily_users: f64,
    /// Distinct active users of the last 30 local days of the period, up to its end. These days may begin before the
    /// period.
    #[schema(value_type = schemas::Count)]
    monthly_users: u64,
    /// `average_daily_users` divided by `monthly_users`, rounded to four decimals; null if there were no monthly users.
    /// Over a longer period the ratio can exceed 1, if there were more users earlier.
    #[schema(required, minimum = 0)]
    ratio: Option<f64>,
}

/// Active users of one bucket.
#[derive(Serialize, ToSchema)]
pub struct ActiveUsersBucket {
    /// The start, inclusive.
    #[schema(value_type = schemas::LocalInstant)]
    start: String,
    /// The end, exclusive.
    #[schema(value_type = schemas::LocalInstant)]
    end: String,
    /// The number of distinct users with at least one event that did not fail.
    #[schema(value_type = schemas::Count)]
    active_users: u64,
    /// The active users who were never active before the bucket began, over all time.
    #[schema(value_type = schemas::Count)]
    new_users: u64,
    /// The active users who were active before, over all time.
    #[schema(value_type = schemas::Count)]
    returning_users: u64,
}

impl From<&Stickiness> for StickinessView {
    fn from(stickiness: &Stickiness) -> Self {
        let Stickiness { daily_users, days, monthly_users } = *stickiness;
        Self {
            average_daily_users: params::quotient(daily_users, days).unwrap_or_default(),
            monthly_users,
            ratio: params::quotient(daily_users, days.saturating_mul(monthly_users)),
        }
    }
}

impl ActiveUsersBucket {
    fn of(zone: Zone, (range, users): &(TimeRange, ActiveUsers)) -> Self {
        Self {
            start: zone.rfc3339(range.start),
            end: zone.rfc3339(range.end),
            active_users: users.active,
            new_users: users.new,
            returning_users: users.returning,
        }
    }
}

impl From<ActiveUsersSeries> for ActiveUsersPeriod {
    fn from(series: ActiveUsersSeries) -> Self {
        let (zone, range, totals) = (series.span.zone, series.span.range, series.totals);
        Self {
            start: zone.rfc3339(range.start),
            end: zone.rfc3339(range.end),
            totals: ActiveUsersTotals {
                active_users: totals.users.active,
                new_users: totals.users.new,
                returning_users: totals.users.returning,
                stickiness: StickinessView::from(&totals.stickiness),
            },
            buckets: series.buckets.iter().map(|bucket| ActiveUsersBucket::of(zone, bucket)).collect(),
        }
    }
}

/// The answer.
type ActiveUsersView = SeriesView<ActiveUsersPeriod>;

impl PeriodView for ActiveUsersPeriod {
    const ANSWER: &'static str = "ActiveUsersView";
    const DESCRIPTION: &'static str = "Active users of a period, and of the one before it.";
    type Granularity = schemas::Granularity;

    fn sample() -> (Self, &'static str) {
        let (start, end) = ("2026-01-31T00:00:00+09:00".to_owned(), "2026-02-01T00:00:00+09:00".to_owned());
        let bucket = ActiveUsersBucket {
            start: start.clone(),
            end: end.clone(),
            active_users: 120,
            new_users: 15,
            returning_users: 105,
        };
        let stickiness = StickinessView { average_daily_users: 120.0, monthly_users: 480, ratio: Some(0.25) };
        let totals = ActiveUsersTotals { active_users: 120, new_users: 15, returning_users: 105, stickiness };
        let period = ActiveUsersPeriod { start, end, totals, buckets: vec![bucket] };
        (period, "day")
    }
}

/// The columns in CSV.
const TABLE: Table =
    Table { rows: "buckets", columns: &["start", "end", "active_users", "new_users", "returning_users"] };

/// Count all, new and returning active users.
///
/// A user is active when at least one of their events did not fail. The type decides whether a login failed, and the
/// outcome decides it for every other event. All numbers are exact and come from one snapshot. Late events count at the
/// time when they occurred, and also decide which users are new.
#[operation(get, "/v1/analytics/active-users", tag = "analytics",
    responses((status = 200, description = "The numbers of active users.", content((ActiveUsersView = "application/json"), (String = "text/csv"))), CommonProblems, TenantNotFound))]
pub async fn get_active_users(
    caller: Caller<ReadAnalytics, Native>,
    FromQuery(params): FromQuery<SeriesParams>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let spec = params.spec(state.clock().now())?;
    let audience = params.audience(&state, &caller.principal)?;
    let answer = blocking::run_analytic(&state, move |state| active_users(state.store(), spec, &audience)).await?;
    Ok(params.format.answer(&ActiveUsersView::of(spec, answer), &TABLE)?)
}
