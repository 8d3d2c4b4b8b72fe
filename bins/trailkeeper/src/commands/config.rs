//! `trailkeeper config`.

use clap::Args;

use crate::config::{DatabaseArgs, LogArgs, Settings, listing};
use crate::failure::Failure;
use crate::output;

/// Arguments of `config`: it takes every setting, to show what it would mean.
#[derive(Args)]
pub struct ConfigArgs {
    #[command(flatten)]
    pub settings: Settings,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Prints every setting: its value, its environment variable and its meaning. Secrets are not shown.
pub fn run(database: &DatabaseArgs, logging: &LogArgs, args: &ConfigArgs) -> Result<(), Failure> {
    let settings = listing(database, logging, &args.settings)?;
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
