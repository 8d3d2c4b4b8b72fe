//! Settings of connections: their number, and their timeouts.

use std::time::Duration;

use clap::Args;
use trailkeeper_http::ConnectionSettings;

/// Settings of connections.
#[derive(Args)]
#[command(next_help_heading = "Connections")]
pub struct ConnectionArgs {
    /// Connections open at the same time; further ones wait. Each can need an open file and up to 128 KiB of memory.
    #[arg(long, env = "TRAILKEEPER_MAX_CONNECTIONS", default_value_t = 4096, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_connections: u32,

    /// Connections from one address (IPv6: from one /64) at the same time; further ones are closed. Trusted proxies are
    /// exempt. 0: no limit.
    #[arg(long, env = "TRAILKEEPER_MAX_CONNECTIONS_PER_SOURCE", default_value_t = 1024, value_name = "NUMBER")]
    pub max_connections_per_source: u32,

    /// Requests that wait for events of the feed or stream them at the same time; further ones get 503. Their connections
    /// count as all others. An idle one takes about 20 KiB of memory. 0: none.
    #[arg(long, env = "TRAILKEEPER_MAX_LISTENERS", default_value_t = 1000, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    pub max_listeners: u32,

    /// Exports of events that run at the same time; further ones get 503. Each takes up to 40 MiB of memory. 0: none.
    #[arg(long, env = "TRAILKEEPER_MAX_EXPORTS", default_value_t = 8, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(..=1_000))]
    pub max_exports: u32,

    /// Seconds that a connection may stay idle between two requests.
    #[arg(long, env = "TRAILKEEPER_KEEP_ALIVE", default_value_t = 30, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=3_600))]
    pub keep_alive: u32,

    /// Seconds for the head of a request, from its first byte; then 408. Also the seconds for a TLS handshake.
    #[arg(long, env = "TRAILKEEPER_HEAD_TIMEOUT", default_value_t = 10, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=3_600))]
    pub head_timeout: u32,

    /// Seconds for the body of a request; then 408. The body must also arrive at 1024 bytes per second or faster.
    #[arg(long, env = "TRAILKEEPER_BODY_TIMEOUT", default_value_t = 120, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub body_timeout: u32,

    /// Seconds for which a client may read nothing of its response; then the server resets the connection.
    #[arg(long, env = "TRAILKEEPER_WRITE_TIMEOUT", default_value_t = 30, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=3_600))]
    pub write_timeout: u32,
}

impl ConnectionArgs {
    /// These settings, as the HTTP library takes them. `most`: how many connections the system allows this program.
    pub fn settings(&self, most: usize) -> ConnectionSettings {
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        ConnectionSettings {
            max: count(self.max_connections).min(most),
            max_per_source: count(self.max_connections_per_source),
            keep_alive: seconds(self.keep_alive),
            head_timeout: seconds(self.head_timeout),
            body_timeout: seconds(self.body_timeout),
            write_timeout: seconds(self.write_timeout),
        }
    }

    /// The most requests that wait for events or stream them.
    pub fn max_listeners(&self) -> usize {
        count(self.max_listeners)
    }

    /// The most exports that run at once.
    pub fn max_exports(&self) -> usize {
        count(self.max_exports)
    }
}

fn count(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use trailkeeper_http::HttpSettings;

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
        assert_eq!(args.settings(100).max, 100);
        assert_eq!(args.max_listeners(), HttpSettings::default().max_listeners);
        assert_eq!(args.max_exports(), HttpSettings::default().max_exports);
    }
}
