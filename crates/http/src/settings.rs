//! What the HTTP server can be told.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use trailkeeper_domain::page::PageQueries;

use crate::limits::LimitSettings;

use crate::tls::Tls;

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
    /// How often each credential and each source may ask.
    pub limits: LimitSettings,
    /// How pages are grouped.
    pub page_queries: PageQueries,
    /// About how many bytes of folds are remembered, so that the same analytic question is cheap the next time. 0: none.
    pub fold_cache_bytes: usize,
    /// How many connections there may be, and how long each may take.
    pub connections: ConnectionSettings,
    /// Origins whose scripts may read answers, as browsers write them: `https://app.example`.
    pub cors_origins: Vec<String>,
    /// The certificate; without one, plain HTTP is spoken.
    pub tls: Option<Arc<Tls>>,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            workers: 2,
            trusted_proxies: Vec::new(),
            limits: LimitSettings::NONE,
            page_queries: PageQueries::default(),
            fold_cache_bytes: 64 << 20,
            connections: ConnectionSettings::default(),
            cors_origins: Vec::new(),
            tls: None,
        }
    }
}

/// How many connections there may be, and how long each may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionSettings {
    /// The most that are open at once; further ones wait until one is closed.
    pub most: usize,
    /// The most of one address (IPv6: of one /64), trusted proxies apart; further ones are closed at once. 0: no limit.
    pub most_per_source: usize,
    /// How long a connection may lie idle between requests.
    pub keep_alive: Duration,
    /// For the head of a request, from its first byte, and for a TLS handshake.
    pub head_timeout: Duration,
    /// For the whole body of a request.
    pub body_timeout: Duration,
    /// How long a client may take none of its answer.
    pub write_timeout: Duration,
}

impl Default for ConnectionSettings {
    fn default() -> Self {
        Self {
            most: 4096,
            most_per_source: 1024,
            keep_alive: Duration::from_secs(30),
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_mins(2),
            write_timeout: Duration::from_secs(30),
        }
    }
}
