//! `POST /v1/streams/{stream_id}/test`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_domain::Error;
use trailkeeper_domain::stream::{DeliveryFailure, Tested};
use utoipa::ToSchema;

use super::get::StreamPath;
use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Administer, Caller};
use crate::native::schemas;
use crate::operation::{FromPath, operation};
use crate::problems::{CommonProblems, StreamNotFound};
use crate::state::AppState;

/// How the test of a stream ended.
#[derive(Serialize, ToSchema)]
#[schema(example = StreamTestView::sample)]
pub struct StreamTestView {
    /// Whether the destination accepted the message.
    accepted: bool,
    /// The id of the message, its `webhook-id`.
    #[schema(value_type = schemas::MessageId)]
    message_id: String,
    /// Why the destination did not accept the message; null if it did. It never has anything of the answer but its status.
    #[schema(required, value_type = Option<schemas::StreamError>)]
    error: Option<String>,
}

impl From<Tested> for StreamTestView {
    fn from(Tested { message_id, failure }: Tested) -> Self {
        let error = failure.as_ref().map(DeliveryFailure::text).map(str::to_owned);
        Self { accepted: failure.is_none(), message_id, error }
    }
}

impl StreamTestView {
    fn sample() -> Value {
        json!(Self {
            accepted: false,
            message_id: "msg_0123456789abcdef0123456789abcdef".to_owned(),
            error: Some("siem.example answered 404".to_owned()),
        })
    }
}

/// Test a forwarding stream.
///
/// Sends a message without events (`"type": "trailkeeper.test"`) to the destination, at once, also if the stream is paused,
/// and waits at most ten seconds for its answer. The position and the state of the stream stay as they are.
#[operation(post, "/v1/streams/{stream_id}/test", tag = "streams",
    responses((status = 200, description = "How the test ended.", body = StreamTestView), CommonProblems, StreamNotFound))]
pub async fn test_stream(
    _: Caller<Administer, Native>,
    FromPath(path): FromPath<StreamPath>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let tested = blocking::run(&state, move |state| {
        let stream = state.access().stream(path.stream_id)?;
        let tester = state.services.stream_tester.as_ref();
        tester.ok_or_else(|| Error::unavailable("this server forwards no events"))?.test(&stream)
    })
    .await?;
    Ok(HttpResponse::Ok().json(StreamTestView::from(tested)))
}
