//! `DELETE /v1/sessions`.

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

/// End all your other sessions.
///
/// The session that sends the request continues. Programs have no sessions (403).
#[operation(delete, "/v1/sessions", tag = "sessions",
    responses((status = 204, description = "The other sessions are over."), CommonProblems))]
pub async fn end_other_sessions(caller: Caller<Person, Native>, state: Data<AppState>) -> ApiResult<Native> {
    let own = own::of(&caller.principal)?;
    let context = caller.audit_context(&state);
    blocking::run(&state, move |state| {
        state.access().end_sessions_of(&context, own.account_id, Some(own.session_id)).map(|_| ())
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}
