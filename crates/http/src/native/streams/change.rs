//! `PATCH /v1/streams/{stream_id}`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde_json::{Value, json};
use trailkeeper_auth::StreamChange;
use trailkeeper_domain::Result;
use trailkeeper_domain::stream::{Conditions, StreamFormat, StreamStart};
use utoipa::ToSchema;

use super::filter::StreamFilter;
use super::get::StreamPath;
use super::view::StreamView;
use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Administer, Caller};
use crate::native::schemas;
use crate::operation::{Body, FromBody, FromPath, Patch, operation};
use crate::problems::{BodyProblems, CommonProblems, CursorExpired, StreamNotFound};
use crate::state::AppState;

/// The changes of a stream. A field that is left out stays as it is.
#[derive(ToSchema, Body)]
#[serde(deny_unknown_fields)]
#[body(name = "a change of a stream")]
#[schema(example = StreamChangeInput::sample)]
pub struct StreamChangeInput {
    /// The display name; null: none.
    #[schema(value_type = Option<schemas::CredentialName>)]
    #[body(expected = schemas::A_NAME)]
    name: Patch<String>,
    /// All conditions on the events that it sends, in place of the present ones.
    #[schema(value_type = Option<StreamFilter>)]
    filter: Option<Conditions>,
    /// How it writes events.
    #[schema(value_type = Option<schemas::StreamFormat>)]
    #[body(expected = "the name of a format as a text")]
    format: Option<String>,
    /// Whether it is paused. `false` also makes it try again at once after a failure.
    paused: Option<bool>,
    /// Where it goes on: `now`, `beginning` or a cursor of the feed.
    #[schema(value_type = Option<schemas::StreamStart>)]
    #[body(expected = schemas::A_START)]
    start: Option<String>,
}

impl StreamChangeInput {
    fn sample() -> Value {
        json!({
            "name": "SIEM of 2026",
            "filter": {"type": ["login_fail", "login_success"]},
            "format": "native",
            "paused": true,
            "start": "now",
        })
    }

    fn read(self) -> Result<StreamChange> {
        Ok(StreamChange {
            name: self.name.into_option(),
            conditions: self.filter,
            format: self.format.map(|format| StreamFormat::parse("format", &format)).transpose()?,
            paused: self.paused,
            start: self.start.map(|start| StreamStart::parse("start", &start)).transpose()?,
        })
    }
}

/// Change a forwarding stream.
///
/// Pause or resume it, or change its name, filter, format or position. Null clears `name`; for the other fields it is the
/// same as leaving them out. A message that is on its way is not stopped. The destination and the tenant never change: create
/// another stream instead. A stream that fails because its position is of the database before a restore goes on with `start`.
#[operation(patch, "/v1/streams/{stream_id}", tag = "streams", body = "The changed fields.",
    responses(
        (status = 200, description = "The stream as it is now.", body = StreamView),
        CommonProblems, StreamNotFound, BodyProblems, CursorExpired,
    ))]
pub async fn change_stream(
    caller: Caller<Administer, Native>,
    FromPath(path): FromPath<StreamPath>,
    FromBody(input): FromBody<StreamChangeInput>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let context = caller.audit_context(&state);
    let view = blocking::run(&state, move |state| {
        let stream = state.access().change_stream(&context, path.stream_id, &input.read()?)?;
        StreamView::of(state, stream)
    })
    .await?;
    Ok(HttpResponse::Ok().json(view))
}
