//! Keeps the counts of all tenants per day and month, so that questions about every tenant read one row per period.

use chrono::{DateTime, TimeDelta, Utc};
use trailkeeper_domain::Result;
use trailkeeper_domain::clock::{Clock, Entropy};
use trailkeeper_domain::ports::{ReadTx, Store};
use trailkeeper_domain::scope::{Level, Part, Scope};
use trailkeeper_domain::time::{TimeRange, Timestamp};

use crate::engine::lease::Lease;
use crate::engine::tenants::counts_of;

/// How long after its end a period gets counts. Most late events are merged by then, and each removes them again.
const AFTER: TimeDelta = TimeDelta::hours(1);

/// The start of the year 1, long before any event: the databases take no times as early as chrono's first one.
const EARLIEST: Timestamp = match DateTime::from_timestamp(-62_135_596_800, 0) {
    Some(at) => at,
    None => DateTime::<Utc>::MIN_UTC,
};

/// The most periods of one call.
const PERIODS: usize = 16;

/// Makes the counts of periods that are over and have none, at most sixteen of them. Returns whether it came to the end;
/// `false` also if another process holds the lease.
///
/// # Errors
/// Those of the store; [`Error::Internal`](trailkeeper_domain::Error::Internal) with the row for a corrupt sheet, after the
/// counts of all periods before it.
pub fn keep_counts(
    store: &dyn Store,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    stopped: &dyn Fn() -> bool,
) -> Result<bool> {
    let Some(until) = clock.now().checked_sub_signed(AFTER) else { return Ok(true) };
    let missing = store.reading(|tx| missing(tx, until))?;
    if missing.is_empty() {
        // Without the lease: an idle server must not write.
        return Ok(true);
    }
    let Some(lease) = Lease::take(store, clock, entropy)? else { return Ok(false) };
    for (level, start) in missing.iter().take(PERIODS) {
        if stopped() {
            return Ok(false);
        }
        // Nobody else writes sheets while this process has the lease, and without it the write does not run.
        let (generation, payload) = store.reading(|tx| Ok((tx.generation()?, counts_of(tx, *level, *start)?)))?;
        if lease.writing(|tx| tx.put_tenant_counts(generation, *level, *start, &payload))?.is_none() {
            return Ok(false);
        }
    }
    Ok(missing.len() <= PERIODS)
}

/// The periods that have events, end before `until` and have no counts; the latest first, because questions are mostly
/// about those.
fn missing(tx: &mut dyn ReadTx, until: Timestamp) -> Result<Vec<(Level, Timestamp)>> {
    let mut missing = Vec::new();
    for level in [Level::Day, Level::Month] {
        let counted = tx.counted_periods(level)?;
        let starts = TimeRange { start: EARLIEST, end: until };
        let mut with_events: Vec<Timestamp> =
            tx.sheet_keys(Scope::Everyone, level, Part::Totals, starts)?.into_iter().map(|key| key.start).collect();
        with_events.dedup();
        with_events.retain(|start| level.range(*start).end <= until && counted.binary_search(start).is_err());
        missing.extend(with_events.into_iter().rev().map(|start| (level, start)));
    }
    Ok(missing)
}
