//! How many connections there may be, and how slow they may be.

use std::time::Duration;

use clap::Args;
use trailkeeper_http::ConnectionSettings;

/// How many connections there may be, and how slow they may be.
#[derive(Args)]
pub struct ConnectionArgs {
    /// Connections that may be open at once; further ones wait. Each may need an open file and, at worst, 128 KiB.
    #[arg(long, env = "TRAILKEEPER_MAX_CONNECTIONS", default_value_t = 4096, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_connections: u32,

    /// Connections of one address (IPv6: of one /64) at once, trusted proxies apart; further ones are closed. 0: no limit.
    #[arg(long, env = "TRAILKEEPER_MAX_CONNECTIONS_PER_SOURCE", default_value_t = 1024, value_name = "NUMBER")]
    pub max_connections_per_source: u32,

    /// How long a connection may lie idle between two requests.
    #[arg(long, env = "TRAILKEEPER_KEEP_ALIVE", default_value_t = 30, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=3_600))]
    pub keep_alive: u32,

    /// How long the head of a request may take from its first byte on, and a TLS handshake; then 408.
    #[arg(long, env = "TRAILKEEPER_HEAD_TIMEOUT", default_value_t = 10, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=3_600))]
    pub head_timeout: u32,

    /// How long the body of a request may take; then 408. It must also come at 1024 bytes per second or more.
    #[arg(long, env = "TRAILKEEPER_BODY_TIMEOUT", default_value_t = 120, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub body_timeout: u32,

    /// How long a client may take nothing of its answer before the connection is reset.
    #[arg(long, env = "TRAILKEEPER_WRITE_TIMEOUT", default_value_t = 30, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=3_600))]
    pub write_timeout: u32,
}

impl ConnectionArgs {
    /// As the server says it, for a system that lets this program have `places` connections.
    pub fn settings(&self, places: usize) -> ConnectionSettings {
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        ConnectionSettings {
            most: count(self.max_connections).min(places),
            most_per_source: count(self.max_connections_per_source),
            keep_alive: seconds(self.keep_alive),
            head_timeout: seconds(self.head_timeout),
            body_timeout: seconds(self.body_timeout),
            write_timeout: seconds(self.write_timeout),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        connections: ConnectionArgs,
    }

    #[test]
    fn the_program_has_the_defaults_of_the_library() {
        let args = Command::parse_from(["trailkeeper"]).connections;
        assert_eq!(args.settings(usize::MAX), ConnectionSettings::default());
        assert_eq!(args.settings(100).most, 100);
    }
}
