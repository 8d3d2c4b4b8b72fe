//! Verification: compares all sheets with a recount of the events, and the index of events with the rows.
//!
//! The recount is independent of merging. One month at a time, it counts each hour, day and month of everyone and of
//! each tenant from the rows, which it reads in the order of storage; then the same periods are folded from their runs and from the waiting deltas.
//! Sheets of removed events that are still counted are added to the recount.
//! Differences are reported cell by cell. The columns of the waiting deltas are also compared with the rows of their
//! events.

mod columns;
mod difference;
mod findings;
mod finished;
mod index;
mod months;
mod numbers;
mod recount;
mod stored;

use std::collections::{BTreeMap, BTreeSet};

use trailkeeper_domain::ports::{ReadTx, Store};
use trailkeeper_domain::scope::{Level, Scope};
use trailkeeper_domain::time::{TimeRange, Timestamp};
use trailkeeper_domain::{Error, Result};

use super::buckets::Joined;
use super::progress::Progress;
use super::retention::sheets_of_removed;
use super::{ALL, EARLIEST, LATEST};
use months::Months;
use stored::{Comparison, Deltas};

pub use difference::{Counts, Difference, Mismatch, SomeEvents};
pub use findings::Verified;

use findings::Findings;

/// Compares all sheets, deltas and runs of the index with the events, in one snapshot. It changes nothing, and needs no
/// lease.
///
/// Memory grows with the busiest month (its sheets, and its distinct users), with the largest run, and by two bits per
/// event.
///
/// # Errors
/// Those of the store; [`Error::Unavailable`] while a rebuild rewrites the keys of pages. An unreadable row is a difference, not an error.
pub fn verify(
    store: &dyn Store,
    progress: &mut dyn FnMut(Progress),
    each_difference: &mut dyn FnMut(Difference),
) -> Result<Verified> {
    let mut begun = false;
    store.reading(|tx| {
        // Differences that were reported cannot be taken back.
        if std::mem::replace(&mut begun, true) {
            return Err(Error::unavailable("the database interrupted the verification; run it again"));
        }
        let mut found = Findings { verified: Verified::default(), each: &mut *each_difference };
        check_rule(tx)?;
        for missing in tx.missing_names(MISSING_NAMES)? {
            found.verified.missing_names += 1;
            found.report(Difference::MissingName(missing));
        }
        check_ids(tx, &mut found)?;
        let mut joined = Joined::new(tx.buckets()?.count().into(), progress);
        tx.in_buckets_of(Scope::Everyone, |tx, _| {
            compare_all(tx, &mut joined, &mut found)?;
            joined.next();
            Ok(())
        })?;
        Ok(found.verified)
    })
}

fn check_rule(tx: &mut dyn ReadTx) -> Result<()> {
    if tx.page_rule()?.rewriting {
        return Err(Error::unavailable(
            "a rebuild is giving the pages of events other keys, or was interrupted: wait for `trailkeeper rebuild`, or run it again, then verify",
        ));
    }
    Ok(())
}

fn check_ids(tx: &mut dyn ReadTx, found: &mut Findings<'_>) -> Result<()> {
    let mut faults = Vec::new();
    found.verified.ids = tx.check_ids(&mut |fault| {
        // The first ones show where to look.
        if faults.len() < ID_FAULTS {
            faults.push(fault);
        }
    })?;
    for fault in faults {
        found.report(Difference::Id(fault));
    }
    Ok(())
}

/// Compares what one bucket has.
fn compare_all(tx: &mut dyn ReadTx, progress: &mut Joined<'_>, found: &mut Findings<'_>) -> Result<()> {
    let deltas = Deltas::survey(tx, found)?;
    columns::compare(tx, found)?;
    let rows = Months::survey(tx)?;
    let removed: BTreeSet<Timestamp> =
        tx.sheets_of_removed(ALL)?.into_iter().map(|(_, key)| Level::Month.floor(key.start)).collect();
    let with_events: Vec<Timestamp> = rows.span().chain(deltas.span()).chain(removed.iter().copied()).collect();
    let (first, last) = (with_events.iter().min(), with_events.iter().max());
    let months: Vec<Timestamp> = match (first, last) {
        (Some(first), Some(last)) => {
            std::iter::successors(Some(*first), |start| Level::Month.end(*start)).take_while(|at| at <= last).collect()
        }
        _ => Vec::new(),
    };
    let before = found.verified.events;
    let (of, mut recounts) = (months.len() as u64, BTreeMap::new());
    for (done, start) in (1..).zip(&months) {
        let range = Level::Month.range(*start);
        if !recounts.contains_key(start) {
            recounts = rows.recount(tx, *start)?;
        }
        let recount = recounts.remove(start).unwrap_or_default();
        found.verified.events += recount.events();
        let waiting = deltas.of_range(tx, range)?;
        let mut sheets = recount.finish()?;
        if removed.contains(start) {
            add_removed(tx, range, &mut sheets, found)?;
        }
        Comparison::new(sheets, waiting).run(tx, range, found)?;
        progress.report(Progress { done, of, events: found.verified.events - before });
    }
    // Sheets of times before the first and after the last event.
    let begin = months.first().copied().unwrap_or(LATEST);
    let end = last.and_then(|last| Level::Month.end(*last)).unwrap_or(LATEST);
    for range in [TimeRange { start: EARLIEST, end: begin }, TimeRange { start: end, end: LATEST }] {
        Comparison::default().run(tx, range, found)?;
    }
    finished::compare(tx, ALL, found)?;
    index::compare(tx, ALL, found)
}

/// Adds the sheets of removed events that are still counted.
fn add_removed(
    tx: &mut dyn ReadTx,
    range: TimeRange,
    sheets: &mut recount::Sheets,
    found: &mut Findings<'_>,
) -> Result<()> {
    match sheets_of_removed(tx, range) {
        Ok(removed) => removed.into_iter().try_for_each(|(period, payload)| recount::add(sheets, period, payload)),
        Err(error @ Error::Internal { .. }) => {
            found.report(Difference::Unreadable { row: error.chain().to_string() });
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// The most missing names that are reported per field.
const MISSING_NAMES: usize = 1_000;

/// The most faults of runs of ids that are reported.
const ID_FAULTS: usize = 1_000;
