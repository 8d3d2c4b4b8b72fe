//! `DELETE /v1/sessions/{session_id}`.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::get::SessionPath;
use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Caller, PersonOrAdminister};
use crate::native::own;
use crate::operation::{FromPath, operation};
use crate::problems::{CommonProblems, SessionNotFound};
use crate::state::AppState;

/// End a session.
///
/// You can end your own sessions. Only administrators can end a session of another account; for other people it does
/// not exist (404). The session's tokens become invalid. Its record stays for 90 days. For a session that is already
/// over, the request has no effect.
#[operation(delete, "/v1/sessions/{session_id}", tag = "sessions",
    responses((status = 204, description = "The session is over."), CommonProblems, SessionNotFound))]
pub async fn end_session(
    caller: Caller<PersonOrAdminister, Native>,
    FromPath(path): FromPath<SessionPath>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let context = caller.audit_context(&state);
    blocking::run(&state, move |state| {
        own::visible_session(state.access(), &caller.principal, path.session_id)?;
        state.access().end_session(&context, path.session_id)
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}
