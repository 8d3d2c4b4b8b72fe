//! The reference of all settings and commands, `docs/configuration.md`, generated from clap's declaration of the program.

use std::fmt::Write as _;

use clap::{Arg, Command};

use crate::config::listing::{env_of, flag_of, help_of, settings_of};

const HEAD: &str = "\
# Configuration

<!-- `make generate` writes this file from the command line that the program declares. Edit the help texts there. -->

A setting is a flag and an environment variable; the flag wins. An empty variable sets an empty list, or counts as not
set. A wrong value is a usage error that names the valid ones, and the program exits with status 2.
`trailkeeper config` prints the values in effect and hides secrets. It takes every setting, so that it can check a
configuration before a server starts with it.

Give secrets by environment variable: other users of the machine can read the arguments of a process.
";

/// Writes the reference as Markdown. `program` must be built, so that its subcommands have the global arguments.
pub fn markdown(program: &Command) -> String {
    let commands = runnable(program);
    let mut out = HEAD.to_owned();
    let mut sections: Vec<Section> = Vec::new();
    for (path, command) in commands.iter().filter(|(path, _)| path != "config") {
        for arg in settings_of(command) {
            let heading = arg.get_help_heading().unwrap_or("Other");
            let at = sections.iter().position(|section| section.heading == heading).unwrap_or_else(|| {
                sections.push(Section { heading, settings: Vec::new(), commands: Vec::new() });
                sections.len() - 1
            });
            if let Some(section) = sections.get_mut(at) {
                section.add(path, arg);
            }
        }
    }
    for section in &sections {
        section.write(&mut out, commands.len() - 1);
    }
    out.push_str("\n## Commands\n");
    for (path, command) in &commands {
        write_command(&mut out, path, command);
    }
    out
}

/// The settings under one heading, and the commands that take them.
struct Section<'a> {
    heading: &'a str,
    settings: Vec<&'a Arg>,
    commands: Vec<&'a str>,
}

impl<'a> Section<'a> {
    fn add(&mut self, command: &'a str, arg: &'a Arg) {
        if !self.settings.iter().any(|known| known.get_id() == arg.get_id()) {
            self.settings.push(arg);
        }
        if !self.commands.contains(&command) {
            self.commands.push(command);
        }
    }

    /// `all`: how many commands there are besides `config`, which takes every setting.
    fn write(&self, out: &mut String, all: usize) {
        let commands = if self.commands.len() == all {
            "every command".to_owned()
        } else {
            self.commands.iter().map(|command| format!("`{command}`")).collect::<Vec<_>>().join(", ")
        };
        let rows = self.settings.iter().map(|arg| {
            let secret = if arg.is_hide_env_values_set() { " Secret." } else { "" };
            let name = format!("`{}`<br>`{}`", flag_of(arg), env_of(arg));
            [name, default_of(arg), format!("{}{secret}", meaning_of(arg))]
        });
        push(out, format_args!("\n## {}\n\nTaken by {commands}.\n\n", self.heading));
        table(out, ["setting", "default", "meaning"], rows);
    }
}

/// The commands that do something, by the words after the program's name.
fn runnable(program: &Command) -> Vec<(String, &Command)> {
    fn collect<'a>(path: &str, command: &'a Command, found: &mut Vec<(String, &'a Command)>) {
        for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help" && !sub.is_hide_set()) {
            let path = format!("{path} {}", sub.get_name()).trim_start().to_owned();
            if sub.has_subcommands() {
                collect(&path, sub, found);
            } else {
                found.push((path, sub));
            }
        }
    }
    let mut found = Vec::new();
    collect("", program, &mut found);
    found
}

fn write_command(out: &mut String, path: &str, command: &Command) {
    let own: Vec<&Arg> = command
        .get_arguments()
        .filter(|arg| arg.get_env().is_none() && !["help", "version"].contains(&arg.get_id().as_str()))
        .collect();
    let about = command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default();
    push(out, format_args!("\n### `trailkeeper {path}`\n\n{}\n", sentence(&about)));
    if !own.is_empty() {
        out.push('\n');
        table(
            out,
            ["argument", "default", "meaning"],
            own.into_iter().map(|arg| {
                let required = if arg.is_required_set() { "required".to_owned() } else { default_of(arg) };
                [format!("`{}`", usage_of(arg)), required, meaning_of(arg)]
            }),
        );
    }
}

/// An argument as one types it.
fn usage_of(arg: &Arg) -> String {
    let value = arg.get_value_names().and_then(|names| names.first()).map(ToString::to_string).unwrap_or_default();
    match (flag_of(arg), arg.get_action().takes_values()) {
        (flag, _) if flag.is_empty() => format!("<{value}>"),
        (flag, true) => format!("{flag} <{value}>"),
        (flag, false) => flag,
    }
}

fn default_of(arg: &Arg) -> String {
    let defaults: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    match defaults.join(",") {
        _ if !arg.get_action().takes_values() && arg.get_env().is_none() => String::new(),
        none if none.is_empty() => "none".to_owned(),
        default => format!("`{default}`"),
    }
}

/// The help text, and the possible values if there is a fixed set of them.
fn meaning_of(arg: &Arg) -> String {
    let mut meaning = sentence(&help_of(arg));
    let values = if arg.get_action().takes_values() { arg.get_possible_values() } else { Vec::new() };
    for value in values.iter().filter(|value| value.get_help().is_some()) {
        let help = value.get_help().map(ToString::to_string).unwrap_or_default();
        push(&mut meaning, format_args!(" `{}`: {}", value.get_name(), sentence(&help)));
    }
    meaning
}

/// Clap takes the full stop off the end of a doc comment; here it comes back.
fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.is_empty() || text.ends_with(['.', '!', '?', ':']) { text.to_owned() } else { format!("{text}.") }
}

fn table<const N: usize>(out: &mut String, headings: [&str; N], rows: impl Iterator<Item = [String; N]>) {
    push(out, format_args!("| {} |\n|{}\n", headings.join(" | "), "---|".repeat(N)));
    for row in rows {
        let cells = row.map(|cell| cell.replace('|', "\\|").replace('\n', " "));
        push(out, format_args!("| {} |\n", cells.join(" | ")));
    }
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing into a string does not fail.
    let _written = out.write_fmt(text);
}
