//! `trailkeeper config`.

use clap::Args;

use crate::config::reference::markdown;
use crate::config::{CommandLine, DatabaseArgs, Settings};
use crate::failure::Failure;
use crate::output;

/// Arguments of `config`: every setting, so that its value is checked and shown.
#[derive(Args)]
pub struct ConfigArgs {
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// Print the reference of all settings and commands as Markdown, without values: `docs/configuration.md`.
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
    #[command(flatten)]
    pub settings: Settings,
}

/// Prints every setting with its value, its environment variable and its meaning. Secrets are not shown.
pub fn run(database: &DatabaseArgs, args: &ConfigArgs, line: &CommandLine) -> Result<(), Failure> {
    if args.markdown {
        return output::write(&markdown(line.declared()));
    }
    let settings = line.settings(&args.settings.effective(database)?);
    if args.json {
        return output::json(&settings);
    }
    let rows: Vec<_> = settings
        .into_iter()
        .map(|setting| {
            let value = if setting.value.is_empty() { "(none)".to_owned() } else { setting.value };
            [setting.flag, setting.env, value, setting.meaning]
        })
        .collect();
    output::table(["FLAG", "ENVIRONMENT", "VALUE", "MEANING"], &rows)
}
