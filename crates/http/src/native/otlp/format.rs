//! Errors of OTLP: `google.rpc.Status` in the encoding of the request.

use actix_web::Route;
use actix_web::body::{MessageBody, to_bytes};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{StatusCode, header};
use actix_web::middleware::{Next, from_fn};
use serde::{Deserialize, Serialize};
use trailkeeper_domain::ErrorDetail;
use trailkeeper_parsers::otlp::{self, Encoding};
use utoipa::ToSchema;

use crate::api_error::ErrorFormat;
use crate::contract::Contract;
use crate::request::body;

/// Errors of OTLP.
pub struct Otlp;

/// An error of OTLP: `google.rpc.Status`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"code": 3, "message": "Content-Type: 'text/plain' is not understood here; send application/x-protobuf or application/json"}))]
pub struct OtlpStatus {
    /// The code of gRPC.
    #[schema(minimum = 0, maximum = 16)]
    pub code: i32,
    /// A sentence with the field, the problem and the remedy.
    pub message: String,
}

impl ErrorFormat for Otlp {
    const CONTRACT: Contract = Contract::Native;
    const REFUSES_UNKNOWN_PARAMETERS: bool = true;
    const CONTENT_TYPE: &'static str = "application/json";

    fn body(status: StatusCode, detail: &ErrorDetail) -> String {
        let status = OtlpStatus { code: code_of(status), message: detail.to_string() };
        // Numbers and texts always serialize, so the empty body is never sent.
        serde_json::to_string(&status).unwrap_or_default()
    }

    fn wrap(route: Route) -> Route {
        route.wrap(from_fn(encoded))
    }
}

/// The encoding of a request, by its `Content-Type`; `None` if OTLP has no such encoding.
pub fn encoding_of(media_type: Option<&str>) -> Option<Encoding> {
    Encoding::of(media_type?)
}

/// Writes an error in the encoding of the request. OTLP also wants 502, 503, 504 and 429 for what is worth sending again,
/// and any other status for what is not: these are the statuses of our errors anyway.
async fn encoded(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse, actix_web::Error> {
    let encoding = encoding_of(body::media_type(request.request()).as_deref());
    let response = next.call(request).await?.map_into_boxed_body();
    let is_error = response.status().is_client_error() || response.status().is_server_error();
    if encoding != Some(Encoding::Protobuf) || !is_error {
        return Ok(response);
    }
    let (request, response) = response.into_parts();
    let (head, body) = response.into_parts();
    // The body of an error is in memory, so reading it cannot fail; without it, the status says what it can.
    let written = to_bytes(body).await.unwrap_or_default();
    let status: OtlpStatus = serde_json::from_slice(&written)
        .unwrap_or_else(|_| OtlpStatus { code: code_of(head.status()), message: String::new() });
    let mut response = head.set_body(otlp::status(Encoding::Protobuf, status.code, &status.message));
    let media_type = header::HeaderValue::from_static(Encoding::Protobuf.media_type());
    response.headers_mut().insert(header::CONTENT_TYPE, media_type);
    Ok(ServiceResponse::new(request, response.map_into_boxed_body()))
}

/// The code of gRPC for a status.
fn code_of(status: StatusCode) -> i32 {
    match status.as_u16() {
        400 | 413 => 3,
        401 => 16,
        403 => 7,
        404 => 5,
        408 => 4,
        409 => 10,
        429 => 8,
        503 => 14,
        500 => 13,
        _ => 2,
    }
}
