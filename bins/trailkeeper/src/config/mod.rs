//! Settings: each a flag and an environment variable, checked while the command line is read.

mod access;
mod connections;
mod database;
mod limits;
mod listing;
mod logging;
mod parse;
mod server;
mod tls;

use clap::Args;

pub use access::{AccessArgs, AdminArgs};
pub use connections::ConnectionArgs;
pub use database::DatabaseArgs;
pub use limits::LimitArgs;
pub use listing::{Setting, listing};
pub use logging::{LogArgs, LogFormat};
pub use parse::{customer, detail, role, tenant};
pub use server::{PageArgs, ServerArgs};
pub use tls::TlsArgs;

/// The settings of the server; those of database and logs are global.
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
