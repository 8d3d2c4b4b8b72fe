//! `GET /v1/events/stream`.

use actix_web::http::{Method, header};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use trailkeeper_domain::{Error, Result};

use super::following::Following;
use super::live::Live;
use super::reading::{FirstPosition, ReadingParams, SentCursor};
use crate::api_error::ApiResult;
use crate::error_formats::Native;
use crate::extract::caller::{Caller, FollowEvents};
use crate::operation::{FromQuery, operation};
use crate::problems::{CommonProblems, FeedProblems, TenantNotFound};
use crate::state::AppState;

/// The header in which a client that reconnects sends the id of the last event that it got.
const LAST_EVENT_ID: &str = "Last-Event-ID";

/// Stream the feed as server-sent events.
///
/// The events of the feed, each as `id: <position>`, `event: event` and `data: <the event in one line>`, as soon as they are
/// stored. A client that connects again sends the last `id` as the header `Last-Event-ID`, which goes before `cursor` and
/// `start`, and gets what it missed. Without a cursor, the stream begins with the events that are stored from now on. A
/// comment (`: keep-alive`) comes after 15 seconds without an event. Other events: `gap` (events were removed before this
/// reader got them), `behind` (the reader takes less than comes) and `end`, after both of which the answer ends; `end` has a
/// `reason`: `stopping`, `unauthorized`, `permission_denied`, `cursor_expired` or `internal_error`.
#[operation(get, "/v1/events/stream", tag = "events",
    responses(
        (status = 200, description = "Server-sent events, without end.", content_type = "text/event-stream", body = String),
        CommonProblems, TenantNotFound, FeedProblems,
    ))]
pub async fn stream_events(
    caller: Caller<FollowEvents, Native>,
    FromQuery(params): FromQuery<ReadingParams>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let resumed = last_event_id(caller.request())?;
    let (reading, start) = params.reading(&caller, &state, FirstPosition::Now, resumed).await?;
    let live = Live::begin(Following::begin(reading, &caller, &state)?, state.clone(), start).await?;
    let mut response = HttpResponse::Ok();
    response
        .content_type("text/event-stream")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        // nginx would collect events before it passes them on.
        .insert_header(("X-Accel-Buffering", "no"));
    Ok(if caller.request().method() == Method::HEAD { response.finish() } else { response.streaming(live.body()) })
}

/// The cursor in the header. An empty one is none: it is the id of a client that got no event yet.
fn last_event_id(request: &HttpRequest) -> Result<Option<SentCursor>> {
    let Some(sent) = request.headers().get(LAST_EVENT_ID) else { return Ok(None) };
    let text = sent.to_str().map_err(|_| {
        Error::invalid(LAST_EVENT_ID, "has characters that are not of ASCII; send the id of the last event unchanged")
    })?;
    Ok(Some(text).filter(|text| !text.is_empty()).map(|text| SentCursor::new(LAST_EVENT_ID, text.to_owned())))
}
