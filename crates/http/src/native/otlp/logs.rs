//! `POST /v1/otlp/v1/logs`.

use std::collections::HashMap;

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::Value;
use trailkeeper_domain::event::IngestContext;
use trailkeeper_domain::usecase::{self, RecordStatus, Recorded};
use trailkeeper_domain::{Error, text};
use trailkeeper_parsers::otlp::{self, Encoding};
use utoipa::ToSchema;

use super::format::{Otlp, OtlpStatus, encoding_of};
use crate::api_error::{self, ApiResult};
use crate::blocking;
use crate::body_budget::Sender;
use crate::documented::errors::{self, COMMON, Responses};
use crate::extract::caller::{Caller, WriteEvents};
use crate::native::events::batch::{gunzip, is_gzip};
use crate::operation::operation;
use crate::request::body;
use crate::settings::{MAX_BODY_BYTES, MAX_EVENTS};
use crate::state::AppState;

/// The most characters of the message of a partial success.
const MAX_MESSAGE: usize = 1_024;

/// Log records: an `ExportLogsServiceRequest`. Unknown fields are ignored.
#[derive(ToSchema)]
#[schema(example = json!({"resourceLogs": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}, "scopeLogs": [{"logRecords": [{"timeUnixNano": "1761990000123456789", "eventName": "login_success", "attributes": [{"key": "user.id", "value": {"stringValue": "jane"}}]}]}]}]}))]
#[expect(dead_code, reason = "it describes what the parser of OTLP reads")]
pub struct ExportLogsRequest {
    /// The records, by their resource and scope: `ResourceLogs` of OTLP.
    #[serde(rename = "resourceLogs")]
    #[schema(required = false, max_items = 5000)]
    resource_logs: Vec<HashMap<String, Value>>,
}

/// The answer to an export: `ExportLogsServiceResponse`.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"partialSuccess": {"rejectedLogRecords": "1", "errorMessage": "event_name: is missing"}}))]
pub struct ExportLogsAnswer {
    /// The records that were not stored, and why; absent if all were.
    #[serde(rename = "partialSuccess", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    partial_success: Option<PartialSuccess>,
}

/// The records of a request that were not stored, and why.
#[derive(Serialize, ToSchema)]
pub struct PartialSuccess {
    /// The number of these records, as a text.
    #[serde(rename = "rejectedLogRecords")]
    rejected_log_records: String,
    /// The reason for the first of them.
    #[serde(rename = "errorMessage")]
    error_message: String,
}

/// The errors of an export.
struct OtlpErrors;

impl utoipa::IntoResponses for OtlpErrors {
    fn responses() -> Responses {
        let own = [
            (
                400,
                &[
                    "invalid_parameter",
                    "malformed_json",
                    "malformed_protobuf",
                    "not_an_object",
                    "invalid_gzip",
                    "incomplete_body",
                ][..],
            ),
            (413, &["body_too_large", "too_many_events"][..]),
        ];
        errors::responses::<Otlp>(&OtlpStatus::name(), COMMON.into_iter().chain(own))
    }
}

/// Record log records of OpenTelemetry as events.
///
/// An `ExportLogsServiceRequest` of OTLP/HTTP, as protocol buffers (`application/x-protobuf`) or JSON, compressed with gzip
/// or not, with at most 8 MiB and 5,000 records. Answers and errors have the encoding of the request. A record is an event
/// if it has an `event_name`, or the attribute `event.name`; others are rejected. A record that is sent again is stored
/// once: its id is the attribute `log.record.uid`, or is made from resource, scope and record.
#[operation(post, "/v1/otlp/v1/logs", tag = "events",
    request_body(description = "An `ExportLogsServiceRequest`, in JSON or as protocol buffers.", content = ExportLogsRequest),
    responses(
        (status = 200, description = "The records are stored, but for those that `partialSuccess` counts.", body = ExportLogsAnswer),
        OtlpErrors,
    ))]
pub async fn export_logs(
    caller: Caller<WriteEvents, Otlp>,
    request: HttpRequest,
    payload: Payload,
    state: Data<AppState>,
) -> ApiResult<Otlp> {
    let media_type = body::media_type(&request);
    let encoding = encoding_of(media_type.as_deref()).ok_or_else(|| {
        let sent = text::shown(media_type.as_deref().unwrap_or_default());
        Error::invalid(
            "Content-Type",
            format!("'{sent}' is not understood here; send application/x-protobuf or application/json"),
        )
    })?;
    let is_packed = is_gzip(&request)?;
    let bytes = body::read(&request, payload, MAX_BODY_BYTES, Sender::Verified).await?;
    let tenant_scope = caller.principal.tenant_id;
    let record = move |state: &AppState| {
        let unpacked;
        let bytes = if is_packed {
            unpacked = gunzip(&bytes)?;
            unpacked.as_slice()
        } else {
            &bytes
        };
        let drafts = otlp::parse(bytes, encoding, MAX_EVENTS)?;
        // The sender is an application or a collector: its address is not that of the user.
        let context = IngestContext { now: state.clock().now(), source: None, tenant_scope };
        usecase::record_events(state.services.ingest.as_ref(), state.clock(), state.entropy(), &context, drafts)
    };
    let batch = blocking::run(&state, record).await?;
    let recorded = blocking::committed(&state, batch).await?;
    Ok(answer(encoding, &recorded))
}

fn answer(encoding: Encoding, recorded: &[Recorded]) -> HttpResponse {
    let reasons = || {
        recorded.iter().filter_map(|recorded| match &recorded.status {
            RecordStatus::Refused(error) => Some(api_error::public_detail(error).to_string()),
            RecordStatus::Stored | RecordStatus::Known => None,
        })
    };
    let warning = || {
        let warnings = recorded.iter().flat_map(|recorded| &recorded.warnings);
        warnings.map(|warning| format!("{}: {}", warning.field, warning.what)).next()
    };
    let message = reasons().next().or_else(warning).unwrap_or_default();
    let body = otlp::success(encoding, reasons().count(), &text::cut(&message, MAX_MESSAGE));
    HttpResponse::Ok().content_type(encoding.media_type()).body(body)
}
