//! `trailkeeper vacuum`.

use std::time::Instant;

use clap::Args;
use trailkeeper_domain::ports::Space;

use crate::config::DatabaseArgs;
use crate::failure::Failure;
use crate::output::megabytes;
use crate::{output, wiring};

/// The bytes per second that a slow disk copies: what the estimate of the time goes by.
const BYTES_PER_SECOND: u64 = 50_000_000;

#[derive(Args)]
pub struct VacuumArgs {
    /// Print what would be given back and how long it would take, and change nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// Gives the free space of the data file back. Prints beforehand how long no event can be stored, and then how long it was.
pub fn run(database: &DatabaseArgs, args: &VacuumArgs) -> Result<(), Failure> {
    let ports = wiring::open_to_rebuild(database)?;
    let space = || ports.store.space().map_err(|error| ports.failed(error));
    let Some(before) = space()? else {
        return output::line(
            "PostgreSQL gives free space back itself: by autovacuum, and when tables and indexes are dropped",
        );
    };
    let Space { bytes, free } = before;
    if free == 0 {
        return output::line(format!("the file of {} has no free space", megabytes(bytes)));
    }
    let used = bytes - free.min(bytes);
    output::line(format!(
        "the file has {}, of which {} are free; writing the other {} takes about {} s on a slow disk, needs up to twice \
         that space meanwhile, and no event can be stored until it is done",
        megabytes(bytes),
        megabytes(free),
        megabytes(used),
        used.div_ceil(BYTES_PER_SECOND).max(1),
    ))?;
    if args.dry_run {
        return Ok(());
    }
    let begun = Instant::now();
    ports.store.vacuum().map_err(|error| ports.failed(error))?;
    let held = begun.elapsed();
    let after = space()?.map_or(bytes, |space| space.bytes);
    output::line(format!(
        "gave back {}; no event could be stored for {:.1} s",
        megabytes(bytes.saturating_sub(after)),
        held.as_secs_f64()
    ))
}
