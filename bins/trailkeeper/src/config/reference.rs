//! The reference of all settings and commands, `docs/configuration.md`, generated from clap's declaration of the program.

use std::fmt::Write as _;

use clap::{Arg, Command};

use crate::config::listing::{env_of, flag_of, help_of, settings_of};

const HEAD: &str = "\
# Configuration

<!-- `make generate` writes this file from the command line that the program declares. Edit the help texts there. -->

Each setting is a flag and an environment variable. The flag wins over the variable. An empty variable counts as not
set, for every setting: the default holds. An invalid value is a usage error: the program names the valid values and
exits with status 2.

`trailkeeper config` prints the values in effect and hides secrets. It takes every setting, so it also checks a
configuration before a server starts with it. Set secrets by environment variable: other users of the machine can read
the arguments of a process.
";

/// Writes the reference as Markdown. `program` must be built, so that its subcommands have the global arguments.
pub fn markdown(program: &Command) -> String {
    let commands = runnable(program);
    let mut out = HEAD.to_owned();
    for section in &sections(program, &commands) {
        section.write(&mut out, &commands);
    }
    out.push_str("\n## Commands\n");
    let mut last_group = "";
    for (path, command) in &commands {
        let group = path.split(' ').next().unwrap_or(path);
        if group != path && group != last_group {
            push(
                &mut out,
                format_args!(
                    "\n### `trailkeeper {group}`\n\n{}\n",
                    program.find_subcommand(group).map(about_of).unwrap_or_default()
                ),
            );
        }
        last_group = group;
        let level = if group == path { "###" } else { "####" };
        write_command(&mut out, level, path, command);
    }
    out
}

/// The settings under one heading, and the commands that take them.
struct Section<'a> {
    heading: &'a str,
    settings: Vec<&'a Arg>,
    commands: Vec<&'a str>,
}

/// The sections, first those of every command. `config` does not count: it takes every setting.
fn sections<'a>(program: &'a Command, commands: &'a [(String, &'a Command)]) -> Vec<Section<'a>> {
    let all = || commands.iter().filter(|(path, _)| path != "config");
    let mut sections: Vec<Section> = Vec::new();
    for command in std::iter::once(program).chain(all().map(|(_, command)| *command)) {
        for arg in settings_of(command) {
            let heading = heading_of(arg);
            match sections.iter_mut().find(|section| section.heading == heading) {
                None => sections.push(Section { heading, settings: vec![arg], commands: Vec::new() }),
                Some(section) if section.settings.iter().all(|known| known.get_id() != arg.get_id()) => {
                    section.settings.push(arg);
                }
                Some(_) => {}
            }
        }
    }
    for section in &mut sections {
        let takes = |command: &Command| settings_of(command).any(|arg| heading_of(arg) == section.heading);
        section.commands = all().filter(|(_, command)| takes(command)).map(|(path, _)| path.as_str()).collect();
    }
    sections
}

fn heading_of(arg: &Arg) -> &str {
    arg.get_help_heading().unwrap_or("Other settings")
}

impl Section<'_> {
    fn write(&self, out: &mut String, commands: &[(String, &Command)]) {
        let rows = self.settings.iter().map(|arg| {
            let secret = if arg.is_hide_env_values_set() { " Secret." } else { "" };
            let name = format!("`{}`<br>`{}`", flag_of(arg), env_of(arg));
            [name, default_of(arg), format!("{}{secret}", meaning_of(arg))]
        });
        push(out, format_args!("\n## {}\n\nTaken by {}.\n\n", self.heading, self.takers(commands)));
        table(out, ["setting", "default", "meaning"], rows);
    }

    /// The commands that take the settings. A group of subcommands is named once if all of them do.
    fn takers(&self, commands: &[(String, &Command)]) -> String {
        let of_group = |group: &str, path: &str| path.split(' ').next() == Some(group);
        let mut named: Vec<&str> = Vec::new();
        for path in &self.commands {
            let group = path.split(' ').next().unwrap_or(path);
            let whole =
                commands.iter().all(|(other, _)| !of_group(group, other) || self.commands.contains(&other.as_str()));
            let name = if whole { group } else { path };
            if !named.contains(&name) {
                named.push(name);
            }
        }
        if self.commands.len() + 1 == commands.len() {
            return "every command".to_owned();
        }
        named.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
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

fn about_of(command: &Command) -> String {
    sentence(&command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default())
}

fn write_command(out: &mut String, level: &str, path: &str, command: &Command) {
    let own: Vec<&Arg> = command
        .get_arguments()
        .filter(|arg| arg.get_env().is_none() && !["help", "version"].contains(&arg.get_id().as_str()))
        .collect();
    push(out, format_args!("\n{level} `trailkeeper {path}`\n\n{}\n", about_of(command)));
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

/// The default value. A default that the program computes is part of the help text instead.
fn default_of(arg: &Arg) -> String {
    let defaults: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    match defaults.join(",") {
        // The default of a flag without a variable is its absence.
        _ if !arg.get_action().takes_values() && arg.get_env().is_none() => String::new(),
        default if default.is_empty() => String::new(),
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

/// The text with its full stop, which clap removes from the end of a doc comment.
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
    // Writing to a string cannot fail.
    let _written = out.write_fmt(text);
}
