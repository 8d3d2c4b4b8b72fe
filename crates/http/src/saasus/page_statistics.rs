//! `GET /metrics/page-statistics`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use trailkeeper_analytics::Audience;
use trailkeeper_analytics::question::page_statistics::{
    PageStatistics as Statistics, PageUse, PagesQuestion, page_statistics,
};
use trailkeeper_analytics::question::ranking::Named;
use trailkeeper_domain::time::{self, MAX_UNIX_SECONDS, Timestamp};
use trailkeeper_domain::{Error, Result};
use trailkeeper_parsers::query::whole_number;
use utoipa::ToSchema;

use super::error_responses::ErrorResponses;
use super::values;
use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Saasus;
use crate::extract::caller::{ReadAnalytics, SaasusCaller};
use crate::operation::{FromQuery, Query, QueryParams, operation};
use crate::state::AppState;

/// The requested period.
#[derive(QueryParams)]
pub struct PageStatisticsParams {
    /// Start timestamp of statistics period (UNIX timestamp)
    #[param(schema = values::Seconds, inline, example = 1_701_388_800, read = seconds)]
    start_timestamp: Timestamp,
    /// End timestamp of statistics period (UNIX timestamp)
    #[param(schema = values::Seconds, inline, example = 1_704_067_199, read = seconds)]
    end_timestamp: Timestamp,
}

fn seconds(query: &Query, name: &str) -> Result<Timestamp> {
    let missing = || Error::invalid(name, "is missing; add UNIX seconds to the query");
    let value = query.optional(name)?.ok_or_else(missing)?;
    time::from_unix_seconds(name, whole_number(name, value, 0, MAX_UNIX_SECONDS)?)
}

/// Views and distinct users of the pages of a period.
#[derive(Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the names are the published ones")]
pub struct PageStatistics {
    /// The start of the period, in UNIX seconds.
    #[schema(value_type = values::Seconds, inline)]
    start_date: i64,
    /// The end of the period, in UNIX seconds; this second is inside.
    #[schema(value_type = values::Seconds, inline)]
    end_date: i64,
    /// The number of views.
    #[schema(value_type = values::Count, inline)]
    total_page_views: u64,
    /// The number of distinct users over all pages. It is not a sum.
    #[schema(value_type = values::Count, inline)]
    total_unique_users: u64,
    /// The pages, by views in descending order, then by page.
    page_statistics: Vec<PageStatistic>,
}

/// Views and distinct users of one page.
#[derive(Serialize, ToSchema)]
pub struct PageStatistic {
    /// The page, without fragment and (unless the server is set to keep it) query.
    page_url: String,
    /// The number of views of the page.
    #[schema(value_type = values::Count, inline)]
    total_views: u64,
    /// The number of distinct users of the page.
    #[schema(value_type = values::Count, inline)]
    unique_users: u64,
}

impl PageStatistics {
    fn of(params: &PageStatisticsParams, statistics: Statistics) -> Self {
        let row = |Named { name, counted }: Named<PageUse>| {
            let seen = counted.current;
            PageStatistic { page_url: name, total_views: seen.views, unique_users: seen.users }
        };
        let seen = statistics.totals.seen;
        Self {
            start_date: params.start_timestamp.timestamp(),
            end_date: params.end_timestamp.timestamp(),
            total_page_views: seen.views,
            total_unique_users: seen.users,
            page_statistics: statistics.pages.into_iter().map(row).collect(),
        }
    }

    fn sample() -> Self {
        let row = PageStatistic { page_url: "/dashboard".to_owned(), total_views: 15_420, unique_users: 1_234 };
        Self {
            start_date: 1_701_388_800,
            end_date: 1_704_067_199,
            total_page_views: 15_420,
            total_unique_users: 1_234,
            page_statistics: vec![row],
        }
    }
}

/// Get Page Statistics
///
/// Get page statistics for the specified period.
///
/// Both ends are inside. The period is at most 10 years.
#[operation(get, "/metrics/page-statistics", operation_id = "GetPageStatistics", tag = "metrics",
    responses(
        (status = 200, description = "The statistics of the period.", body = PageStatistics,
            example = json!(PageStatistics::sample())),
        ErrorResponses,
    ))]
pub async fn get_page_statistics(
    caller: SaasusCaller<ReadAnalytics>,
    FromQuery(params): FromQuery<PageStatisticsParams>,
    state: Data<AppState>,
) -> ApiResult<Saasus> {
    let question = PagesQuestion::of_seconds(params.start_timestamp, params.end_timestamp)?;
    let audience = Audience::of(caller.principal.visibility(), None, None)?.with_folds(state.folds());
    let statistics =
        blocking::run_analytic(&state, move |state| page_statistics(state.store(), &question, &audience)).await?;
    Ok(HttpResponse::Ok().json(PageStatistics::of(&params, statistics)))
}
