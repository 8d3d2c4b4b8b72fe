//! The command line.

use clap::{Parser, Subcommand};

use crate::commands;
use crate::config::{DatabaseArgs, LogArgs, PageArgs, Settings};

/// An audit-log and user-activity server.
///
/// Every setting is a flag and an environment variable; `trailkeeper config` lists them.
#[derive(Parser)]
#[command(name = "trailkeeper", version, arg_required_else_help = true)]
pub struct Cli {
    #[command(flatten)]
    pub database: DatabaseArgs,
    #[command(flatten)]
    pub logging: LogArgs,
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Subcommand)]
pub enum Command {
    /// Serve the three contracts and the native API.
    Serve(Box<Settings>),
    /// Bring the database's tables up to date.
    Migrate,
    /// Load demo data into an empty database.
    Demo(PageArgs),
    /// Import events, users, tenants or an access log from a file.
    ///
    /// Lines that are refused are told and left out; it fails when not one line was good.
    Import(commands::import::ImportArgs),
    /// Make all sheets, from which analytic questions are answered, anew from the events. Servers go on meanwhile.
    Rebuild,
    /// Compare all sheets with a recount of the events and report each difference. Exits with 1 if there is one;
    /// `rebuild` repairs it.
    #[command(alias = "check")]
    Verify(commands::verify::VerifyArgs),
    /// Print an OpenAPI document.
    Openapi(commands::openapi::OpenapiArgs),
    /// Manage those who may log in to Trailkeeper.
    Account(commands::account::AccountArgs),
    /// Manage API tokens.
    Token(commands::token::TokenArgs),
    /// Manage keys that sign requests to the SaaSus Analysis API.
    SigningKey(commands::signing_key::SigningKeyArgs),
    /// Manage the keys that sign the access tokens of logins.
    TokenKey(commands::token_key::TokenKeyArgs),
    /// Replace the key that seals secrets at rest.
    MasterKey(commands::master_key::MasterKeyArgs),
    /// See and end the sessions of those who are logged in.
    Session(commands::session::SessionArgs),
    /// Print every setting: its value, its environment variable and its meaning.
    Config(Box<commands::config::ConfigArgs>),
}
