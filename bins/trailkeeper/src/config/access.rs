//! Passwords, keys and the first administrator.

use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{ArgAction, Args};
use trailkeeper_auth::AccessSettings;

use crate::config::parse::Hosts;

/// Passwords and keys.
#[derive(Args)]
pub struct AccessArgs {
    /// Cost of password hashes: each step doubles the time of a login.
    #[arg(long, env = "TRAILKEEPER_BCRYPT_COST", default_value_t = 12, value_parser = clap::value_parser!(u32).range(4..=20), global = true)]
    pub bcrypt_cost: u32,

    /// Whether too many failed logins make further ones wait.
    #[arg(long, env = "TRAILKEEPER_LOGIN_DELAYS", default_value_t = true, action = ArgAction::Set, value_parser = BoolishValueParser::new(), value_name = "BOOL", global = true)]
    pub login_delays: bool,

    /// Public host names, comma separated, that signed requests may be signed for besides the Host header.
    #[arg(
        long,
        env = "TRAILKEEPER_PUBLIC_HOSTS",
        default_value = "",
        value_name = "HOST,…",
        hide_default_value = true,
        global = true
    )]
    pub public_hosts: Hosts,

    /// Key that seals secrets at rest, 64 hexadecimal digits; default: `master.key` in the data folder, made at need.
    // The command line is visible to other users of the machine: the variable is the better place.
    #[arg(long, env = "TRAILKEEPER_MASTER_KEY", hide_env_values = true, value_name = "HEX", global = true)]
    pub master_key: Option<String>,

    /// Master key before that one, while it is being replaced: what it sealed still opens.
    #[arg(long, env = "TRAILKEEPER_MASTER_KEY_PREVIOUS", hide_env_values = true, value_name = "HEX", global = true)]
    pub master_key_previous: Option<String>,

    /// Days after which the server makes a new key for access tokens by itself; 0: never.
    #[arg(
        long,
        env = "TRAILKEEPER_ROTATE_TOKEN_KEYS_DAYS",
        default_value_t = 30,
        value_parser = clap::value_parser!(u32).range(..=3650),
        value_name = "DAYS",
        global = true
    )]
    pub rotate_token_keys_days: u32,

    /// Days after its login that a session ends, however often it is refreshed.
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
    /// The master key where one was given. An empty variable is the same as none.
    pub fn given_master_key(&self) -> Option<&str> {
        self.master_key.as_deref().filter(|key| !key.is_empty())
    }

    /// The master key before that one, where it was given.
    pub fn given_previous_master_key(&self) -> Option<&str> {
        self.master_key_previous.as_deref().filter(|key| !key.is_empty())
    }

    /// The settings of logins and credentials.
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

/// The first administrator.
#[derive(Args)]
pub struct AdminArgs {
    /// E-mail of the administrator that is made when there is no account yet.
    #[arg(long, env = "TRAILKEEPER_ADMIN_EMAIL", default_value = "admin@trailkeeper.local", value_name = "E-MAIL")]
    pub admin_email: String,

    /// Password of that administrator; default: generated and printed once.
    // As with the master key, the variable is the better place.
    #[arg(long, env = "TRAILKEEPER_ADMIN_PASSWORD", hide_env_values = true, value_name = "PASSWORD")]
    pub admin_password: Option<String>,
}

impl AdminArgs {
    /// The password where one was chosen. An empty variable is the same as none.
    pub fn chosen_password(&self) -> Option<&str> {
        self.admin_password.as_deref().filter(|password| !password.is_empty())
    }
}
