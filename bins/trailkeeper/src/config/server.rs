//! Settings of the HTTP server.

use std::net::SocketAddr;
use std::time::Duration;

use clap::{ArgAction, Args, builder::BoolishValueParser};
use trailkeeper_analytics::engine::merger::MergerSettings;
use trailkeeper_domain::ingest::IngestLimits;
use trailkeeper_forward::{AllowedNetworks, ConnectorSettings};
use trailkeeper_http::HttpSettings;

use crate::config::connections::ConnectionArgs;
use crate::config::parse::{self, Networks, Origins};
use crate::config::tls::TlsArgs;
use crate::failure::Failure;
use crate::open_files;

/// Settings of the HTTP server.
#[derive(Args)]
#[command(next_help_heading = "Server")]
pub struct ServerArgs {
    /// Address and port to listen on.
    #[arg(long, env = "TRAILKEEPER_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT", value_parser = parse::listen)]
    pub listen: SocketAddr,

    /// Threads that serve connections. Default: one per processor.
    #[arg(long, env = "TRAILKEEPER_WORKERS", value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=512))]
    pub workers: Option<u16>,

    /// Addresses or networks, comma-separated, of proxies whose `X-Forwarded-For` the server trusts. Default: none.
    #[arg(
        long,
        env = "TRAILKEEPER_TRUSTED_PROXIES",
        default_value = "",
        value_name = "NETWORK,…",
        hide_default_value = true
    )]
    pub trusted_proxies: Networks,

    /// Web origins, comma-separated, whose scripts may read responses (CORS): `https://app.example`. Default: none.
    #[arg(
        long,
        env = "TRAILKEEPER_CORS_ORIGINS",
        default_value = "",
        value_name = "ORIGIN,…",
        hide_default_value = true
    )]
    pub cors_origins: Origins,

    /// Events that may wait for the disk. A request that does not fit gets 503 at once.
    #[arg(long, env = "TRAILKEEPER_INGEST_QUEUE", default_value_t = IngestLimits::default().queue_events, value_name = "EVENTS")]
    pub ingest_queue: usize,

    /// Seconds between two looks at the new events that are not in sheets yet, the rollups behind analytics. They are merged
    /// if they are many or wait for long. Analytics count new events before the merge too.
    #[arg(long, env = "TRAILKEEPER_MERGE_EVERY", default_value_t = 5, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=3_600))]
    pub merge_every: u32,

    /// Number of new events that are merged at once. Fewer wait for others, because a merge of many costs little more than
    /// one of few; a question reads those that wait one by one.
    #[arg(long, env = "TRAILKEEPER_MERGE_EVENTS", default_value_t = MergerSettings::default().events, value_name = "EVENTS", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub merge_events: u64,

    /// Seconds after which new events are merged, however few they are.
    #[arg(long, env = "TRAILKEEPER_MERGE_WITHIN", default_value_t = 60, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(0..=3_600))]
    pub merge_within: u32,

    /// Memory in MiB for cached folds of sheets, which make a repeated analytic question cheap. 0: no cache.
    #[arg(long, env = "TRAILKEEPER_FOLD_CACHE_MIB", default_value_t = 64, value_name = "MIB", value_parser = clap::value_parser!(u32).range(..=1_048_576))]
    pub fold_cache_mib: u32,

    /// Memory in MiB for the bodies of all requests together. A request that does not fit gets 503 at once. Senders
    /// whose credential is not verified yet can use a quarter.
    #[arg(long, env = "TRAILKEEPER_BODY_BUDGET_MIB", default_value_t = 256, value_name = "MIB", value_parser = clap::value_parser!(u32).range(32..=1_048_576))]
    pub body_budget_mib: u32,

    /// Seconds that a request waits for the database, for a password or for an analytic question, in total; then 503. A
    /// PostgreSQL that is frozen, slow or behind a broken network holds no request longer.
    #[arg(long, env = "TRAILKEEPER_DATABASE_TIMEOUT", default_value_t = 15, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=3_600))]
    pub database_timeout: u32,

    /// Addresses or networks, comma-separated, outside of global unicast that forwarding streams may connect to:
    /// `10.20.0.0/16`. Default: none.
    #[arg(
        long,
        env = "TRAILKEEPER_STREAM_NETWORKS",
        default_value = "",
        value_name = "NETWORK,…",
        hide_default_value = true
    )]
    pub stream_networks: Networks,

    /// Load demo data if the database has no events and no records.
    #[arg(long, env = "TRAILKEEPER_DEMO", action = ArgAction::SetTrue, value_parser = BoolishValueParser::new())]
    pub demo: bool,

    // Last: their headings would hold for the arguments after them.
    #[command(flatten)]
    pub connections: ConnectionArgs,

    #[command(flatten)]
    pub tls: TlsArgs,
}

