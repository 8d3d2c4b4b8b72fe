//! From where a request comes.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::header;
use trailkeeper_auth::Origin;

use crate::settings::HttpSettings;
use crate::trace;

/// The longest user agent that is kept, in characters.
const MAX_USER_AGENT: usize = 1024;

/// Address, program and trace id of a request.
pub fn of(request: &HttpRequest, settings: &HttpSettings) -> Origin {
    let user_agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    Origin {
        source: source(request, settings),
        user_agent: user_agent
            .map(|agent| agent.chars().filter(|c| !c.is_control()).take(MAX_USER_AGENT).collect::<String>())
            .filter(|agent| !agent.is_empty()),
        trace_id: trace::id_of(request),
    }
}

/// The address of the client: the peer, or, where the peer is a trusted proxy, the last address of
/// `X-Forwarded-For` that is not one. A header from anybody else is not believed.
pub fn source(request: &HttpRequest, settings: &HttpSettings) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip().to_canonical();
    let trusted = |address: &IpAddr| settings.trusted_proxies.iter().any(|network| network.contains(address));
    if !trusted(&peer) {
        return Some(peer);
    }
    let forwarded: Vec<&str> = request
        .headers()
        .get_all("x-forwarded-for")
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    let mut nearest = peer;
    for hop in forwarded.iter().rev() {
        // A hop that is not an address ends the chain: what stands before it may be forged.
        let Some(address) = address_of(hop.trim()) else { break };
        nearest = address;
        if !trusted(&address) {
            break;
        }
    }
    Some(nearest)
}

/// An address with or without a port, as proxies write it.
fn address_of(hop: &str) -> Option<IpAddr> {
    let plain = hop.parse::<IpAddr>().ok();
    plain.or_else(|| hop.parse::<std::net::SocketAddr>().ok().map(|socket| socket.ip())).map(|ip| ip.to_canonical())
}
