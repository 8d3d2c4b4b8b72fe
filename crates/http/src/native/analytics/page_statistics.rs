//! `GET /v1/analytics/page-statistics`.

use actix_web::web::Data;
use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_analytics::Span;
use trailkeeper_analytics::question::page_statistics::{
    PageStatistics, PageTotals, PageUse, PagesQuestion, Views, page_statistics,
};
use trailkeeper_analytics::question::ranking::Named;
use utoipa::ToSchema;

use super::csv::Table;
use super::params::RankingParams;
use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Caller, ReadAnalytics};
use crate::native::schemas;
use crate::operation::{FromQuery, operation};
use crate::problems::{CommonProblems, TenantNotFound};
use crate::state::AppState;

/// Views and distinct users of pages.
#[derive(Serialize, ToSchema)]
#[schema(example = PageStatisticsView::sample)]
pub struct PageStatisticsView {
    /// The time zone.
    #[schema(value_type = schemas::TimeZone)]
    timezone: &'static str,
    /// The requested period, over all pages.
    current: PagesPeriod,
    /// The previous period; null unless `compare` was sent.
    #[schema(required)]
    previous: Option<PagesPeriod>,
    /// The pages with the most views in the period, then by page.
    #[schema(max_items = 10000)]
    pages: Vec<PageRow>,
}

/// The numbers of all pages in one period.
#[derive(Serialize, ToSchema)]
pub struct PagesPeriod {
    /// The start, inclusive.
    #[schema(value_type = schemas::LocalInstant)]
    start: String,
    /// The end, exclusive.
    #[schema(value_type = schemas::LocalInstant)]
    end: String,
    /// The totals of all pages, including the pages that are not listed.
    totals: PagesTotals,
}

/// The numbers of all pages.
#[derive(Serialize, ToSchema)]
pub struct PagesTotals {
    /// The number of events with a page, with any outcome.
    #[schema(value_type = schemas::Count)]
    views: u64,
    /// The number of distinct users over all pages. It is not a sum.
    #[schema(value_type = schemas::Count)]
    users: u64,
    /// The number of distinct pages that were viewed.
    #[schema(value_type = schemas::Count)]
    pages: u64,
}

/// The numbers of one page.
#[derive(Serialize, ToSchema)]
pub struct PageRow {
    /// The page, without fragment and (unless the server is set to keep it) query. `(other)` stands for the pages
    /// beyond the number of new pages that a tenant may add in a day.
    #[schema(value_type = schemas::Page)]
    page: String,
    /// The numbers of the requested period.
    current: PageViewCounts,
    /// The numbers of the previous period; null unless `compare` was sent.
    #[schema(required)]
    previous: Option<PageViewCounts>,
}

/// Views and users.
#[derive(Serialize, ToSchema)]
pub struct PageViewCounts {
    /// The number of events on the page, with any outcome.
    #[schema(value_type = schemas::Count)]
    views: u64,
    /// The number of distinct users. A view without a user counts in `views` but not here.
    #[schema(value_type = schemas::Count)]
    users: u64,
}

impl From<Views> for PageViewCounts {
    fn from(seen: Views) -> Self {
        Self { views: seen.views, users: seen.users }
    }
}

impl From<Named<PageUse>> for PageRow {
    fn from(page: Named<PageUse>) -> Self {
        let PageUse { current, previous } = page.counted;
        Self { page: page.name, current: current.into(), previous: previous.map(PageViewCounts::from) }
    }
}

impl PagesPeriod {
    fn of(span: Span, totals: PageTotals) -> Self {
        Self {
            start: span.zone.rfc3339(span.range.start),
            end: span.zone.rfc3339(span.range.end),
            totals: PagesTotals { views: totals.seen.views, users: totals.seen.users, pages: totals.pages },
        }
    }
}

impl PageStatisticsView {
    fn of(question: &PagesQuestion, statistics: PageStatistics) -> Self {
        Self {
            timezone: question.span.zone.name(),
            current: PagesPeriod::of(question.span, statistics.totals),
            previous: question.previous.zip(statistics.previous).map(|(span, totals)| PagesPeriod::of(span, totals)),
            pages: statistics.pages.into_iter().map(PageRow::from).collect(),
        }
    }

    fn sample() -> Value {
        let totals = PagesTotals { views: 15_420, users: 1_234, pages: 87 };
        let (start, end) = ("2026-01-01T00:00:00+09:00".to_owned(), "2026-02-01T00:00:00+09:00".to_owned());
        let row = |page: &str, views, users| PageRow {
            page: page.to_owned(),
            current: PageViewCounts { views, users },
            previous: None,
        };
        json!(Self {
            timezone: "Asia/Tokyo",
            current: PagesPeriod { start, end, totals },
            previous: None,
            pages: vec![row("/dashboard", 6_200, 1_100), row("/invoices", 2_480, 730)],
        })
    }
}

/// The columns in CSV.
const TABLE: Table =
    Table { rows: "pages", columns: &["page", "current.views", "current.users", "previous.views", "previous.users"] };

/// Count views and distinct users per page and over all pages.
///
/// All numbers are exact and come from one snapshot. Late events count at the time when they occurred. A setting of the
/// server limits the number of new pages of a tenant in a day. New pages beyond the limit are counted together as
/// `(other)`.
#[operation(get, "/v1/analytics/page-statistics", tag = "analytics",
    responses((status = 200, description = "The statistics of the pages.", content((PageStatisticsView = "application/json"), (String = "text/csv"))), CommonProblems, TenantNotFound))]
pub async fn get_page_statistics(
    caller: Caller<ReadAnalytics, Native>,
    FromQuery(params): FromQuery<RankingParams>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let span = params.span(state.clock().now())?;
    let question = PagesQuestion { span, previous: params.previous(span), limit: params.limit() };
    let audience = params.audience(&state, &caller.principal)?;
    let statistics =
        blocking::run_analytic(&state, move |state| page_statistics(state.store(), &question, &audience)).await?;
    Ok(params.format.answer(&PageStatisticsView::of(&question, statistics), &TABLE)?)
}
