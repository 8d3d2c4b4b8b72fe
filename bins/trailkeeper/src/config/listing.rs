//! The settings of a command, read from clap: names, defaults and meanings from its declaration, values from what it parsed.

use std::env;

use clap::builder::Resettable;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};
use serde::Serialize;

use crate::config::parse::{Hosts, Networks, Origins};

/// One setting of a command.
#[derive(Debug, Serialize)]
pub struct Setting {
    /// The flag, for example `--listen`.
    pub flag: String,
    /// The environment variable.
    pub env: String,
    /// The value in effect. A secret is not shown.
    pub value: String,
    /// The help text.
    pub meaning: String,
    /// Whether the command line or the environment gives it; otherwise its default holds.
    #[serde(skip)]
    pub is_given: bool,
}

/// A command line: how clap declares it, and how clap parsed it.
pub struct CommandLine {
    declared: Command,
    parsed: ArgMatches,
}

impl CommandLine {
    /// Parses the arguments and the environment of this process. An empty variable counts as not set. Ends the process
    /// after a usage error, and after `--help` and `--version`.
    pub fn parse(mut declared: Command) -> Self {
        let mut effective = without_empty_variables(declared.clone());
        // Hands global arguments down to every subcommand, where the listing finds them.
        declared.build();
        let parsed = match effective.try_get_matches_from_mut(env::args_os()) {
            Ok(parsed) => parsed,
            // The help text names every variable, also the empty ones.
            Err(error) if shows_help(&error) => declared.get_matches_mut(),
            Err(error) => error.exit(),
        };
        Self { declared, parsed }
    }

    /// The whole command, with its subcommands.
    pub fn declared(&self) -> &Command {
        &self.declared
    }

    /// The parsed arguments.
    pub fn parsed(&self) -> &ArgMatches {
        &self.parsed
    }

    /// The settings of the subcommand that runs, first those of every command. `effective` has the text of settings
    /// whose value the program computes, by their ids.
    pub fn settings(&self, effective: &[(&str, String)]) -> Vec<Setting> {
        let Some((name, parsed)) = self.parsed.subcommand() else { return Vec::new() };
        let Some(command) = self.declared.find_subcommand(name) else { return Vec::new() };
        let (everywhere, own): (Vec<_>, Vec<_>) = settings_of(command)
            .partition(|arg| self.declared.get_arguments().any(|other| other.get_id() == arg.get_id()));
        everywhere.into_iter().chain(own).map(|arg| setting(arg, parsed, effective)).collect()
    }
}

/// The command, without the environment variables that are empty.
fn without_empty_variables(command: Command) -> Command {
    let is_empty = |arg: &Arg| arg.get_env().and_then(env::var_os).is_some_and(|value| value.is_empty());
    command
        .mut_args(|arg| if is_empty(&arg) { arg.env(Resettable::Reset) } else { arg })
        .mut_subcommands(without_empty_variables)
}

fn shows_help(error: &clap::Error) -> bool {
    matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand)
}

/// The settings among the arguments of a command: those that have an environment variable.
pub fn settings_of(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_arguments().filter(|arg| arg.get_env().is_some())
}

/// The flag of a setting.
pub fn flag_of(arg: &Arg) -> String {
    arg.get_long().map(|long| format!("--{long}")).unwrap_or_default()
}

/// The environment variable of a setting.
pub fn env_of(arg: &Arg) -> String {
    arg.get_env().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The help text of an argument.
pub fn help_of(arg: &Arg) -> String {
    arg.get_help().map(ToString::to_string).unwrap_or_default()
}

fn setting(arg: &Arg, parsed: &ArgMatches, effective: &[(&str, String)]) -> Setting {
    let id = arg.get_id().as_str();
    let computed = effective.iter().find(|(computed, _)| *computed == id).map(|(_, value)| value.clone());
    Setting {
        flag: flag_of(arg),
        env: env_of(arg),
        value: computed.unwrap_or_else(|| value(arg, parsed)),
        meaning: help_of(arg),
        is_given: matches!(parsed.value_source(id), Some(ValueSource::CommandLine | ValueSource::EnvVariable)),
    }
}

/// The value as it may be shown. An argument is a secret if clap must not print the value of its variable.
fn value(arg: &Arg, parsed: &ArgMatches) -> String {
    let given = given(arg.get_id().as_str(), parsed);
    match given {
        None => "(not set)".to_owned(),
        Some(_) if arg.is_hide_env_values_set() => "(set, hidden)".to_owned(),
        Some(given) => given,
    }
}

/// The value of an argument: spelled as its type spells it where a type accepts several spellings, otherwise as given.
fn given(id: &str, parsed: &ArgMatches) -> Option<String> {
    spelled::<bool>(id, parsed)
        .or_else(|| spelled::<Networks>(id, parsed))
        .or_else(|| spelled::<Hosts>(id, parsed))
        .or_else(|| spelled::<Origins>(id, parsed))
        .or_else(|| parsed.get_raw(id)?.next().map(|raw| raw.to_string_lossy().into_owned()))
}

fn spelled<T: ToString + Clone + Send + Sync + 'static>(id: &str, parsed: &ArgMatches) -> Option<String> {
    parsed.try_get_one::<T>(id).ok().flatten().map(ToString::to_string)
}
