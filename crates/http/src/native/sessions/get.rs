//! `GET /v1/sessions/{session_id}`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::own;
use super::view::SessionView;
use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Caller, PersonOrAdminister};
use crate::extract::path;
use crate::extract::query::Query;
use crate::native::problems::{CommonProblems, NotFound};
use crate::native::schemas;
use crate::state::AppState;

/// Get a session.
///
/// Your own, past ones too. Another's is there for administrators alone (404).
#[utoipa::path(get, path = "/v1/sessions/{session_id}", tag = "sessions", security(("Bearer" = [])),
    params(("session_id" = schemas::LoginId, Path, description = "The session's id.")),
    responses((status = 200, description = "The session.", body = SessionView), CommonProblems, NotFound))]
pub async fn get_session(
    caller: Caller<PersonOrAdminister, Native>,
    request: HttpRequest,
    state: Data<AppState>,
) -> ApiResult<Native> {
    Query::of(&request)?.only(&[])?;
    let id = path::session_id(&request)?;
    let (reader, now) = (caller.principal.clone(), state.clock().now());
    let session =
        blocking::run(&state, move |state| own::visible_session(state.access(), &caller.principal, id)).await?;
    Ok(HttpResponse::Ok().json(SessionView::at(now, &reader, session)))
}
