//! One file per command.

pub mod account;
pub mod config;
pub mod demo;
pub mod import;
pub mod master_key;
pub mod migrate;
pub mod openapi;
pub mod rebuild;
pub mod serve;
pub mod session;
pub mod signing_key;
pub mod token;
pub mod token_key;
pub mod verify;

use crate::cli::{Cli, Command};
use crate::failure::Failure;

/// Runs the command that was asked for.
pub fn run(cli: &Cli) -> Result<(), Failure> {
    let Cli { database, logging, command } = cli;
    match command {
        Command::Serve(settings) => serve::run(database, logging, settings),
        Command::Migrate => migrate::run(database),
        Command::Demo(pages) => demo::run(database, pages),
        Command::Import(args) => import::run(database, args),
        Command::Rebuild => rebuild::run(database),
        Command::Verify(args) => verify::run(database, args),
        Command::Openapi(args) => openapi::run(args),
        Command::Account(args) => account::run(database, args),
        Command::Token(args) => token::run(database, args),
        Command::SigningKey(args) => signing_key::run(database, args),
        Command::TokenKey(args) => token_key::run(database, args),
        Command::MasterKey(args) => master_key::run(database, args),
        Command::Session(args) => session::run(database, args),
        Command::Config(args) => config::run(database, logging, args),
    }
}
