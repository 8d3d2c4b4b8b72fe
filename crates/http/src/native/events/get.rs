//! `GET /v1/events/{event_id}`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use trailkeeper_domain::id::{EventId, TenantId};
use trailkeeper_domain::usecase;

use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Caller, ReadEvents};
use crate::native::events::view::EventView;
use crate::native::schemas;
use crate::operation::{FromPath, FromQuery, PathParams, QueryParams, operation};
use crate::problems::{AmbiguousEvent, CommonProblems, EventNotFound};
use crate::state::AppState;

/// The event that a path names.
#[derive(PathParams)]
pub struct EventPath {
    /// The event's id.
    #[param(schema = schemas::EventId)]
    event_id: EventId,
}

/// The parameters of a request for one event.
#[derive(QueryParams)]
pub struct EventParams {
    /// The event's tenant.
    #[param(schema = schemas::TenantId)]
    tenant_id: Option<TenantId>,
}

/// Get one event.
///
/// Senders choose ids, so two tenants may have events with the same id. The answer is then 409, unless `tenant_id`
/// selects one of them.
#[operation(get, "/v1/events/{event_id}", tag = "events",
    responses((status = 200, description = "The event.", body = EventView), CommonProblems, EventNotFound, AmbiguousEvent))]
pub async fn get_event(
    caller: Caller<ReadEvents, Native>,
    FromPath(path): FromPath<EventPath>,
    FromQuery(params): FromQuery<EventParams>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let visibility = caller.principal.visibility().narrow(params.tenant_id)?;
    let event =
        blocking::run(&state, move |state| usecase::find_event(state.store(), path.event_id, visibility)).await?;
    Ok(HttpResponse::Ok().json(EventView::from(event)))
}
