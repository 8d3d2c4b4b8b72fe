//! Settings of logins, keys and the first administrator.

use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{ArgAction, Args};
use trailkeeper_auth::AccessSettings;

use crate::config::parse::Hosts;

/// Settings of logins and keys.
#[derive(Args)]
#[command(next_help_heading = "Logins and keys")]
pub struct AccessArgs {
    /// Cost of password hashes. Each step doubles the time of a login.
    #[arg(long, env = "TRAILKEEPER_BCRYPT_COST", default_value_t = 12, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(4..=20), global = true)]
    pub bcrypt_cost: u32,

    /// Delay further logins after too many failed ones.
    #[arg(long, env = "TRAILKEEPER_LOGIN_DELAYS", default_value_t = true, action = ArgAction::Set, value_parser = BoolishValueParser::new(), value_name = "BOOL", global = true)]
    pub login_delays: bool,

    /// Public host names, comma-separated, that request signatures may contain besides the Host header. Default: none.
    #[arg(
        long,
        env = "TRAILKEEPER_PUBLIC_HOSTS",
        default_value = "",
        value_name = "HOST,…",
        hide_default_value = true,
        global = true
    )]
    pub public_hosts: Hosts,

    /// Key that seals secrets at rest, 64 hexadecimal digits. Default: `master.key` in the data folder, created on first use.
    // Other users of the machine can read the command line, so the variable is the better place.
    #[arg(long, env = "TRAILKEEPER_MASTER_KEY", hide_env_values = true, value_name = "HEX", global = true)]
    pub master_key: Option<String>,

    /// Previous master key, while it is being replaced. It still opens the secrets that it sealed.
    #[arg(long, env = "TRAILKEEPER_MASTER_KEY_PREVIOUS", hide_env_values = true, value_name = "HEX", global = true)]
    pub master_key_previous: Option<String>,

    /// Age in days at which the server replaces the key that signs access tokens. 0: never.
    #[arg(
        long,
        env = "TRAILKEEPER_ROTATE_TOKEN_KEYS_DAYS",
        default_value_t = 30,
        value_parser = clap::value_parser!(u32).range(..=3650),
        value_name = "DAYS",
        global = true
    )]
    pub rotate_token_keys_days: u32,

    /// Days from its login to the end of a session, however often it is refreshed. If servers of one database differ, the
    /// smallest value holds.
    #[arg(
        long,
        env = "TRAILKEEPER_SESSION_DAYS",
        default_value_t = 90,
        value_parser = clap::value_parser!(u32).range(1..=3650),
        value_name = "DAYS",
        global = true
    )]
    pub session_days: u32,
}

impl AccessArgs {
    /// These settings, as the auth library takes them.
    pub fn access_settings(&self) -> AccessSettings {
        let days = u64::from(self.rotate_token_keys_days);
        AccessSettings {
            bcrypt_cost: self.bcrypt_cost,
            login_delays: self.login_delays,
            public_hosts: self.public_hosts.0.clone(),
            session_ttl: Duration::from_hours(24 * u64::from(self.session_days)),
            rotate_token_keys_after: (days > 0).then(|| Duration::from_hours(24 * days)),
            ..AccessSettings::default()
        }
    }
}

/// Settings of the first administrator.
#[derive(Args)]
#[command(next_help_heading = "First administrator")]
pub struct AdminArgs {
    /// E-mail of the administrator that the server creates if there is no account yet.
    #[arg(long, env = "TRAILKEEPER_ADMIN_EMAIL", default_value = "admin@trailkeeper.local", value_name = "E-MAIL")]
    pub admin_email: String,

    /// Password of that administrator. Default: generated, and printed once.
    // As for the master key, the variable is the better place.
    #[arg(long, env = "TRAILKEEPER_ADMIN_PASSWORD", hide_env_values = true, value_name = "PASSWORD")]
    pub admin_password: Option<String>,
}
