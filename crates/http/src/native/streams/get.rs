//! `GET /v1/streams/{stream_id}`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use trailkeeper_domain::id::StreamId;

use super::view::StreamView;
use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Administer, Caller};
use crate::native::schemas;
use crate::operation::{FromPath, PathParams, operation};
use crate::problems::{CommonProblems, StreamNotFound};
use crate::state::AppState;

/// The stream that a path names.
#[derive(PathParams)]
pub struct StreamPath {
    /// The stream's id.
    #[param(schema = schemas::StreamId)]
    pub stream_id: StreamId,
}

/// Get a forwarding stream.
#[operation(get, "/v1/streams/{stream_id}", tag = "streams",
    responses((status = 200, description = "The stream.", body = StreamView), CommonProblems, StreamNotFound))]
pub async fn get_stream(
    _: Caller<Administer, Native>,
    FromPath(path): FromPath<StreamPath>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let view = blocking::run(&state, move |state| {
        let stream = state.access().stream(path.stream_id)?;
        StreamView::of(state, stream)
    })
    .await?;
    Ok(HttpResponse::Ok().json(view))
}
