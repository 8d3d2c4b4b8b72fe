//! Settings of the log.

use clap::{Args, ValueEnum};

use crate::config::parse;

/// Settings of the log.
#[derive(Args)]
#[command(next_help_heading = "Log")]
pub struct LogArgs {
    // `actix_http::h1=off`: the server itself logs input that is not HTTP, at `debug`.
    /// Level of the lines to log (error, warn, info, debug, trace), or a filter such as `info,trailkeeper_http=debug`.
    #[arg(long, env = "TRAILKEEPER_LOG", default_value = "info,actix_server=warn,actix_http::h1=off", value_name = "FILTER", value_parser = parse::log_filter, global = true)]
    pub log: String,

    /// Format of log lines.
    #[arg(long, env = "TRAILKEEPER_LOG_FORMAT", default_value = "text", value_enum, global = true)]
    pub log_format: LogFormat,
}

/// Format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Plain text.
    Text,
    /// One JSON object per line.
    Json,
}
