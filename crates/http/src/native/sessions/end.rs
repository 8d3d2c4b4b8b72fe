//! `DELETE /v1/sessions/{session_id}`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::own;
use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Caller, PersonOrAdminister};
use crate::extract::path;
use crate::extract::query::Query;
use crate::native::problems::{CommonProblems, NotFound};
use crate::native::schemas;
use crate::state::AppState;

/// End a session.
///
/// Your own; another's is there for administrators alone (404). Its tokens hold no longer. Its record stays for 90
/// days. Nothing happens when it is over already.
#[utoipa::path(delete, path = "/v1/sessions/{session_id}", tag = "sessions", security(("Bearer" = [])),
    params(("session_id" = schemas::LoginId, Path, description = "The session's id.")),
    responses((status = 204, description = "The session is over."), CommonProblems, NotFound))]
pub async fn end_session(
    caller: Caller<PersonOrAdminister, Native>,
    request: HttpRequest,
    state: Data<AppState>,
) -> ApiResult<Native> {
    Query::of(&request)?.only(&[])?;
    let id = path::session_id(&request)?;
    let context = caller.audit_context(&state);
    blocking::run(&state, move |state| {
        own::visible_session(state.access(), &caller.principal, id)?;
        state.access().end_session(&context, id)
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}
