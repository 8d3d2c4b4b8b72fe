//! Passwords, keys and the first administrator.

use clap::Args;

use crate::config::parse::Hosts;

/// Passwords and keys.
#[derive(Args)]
pub struct AccessArgs {
    /// Cost of password hashes: each step doubles the time of a login.
    #[arg(long, env = "TRAILKEEPER_BCRYPT_COST", default_value_t = 12, value_parser = clap::value_parser!(u32).range(4..=20), global = true)]
    pub bcrypt_cost: u32,

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
}

impl AccessArgs {
    /// The master key where one was given. An empty variable is the same as none.
    pub fn given_master_key(&self) -> Option<&str> {
        self.master_key.as_deref().filter(|key| !key.is_empty())
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
