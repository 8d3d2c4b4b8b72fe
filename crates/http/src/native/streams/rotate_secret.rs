//! `POST /v1/streams/{stream_id}/rotate-secret`.

use actix_web::web::Data;

use super::create::CreatedStreamView;
use super::get::StreamPath;
use super::view::StreamView;
use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Administer, Caller};
use crate::native::secret_response;
use crate::operation::{FromPath, operation};
use crate::problems::{CommonProblems, StreamNotFound};
use crate::state::AppState;

/// Replace the secret of a forwarding stream.
///
/// For 24 hours, messages have a signature of each secret, so that a receiver can change to the new one without losing a
/// message. A secret that was replaced before does not sign any more. The new secret is shown in this answer and never again.
#[operation(post, "/v1/streams/{stream_id}/rotate-secret", tag = "streams",
    responses((status = 200, description = "The stream, and its new secret.", body = CreatedStreamView), CommonProblems, StreamNotFound))]
pub async fn rotate_stream_secret(
    caller: Caller<Administer, Native>,
    FromPath(path): FromPath<StreamPath>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let context = caller.audit_context(&state);
    let view = blocking::run(&state, move |state| {
        let (stream, secret) = state.access().rotate_stream_secret(&context, path.stream_id)?;
        Ok(CreatedStreamView::new(StreamView::of(state, stream)?, secret.expose()))
    })
    .await?;
    Ok(secret_response::ok(view))
}
