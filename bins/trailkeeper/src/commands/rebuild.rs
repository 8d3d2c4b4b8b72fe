//! `trailkeeper rebuild`.

use std::time::Duration;

use trailkeeper_analytics::engine::rebuild::rebuild;
use trailkeeper_auth::audit::{AuditEvent, SHEETS_REBUILD};

use crate::config::DatabaseArgs;
use crate::failure::Failure;
use crate::{audit, output, progress, wiring};

/// How long to wait for the merger of a server: twice the time that a dead one keeps its lease.
const LEASE_TIMEOUT: Duration = Duration::from_mins(1);

/// Rebuilds all sheets and prints their number and size, and the number of events.
pub fn run(database: &DatabaseArgs) -> Result<(), Failure> {
    let ports = wiring::open(database)?;
    let bar = progress::events("days");
    let rebuilt =
        rebuild(ports.store.as_ref(), ports.clock.as_ref(), ports.entropy.as_ref(), LEASE_TIMEOUT, &mut |progress| {
            progress::show(&bar, progress);
        });
    bar.finish_and_clear();
    let rebuilt = rebuilt.map_err(|error| ports.failed(error))?;
    audit::record(
        &ports,
        AuditEvent::done(SHEETS_REBUILD)
            .with("sheets", rebuilt.sheets)
            .with("events", rebuilt.events)
            .with("generation", rebuilt.generation),
    )?;
    output::line(format!(
        "{} sheets of {} bytes from {} events; they are in use now (generation {})",
        rebuilt.sheets, rebuilt.bytes, rebuilt.events, rebuilt.generation
    ))
}
