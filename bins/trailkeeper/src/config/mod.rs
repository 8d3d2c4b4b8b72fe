//! Settings. Each is a flag and an environment variable, checked while the command line is parsed.

mod access;
mod connections;
mod database;
mod limits;
pub mod listing;
mod logging;
pub mod pages;
mod parse;
pub mod reference;
mod server;
mod tls;

use clap::Args;

use crate::failure::Failure;

pub use access::{AccessArgs, AdminArgs};
pub use database::DatabaseArgs;
pub use limits::LimitArgs;
pub use listing::{CommandLine, Setting};
pub use logging::{LogArgs, LogFormat};
pub use pages::{PageArgs, PageRuleArgs};
pub use parse::{customer, detail, role, tenant};
pub use server::ServerArgs;

/// Settings of the server. Those of the database and the log belong to every command.
#[derive(Args)]
pub struct Settings {
    #[command(flatten)]
    pub server: ServerArgs,
    #[command(flatten)]
    pub pages: PageArgs,
    #[command(flatten)]
    pub limits: LimitArgs,
    #[command(flatten)]
    pub access: AccessArgs,
    #[command(flatten)]
    pub admin: AdminArgs,
}

impl Settings {
    /// The texts of the settings whose effective value is not the given text, by their ids: a computed value if none is
    /// given, and the address of the database without its password.
    pub fn effective(&self, database: &DatabaseArgs) -> Result<Vec<(&'static str, String)>, Failure> {
        let mut effective = vec![
            ("database_url", database.url()?.to_string()),
            ("workers", self.server.effective_workers().to_string()),
        ];
        if self.access.master_key.is_none() {
            effective.push(("master_key", format!("(not set: {})", database.master_key().display())));
        }
        if self.admin.admin_password.is_none() {
            effective.push(("admin_password", "(not set: generated)".to_owned()));
        }
        Ok(effective)
    }
}
