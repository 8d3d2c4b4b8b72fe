//! `GET /v1/sessions/{session_id}`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use trailkeeper_domain::id::SessionId;

use super::view::SessionView;
use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Caller, PersonOrAdminister};
use crate::native::own;
use crate::native::schemas;
use crate::operation::{FromPath, PathParams, operation};
use crate::problems::{CommonProblems, SessionNotFound};
use crate::state::AppState;

/// The session that a path names.
#[derive(PathParams)]
pub struct SessionPath {
    /// The session's id.
    #[param(schema = schemas::LoginId)]
    pub session_id: SessionId,
}

/// Get a session.
///
/// You can get your own sessions, also past ones. Only administrators can get a session of another account; for other
/// people it does not exist (404).
#[operation(get, "/v1/sessions/{session_id}", tag = "sessions",
    responses((status = 200, description = "The session.", body = SessionView), CommonProblems, SessionNotFound))]
pub async fn get_session(
    caller: Caller<PersonOrAdminister, Native>,
    FromPath(path): FromPath<SessionPath>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let (reader, now) = (caller.principal.clone(), state.clock().now());
    let session =
        blocking::run(&state, move |state| own::visible_session(state.access(), &caller.principal, path.session_id))
            .await?;
    Ok(HttpResponse::Ok().json(SessionView::at(now, &reader, session)))
}
