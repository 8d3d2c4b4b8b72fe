//! Responses to input that never becomes a request: garbage, and heads that are too large or too slow.
//!
//! No route is known then, so these responses are problems of the native API, with the headers of every response.

use std::fmt::Write as _;

use actix_web::http::StatusCode;
use actix_web::web::Data;
use trailkeeper_domain::{ErrorDetail, clock};

use crate::api_error::ErrorFormat as _;
use crate::connection::headers;
use crate::error_formats::Native;
use crate::state::AppState;

/// Writes whole responses as bytes.
#[derive(Clone)]
pub struct RawResponses(Data<AppState>);

impl RawResponses {
    /// Uses the clock, the randomness and the settings of `state`.
    pub fn new(state: Data<AppState>) -> Self {
        Self(state)
    }

    /// A response with `status`, after which the connection ends.
    pub fn of_status(&self, status: StatusCode) -> Vec<u8> {
        self.write(status, &detail_of(status))
    }

    /// The response to plain HTTP on a port for TLS.
    pub fn needs_tls(&self) -> Vec<u8> {
        let fault =
            ErrorDetail::new("https_required", "this port speaks only HTTPS; use an address that begins with https://");
        self.write(StatusCode::BAD_REQUEST, &fault)
    }

    fn write(&self, status: StatusCode, fault: &ErrorDetail) -> Vec<u8> {
        let state = &self.0;
        let id = clock::new_uuid(state.clock(), state.entropy());
        let date = state.clock().now().format("%a, %d %b %Y %H:%M:%S GMT");
        let body = Native::body(status, fault);
        let mut head = format!(
            "HTTP/1.1 {} {}\r\ndate: {date}\r\ncontent-type: {}\r\ncontent-length: {}\r\nconnection: close\r\nx-request-id: {id}\r\nx-saasus-trace-id: {id}\r\n",
            status.as_u16(),
            status.canonical_reason().unwrap_or_default(),
            Native::CONTENT_TYPE,
            body.len(),
        );
        for (name, value) in headers::of("", state.settings.tls.is_some()) {
            // Writing into a string does not fail.
            let _infallible = write!(head, "{name}: {value}\r\n");
        }
        tracing::debug!(request_id = %id, status = status.as_u16(), code = fault.code, "rejected input that is no request");
        [head.as_bytes(), b"\r\n", body.as_bytes()].concat()
    }
}

fn detail_of(status: StatusCode) -> ErrorDetail {
    match status {
        StatusCode::REQUEST_TIMEOUT => {
            ErrorDetail::new("head_too_slow", "the head of the request did not arrive in time; send it at once")
        }
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => ErrorDetail::new(
            "head_too_large",
            "the head of the request has more than 96 header fields or more than 131072 bytes; send less",
        ),
        _ => ErrorDetail::new(
            "malformed_request",
            "this is not a request of HTTP/1.1; the head, its Host or its lengths are not as RFC 9112 has them",
        ),
    }
}
