//! Settings and fixed limits of the HTTP server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;

use crate::limits::LimitSettings;
use crate::tls::Tls;

/// The most events in one request of the native API.
pub const MAX_EVENTS: usize = 5_000;

/// The largest request body after decompression, in bytes.
pub const MAX_BODY_BYTES: usize = 8 * 1024 * 1024;

/// The largest body of a SaaSus operation, in bytes. A signature may have to be compared with dozens of
/// variants that each cover the whole body, so this limits the cost of one request.
pub const MAX_SIGNED_BODY_BYTES: usize = 2 * 1024 * 1024;

/// Settings of the HTTP server. The default has no rate limits and no TLS.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// Threads that serve connections.
    pub workers: usize,
    /// Proxies whose `X-Forwarded-For` is trusted. If empty, the header is ignored.
    pub trusted_proxies: Vec<IpNet>,
    /// Requests per minute of each credential and each source.
    pub limits: LimitSettings,
    /// Approximate size of the fold cache in bytes, which makes repeated analytic questions cheap. 0: no cache.
    pub fold_cache_bytes: usize,
    /// Memory in bytes for the bodies of all requests together, while they arrive and are handled. Senders whose
    /// credential is not verified yet can use a quarter of it.
    pub body_budget_bytes: usize,
    /// The longest time that one request waits for the database, for all of its calls together.
    pub database_timeout: Duration,
    /// Limits of connections.
    pub connections: ConnectionSettings,
    /// The most requests that wait for events or stream them at once. Further ones get 503.
    pub max_listeners: usize,
    /// The most exports that run at once. Further ones get 503.
    pub max_exports: usize,
    /// Origins whose scripts may read responses, in the form that browsers send: `https://app.example`.
    pub cors_origins: Vec<String>,
    /// Certificate and key; without them, the server speaks plain HTTP.
    pub tls: Option<Arc<Tls>>,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            workers: 2,
            trusted_proxies: Vec::new(),
            limits: LimitSettings::NONE,
            fold_cache_bytes: 64 << 20,
            body_budget_bytes: 256 << 20,
            database_timeout: Duration::from_secs(15),
            connections: ConnectionSettings::default(),
            max_listeners: 1000,
            max_exports: 8,
            cors_origins: Vec::new(),
            tls: None,
        }
    }
}

/// Limits on the number and the time of connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionSettings {
    /// The most connections that are open at once; further ones wait until one is closed.
    pub max: usize,
    /// The most connections of one address (of one /64 network with IPv6), except of trusted proxies. Further ones are
    /// closed at once. 0: no limit.
    pub max_per_source: usize,
    /// How long a connection may be idle between requests.
    pub keep_alive: Duration,
    /// Time for the head of a request, from its first byte, and for a TLS handshake.
    pub head_timeout: Duration,
    /// Time for the whole body of a request.
    pub body_timeout: Duration,
    /// How long a client may pause while it reads a response.
    pub write_timeout: Duration,
}

impl Default for ConnectionSettings {
    fn default() -> Self {
        Self {
            max: 4096,
            max_per_source: 1024,
            keep_alive: Duration::from_secs(30),
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_mins(2),
            write_timeout: Duration::from_secs(30),
        }
    }
}
