//! Rate limits per credential and per source address.

use clap::Args;
use trailkeeper_http::LimitSettings;

const STANDARD: LimitSettings = LimitSettings::STANDARD;

/// Requests per minute, by group of routes. All servers of one database count together.
#[derive(Args)]
#[command(next_help_heading = "Rate limits, in requests per minute (0: no limit)")]
#[expect(clippy::struct_field_names, reason = "the fields are called as their flags are")]
pub struct LimitArgs {
    /// Logins and refreshes from one address (IPv6: from one /64).
    #[arg(long, env = "TRAILKEEPER_LIMIT_LOGIN", default_value_t = STANDARD.login, value_name = "REQUESTS")]
    pub limit_login: u32,

    /// Requests that send events, per credential.
    #[arg(long, env = "TRAILKEEPER_LIMIT_INGEST", default_value_t = STANDARD.ingest, value_name = "REQUESTS")]
    pub limit_ingest: u32,

    /// Requests that read events, users and tenants, per credential.
    #[arg(long, env = "TRAILKEEPER_LIMIT_READ", default_value_t = STANDARD.read, value_name = "REQUESTS")]
    pub limit_read: u32,

    /// Analytic questions, per credential.
    #[arg(long, env = "TRAILKEEPER_LIMIT_ANALYTICS", default_value_t = STANDARD.analytics, value_name = "REQUESTS")]
    pub limit_analytics: u32,

    /// Requests that change tenants, users and reported figures, per credential.
    #[arg(long, env = "TRAILKEEPER_LIMIT_CHANGE", default_value_t = STANDARD.change, value_name = "REQUESTS")]
    pub limit_change: u32,

    /// Requests about accounts, tokens, keys and sessions, per credential.
    #[arg(long, env = "TRAILKEEPER_LIMIT_ADMINISTER", default_value_t = STANDARD.administer, value_name = "REQUESTS")]
    pub limit_administer: u32,

    /// Requests from one address that need no credential: documents and public keys.
    #[arg(long, env = "TRAILKEEPER_LIMIT_PUBLIC", default_value_t = STANDARD.public, value_name = "REQUESTS")]
    pub limit_public: u32,

    /// Readiness checks (`/readyz`) from one address.
    #[arg(long, env = "TRAILKEEPER_LIMIT_PROBE", default_value_t = STANDARD.probe, value_name = "REQUESTS")]
    pub limit_probe: u32,

    /// Requests from one address with an invalid credential. Above it, unknown credentials are rejected unchecked.
    #[arg(long, env = "TRAILKEEPER_LIMIT_REFUSED", default_value_t = STANDARD.refused, value_name = "REQUESTS")]
    pub limit_refused: u32,
}

impl LimitArgs {
    /// These settings, as the HTTP library takes them.
    pub fn settings(&self) -> LimitSettings {
        LimitSettings {
            login: self.limit_login,
            ingest: self.limit_ingest,
            read: self.limit_read,
            analytics: self.limit_analytics,
            change: self.limit_change,
            administer: self.limit_administer,
            public: self.limit_public,
            probe: self.limit_probe,
            refused: self.limit_refused,
        }
    }
}
