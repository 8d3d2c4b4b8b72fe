//! `trailkeeper verify`.

use clap::Args;
use trailkeeper_analytics::engine::verify::verify;

use crate::config::DatabaseArgs;
use crate::failure::Failure;
use crate::{output, progress, wiring};

/// Arguments of `verify`.
#[derive(Args)]
pub struct VerifyArgs {
    /// Number of differences to print. All are counted.
    #[arg(long, default_value_t = 100, value_name = "NUMBER")]
    limit: u64,
}

/// Compares all sheets with the events; prints the differences, and how many events, sheets and deltas were compared.
/// Fails if there is a difference.
pub fn run(database: &DatabaseArgs, args: &VerifyArgs) -> Result<(), Failure> {
    let ports = wiring::open(database)?;
    let bar = progress::events("months");
    let mut found = 0;
    let mut printed = Ok(());
    let verified = verify(ports.store.as_ref(), &mut |progress| progress::show(&bar, progress), &mut |difference| {
        found += 1;
        if found <= args.limit && printed.is_ok() {
            // The progress bar is hidden meanwhile: it shares the terminal.
            printed = bar.suspend(|| output::line(difference.to_string()));
        }
    });
    bar.finish_and_clear();
    let verified = verified.map_err(|error| ports.failed(error))?;
    printed?;
    if found > args.limit {
        output::line(format!("… and {} more (--limit)", found - args.limit))?;
    }
    output::line(format!(
        "{} events, {} sheets and {} deltas were compared: {} differences",
        verified.events, verified.sheets, verified.deltas, verified.differences
    ))?;
    match verified.differences {
        0 => Ok(()),
        _ => Err(Failure::Refused(
            "sheets differ from the events; `trailkeeper rebuild` repairs them, also while a server runs".to_owned(),
        )),
    }
}
