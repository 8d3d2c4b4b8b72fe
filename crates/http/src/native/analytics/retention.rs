//! `GET /v1/analytics/retention`.

use actix_web::web::Data;
use serde::Serialize;
use trailkeeper_analytics::question::retention::{Cohort, DEFAULT_PERIODS, MAX_PERIODS, Retention, retention};
use trailkeeper_analytics::{Granularity, Zone};
use utoipa::ToSchema;

use super::csv::{FormatParam, Table};
use super::params::{self, AudienceParams, CompareParam, SpanParams};
use super::series_view::{PeriodView, SeriesView};
use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Caller, ReadAnalytics};
use crate::native::granularity::WeekStartParam;
use crate::native::schemas;
use crate::operation::{FromQuery, Limit, QueryParams, operation};
use crate::problems::{CommonProblems, TenantNotFound};
use crate::state::AppState;

/// The cohorts of one range.
#[derive(Serialize, ToSchema)]
pub struct RetentionPeriod {
    /// The start, inclusive.
    #[schema(value_type = schemas::LocalInstant)]
    start: String,
    /// The end, exclusive.
    #[schema(value_type = schemas::LocalInstant)]
    end: String,
    /// One cohort per day, week or month, in order of time. Empty cohorts are included.
    #[schema(max_items = 400)]
    cohorts: Vec<CohortView>,
}

/// The users who were active for the first time ever in one day, week or month.
#[derive(Serialize, ToSchema)]
pub struct CohortView {
    /// The start, inclusive.
    #[schema(value_type = schemas::LocalInstant)]
    start: String,
    /// The end, exclusive.
    #[schema(value_type = schemas::LocalInstant)]
    end: String,
    /// The number of users of the cohort.
    #[schema(value_type = schemas::Count)]
    users: u64,
    /// The number of these users who were active in the day, week or month of the cohort (all of them), in the next
    /// one, and so on. The list goes as far as the range and `periods` go.
    #[schema(value_type = Vec<schemas::Count>, min_items = 1, max_items = 91)]
    active: Vec<u64>,
}

impl CohortView {
    fn of(zone: Zone, cohort: Cohort) -> Self {
        Self {
            start: zone.rfc3339(cohort.range.start),
            end: zone.rfc3339(cohort.range.end),
            users: cohort.active.first().copied().unwrap_or_default(),
            active: cohort.active,
        }
    }
}

impl From<Retention> for RetentionPeriod {
    fn from(retention: Retention) -> Self {
        let (zone, range) = (retention.span.zone, retention.span.range);
        Self {
            start: zone.rfc3339(range.start),
            end: zone.rfc3339(range.end),
            cohorts: retention.cohorts.into_iter().map(|cohort| CohortView::of(zone, cohort)).collect(),
        }
    }
}

/// The answer.
type RetentionView = SeriesView<RetentionPeriod>;

impl PeriodView for RetentionPeriod {
    const ANSWER: &'static str = "RetentionView";
    const DESCRIPTION: &'static str = "Cohorts of a period, and of the one before it.";
    const GRANULARITY: &'static str = "How long a period is.";
    type Granularity = schemas::CohortGranularity;

    fn sample() -> (Self, &'static str) {
        let [january, february, march] =
            ["2026-01-01T00:00:00+09:00", "2026-02-01T00:00:00+09:00", "2026-03-01T00:00:00+09:00"].map(str::to_owned);
        let cohorts = vec![
            CohortView { start: january.clone(), end: february.clone(), users: 120, active: vec![120, 84] },
            CohortView { start: february, end: march.clone(), users: 95, active: vec![95] },
        ];
        let period = RetentionPeriod { start: january, end: march, cohorts };
        (period, "month")
    }
}

/// The range and the length of the cohorts.
#[derive(QueryParams)]
pub struct RetentionParams {
    #[param(flatten)]
    span: SpanParams,
    /// The length of a period, in local time; default: `day`. The first and the last period are cut to the range.
    #[param(schema = schemas::CohortGranularity, example = "week")]
    granularity: Option<Granularity>,
    #[param(flatten)]
    week_start: WeekStartParam,
    /// The largest number of periods after its first for which a cohort is followed; default: 12. Periods that begin after the range are left out.
    #[param(schema = schemas::PeriodCount, inline)]
    periods: Option<Limit<MAX_PERIODS>>,
    #[param(flatten)]
    compare: CompareParam,
    #[param(flatten)]
    audience: AudienceParams,
    #[param(flatten)]
    format: FormatParam,
}

/// The columns in CSV.
const TABLE: Table = Table { rows: "cohorts", columns: &["start", "end", "users", "active[]"] };

/// Count how many new users returned in later periods.
///
/// A user belongs to the day, week or month of their first activity ever among the requested events. A user who was
/// active before the range is therefore in no cohort of the range. A user is active when at least one of their events
/// did not fail. All numbers are exact and come from one snapshot. A range has at most 400 cohorts.
#[operation(get, "/v1/analytics/retention", tag = "analytics",
    responses((status = 200, description = "The cohorts.", content((RetentionView = "application/json"), (String = "text/csv"))), CommonProblems, TenantNotFound))]
pub async fn get_retention(
    caller: Caller<ReadAnalytics, Native>,
    FromQuery(params): FromQuery<RetentionParams>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let granularity = params.week_start.applied_to(params.granularity.unwrap_or(Granularity::Day));
    let spec = params::spec(&params.span, granularity, &params.compare, state.clock().now())?;
    let periods = params.periods.map_or(DEFAULT_PERIODS, |periods| periods.0);
    let audience = params.audience.audience(&state, &caller.principal)?;
    let answer =
        blocking::run_analytic(&state, move |state| retention(state.store(), spec, periods, &audience)).await?;
    Ok(params.format.answer(&RetentionView::of(spec, answer), &TABLE)?)
}
