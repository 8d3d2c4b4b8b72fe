//! `GET /v1/events`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_analytics::Edge;
use trailkeeper_auth::Principal;
use trailkeeper_domain::address::AddressRange;
use trailkeeper_domain::event::{EventFilter, EventKind, Outcome, Values};
use trailkeeper_domain::id::{EnvId, TenantId, UserId};
use trailkeeper_domain::page::MAX_PAGE;
use trailkeeper_domain::{Result, text, usecase};
use utoipa::ToSchema;

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
use crate::timezone::{TimeZoneParam, ZoneMeaning};

/// The filters of a list of events.
#[derive(QueryParams)]
pub struct EventListParams {
    /// Only events of this tenant.
    #[param(schema = schemas::TenantId)]
    tenant_id: Option<TenantId>,
    /// Only events of this environment.
    #[param(schema = schemas::EnvId)]
    env_id: Option<EnvId>,
    /// Only events of this user.
    #[param(schema = schemas::UserId)]
    user_id: Option<UserId>,
    /// Only events of these types: a repeated parameter, or one that is joined by commas.
    #[param(schema = schemas::EventType, min_items = 1, max_items = 50)]
    r#type: Vec<EventKind>,
    /// Only events with this outcome.
    #[param(schema = schemas::EventOutcome)]
    outcome: Option<Outcome>,
    /// Only events from this address or network.
    #[param(schema = schemas::AddressOrNetwork)]
    source: Option<AddressRange>,
    /// Only events on this page, as statistics group pages: spellings of one URL are one page (`/caf%C3%A9` and `/café`). Queries and routes in fragments count only if the server is set to keep them.
    #[param(schema = schemas::Page, with = page)]
    page: Option<String>,
    /// Only events of this session of the application.
    #[param(schema = schemas::SessionId, with = session)]
    session_id: Option<String>,
    /// Only events on objects of this type. If neither `tenant_id`, `user_id`, a single address as `source` nor the credential's tenant narrows the list, it looks at most 31 days back from `to` (from now, if `to` is absent or in the future): that is the default of `from`, and an earlier `from` is refused (400).
    #[param(schema = schemas::TargetType, with = target_type)]
    target_type: Option<String>,
    /// Only events on the object with this id. The list looks back as far as with `target_type`.
    #[param(schema = schemas::TargetText, with = target_id)]
    target_id: Option<String>,
    /// Only events at or after this time, or the start of this local day.
    #[param(schema = schemas::InstantOrDay, example = "2026-01-01")]
    from: Option<Edge>,
    /// Only events before this time, or the end of this local day. It lies after `from`.
    #[param(schema = schemas::InstantOrDay, example = "2026-01-31T12:00:00Z")]
    to: Option<Edge>,
    #[param(flatten)]
    timezone: TimeZoneParam<ZoneOfDays>,
    #[param(flatten)]
    paging: Paging<schemas::EventCursor>,
}

impl EventListParams {
    fn filter(&self, caller: &Principal, state: &AppState) -> Result<EventFilter> {
        let zone = self.timezone.zone();
        let filter = EventFilter {
            env_id: self.env_id.into(),
            user_id: self.user_id.clone().into(),
            kind: Values::any_of(self.r#type.iter().cloned()),
            outcome: self.outcome.into(),
            source: self.source.into(),
            page: self.page.clone().into(),
            session_id: self.session_id.clone().into(),
            target_type: self.target_type.clone().into(),
            target_id: self.target_id.clone().into(),
            from: self.from.map(|from| from.start(zone)),
            until: self.to.map(|to| to.end(zone)),
            ..EventFilter::within(caller.visibility().narrow(self.tenant_id)?)
        };
        filter.bounded(state.clock().now())
    }
}

/// The time zone of the days of a list.
struct ZoneOfDays;

impl ZoneMeaning for ZoneOfDays {
    const DESCRIPTION: &'static str = "The IANA time zone of the days in `from` and `to`; default: UTC.";
    const IS_INLINE: bool = false;
}

fn page(name: &str, value: &str) -> Result<String> {
    text::checked(name, value, MAX_PAGE).map(|()| value.to_owned())
}

fn session(name: &str, value: &str) -> Result<String> {
    text::checked(name, value, 128).map(|()| value.to_owned())
}

fn target_type(name: &str, value: &str) -> Result<String> {
    text::checked(name, value, 64).map(|()| value.to_owned())
}

fn target_id(name: &str, value: &str) -> Result<String> {
    text::checked(name, value, 256).map(|()| value.to_owned())
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
/// An event must match every filter that is sent. Events of the same time come in the order of storage, latest first. A
/// cursor neither skips nor repeats events while new events arrive. The roles admin and auditor can list the server's
/// own audit trail (the tenant of all ones) like any other tenant. It does not exist for an analyst.
#[operation(get, "/v1/events", tag = "events",
    responses((status = 200, description = "A page of events.", body = EventsView), CommonProblems, TenantNotFound))]
pub async fn list_events(
    caller: Caller<ReadEvents, Native>,
    FromQuery(params): FromQuery<EventListParams>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let filter = params.filter(&caller.principal, &state)?;
    let page = params
        .paging
        .page(&state, List::Events, &caller.principal, move |state, cursor, limit| {
            usecase::list_events(state.store(), &filter, cursor, "cursor", limit)
        })
        .await?
        .map(EventView::from);
    Ok(HttpResponse::Ok().json(EventsView { events: page.items, next_cursor: page.next }))
}
