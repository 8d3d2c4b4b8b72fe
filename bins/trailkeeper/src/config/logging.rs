//! What is logged, and how.

use clap::{Args, ValueEnum};

use crate::config::parse;

/// What is logged, and how.
#[derive(Args)]
pub struct LogArgs {
    // Silent about what strangers send that is no request: the server says that itself, at `debug`.
    /// Which log lines are written: a level, or a filter such as `info,trailkeeper_http=debug`.
    #[arg(long, env = "TRAILKEEPER_LOG", default_value = "info,actix_server=warn,actix_http::h1=off", value_name = "FILTER", value_parser = parse::log_filter, global = true)]
    pub log: String,

    /// Form of log lines.
    #[arg(long, env = "TRAILKEEPER_LOG_FORMAT", default_value = "text", value_enum, global = true)]
    pub log_format: LogFormat,
}

/// Form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}
