//! The command line.

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::commands::{
    account, config, demo, import, master_key, migrate, openapi, rebuild, serve, session, signing_key, token,
    token_key, verify,
};
use crate::config::{CommandLine, DatabaseArgs, LogArgs, PageArgs, Settings};
use crate::failure::Failure;

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
    Import(import::ImportArgs),
    /// Make all sheets, from which analytic questions are answered, anew from the events. Servers go on meanwhile.
    Rebuild,
    /// Compare all sheets with a recount of the events and report each difference. Exits with 1 if there is one;
    /// `rebuild` repairs it.
    #[command(alias = "check")]
    Verify(verify::VerifyArgs),
    /// Print an OpenAPI document.
    Openapi(openapi::OpenapiArgs),
    /// Manage those who may log in to Trailkeeper.
    Account(account::AccountArgs),
    /// Manage API tokens.
    Token(token::TokenArgs),
    /// Manage keys that sign requests to the SaaSus Analysis API.
    SigningKey(signing_key::SigningKeyArgs),
    /// Manage the keys that sign the access tokens of logins.
    TokenKey(token_key::TokenKeyArgs),
    /// Replace the key that seals secrets at rest.
    MasterKey(master_key::MasterKeyArgs),
    /// See and end the sessions of those who are logged in.
    Session(session::SessionArgs),
    /// Print every setting: its value, its environment variable and its meaning.
    Config(Box<config::ConfigArgs>),
}

impl Cli {
    /// Parses the arguments of this process: the values, and the command line that listings read. Ends the process after
    /// a usage error, and after `--help` and `--version`.
    pub fn parse_arguments() -> (Self, CommandLine) {
        let line = CommandLine::parse(Self::command());
        match Self::from_arg_matches(line.parsed()) {
            Ok(cli) => (cli, line),
            Err(error) => error.format(&mut Self::command()).exit(),
        }
    }

    /// Runs the command.
    pub fn run(&self, line: &CommandLine) -> Result<(), Failure> {
        let database = &self.database;
        match &self.command {
            Command::Serve(settings) => serve::run(database, settings, line),
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
            Command::Config(args) => config::run(database, args, line),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::listing::{env_of, flag_of, help_of, settings_of};

    #[test]
    fn every_flag_of_serve_is_a_setting_with_a_variable_and_a_meaning_and_config_takes_the_same() {
        let mut cli = Cli::command();
        cli.build();
        let arguments = |name: &str| {
            let command = cli.find_subcommand(name).unwrap();
            let flags = command.get_arguments().filter_map(|arg| arg.get_long()).filter(|flag| *flag != "help");
            (flags.map(|flag| format!("--{flag}")).collect::<Vec<_>>(), settings_of(command).collect::<Vec<_>>())
        };
        let (flags, settings) = arguments("serve");
        assert_eq!(settings.iter().map(|arg| flag_of(arg)).collect::<Vec<_>>(), flags);
        for arg in &settings {
            let name = flag_of(arg).trim_start_matches("--").replace('-', "_").to_uppercase();
            assert_eq!(env_of(arg), format!("TRAILKEEPER_{name}"));
            assert!(help_of(arg).len() > 10, "{}", flag_of(arg));
        }
        let (_, shown) = arguments("config");
        assert_eq!(shown, settings);
    }
}
