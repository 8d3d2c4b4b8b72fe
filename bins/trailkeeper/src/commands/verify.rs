//! `trailkeeper verify`.

use clap::Args;
use trailkeeper_analytics::engine::verify::check;

use crate::config::DatabaseArgs;
use crate::failure::Failure;
use crate::{output, progress, wiring};

/// Arguments of `check`.
#[derive(Args)]
pub struct VerifyArgs {
    /// How many differences are printed; all are counted.
    #[arg(long, default_value_t = 100, value_name = "NUMBER")]
    limit: u64,
}

/// Compares all sheets with the events, prints what differs and how much was looked at. Fails when anything differs.
pub fn run(database: &DatabaseArgs, args: &VerifyArgs) -> Result<(), Failure> {
    let ports = wiring::open(database)?;
    let bar = progress::events("months");
    let mut told = 0;
    let mut unprinted = Ok(());
    let checked = check(ports.store.as_ref(), &mut |progress| progress::show(&bar, progress), &mut |difference| {
        told += 1;
        if told <= args.limit && unprinted.is_ok() {
            // Out of the way of the bar, which shares the terminal.
            unprinted = bar.suspend(|| output::line(difference.to_string()));
        }
    });
    bar.finish_and_clear();
    let checked = checked.map_err(|error| ports.failed(error))?;
    unprinted?;
    if told > args.limit {
        output::line(format!("… and {} more (--limit)", told - args.limit))?;
    }
    output::line(format!(
        "{} events, {} sheets and {} deltas were compared: {} differences",
        checked.events, checked.sheets, checked.deltas, checked.differences
    ))?;
    match checked.differences {
        0 => Ok(()),
        _ => Err(Failure::Refused(
            "sheets differ from the events; `trailkeeper rebuild` makes them anew, also while a server runs".to_owned(),
        )),
    }
}
