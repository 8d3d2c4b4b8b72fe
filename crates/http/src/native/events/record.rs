//! `POST /v1/events`.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use trailkeeper_domain::event::{IngestContext, Warning};
use trailkeeper_domain::usecase::{self, RecordStatus, Recorded};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api_error::{self, ApiResult};
use crate::blocking;
use crate::body_budget::Sender;
use crate::error_formats::Native;
use crate::extract::caller::{Caller, WriteEvents};
use crate::native::events::batch::BodyFormat;
use crate::native::events::input::EventsInput;
use crate::native::schemas;
use crate::operation::operation;
use crate::problems::{BatchProblems, CommonProblems};
use crate::request::{body, origin};
use crate::settings::MAX_BODY_BYTES;
use crate::state::AppState;

/// Up to this size, in bytes, the request's thread parses a body: that takes microseconds, less than handing it to
/// another thread.
const AT_ONCE_BYTES: usize = 8 * 1024;

/// The results of a batch.
#[derive(Serialize, ToSchema)]
#[schema(example = BatchResultView::sample)]
pub struct BatchResultView {
    /// The number of events that are new and durable now.
    #[schema(format = "int64", maximum = 5000)]
    stored: usize,
    /// The number of known events: their tenant already has events with these ids.
    #[schema(format = "int64", maximum = 5000)]
    known: usize,
    /// The number of refused events.
    #[schema(format = "int64", maximum = 5000)]
    refused: usize,
    /// One result for each event, in the order sent.
    #[schema(min_items = 1, max_items = 5000)]
    results: Vec<EventResultView>,
}

/// The result of one event.
#[derive(Serialize, ToSchema)]
pub struct EventResultView {
    /// The event's id; null if the event was refused without one.
    #[schema(required, value_type = Option<schemas::EventId>)]
    id: Option<Uuid>,
    /// Whether the event was stored.
    status: EventResultStatus,
    /// The reason for the refusal; absent if the event was not refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error: Option<EventResultError>,
    /// The fields that are not stored as they were sent; absent if there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, min_items = 1, max_items = 100)]
    warnings: Vec<EventWarning>,
}

/// A field that is not stored as it was sent. The event is stored nevertheless.
#[derive(Serialize, ToSchema)]
pub struct EventWarning {
    /// The name of the field.
    field: &'static str,
    /// The problem, and what is stored in place of the value.
    what: String,
}

/// `stored`: new and durable. `known`: its tenant has one with this id, nothing changed. `refused`: not acceptable.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventResultStatus {
    /// New and durable.
    Stored,
    /// Its tenant has one with this id already; nothing changed.
    Known,
    /// Not acceptable.
    Refused,
}

/// The reason for the refusal of an event.
#[derive(Serialize, ToSchema)]
pub struct EventResultError {
    /// The error code for programs. It is stable.
    code: &'static str,
    /// The field at fault; null if the event as a whole is.
    #[schema(required)]
    field: Option<String>,
    /// A description of the error with the wrong value, and the remedy.
    detail: String,
}

/// Record events.
///
/// Send up to 5,000 events as a JSON list, or one on each line as `application/x-ndjson`. One JSON object without a
/// list is accepted too, and treated as a list of one. A body has at most 8 MiB; for gzip (`Content-Encoding: gzip`),
/// the limit applies to the unpacked body. The server validates each event by itself. It stores the valid events in one
/// transaction, and they are durable when the answer comes. It refuses the others, and items of the list that are no
/// events, with their reasons: events with a wrong `id`, `occurred_at`, `tenant_id`, `env_id`, `type` or `outcome`, and
/// those with unknown fields. A wrong value of another field never loses the event: its result has `warnings`. If the
/// field identifies something, null is stored, and the value is in `original` of the event; texts for display
/// (`user_agent`, `user_name`, `target.name`) are cut. An event with an `id` that its tenant has already is not stored
/// again, so a request whose answer was lost is safe to repeat. A body without any JSON object is a problem (400).
///
/// `CloudEvents` 1.0 are accepted in all modes of their HTTP binding: one event as `application/cloudevents+json`, a list as
/// `application/cloudevents-batch+json`, and the attributes in headers that begin with `ce-`, with the data as the body.
#[operation(post, "/v1/events", tag = "events", unknown_parameters = "ignored",
    request_body(description = "A list of events, one event, or lines such as `{\"type\":\"page_load\",\"user_id\":\"u-4711\",\"page\":\"/\"}`.", content(
        (EventsInput = "application/json"),
        (String = "application/x-ndjson"),
    )),
    responses((status = 200, description = "The result of each event.", body = BatchResultView), CommonProblems, BatchProblems))]
