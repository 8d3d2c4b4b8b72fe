//! `GET /v1/analytics/users/{user_id}/timeline`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use chrono::NaiveDate;
use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_analytics::question::timeline::{Timeline, TimelineDay, TimelineQuestion, timeline};
use trailkeeper_analytics::{Edge, Zone};
use trailkeeper_domain::event::EventKind;
use utoipa::ToSchema;

use super::params::AudienceParams;
use crate::api_error::ApiResult;
use crate::blocking;
use crate::cursors::{List, ListPosition, NextCursor};
use crate::error_formats::Native;
use crate::extract::caller::{Caller, ReadUserActivity};
use crate::native::events::view::EventView;
use crate::native::problems::{CommonProblems, NotFound};
use crate::native::schemas;
use crate::native::users::get::UserPath;
use crate::operation::{FromPath, FromQuery, Limit, QueryParams, operation};
use crate::state::AppState;

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

/// Which page of a timeline is asked for.
#[derive(QueryParams)]
pub struct TimelineParams {
    /// Only at or after this time, or the start of this local day.
    #[param(schema = schemas::InstantOrDay, example = "2026-01-01")]
    from: Option<Edge>,
    /// Only before this time, or the end of this local day. Lies after `from`.
    #[param(schema = schemas::InstantOrDay, example = "2026-01-31")]
    to: Option<Edge>,
    /// The IANA time zone whose days count; UTC where it is not sent.
    #[param(schema = schemas::TimeZone, example = "Asia/Tokyo")]
    timezone: Option<Zone>,
    /// Only these types: repeated, or joined by commas.
    #[param(schema = schemas::EventType, min_items = 1, max_items = 50)]
    r#type: Vec<EventKind>,
    #[param(flatten)]
    audience: AudienceParams,
    /// `next_cursor` of the page before, unchanged.
    #[param(schema = schemas::EventCursor)]
    cursor: Option<String>,
    /// How many events at most; 100 where it is not sent.
    #[param(schema = schemas::PageLimit, inline)]
    limit: Option<Limit<1000>>,
}

/// Show what a user did, newest first, by local day.
///
/// Whoever may list events may see it. `limit` counts events, and events are shown as lists show them, with UTC
/// times. A cursor neither skips nor repeats while events arrive. A user without events, known or not, has an empty
/// timeline. The server's own trail is in no timeline.
#[operation(get, "/v1/analytics/users/{user_id}/timeline", tag = "analytics",
    responses((status = 200, description = "A page of the timeline.", body = TimelineView), CommonProblems, NotFound))]
pub async fn get_timeline(
    caller: Caller<ReadUserActivity, Native>,
    FromPath(path): FromPath<UserPath>,
    FromQuery(params): FromQuery<TimelineParams>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let audience = params.audience.audience(&state, &caller.principal)?;
    let position = ListPosition::new(params.cursor, "cursor", List::Timeline, &caller.principal);
    let mut question = TimelineQuestion {
        user: path.user_id,
        kinds: params.r#type,
        from: params.from,
        to: params.to,
        zone: params.timezone.unwrap_or(Zone::UTC),
        cursor: None,
        limit: params.limit.map_or(100, |limit| limit.0),
    };
    let view = blocking::run_analytic(&state, move |state| {
        question.cursor = position.opened(state.access())?;
        let Timeline { days, next } = timeline(state.store(), &question, &audience)?;
        Ok(TimelineView::of(&question, days, position.next(state.access(), next)?))
    })
    .await?;
    Ok(HttpResponse::Ok().json(view))
}
