//! The trailkeeper server and its commands: parse, wire, run.

mod audit;
mod banner;
mod cli;
mod commands;
mod config;
mod demo;
mod failure;
mod housekeeping;
mod import;
mod master_key;
mod open_files;
mod output;
mod progress;
mod telemetry;
mod wiring;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    telemetry::start(&cli.logging);
    match commands::run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
