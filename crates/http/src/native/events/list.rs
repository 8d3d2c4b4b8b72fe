//! `GET /v1/events`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_auth::Principal;
use trailkeeper_domain::address::AddressRange;
use trailkeeper_domain::event::{EventFilter, Outcome};
use trailkeeper_domain::id::{EnvId, TenantId, UserId};
use trailkeeper_domain::page::{MAX_PAGE, PageQueries, page_key};
use trailkeeper_domain::time::{self, Timestamp};
use trailkeeper_domain::{Result, text, usecase};
use utoipa::ToSchema;

use crate::api_error::ApiResult;
use crate::cursors::{List, NextCursor};
use crate::error_formats::Native;
use crate::extract::caller::{Caller, ReadEvents};
use crate::extract::query::Query;
use crate::native::events::view::EventView;
use crate::native::kinds;
use crate::native::paging::Paging;
use crate::native::problems::{CommonProblems, NotFound};
use crate::native::schemas;
use crate::state::AppState;

const PARAMETERS: [&str; 12] = [
    "tenant_id",
    "env_id",
    "user_id",
    "type",
    "outcome",
    "source",
    "page",
    "session_id",
    "from",
    "to",
    "cursor",
    "limit",
];

/// A page of events.
#[derive(Serialize, ToSchema)]
#[schema(example = EventsView::sample)]
pub struct EventsView {
    /// Newest first.
    #[schema(max_items = 1000)]
    events: Vec<EventView>,
    /// Where the list goes on; null on the last page.
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
/// Every filter that is sent must hold. Equal times come in the order of storage, latest first, and a cursor
/// neither skips nor repeats while events arrive. The server's own trail, the tenant of all ones, is listed
/// like any other for the roles admin and auditor, and does not exist for an analyst.
#[utoipa::path(get, path = "/v1/events", tag = "events", security(("Bearer" = [])),
    params(
        ("tenant_id" = Option<schemas::TenantId>, Query, description = "Only this tenant's."),
        ("env_id" = Option<schemas::EnvId>, Query, description = "Only this environment's."),
        ("user_id" = Option<schemas::UserId>, Query, description = "Only this user's."),
        ("type" = Option<Vec<schemas::EventType>>, Query, description = "Only these types: repeated, or joined by commas.",
            min_items = 1, max_items = 50),
        ("outcome" = Option<schemas::EventOutcome>, Query, description = "Only with this outcome."),
        ("source" = Option<schemas::AddressOrNetwork>, Query, description = "Only from this address or network."),
        ("page" = Option<schemas::Page>, Query, description = "Only on this page: as statistics group pages, so fragments never count and queries do not unless the server is set to keep them."),
        ("session_id" = Option<schemas::SessionId>, Query, description = "Only of this session of the application."),
        ("from" = Option<schemas::InstantOrDay>, Query, description = "Only at or after this time, or the start of this day.",
            example = json!("2026-01-01")),
        ("to" = Option<schemas::InstantOrDay>, Query, description = "Only before this time, or the end of this day. Lies after `from`.",
            example = json!("2026-01-31T12:00:00Z")),
        ("cursor" = Option<schemas::EventCursor>, Query, description = "`next_cursor` of the page before, unchanged."),
        ("limit" = Option<i32>, Query, description = "How many at most; 100 where it is not sent.", minimum = 1, maximum = 1000),
    ),
    responses((status = 200, description = "A page of events.", body = EventsView), CommonProblems, NotFound))]
pub async fn list_events(
    caller: Caller<ReadEvents, Native>,
    request: HttpRequest,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let query = Query::of(&request)?.only(&PARAMETERS)?;
    let filter = filter_of(&query, &caller.principal, state.settings.page_queries)?;
    let paging = Paging::of(&query, List::Events, &caller.principal)?;
    let page = paging
        .page(&state, move |state, cursor, limit| usecase::list_events(state.store(), &filter, cursor, "cursor", limit))
        .await?
        .map(EventView::from);
    Ok(HttpResponse::Ok().json(EventsView { events: page.items, next_cursor: page.next }))
}

fn filter_of(query: &Query, caller: &Principal, queries: PageQueries) -> Result<EventFilter> {
    let tenant = query.optional("tenant_id")?.map(|id| TenantId::parse("tenant_id", id)).transpose()?;
    let visibility = caller.visibility().narrow(tenant)?;
    Ok(EventFilter {
        env_id: query.optional("env_id")?.map(|id| EnvId::parse("env_id", id)).transpose()?,
        user_id: query.optional("user_id")?.map(|id| UserId::parse("user_id", id)).transpose()?,
        kinds: kinds::of(query)?,
        outcome: query.optional("outcome")?.map(|name| Outcome::parse("outcome", name)).transpose()?,
        source: query.optional("source")?.map(|range| AddressRange::parse("source", range)).transpose()?,
        page_key: checked(query, "page", MAX_PAGE)?.map(|page| page_key(page, queries).to_owned()),
        session_id: checked(query, "session_id", 128)?.map(str::to_owned),
        from: query.optional("from")?.map(|at| time::parse_start("from", at)).transpose()?,
        until: query.optional("to")?.map(|at| until("to", at)).transpose()?,
        ..EventFilter::within(visibility)
    })
}

fn checked<'a>(query: &'a Query, name: &str, max: usize) -> Result<Option<&'a str>> {
    let value = query.optional(name)?;
    value.map_or(Ok(()), |value| text::checked(name, value, max))?;
    Ok(value)
}

/// The end of a range: a time as it is, a day to its end.
fn until(field: &str, value: &str) -> Result<Timestamp> {
    if value.len() == 10 { time::parse_inclusive_end(field, value) } else { time::parse_start(field, value) }
}
