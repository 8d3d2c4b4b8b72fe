//! The trailkeeper server and its commands: parse, wire, run.

mod access;
mod audit;
mod background;
mod banner;
mod cli;
mod commands;
mod config;
mod conversion;
mod copies;
mod demo;
mod export;
mod failure;
mod housekeeping;
mod import;
mod master_key;
mod moving;
mod open_files;
mod output;
mod progress;
mod retention;
mod rotation;
mod telemetry;
mod verification;
mod wiring;

use std::process::ExitCode;

fn main() -> ExitCode {
    let (cli, line) = cli::Cli::parse_arguments();
    telemetry::start(&cli.logging);
    match cli.run(&line) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
