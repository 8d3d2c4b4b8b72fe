//! `GET /v1/analytics/users/{user_id}/timeline`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use chrono::NaiveDate;
use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_analytics::Edge;
use trailkeeper_analytics::question::timeline::{Timeline, TimelineDay, TimelineQuestion, timeline};
use trailkeeper_domain::event::EventKind;
use utoipa::ToSchema;

use super::params::{AudienceParams, ZoneOfDays};
use crate::api_error::ApiResult;
use crate::blocking;
use crate::cursors::{List, ListPosition, NextCursor};
use crate::error_formats::Native;
use crate::extract::caller::{Caller, ReadUserActivity};
use crate::native::events::view::EventView;
use crate::native::schemas;
use crate::native::users::get::UserPath;
use crate::operation::{FromPath, FromQuery, Limit, QueryParams, operation};
use crate::problems::{CommonProblems, TenantNotFound};
use crate::state::AppState;
use crate::timezone::TimeZoneParam;

/// A page of a user's timeline.
#[derive(Serialize, ToSchema)]
#[schema(example = TimelineView::sample)]
pub struct TimelineView {
    /// The time zone.
    #[schema(value_type = schemas::TimeZone)]
    timezone: &'static str,
    /// The days that have events, newest first.
    #[schema(max_items = 1000)]
    days: Vec<TimelineDayView>,
    /// The cursor of the next page; null on the last page.
    #[schema(required, value_type = Option<schemas::EventCursor>)]
    next_cursor: NextCursor,
}

/// A local day of a timeline.
#[derive(Serialize, ToSchema)]
pub struct TimelineDayView {
    /// The local day. A day that the end of a page cuts off appears again on the next page.
    #[schema(value_type = schemas::Day)]
    date: NaiveDate,
    /// The events, newest first.
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

/// The range, the filters and the page of a timeline.
#[derive(QueryParams)]
pub struct TimelineParams {
    /// Only events at or after this time, or the start of this local day.
    #[param(schema = schemas::InstantOrDay, example = "2026-01-01")]
    from: Option<Edge>,
    /// Only events before this time, or the end of this local day. It lies after `from`.
    #[param(schema = schemas::InstantOrDay, example = "2026-01-31")]
    to: Option<Edge>,
    #[param(flatten)]
    timezone: TimeZoneParam<ZoneOfDays>,
    /// Only events of these types: a repeated parameter, or one that is joined by commas.
    #[param(schema = schemas::EventType, min_items = 1, max_items = 50)]
    r#type: Vec<EventKind>,
    #[param(flatten)]
    audience: AudienceParams,
    /// The `next_cursor` of the previous page, unchanged.
    #[param(schema = schemas::EventCursor)]
    cursor: Option<String>,
    /// The largest number of events; default: 100.
    #[param(schema = schemas::PageLimit, inline)]
    limit: Option<Limit<1000>>,
}

/// Get a user's timeline: the user's events by local day, newest first.
///
/// Every caller that may list events may get timelines. `limit` counts events. Events have the same form as in the list
/// of events, with UTC times. A cursor neither skips nor repeats events while new events arrive. A user without events,
/// known or not, has an empty timeline. A timeline never includes the server's own audit trail.
#[operation(get, "/v1/analytics/users/{user_id}/timeline", tag = "analytics",
    responses((status = 200, description = "A page of the timeline.", body = TimelineView), CommonProblems, TenantNotFound))]
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
        zone: params.timezone.zone(),
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
