//! `GET /v1/events`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_domain::usecase;
use utoipa::ToSchema;

use super::conditions::EventFilterParams;
use crate::api_error::ApiResult;
use crate::cursors::{List, NextCursor};
use crate::error_formats::Native;
use crate::extract::caller::{Caller, ReadEvents};
use crate::native::events::view::EventView;
use crate::native::paging::Paging;
use crate::native::schemas;
use crate::operation::{FromQuery, QueryParams, operation};
use crate::problems::{CommonProblems, TenantNotFound};
use crate::state::AppState;

/// The filters and the page of a list of events.
#[derive(QueryParams)]
pub struct EventListParams {
    #[param(flatten)]
    filter: EventFilterParams,
    #[param(flatten)]
    paging: Paging<schemas::EventCursor>,
}

/// A page of events.
#[derive(Serialize, ToSchema)]
#[schema(example = EventsView::sample)]
pub struct EventsView {
    /// The events, newest first.
    #[schema(max_items = 1000)]
    events: Vec<EventView>,
    /// The cursor of the next page; null on the last page.
    #[schema(required, value_type = Option<schemas::EventCursor>)]
    next_cursor: NextCursor,
}

impl EventsView {
    fn sample() -> Value {
        json!({"events": [EventView::sample()], "next_cursor": null})
    }
}

/// List events, newest first.
///
/// An event must match every filter that is sent. A filter with several values matches events that have any of them, and
/// its negation (`type_not`, or `type!=`) those that have none of them, with or without a value. Events of the same time come in the order of storage, latest first. A
/// cursor neither skips nor repeats events while new events arrive. The roles admin and auditor can list the server's
/// own audit trail (the tenant of all ones) like any other tenant. It does not exist for an analyst.
#[operation(get, "/v1/events", tag = "events",
    responses((status = 200, description = "A page of events.", body = EventsView), CommonProblems, TenantNotFound))]
pub async fn list_events(
    caller: Caller<ReadEvents, Native>,
    FromQuery(params): FromQuery<EventListParams>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let EventListParams { filter, paging } = params;
    let filter = filter.filter(&caller.principal, &state)?;
    let page = paging
        .page(&state, List::Events, &caller.principal, move |state, cursor, limit| {
            usecase::list_events(state.store(), &filter, cursor, "cursor", limit)
        })
        .await?
        .map(EventView::from);
    Ok(HttpResponse::Ok().json(EventsView { events: page.items, next_cursor: page.next }))
}
