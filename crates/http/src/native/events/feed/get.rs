//! `GET /v1/events/feed`.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::web::Data;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};
use trailkeeper_domain::cursor::FeedPosition;
use trailkeeper_domain::usecase::{FeedPage, FeedStart};
use trailkeeper_domain::{Error, Result};
use trailkeeper_parsers::query::whole_number;
use utoipa::ToSchema;

use super::event::FeedEventView;
use super::following::{Following, PAUSE_OF_OUTAGE, is_outage};
use super::reading::{FirstPosition, ReadingParams};
use crate::api_error::ApiResult;
use crate::cursors::{FeedCursor, FeedCursors};
use crate::error_formats::Native;
use crate::extract::caller::{Caller, FollowEvents};
use crate::follow::Woken;
use crate::native::schemas;
use crate::operation::{FromQuery, Limit, QueryParams, operation};
use crate::problems::{CommonProblems, FeedProblems, TenantNotFound};
use crate::state::AppState;

/// The default limit of the events of a page.
const DEFAULT_LIMIT: usize = 100;

/// The parameters of a page of the feed.
#[derive(QueryParams)]
pub struct FeedParams {
    #[param(flatten)]
    reading: ReadingParams,
    /// How many at most; 100 where it is not sent.
    #[param(schema = schemas::PageLimit, inline)]
    limit: Option<Limit<1000>>,
    /// How many seconds the request may wait for events, if there are none. 0, which is the default, answers at once.
    #[param(schema = schemas::WaitSeconds, inline, with = seconds)]
    wait: Option<Duration>,
}

fn seconds(name: &str, value: &str) -> Result<Duration> {
    let seconds = whole_number(name, value, 0, schemas::MAX_WAIT_S.into())?;
    u64::try_from(seconds).map(Duration::from_secs).map_err(Error::internal)
}

/// A page of the feed.
#[derive(Serialize, ToSchema)]
#[schema(example = FeedPageView::sample)]
pub struct FeedPageView {
    /// The events, in the order in which they were stored.
    #[schema(max_items = 1000)]
    events: Vec<FeedEventView>,
    /// The cursor of the next page. An empty page has one, too, which is another one if events were stored that do not
    /// match the filters.
    #[schema(value_type = schemas::FeedCursor)]
    next_cursor: FeedCursor,
    /// Whether more events may follow at once.
    has_more: bool,
    /// Whether events behind the cursor were removed, by a rule of retention, before this reader got them. They may have
    /// matched the filters or not.
    gap: bool,
}

impl FeedPageView {
    fn sample() -> Value {
        let next_cursor = schemas::SAMPLE_FEED_CURSOR;
        json!({"events": [FeedEventView::sample()], "next_cursor": next_cursor, "has_more": false, "gap": false})
    }
}

/// A rendered page, and the position behind it.
struct Rendered {
    view: FeedPageView,
    next: FeedPosition,
}

impl Rendered {
    fn of(mut page: FeedPage, cursors: &FeedCursors) -> Result<Self> {
        let stored = std::mem::take(&mut page.events);
        let events = stored.into_iter().map(|event| FeedEventView::of(event, &page, cursors));
        let FeedPage { next, has_more, gap, .. } = page;
        let view =
            FeedPageView { events: events.collect::<Result<_>>()?, next_cursor: cursors.cursor(&next)?, has_more, gap };
        Ok(Self { view, next })
    }

    /// Whether the page says anything.
    fn is_news(&self) -> bool {
        !self.view.events.is_empty() || self.view.gap
    }
}

/// Read the feed: events in the order in which they were stored.
///
/// The order never changes and never gets an event in its middle. So a reader that passes `next_cursor` of each page as
/// `cursor` of the next one gets every event that matches once, while events are stored, and after any interruption. The
/// feed leaves out the audit events of reads. With `wait`, a request that finds nothing waits for events. A reading is
/// recorded once, at its start, also for programs. After the database was restored, a cursor from before is 410: events
/// may be missing in between.
#[operation(get, "/v1/events/feed", tag = "events",
    responses((status = 200, description = "A page of the feed.", body = FeedPageView), CommonProblems, TenantNotFound, FeedProblems))]
pub async fn get_event_feed(
    caller: Caller<FollowEvents, Native>,
    FromQuery(params): FromQuery<FeedParams>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let FeedParams { reading, limit, wait } = params;
    let limit = limit.map_or(DEFAULT_LIMIT, |limit| limit.0);
    let (reading, start) = reading.reading(&caller, &state, FirstPosition::Beginning, None).await?;
    let mut page = reading.page(&state, start, limit, (), Rendered::of).await?;
    let wait = wait.filter(|wait| !wait.is_zero() && caller.request().method() != Method::HEAD);
    if let Some(wait) = wait.filter(|_| !page.is_news()) {
        let following = Following::begin(reading, &caller, &state)?;
        page = later_page(following, &state, page, limit, Instant::now() + wait).await?;
    }
    Ok(HttpResponse::Ok().json(page.view))
}

/// The first page behind the empty page `page` that is not empty; the last empty one at `end`, or when the server stops.
async fn later_page(
    mut following: Following,
    state: &Data<AppState>,
    mut page: Rendered,
    limit: usize,
    end: Instant,
) -> Result<Rendered> {
    loop {
        let woken = following.wait(page.next.after, end).await;
        if woken == Woken::Ended {
            return Ok(page);
        }
        let asking = following.page(state, FeedStart::At(page.next), limit, Rendered::of);
        let asked = timeout_at(end + state.settings.database_timeout, asking).await;
        match asked.map_err(Error::unavailable).flatten() {
            Ok(next) if next.is_news() || woken == Woken::TimeOver => return Ok(next),
            Ok(next) => page = next,
            Err(error) if is_outage(&error) && woken == Woken::News => {
                following.pause(end.min(Instant::now() + PAUSE_OF_OUTAGE)).await;
            }
            Err(error) => return Err(error),
        }
    }
}
