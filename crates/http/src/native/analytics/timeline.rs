//! `GET /v1/analytics/users/{user_id}/timeline`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use chrono::NaiveDate;
use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_analytics::question::timeline::{Timeline, TimelineDay, TimelineQuestion, timeline};
use trailkeeper_auth::Principal;
use trailkeeper_domain::Result;
use utoipa::ToSchema;

use super::params::{AudienceParams, SpanParams};
use crate::api_error::ApiResult;
use crate::blocking;
use crate::cursors::{List, ListPosition, NextCursor};
use crate::error_formats::Native;
use crate::extract::caller::{Caller, ReadUserActivity};
use crate::extract::path;
use crate::extract::query::Query;
use crate::native::events::view::EventView;
use crate::native::kinds;
use crate::native::problems::{CommonProblems, NotFound};
use crate::native::schemas;
use crate::state::AppState;

const PARAMETERS: [&str; 8] = ["from", "to", "timezone", "tenant_id", "env_id", "type", "cursor", "limit"];

/// A page of what a user did.
#[derive(Serialize, ToSchema)]
#[schema(example = TimelineView::sample)]
pub struct TimelineView {
    /// The time zone.
    #[schema(value_type = schemas::TimeZone)]
    timezone: &'static str,
    /// Newest first, days with events alone.
    #[schema(max_items = 1000)]
    days: Vec<TimelineDayView>,
    /// Where the timeline goes on; null on the last page.
    #[schema(required, value_type = Option<schemas::EventCursor>)]
    next_cursor: NextCursor,
}

/// A local day of a timeline.
#[derive(Serialize, ToSchema)]
pub struct TimelineDayView {
    /// The local day. On the next page it stands again where it is cut off.
    #[schema(value_type = schemas::Day)]
    date: NaiveDate,
    /// Newest first.
    #[schema(min_items = 1, max_items = 1000)]
    events: Vec<EventView>,
}

impl From<TimelineDay> for TimelineDayView {
    fn from(day: TimelineDay) -> Self {
        Self { date: day.date, events: day.events.into_iter().map(EventView::from).collect() }
    }
}

impl TimelineView {
    fn of(question: &TimelineQuestion, days: Vec<TimelineDay>, next_cursor: NextCursor) -> Self {
        Self {
            timezone: question.zone.name(),
            days: days.into_iter().map(TimelineDayView::from).collect(),
            next_cursor,
        }
    }

    fn sample() -> Value {
        json!({
            "timezone": "Asia/Tokyo",
            "days": [{"date": "2026-01-31", "events": [EventView::sample()]}],
            "next_cursor": null,
        })
    }
}

/// Show what a user did, newest first, by local day.
///
/// Whoever may list events may see it. `limit` counts events, and events are shown as lists show them, with UTC
/// times. A cursor neither skips nor repeats while events arrive. A user without events, known or not, has an empty
/// timeline. The server's own trail is in no timeline.
#[utoipa::path(get, path = "/v1/analytics/users/{user_id}/timeline", tag = "analytics", security(("Bearer" = [])),
    params(
        ("user_id" = schemas::UserId, Path, description = "The user's id."),
        ("from" = Option<schemas::InstantOrDay>, Query, description = "Only at or after this time, or the start of this local day.",
            example = json!("2026-01-01")),
        ("to" = Option<schemas::InstantOrDay>, Query, description = "Only before this time, or the end of this local day. Lies after `from`.",
            example = json!("2026-01-31")),
        ("timezone" = Option<schemas::TimeZone>, Query, description = "The IANA time zone whose days count; UTC where it is not sent.",
            example = json!("Asia/Tokyo")),
        ("type" = Option<Vec<schemas::EventType>>, Query, description = "Only these types: repeated, or joined by commas.",
            min_items = 1, max_items = 50),
        AudienceParams,
        ("cursor" = Option<schemas::EventCursor>, Query, description = "`next_cursor` of the page before, unchanged."),
        ("limit" = Option<i32>, Query, description = "How many events at most; 100 where it is not sent.", minimum = 1, maximum = 1000),
    ),
    responses((status = 200, description = "A page of the timeline.", body = TimelineView), CommonProblems, NotFound))]
pub async fn get_timeline(
    caller: Caller<ReadUserActivity, Native>,
    request: HttpRequest,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let (mut question, position) = question_of(&request, &caller.principal)?;
    let audience = AudienceParams::of(&Query::of(&request)?)?.audience(&state, &caller.principal)?;
    let view = blocking::run_analytic(&state, move |state| {
        question.cursor = position.opened(state.access())?;
        let Timeline { days, next } = timeline(state.store(), &question, &audience)?;
        Ok(TimelineView::of(&question, days, position.next(state.access(), next)?))
    })
    .await?;
    Ok(HttpResponse::Ok().json(view))
}

/// The question, and where the page begins.
fn question_of(request: &HttpRequest, caller: &Principal) -> Result<(TimelineQuestion, ListPosition)> {
    let query = Query::of(request)?.only(&PARAMETERS)?;
    let span = SpanParams::of(&query)?;
    let position = ListPosition::of(&query, "cursor", List::Timeline, caller)?;
    let question = TimelineQuestion {
        user: path::user_id(request)?,
        kinds: kinds::of(&query)?,
        from: span.from(),
        to: span.to(),
        zone: span.zone(),
        cursor: None,
        limit: query.limit(100, 1000)?,
    };
    Ok((question, position))
}