pub async fn record_events(
    caller: Caller<WriteEvents, Native>,
    request: HttpRequest,
    payload: Payload,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let format = BodyFormat::of(&request)?;
    let source = origin::source(&request, &state.settings);
    let bytes = body::read(&request, payload, MAX_BODY_BYTES, Sender::Verified).await?;
    let tenant_scope = caller.principal.tenant_id;
    let small = bytes.len() <= AT_ONCE_BYTES && format.is_uncompressed();
    let record = move |state: &AppState| {
        let drafts = format.parse(&bytes)?;
        let context = IngestContext { now: state.clock().now(), source, tenant_scope };
        usecase::record_events(state.services.ingest.as_ref(), state.clock(), state.entropy(), &context, drafts)
    };
    let batch = if small { record(&state)? } else { blocking::run(&state, record).await? };
    // Holds no thread. If the client disconnects meanwhile, the events are stored nevertheless; sent again with the same
    // ids, they are known.
    Ok(HttpResponse::Ok().json(BatchResultView::from(blocking::committed(&state, batch).await?)))
}

impl From<Vec<Recorded>> for BatchResultView {
    fn from(recorded: Vec<Recorded>) -> Self {
        let results: Vec<EventResultView> = recorded.into_iter().map(EventResultView::from).collect();
        let count = |status| results.iter().filter(|result| result.status == status).count();
        Self {
            stored: count(EventResultStatus::Stored),
            known: count(EventResultStatus::Known),
            refused: count(EventResultStatus::Refused),
            results,
        }
    }
}

impl From<Recorded> for EventResultView {
    fn from(recorded: Recorded) -> Self {
        let (status, error) = match recorded.status {
            RecordStatus::Stored => (EventResultStatus::Stored, None),
            RecordStatus::Known => (EventResultStatus::Known, None),
            RecordStatus::Refused(error) => {
                let fault = api_error::public_detail(&error);
                let error = EventResultError { code: fault.code, field: fault.field, detail: fault.detail };
                (EventResultStatus::Refused, Some(error))
            }
        };
        let warnings = recorded.warnings.into_iter().map(EventWarning::from).collect();
        Self { id: recorded.id.map(|id| id.0), status, error, warnings }
    }
}

impl From<Warning> for EventWarning {
    fn from(Warning { field, what }: Warning) -> Self {
        Self { field, what }
    }
}

impl BatchResultView {
    fn sample() -> serde_json::Value {
        let error = EventResultError {
            code: "invalid_parameter",
            field: Some("type".to_owned()),
            detail: "is missing; send what happened, for example \"page_load\"".to_owned(),
        };
        let warning = EventWarning {
            field: "source",
            what: "'AWS Internal' is not an address; send IPv4 or IPv6, for example 203.0.113.7 or 2001:db8::1; null is stored, and the text is in original.source".to_owned(),
        };
        let id = Some(uuid::uuid!("01975f3c-2b4e-7c10-9a31-5f0d2f9b1c77"));
        serde_json::json!(Self {
            stored: 1,
            known: 0,
            refused: 1,
            results: vec![
                EventResultView { id, status: EventResultStatus::Stored, error: None, warnings: vec![warning] },
                EventResultView {
                    id: None,
                    status: EventResultStatus::Refused,
                    error: Some(error),
                    warnings: Vec::new(),
                },
            ],
        })
    }
}
