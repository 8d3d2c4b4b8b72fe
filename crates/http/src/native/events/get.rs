//! `GET /v1/events/{id}`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use trailkeeper_domain::id::{EventId, TenantId};
use trailkeeper_domain::usecase;

use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Caller, ReadEvents};
use crate::extract::path;
use crate::extract::query::Query;
use crate::native::events::view::EventView;
use crate::native::problems::{CommonProblems, Conflict, NotFound};
use crate::native::schemas;
use crate::state::AppState;

/// Get one event.
///
/// Senders choose ids, so two tenants may have used one: then the answer is 409 until `tenant_id` says which.
#[utoipa::path(get, path = "/v1/events/{id}", tag = "events", security(("Bearer" = [])),
    params(
        ("id" = schemas::EventId, Path, description = "The event's id."),
        ("tenant_id" = Option<schemas::TenantId>, Query, description = "The event's tenant."),
    ),
    responses((status = 200, description = "The event.", body = EventView), CommonProblems, NotFound, Conflict))]
pub async fn get_event(
    caller: Caller<ReadEvents, Native>,
    request: HttpRequest,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let query = Query::of(&request)?.only(&["tenant_id"])?;
    let id = EventId::parse("id", &path::text(&request, "id")?)?;
    let asked = query.optional("tenant_id")?.map(|id| TenantId::parse("tenant_id", id)).transpose()?;
    let visibility = caller.principal.visibility().narrow(asked)?;
    let event = blocking::run(&state, move |state| usecase::find_event(state.store(), id, visibility)).await?;
    Ok(HttpResponse::Ok().json(EventView::from(event)))
}
