//! The HTTP server.

use std::net::SocketAddr;
use std::time::Duration;

use clap::{ArgAction, Args, builder::BoolishValueParser};
use trailkeeper_analytics::engine::merger::MergerSettings;
use trailkeeper_domain::ingest::IngestLimits;
use trailkeeper_domain::page::PageQueries;
use trailkeeper_http::HttpSettings;
use trailkeeper_storage::StoreOptions;

use crate::config::connections::ConnectionArgs;
use crate::config::parse::{self, Networks, Origins};
use crate::config::tls::TlsArgs;
use crate::failure::Failure;
use crate::open_files;

/// The HTTP server.
#[derive(Args)]
pub struct ServerArgs {
    /// Address and port to listen on.
    #[arg(long, env = "TRAILKEEPER_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT", value_parser = parse::listen)]
    pub listen: SocketAddr,

    /// Threads that serve connections; default: one per processor.
    #[arg(long, env = "TRAILKEEPER_WORKERS", value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=512))]
    pub workers: Option<u16>,

    /// Proxies, comma separated addresses or networks, whose `X-Forwarded-For` is believed.
    #[arg(
        long,
        env = "TRAILKEEPER_TRUSTED_PROXIES",
        default_value = "",
        value_name = "NETWORK,…",
        hide_default_value = true
    )]
    pub trusted_proxies: Networks,

    #[command(flatten)]
    pub connections: ConnectionArgs,

    #[command(flatten)]
    pub tls: TlsArgs,

    /// Origins, comma separated, whose scripts may read answers (CORS): `https://app.example`. Default: none.
    #[arg(
        long,
        env = "TRAILKEEPER_CORS_ORIGINS",
        default_value = "",
        value_name = "ORIGIN,…",
        hide_default_value = true
    )]
    pub cors_origins: Origins,

    /// Events that may wait for the disk; a request that does not fit any more is answered with 503 at once.
    #[arg(long, env = "TRAILKEEPER_INGEST_QUEUE", default_value_t = IngestLimits::default().queue_events, value_name = "EVENTS")]
    pub ingest_queue: usize,

    /// How often new events are merged into the sheets from which questions are answered. Answers count them at once.
    #[arg(long, env = "TRAILKEEPER_MERGE_EVERY", default_value_t = 5, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=3_600))]
    pub merge_every: u32,

    /// Memory, in MiB, for folds of sheets that were asked for: the same analytic question is cheap the next time; 0: none.
    #[arg(long, env = "TRAILKEEPER_FOLD_CACHE_MIB", default_value_t = 64, value_name = "MIB", value_parser = clap::value_parser!(u32).range(..=1_048_576))]
    pub fold_cache_mib: u32,

    /// Load demo data when, and only when, the database holds none.
    #[arg(long, env = "TRAILKEEPER_DEMO", action = ArgAction::SetTrue, value_parser = BoolishValueParser::new())]
    pub demo: bool,
}

impl ServerArgs {
    /// How many threads serve connections.
    pub fn effective_workers(&self) -> usize {
        match self.workers {
            Some(workers) => usize::from(workers),
            None => std::thread::available_parallelism().map_or(1, usize::from),
        }
    }

    /// How much may wait to be stored.
    pub fn ingest_limits(&self) -> IngestLimits {
        IngestLimits { queue_events: self.ingest_queue, ..IngestLimits::default() }
    }

    /// How the merger works.
    pub fn merger_settings(&self) -> MergerSettings {
        MergerSettings { every: Duration::from_secs(self.merge_every.into()) }
    }

    /// How much memory folds may take.
    fn fold_cache_bytes(&self) -> usize {
        usize::try_from(self.fold_cache_mib).unwrap_or(usize::MAX).saturating_mul(1 << 20)
    }

    /// The server's settings. Reads the certificate, and raises the limit on open files where it is too low.
    pub fn http_settings(&self, page_queries: PageQueries) -> Result<HttpSettings, Failure> {
        Ok(HttpSettings {
            listen: self.listen,
            workers: self.effective_workers(),
            trusted_proxies: self.trusted_proxies.0.clone(),
            page_queries,
            fold_cache_bytes: self.fold_cache_bytes(),
            connections: self.connections.settings(open_files::places_for(self.connections.max_connections)),
            cors_origins: self.cors_origins.0.clone(),
            tls: self.tls.load()?,
            // Limits are settings of their own.
            ..HttpSettings::default()
        })
    }

    /// Says so when passwords and tokens would cross a network that others can read.
    pub fn warn_of_plain_http(&self) {
        let listens = self.listen.ip().to_canonical();
        if !listens.is_loopback() && self.tls.certificate().is_none() && self.trusted_proxies.0.is_empty() {
            tracing::warn!(
                "listen: {} can be reached from other machines, and nothing is encrypted: give --tls-cert and --tls-key, or name the proxy that speaks TLS for this server with --trusted-proxies",
                self.listen
            );
        }
    }
}

/// How pages are grouped, and how many there may be.
#[derive(Args)]
pub struct PageArgs {
    /// Whether statistics tell pages apart by their query (`/users?page=2`). Keep one choice per database.
    #[arg(long, env = "TRAILKEEPER_KEEP_PAGE_QUERIES", action = ArgAction::SetTrue, value_parser = BoolishValueParser::new())]
    pub keep_page_queries: bool,

    /// Pages never seen before that a tenant may bring on one UTC day; statistics count those beyond as `(other)`.
    #[arg(long, env = "TRAILKEEPER_NEW_PAGES_PER_DAY", default_value_t = StoreOptions::default().new_pages_per_day, value_name = "NUMBER")]
    pub new_pages_per_day: u32,
}

impl PageArgs {
    /// As the domain says it.
    pub fn queries(&self) -> PageQueries {
        if self.keep_page_queries { PageQueries::Kept } else { PageQueries::Dropped }
    }

    /// As the store says it.
    pub fn store_options(&self) -> StoreOptions {
        StoreOptions { new_pages_per_day: self.new_pages_per_day, ..StoreOptions::default() }
    }
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
        assert_eq!(bytes(&["trailkeeper"]), HttpSettings::default().fold_cache_bytes);
        assert_eq!(bytes(&["trailkeeper", "--fold-cache-mib", "0"]), 0);
        assert_eq!(bytes(&["trailkeeper", "--fold-cache-mib=3"]), 3 << 20);
    }
}