impl ServerArgs {
    /// Number of threads that serve connections.
    pub fn effective_workers(&self) -> usize {
        match self.workers {
            Some(workers) => usize::from(workers),
            None => std::thread::available_parallelism().map_or(1, usize::from),
        }
    }

    /// Limits of the queue of events that wait to be stored.
    pub fn ingest_limits(&self) -> IngestLimits {
        IngestLimits {
            queue_events: self.ingest_queue,
            commit_timeout: self.database_timeout(),
            ..IngestLimits::default()
        }
    }

    /// Settings of the merger.
    pub fn merger_settings(&self) -> MergerSettings {
        MergerSettings {
            every: Duration::from_secs(self.merge_every.into()),
            events: self.merge_events,
            within: Duration::from_secs(self.merge_within.into()),
        }
    }

    /// How forwarding streams make connections.
    pub fn connector_settings(&self) -> ConnectorSettings {
        let networks = AllowedNetworks::with(self.stream_networks.0.clone());
        ConnectorSettings { networks, ..ConnectorSettings::default() }
    }

    /// The longest wait of a request for the database.
    fn database_timeout(&self) -> Duration {
        Duration::from_secs(self.database_timeout.into())
    }

    /// Memory for cached folds, in bytes.
    fn fold_cache_bytes(&self) -> usize {
        bytes(self.fold_cache_mib)
    }

    /// Memory for the bodies of all requests, in bytes.
    fn body_budget_bytes(&self) -> usize {
        bytes(self.body_budget_mib)
    }

    /// These settings, as the HTTP library takes them. Loads the certificate, and raises the limit on open files if it is
    /// too low for the connections.
    pub fn http_settings(&self) -> Result<HttpSettings, Failure> {
        Ok(HttpSettings {
            listen: self.listen,
            workers: self.effective_workers(),
            trusted_proxies: self.trusted_proxies.0.clone(),
            fold_cache_bytes: self.fold_cache_bytes(),
            body_budget_bytes: self.body_budget_bytes(),
            database_timeout: self.database_timeout(),
            connections: self.connections.settings(open_files::allow_connections(self.connections.max_connections)),
            max_listeners: self.connections.max_listeners(),
            max_exports: self.connections.max_exports(),
            cors_origins: self.cors_origins.0.clone(),
            tls: self.tls.load()?,
            // The rate limits come from `LimitArgs`.
            ..HttpSettings::default()
        })
    }

    /// Warns if passwords and tokens cross a network unencrypted.
    pub fn warn_of_plain_http(&self) {
        let listens = self.listen.ip().to_canonical();
        if !listens.is_loopback() && self.tls.tls_cert.is_none() && self.trusted_proxies.0.is_empty() {
            tracing::warn!(
                "listen: other machines can reach {}, and nothing is encrypted; set --tls-cert and --tls-key, or name the proxy that handles TLS with --trusted-proxies",
                self.listen
            );
        }
    }
}

fn bytes(mib: u32) -> usize {
    usize::try_from(mib).unwrap_or(usize::MAX).saturating_mul(1 << 20)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        server: ServerArgs,
    }

    #[test]
    fn the_program_remembers_as_much_as_the_library() {
        let bytes = |args: &[&str]| Command::parse_from(args).server.fold_cache_bytes();
        let timeout = Command::parse_from(["trailkeeper"]).server.database_timeout();
        assert_eq!(
            (timeout, timeout),
            (HttpSettings::default().database_timeout, IngestLimits::default().commit_timeout)
        );
        let bodies = |args: &[&str]| Command::parse_from(args).server.body_budget_bytes();
        assert_eq!(bodies(&["trailkeeper"]), HttpSettings::default().body_budget_bytes);
        assert_eq!(bodies(&["trailkeeper", "--body-budget-mib", "32"]), 32 << 20);
        assert_eq!(bytes(&["trailkeeper"]), HttpSettings::default().fold_cache_bytes);
        assert_eq!(bytes(&["trailkeeper", "--fold-cache-mib", "0"]), 0);
        assert_eq!(bytes(&["trailkeeper", "--fold-cache-mib=3"]), 3 << 20);
    }
}
