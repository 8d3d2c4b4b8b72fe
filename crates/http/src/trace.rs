//! One id per request, in its response and its log lines, and one log line for each request that failed.

use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, HttpRequest};
use trailkeeper_domain::error::Cause;
use trailkeeper_domain::{clock, text};

use crate::blocking;
use crate::connection;
use crate::limits;
use crate::state::AppState;

/// The header of the trace id in the SaaSus contract.
const TRACE_ID: HeaderName = HeaderName::from_static("x-saasus-trace-id");
/// The usual header for the same id.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The trace id of a request, in its extensions.
#[derive(Debug, Clone)]
pub struct TraceId(pub String);

/// The trace id of `request`, for events and log lines.
pub fn id_of(request: &HttpRequest) -> Option<String> {
    request.extensions().get::<TraceId>().map(|id| id.0.clone())
}

/// Middleware that gives each request its id, the sender's if it is safe to log, and logs failed requests.
pub async fn traced(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let started = Instant::now();
    let id = sent_id(request.headers()).unwrap_or_else(|| new_id(&request));
    let (method, path) = (request.method().clone(), logged(request.path()));
    request.extensions_mut().insert(TraceId(id.clone()));
    let mut response = blocking::limited(connection::with_headers(request, next)).await?;
    // Cannot fail: the id is a UUID or consists of visible ASCII characters.
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(TRACE_ID, value.clone());
        response.headers_mut().insert(REQUEST_ID, value);
    }
    limits::add_headers(&mut response);
    let status = response.status();
    let duration_ms = started.elapsed().as_millis();
    if status.is_server_error() {
        let cause = response.response().extensions().get::<Cause>().map(Cause::to_string).unwrap_or_default();
        tracing::error!(request_id = id, %method, path, status = status.as_u16(), duration_ms, cause, "request failed");
    } else {
        tracing::debug!(request_id = id, %method, path, status = status.as_u16(), duration_ms, "request served");
    }
    Ok(response)
}

fn sent_id(headers: &HeaderMap) -> Option<String> {
    [TRACE_ID, REQUEST_ID]
        .iter()
        .filter_map(|name| headers.get(name)?.to_str().ok())
        .find(|value| (1..=128).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_graphic()))
        // The id is written into logs and events, which must not contain credentials.
        .filter(|value| !text::looks_like_token(value))
        .map(str::to_owned)
}

/// The path as it is logged: hidden if it contains a token. Queries are never logged.
fn logged(path: &str) -> String {
    if text::looks_like_token(path) { text::shown(path) } else { path.to_owned() }
}

fn new_id(request: &ServiceRequest) -> String {
    request
        .app_data::<Data<AppState>>()
        .map(|state| clock::new_uuid(state.clock(), state.entropy()).to_string())
        .unwrap_or_default()
}
