//! The command line.

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::commands::{
    account, backup, config, demo, export, hold, import, master_key, migrate, openapi, rebuild, restore, retention,
    serve, session, signing_key, token, token_key, vacuum, verify,
};
use crate::config::{CommandLine, DatabaseArgs, LogArgs, PageArgs, PageRuleArgs, Settings};
use crate::failure::Failure;

/// A server for audit trails and usage analytics.
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

/// The commands.
#[derive(Subcommand)]
pub enum Command {
    /// Run the server.
    Serve(Box<Settings>),
    /// Bring the tables of the database up to date.
    Migrate,
    /// Load demo data into an empty database.
    Demo(PageArgs),
    /// Import events, users, tenants or an access log from a file.
    ///
    /// Rejected lines are reported and skipped. The command fails if it rejects every line.
    Import(import::ImportArgs),
    /// Export events, users, tenants or memberships into a file: NDJSON, CSV or Parquet.
    ///
    /// A server may run meanwhile. Beside the file, FILE.manifest.json has its number of rows and its SHA-256.
    Export(export::ExportArgs),
    /// Rebuild all sheets, the rollups behind analytics, and the index of events from the events. Servers keep running.
    ///
    /// With other settings of pages than those of the database, or after an upgrade that changes how pages are compared, it
    /// first gives the pages of all events new keys; page statistics answer 503 until it is done.
    Rebuild(PageRuleArgs),
    /// Compare all sheets and the index with the events and report each difference.
    ///
    /// Exits with status 1 if there is one; `trailkeeper rebuild` repairs it.
    #[command(alias = "check")]
    Verify(verify::VerifyArgs),
    /// Give the free space of a SQLite file back to the file system, for example after an upgrade has dropped indexes.
    ///
    /// Prints first how long that takes; no event can be stored meanwhile. Servers keep running.
    Vacuum(vacuum::VacuumArgs),
    /// Write a copy of a SQLite database to a file, and compare it with its own events. Servers keep running.
    ///
    /// PostgreSQL has its own tools: `pg_dump`, or point-in-time recovery.
    Backup(backup::BackupArgs),
    /// Put a backup into the place of a SQLite database. Stop the server first.
    ///
    /// The database before is kept under another name.
    Restore(restore::RestoreArgs),
    /// Manage how long events are kept, and remove older ones.
    Retention(retention::RetentionArgs),
    /// Manage legal holds: nothing removes the events of a tenant or user on hold.
    Hold(hold::HoldArgs),
    /// Print an OpenAPI document.
    Openapi(openapi::OpenapiArgs),
    /// Manage the accounts that may log in to Trailkeeper.
    Account(account::AccountArgs),
    /// Manage API tokens.
    Token(token::TokenArgs),
    /// Manage the keys that sign requests to the SaaSus Analysis API.
    SigningKey(signing_key::SigningKeyArgs),
    /// Manage the keys that sign access tokens.
    TokenKey(token_key::TokenKeyArgs),
    /// Replace the key that seals secrets at rest.
    MasterKey(master_key::MasterKeyArgs),
    /// List and end login sessions.
    Session(session::SessionArgs),
    /// Print every setting with its value, its environment variable and its meaning.
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
            Command::Export(args) => export::run(database, args),
            Command::Rebuild(pages) => rebuild::run(database, pages),
            Command::Verify(args) => verify::run(database, args),
            Command::Vacuum(args) => vacuum::run(database, args),
            Command::Backup(args) => backup::run(database, args),
            Command::Restore(args) => restore::run(database, args),
            Command::Retention(args) => retention::run(database, args),
            Command::Hold(args) => hold::run(database, args),
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
