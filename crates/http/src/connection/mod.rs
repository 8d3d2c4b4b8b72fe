//! Protection of the server and its clients, independent of the route: limits on connections, deadlines, security headers
//! and CORS.
//!
//! ```text
//! socket ── Sources (connections per source) ── TLS ── DeadlineStream ── actix ── with_headers ── routes
//! ```

mod blocked;
mod cors;
mod deadline_stream;
mod headers;
mod raw_response;
mod request_tracker;
mod sources;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::middleware::Next;
use actix_web::web::Data;

use crate::state::AppState;

pub use deadline_stream::{DeadlineStream, Transport};
pub use raw_response::RawResponses;
pub use request_tracker::{RequestTracker, TrackedBody};
pub use sources::{ConnectionPermit, Sources};

/// Middleware that tracks the request for its connection and adds the headers of every response.
pub async fn with_headers(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<TrackedBody>, Error> {
    let is_chunked = request.headers().contains_key(header::TRANSFER_ENCODING);
    let active = request.conn_data::<RequestTracker>().map(|tracker| tracker.start_request(is_chunked));
    let state = request.app_data::<Data<AppState>>().cloned();
    let path = request.path().to_owned();
    let cors = state.as_ref().and_then(|state| cors::listed_origin(&request, &state.settings.cors_origins));
    let mut response = next.call(request).await?.map_into_boxed_body();
    if let Some(state) = state {
        headers::add(response.headers_mut(), &path, state.settings.tls.is_some());
        response = cors::add_permission(response, cors, &state.settings.cors_origins);
    }
    Ok(response.map_body(|_, body| TrackedBody::new(body, active)))
}
