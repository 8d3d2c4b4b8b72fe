//! Makes what periods get when they are over: the counts of all tenants per day and month, so that questions about every
//! tenant read one row per period, and everyone's sheets of quarters and years.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use trailkeeper_domain::Result;
use trailkeeper_domain::clock::{Clock, Entropy};
use trailkeeper_domain::ports::{ReadTx, Store};
use trailkeeper_domain::scope::{Level, Part, Scope};
use trailkeeper_domain::time::{TimeRange, Timestamp};

use crate::engine::EARLIEST;
use crate::engine::buckets::buckets_of;
use crate::engine::lease::{Lease, LeaseWatch};
use crate::engine::long;
use crate::engine::tenants::counts_of;

/// How long after its end a period is finished. Most late events are merged by then, and each removes what was made.
const AFTER: TimeDelta = TimeDelta::hours(1);

/// The most periods of one call.
const PERIODS: usize = 16;

/// How far a call of [`finish_periods`] came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finished {
    /// All periods that are over are finished.
    All,
    /// Some are left for the next call.
    Some,
    /// Another process holds the lease, or took it in between.
    Elsewhere,
}

/// What a period does not have yet.
#[derive(Debug, Clone, Copy)]
enum Missing {
    /// The counts of all tenants in a day or month.
    Counts(Level, Timestamp),
    /// Everyone's sheets of a quarter or year.
    Sheets(Level, Timestamp),
}

/// Finishes periods that are over, at most sixteen of them in each bucket.
///
/// # Errors
/// Those of the store; [`Error::Internal`](trailkeeper_domain::Error::Internal) with the row for a corrupt sheet, after all
/// periods before it.
pub fn finish_periods(
    store: &dyn Store,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    stopped: &dyn Fn() -> bool,
) -> Result<Finished> {
    let mut all = Finished::All;
    for store in buckets_of(store)? {
        match finish_watching(&store, clock, entropy, &LeaseWatch::default(), stopped)? {
            Finished::All => {}
            other => all = other,
        }
    }
    Ok(all)
}

/// [`finish_periods`] in one bucket, by a process that watches the lease.
pub(super) fn finish_watching(
    store: &dyn Store,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    watch: &LeaseWatch,
    stopped: &dyn Fn() -> bool,
) -> Result<Finished> {
    let Some(until) = clock.now().checked_sub_signed(AFTER) else { return Ok(Finished::All) };
    let missing = store.reading(|tx| missing(tx, until))?;
    if missing.is_empty() {
        // Without the lease: an idle server must not write.
        return Ok(Finished::All);
    }
    let Some(lease) = Lease::take(store, clock, entropy, watch)? else { return Ok(Finished::Elsewhere) };
    lease.beating(|| finish_some(store, &lease, &missing, stopped))
}

fn finish_some(
    store: &dyn Store,
    lease: &Lease<'_>,
    missing: &[Missing],
    stopped: &dyn Fn() -> bool,
) -> Result<Finished> {
    for period in missing.iter().take(PERIODS) {
        if stopped() {
            return Ok(Finished::Some);
        }
        // Nobody else writes sheets while this process has the lease, and without it the write does not run.
        let written = match *period {
            Missing::Counts(level, start) => {
                let (generation, counts) = store.reading(|tx| Ok((tx.generation()?, counts_of(tx, level, start)?)))?;
                lease.writing(|tx| tx.put_tenant_counts(generation, level, start, &counts))?
            }
            Missing::Sheets(level, start) => {
                let (generation, sheets) =
                    store.reading(|tx| Ok((tx.generation()?, long::sheets_of(tx, level, start)?)))?;
                lease.writing(|tx| tx.put_sheets(generation, &sheets))?
            }
        };
        if written.is_none() {
            return Ok(Finished::Elsewhere);
        }
    }
    Ok(if missing.len() <= PERIODS { Finished::All } else { Finished::Some })
}

/// What periods that have events and end before `until` do not have yet; the latest periods of a level first, because
/// questions are mostly about those.
fn missing(tx: &mut dyn ReadTx, until: Timestamp) -> Result<Vec<Missing>> {
    let mut missing = Vec::new();
    for level in [Level::Day, Level::Month] {
        let counted = tx.counted_periods(level)?.into_iter().collect();
        let with_events = starts(tx, level, until)?;
        missing.extend(latest_without(level, with_events, &counted, until).map(|start| Missing::Counts(level, start)));
    }
    let months = starts(tx, Level::Month, until)?;
    for level in Level::LONG {
        let made = starts(tx, level, until)?;
        let with_events = months.iter().map(|month| level.floor(*month)).collect();
        missing.extend(latest_without(level, with_events, &made, until).map(|start| Missing::Sheets(level, start)));
    }
    Ok(missing)
}

/// The periods of a level that have totals of everyone and begin before `until`.
fn starts(tx: &mut dyn ReadTx, level: Level, until: Timestamp) -> Result<BTreeSet<Timestamp>> {
    let before = TimeRange { start: EARLIEST, end: until };
    Ok(tx.sheet_keys(Scope::Everyone, level, Part::Totals, before)?.into_iter().map(|key| key.start).collect())
}

fn latest_without(
    level: Level,
    with_events: BTreeSet<Timestamp>,
    made: &BTreeSet<Timestamp>,
    until: Timestamp,
) -> impl Iterator<Item = Timestamp> {
    with_events.into_iter().rev().filter(move |start| level.range(*start).end <= until && !made.contains(start))
}
