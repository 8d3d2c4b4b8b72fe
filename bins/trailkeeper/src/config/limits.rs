//! How often each credential and each source may ask.

use clap::Args;
use trailkeeper_http::LimitSettings;

const STANDARD: LimitSettings = LimitSettings::STANDARD;

/// Requests a minute, by group of routes; all servers of one database count together.
#[derive(Args)]
#[command(next_help_heading = "Requests a minute, 0 for no limit")]
#[expect(clippy::struct_field_names, reason = "the fields are called as their flags are")]
pub struct LimitArgs {
    /// Logins and refreshes from one address (of IPv6: from one /64).
    #[arg(long, env = "TRAILKEEPER_LIMIT_LOGIN", default_value_t = STANDARD.login, value_name = "REQUESTS")]
    pub limit_login: u32,

    /// Requests that send events, with one credential.
    #[arg(long, env = "TRAILKEEPER_LIMIT_INGEST", default_value_t = STANDARD.ingest, value_name = "REQUESTS")]
    pub limit_ingest: u32,

    /// Requests that read events, users and tenants, with one credential.
    #[arg(long, env = "TRAILKEEPER_LIMIT_READ", default_value_t = STANDARD.read, value_name = "REQUESTS")]
    pub limit_read: u32,

    /// Analytic questions with one credential.
    #[arg(long, env = "TRAILKEEPER_LIMIT_ANALYTICS", default_value_t = STANDARD.analytics, value_name = "REQUESTS")]
    pub limit_analytics: u32,

    /// Requests that change tenants, users and reported figures, with one credential.
    #[arg(long, env = "TRAILKEEPER_LIMIT_CHANGE", default_value_t = STANDARD.change, value_name = "REQUESTS")]
    pub limit_change: u32,

    /// Requests about accounts, tokens, keys and sessions, with one credential.
    #[arg(long, env = "TRAILKEEPER_LIMIT_ADMINISTER", default_value_t = STANDARD.administer, value_name = "REQUESTS")]
    pub limit_administer: u32,

    /// Requests from one address for what needs no credential: documents and public keys.
    #[arg(long, env = "TRAILKEEPER_LIMIT_PUBLIC", default_value_t = STANDARD.public, value_name = "REQUESTS")]
    pub limit_public: u32,

    /// Questions from one address whether the server can serve (`/readyz`).
    #[arg(long, env = "TRAILKEEPER_LIMIT_PROBE", default_value_t = STANDARD.probe, value_name = "REQUESTS")]
    pub limit_probe: u32,

    /// Requests from one address whose credential did not hold; beyond, unknown credentials are refused unseen.
    #[arg(long, env = "TRAILKEEPER_LIMIT_REFUSED", default_value_t = STANDARD.refused, value_name = "REQUESTS")]
    pub limit_refused: u32,
}

impl LimitArgs {
    /// As the server says it.
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
