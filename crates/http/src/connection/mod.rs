//! What keeps the server clean whatever is asked: headers of every answer, other origins, slow and greedy clients.
//!
//! ```text
//! socket ── sources (how many may come from one place) ── TLS ── guarded (deadlines) ── actix ── answered ── routes
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
pub use raw_response::RawResponse;
pub use request_tracker::{RequestTracker, TrackedBody};
pub use sources::{ConnectionPermit, Sources};

/// Has the request answered, and adds the headers that every answer has.
pub async fn answered(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<TrackedBody>, Error> {
    let in_chunks = request.headers().contains_key(header::TRANSFER_ENCODING);
    let serving = request.conn_data::<RequestTracker>().map(|tracker| tracker.serve(in_chunks));
    let state = request.app_data::<Data<AppState>>().cloned();
    let path = request.path().to_owned();
    let asked = state.as_ref().and_then(|state| cors::asked(&request, &state.settings.cors_origins));
    let mut response = next.call(request).await?.map_into_boxed_body();
    if let Some(state) = state {
        headers::add(response.headers_mut(), &path, state.settings.tls.is_some());
        response = cors::answered(response, asked, &state.settings.cors_origins);
    }
    Ok(response.map_body(|_, body| TrackedBody::new(body, serving)))
}
