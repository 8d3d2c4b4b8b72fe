//! Settings: each a flag and an environment variable, checked while the command line is read.

mod access;
mod database;
mod listing;
mod logging;
mod parse;
mod server;

use clap::Args;

pub use access::{AccessArgs, AdminArgs};
pub use database::DatabaseArgs;
pub use listing::listing;
pub use logging::{LogArgs, LogFormat};
pub use parse::{customer, detail, role, tenant};
pub use server::{PageArgs, ServerArgs};

/// The settings of the server; those of database and logs are global.
#[derive(Args)]
pub struct Settings {
    #[command(flatten)]
    pub server: ServerArgs,
    #[command(flatten)]
    pub pages: PageArgs,
    #[command(flatten)]
    pub access: AccessArgs,
    #[command(flatten)]
    pub admin: AdminArgs,
}
