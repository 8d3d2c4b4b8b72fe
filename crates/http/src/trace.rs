//! One id per request, in every response and log line; one log line per request that failed.

use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, HttpRequest};
use trailkeeper_domain::error::Cause;
use trailkeeper_domain::{clock, text};

use crate::connection;
use crate::limits;
use crate::state::AppState;

/// The header of the SaaSus contract.
const TRACE_ID: HeaderName = HeaderName::from_static("x-saasus-trace-id");
/// The same under its usual name.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of the request in hand.
#[derive(Debug, Clone)]
pub struct TraceId(pub String);

/// The id of `request`, for events and log lines.
pub fn id_of(request: &HttpRequest) -> Option<String> {
    request.extensions().get::<TraceId>().map(|id| id.0.clone())
}

/// Gives each request its id, the sender's where that is fit for a log, and writes the log.
pub async fn traced(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let started = Instant::now();
    let id = inherited(request.headers()).unwrap_or_else(|| fresh(&request));
    let (method, path) = (request.method().clone(), logged(request.path()));
    request.extensions_mut().insert(TraceId(id.clone()));
    let mut response = connection::answered(request, next).await?;
    // inherited() lets visible ASCII through alone, so this cannot fail; a UUID cannot either.
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(TRACE_ID, value.clone());
        response.headers_mut().insert(REQUEST_ID, value);
    }
    limits::add_to(&mut response);
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

fn inherited(headers: &HeaderMap) -> Option<String> {
    [TRACE_ID, REQUEST_ID]
        .iter()
        .filter_map(|name| headers.get(name)?.to_str().ok())
        .find(|value| (1..=128).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_graphic()))
        // It goes into logs and events.
        .filter(|value| !text::looks_like_token(value))
        .map(str::to_owned)
}

/// The path as the log shows it. Queries are not logged at all.
fn logged(path: &str) -> String {
    if text::looks_like_token(path) { text::shown(path) } else { path.to_owned() }
}

fn fresh(request: &ServiceRequest) -> String {
    request
        .app_data::<Data<AppState>>()
        .map(|state| clock::new_uuid(state.clock(), state.entropy()).to_string())
        .unwrap_or_default()
}
