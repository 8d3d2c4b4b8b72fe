//! `DELETE /v1/streams/{stream_id}`.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::get::StreamPath;
use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Administer, Caller};
use crate::operation::{FromPath, operation};
use crate::problems::{CommonProblems, StreamNotFound};
use crate::state::AppState;

/// Delete a forwarding stream.
///
/// Its position and its secret are gone. A message that is on its way may still arrive.
#[operation(delete, "/v1/streams/{stream_id}", tag = "streams",
    responses((status = 204, description = "The stream is deleted."), CommonProblems, StreamNotFound))]
pub async fn delete_stream(
    caller: Caller<Administer, Native>,
    FromPath(path): FromPath<StreamPath>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let context = caller.audit_context(&state);
    blocking::run(&state, move |state| state.access().delete_stream(&context, path.stream_id)).await?;
    Ok(HttpResponse::NoContent().finish())
}
