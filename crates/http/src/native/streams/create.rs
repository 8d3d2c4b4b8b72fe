//! `POST /v1/streams`.

use actix_web::web::Data;
use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_domain::Result;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::stream::{Conditions, Destination, StreamDraft, StreamFormat, StreamStart};
use utoipa::ToSchema;

use super::filter::StreamFilter;
use super::view::StreamView;
use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Administer, Caller};
use crate::native::{schemas, secret_response};
use crate::operation::{Body, FromBody, operation};
use crate::problems::{BodyProblems, CommonProblems, CursorExpired, TooManyStreams};
use crate::state::AppState;

/// The stream to create. Null is the same as leaving a field out.
#[derive(ToSchema, Body)]
#[serde(deny_unknown_fields)]
#[body(name = "a stream")]
#[schema(example = StreamInput::sample)]
pub struct StreamInput {
    /// The display name. It need not be unique.
    #[schema(value_type = Option<schemas::CredentialName>)]
    #[body(expected = schemas::A_NAME)]
    name: Option<String>,
    /// The only tenant whose events it sends; absent: all tenants, the server's own audit trail included.
    #[schema(value_type = Option<schemas::TenantId>)]
    tenant_id: Option<TenantId>,
    /// The conditions on the events that it sends; absent: none.
    #[schema(value_type = Option<StreamFilter>)]
    filter: Option<Conditions>,
    /// Where it sends them. Only global unicast addresses are allowed, and the networks that the operator names.
    #[schema(value_type = schemas::StreamDestination)]
    #[body(expected = "an https URL as a text")]
    destination: String,
    /// How it writes them; absent: `native`.
    #[schema(value_type = Option<schemas::StreamFormat>)]
    #[body(expected = "the name of a format as a text")]
    format: Option<String>,
    /// Where it begins: `now`, behind the last stored event; `beginning`, with the first one; or a cursor of the feed. Absent:
    /// `now`.
    #[schema(value_type = Option<schemas::StreamStart>)]
    #[body(expected = schemas::A_START)]
    start: Option<String>,
}

impl StreamInput {
    fn sample() -> Value {
        json!({
            "name": "SIEM",
            "tenant_id": null,
            "filter": {"type": ["login_fail"]},
            "destination": "https://siem.example/events",
            "format": "native",
            "start": "now",
        })
    }

    fn read(self) -> Result<(StreamDraft, StreamStart)> {
        let format = self.format.map(|format| StreamFormat::parse("format", &format)).transpose()?;
        let start = self.start.map(|start| StreamStart::parse("start", &start)).transpose()?;
        let about = StreamDraft {
            name: self.name,
            tenant_id: self.tenant_id,
            conditions: self.filter.unwrap_or_default(),
            destination: Destination::parse("destination", &self.destination)?,
            format: format.unwrap_or(StreamFormat::Native),
        };
        Ok((about, start.unwrap_or(StreamStart::Now)))
    }
}

/// A new stream.
#[derive(Serialize, ToSchema)]
#[schema(example = CreatedStreamView::sample)]
pub struct CreatedStreamView {
    /// The stream without its secret.
    stream: StreamView,
    /// The secret that signs messages. It is not shown again.
    #[schema(value_type = schemas::StreamSecret)]
    secret: String,
}

impl CreatedStreamView {
    /// A stream and the secret that was made with it.
    pub fn new(stream: StreamView, secret: &str) -> Self {
        Self { stream, secret: secret.to_owned() }
    }

    fn sample() -> Value {
        json!({"stream": StreamView::sample(), "secret": "whsec_RVhBTVBMRWV4YW1wbGVFWEFNUExFZXhhbXBsZUVYQU0="})
    }
}

/// Create a forwarding stream.
///
/// The server sends the events that match to the destination: by POST, in batches of up to 500, in the order of the feed,
/// each event at least once. Messages are signed as [Standard Webhooks](https://www.standardwebhooks.com) describes it. The
/// secret is shown in this answer and never again: the server keeps it sealed. There can be 100 streams.
#[operation(post, "/v1/streams", tag = "streams", body = "The stream.",
    responses(
        (status = 201, description = "The stream is made.", body = CreatedStreamView,
            headers(("Location" = String, description = "The address of the stream's record."))),
        CommonProblems, BodyProblems, TooManyStreams, CursorExpired,
    ))]
pub async fn create_stream(
    caller: Caller<Administer, Native>,
    FromBody(input): FromBody<StreamInput>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let context = caller.audit_context(&state);
    let (location, view) = blocking::run(&state, move |state| {
        let (about, start) = input.read()?;
        if let Some(tester) = &state.services.stream_tester {
            tester.check(&about.destination)?;
        }
        let (stream, secret) = state.access().create_stream(&context, about, start)?;
        let location = format!("/v1/streams/{}", stream.id);
        Ok((location, CreatedStreamView::new(StreamView::of(state, stream)?, secret.expose())))
    })
    .await?;
    Ok(secret_response::created(location, view))
}
