//! `trailkeeper rebuild`.

use trailkeeper_analytics::engine::rebuild::rebuild_by_rule;
use trailkeeper_auth::audit::{AuditEvent, SHEETS_REBUILD};

use crate::config::{DatabaseArgs, PageRuleArgs};
use crate::failure::Failure;
use crate::{audit, output, progress, wiring};

/// Rebuilds all sheets and prints their number and size, and the number of events. Before that, it gives the pages of all
/// events the keys of the newest rule with these settings, if they have others.
pub fn run(database: &DatabaseArgs, pages: &PageRuleArgs) -> Result<(), Failure> {
    let ports = wiring::open_to_rebuild(database)?;
    let stored = ports.store.reading(|tx| tx.page_rule()).map_err(|error| ports.failed(error))?;
    let rule = pages.settings().rule(&stored.rule);
    if rule != stored.rule {
        output::line(format!("pages get other keys: {rule}; before: {}", stored.rule))?;
    } else if stored.rewriting {
        output::line(format!("pages get other keys, which an interrupted rebuild began: {rule}"))?;
    }
    let bar = progress::events("events in order of storage");
    let rebuilt = rebuild_by_rule(
        ports.store.as_ref(),
        ports.clock.as_ref(),
        ports.entropy.as_ref(),
        wiring::LEASE_TIMEOUT,
        &rule,
        &mut |progress| progress::show(&bar, progress),
    );
    bar.finish_and_clear();
    let rebuilt = rebuilt.map_err(|error| ports.failed(error))?;
    let mut event = AuditEvent::done(SHEETS_REBUILD)
        .with("sheets", rebuilt.sheets)
        .with("events", rebuilt.events)
        .with("generation", rebuilt.generation);
    if let Some(rewritten) = rebuilt.rewritten {
        event = event.with("page_rule", rule.to_string()).with("rewritten", rewritten.changed);
        output::line(format!("{} events have another page key now", rewritten.changed))?;
        if rewritten.missing > 0 {
            output::line(format!(
                "{} events keep their page key, because the name of their page is missing; `trailkeeper verify` finds the missing names",
                rewritten.missing
            ))?;
        }
    }
    audit::record(&ports, event)?;
    output::line(format!(
        "{} sheets of {} bytes from {} events; they are in use now (generation {})",
        rebuilt.sheets, rebuilt.bytes, rebuilt.events, rebuilt.generation
    ))
}
