//! `DELETE /v1/sessions/current`.

use actix_web::HttpResponse;
use actix_web::web::Data;

use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Caller, Person};
use crate::native::own;
use crate::operation::operation;
use crate::problems::CommonProblems;
use crate::state::AppState;

/// Log out: end the session that sends the request.
///
/// The session's access token and refresh token become invalid. Programs have no session (403).
#[operation(delete, "/v1/sessions/current", tag = "sessions",
    responses((status = 204, description = "The session is over."), CommonProblems))]
pub async fn log_out(caller: Caller<Person, Native>, state: Data<AppState>) -> ApiResult<Native> {
    let own = own::of(&caller.principal)?;
    let context = caller.audit_context(&state);
    blocking::run(&state, move |state| state.access().end_session(&context, own.session_id)).await?;
    Ok(HttpResponse::NoContent().finish())
}
