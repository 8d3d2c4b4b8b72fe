//! What the HTTP server can be told.

use std::net::SocketAddr;

use ipnet::IpNet;
use trailkeeper_domain::page::PageQueries;

/// The most events in one request of the native API.
pub const MAX_EVENTS: usize = 5_000;

/// The largest request body, unpacked, in bytes.
pub const MAX_BODY_BYTES: usize = 8 * 1024 * 1024;

/// The largest body of a SaaSus operation, in bytes. A signature may have to be tried in dozens of
/// readings over the whole body, so this bounds what one request can cost.
pub const MAX_SIGNED_BODY_BYTES: usize = 2 * 1024 * 1024;

/// Settings of the HTTP server.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// How many threads serve connections.
    pub workers: usize,
    /// Peers whose `X-Forwarded-For` is believed. Empty: the header is never read.
    pub trusted_proxies: Vec<IpNet>,
    /// How pages are grouped.
    pub page_queries: PageQueries,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            workers: 2,
            trusted_proxies: Vec::new(),
            page_queries: PageQueries::default(),
        }
    }
}
