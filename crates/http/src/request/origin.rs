//! The origin of a request: address, program and trace id.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::header;
use trailkeeper_auth::Origin;
use trailkeeper_domain::event::MAX_USER_AGENT;
use trailkeeper_domain::text;
use trailkeeper_parsers::forwarded::client_address;

use crate::settings::HttpSettings;
use crate::trace;

/// The origin of a request.
pub fn of(request: &HttpRequest, settings: &HttpSettings) -> Origin {
    let user_agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    Origin {
        source: source(request, settings),
        user_agent: user_agent
            .map(|agent| text::cut(agent, MAX_USER_AGENT))
            // It is written into events and shown in the list of sessions.
            .filter(|agent| !agent.trim().is_empty() && !text::looks_like_token(agent)),
        trace_id: trace::id_of(request),
    }
}

/// The address of the client: the peer, or, if the peer is a trusted proxy, the last address in
/// `X-Forwarded-For` that is not a trusted proxy. `None` if the peer is unknown.
pub fn source(request: &HttpRequest, settings: &HttpSettings) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip();
    let values = request.headers().get_all("x-forwarded-for").map(header::HeaderValue::as_bytes);
    Some(client_address(peer, values, &settings.trusted_proxies))
}
