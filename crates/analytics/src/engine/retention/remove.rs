//! A removal: all steps, then the sheets that go with their events.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use trailkeeper_domain::clock::{Clock, Entropy};
use trailkeeper_domain::ports::{Moving, ReadTx, Store};
use trailkeeper_domain::scope::Level;
use trailkeeper_domain::time::{Timestamp, rfc3339};
use trailkeeper_domain::{Error, Result};

use super::SETTLED_AFTER;
use super::kept::is_due;
use super::release::release;
use super::step::{Step, StepOutcome};
use crate::engine::buckets::{Joined, buckets_of};
use crate::engine::lease::{Lease, LeaseWatch, OwnLeases};
use crate::engine::merger::Pass;
use crate::engine::postings::remove_replaced_pages;
use crate::engine::{ALL, Progress};

/// The most events that one transaction moves.
const MOVED_AT_ONCE: usize = 5_000;

/// What a removal did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removed {
    /// The number of removed events.
    pub events: u64,
    /// The number of transactions that removed some.
    pub steps: u64,
    /// The number of scopes and months whose sheets were counted again.
    pub months: u64,
}

impl Removed {
    fn add(&mut self, other: Self) {
        self.events += other.events;
        self.steps += other.steps;
        self.months += other.months;
    }
}

/// The outcome of a removal in the background.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// It is done, or was stopped in between.
    Done(Removed),
    /// Another process has the lease on the sheets, or a rule is too young: try again later.
    Later,
}

/// The time from which the rules may remove events: they were changed shortly before. `None` if that is not in the future.
///
/// # Errors
/// Those of the store.
pub fn waits_until(tx: &mut (impl ReadTx + ?Sized), now: Timestamp) -> Result<Option<Timestamp>> {
    let changed = tx.retention_rules()?.into_iter().map(|rule| rule.changed_at).max();
    Ok(changed.map(|at| at + SETTLED_AFTER).filter(|from| *from > now))
}

/// Removes all events that are older than the rules keep them and that no hold keeps, in short transactions. Waits up to
/// `patience` for a merger or another process to release the lease.
///
/// # Errors
/// [`Error::Unavailable`] if a rule was changed less than [`SETTLED_AFTER`] ago, if the lease is taken for longer or lost in
/// between, or if the database is away. What was removed until then stays removed, and a later removal goes on.
pub fn remove(
    store: &dyn Store,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    patience: Duration,
    progress: &mut dyn FnMut(Progress),
) -> Result<Removed> {
    if let Some(from) = store.reading(|tx| waits_until(tx, clock.now()))? {
        return Err(Error::unavailable(format!(
            "a rule of retention was changed just now; servers know it from {} on: try again then",
            rfc3339(from)
        )));
    }
    let (buckets, mut removed) = (buckets_of(store)?, Removed::default());
    let mut joined = Joined::new(buckets.len(), progress);
    for store in &buckets {
        let lease = Lease::take_within(store, clock, entropy, patience)?;
        let more =
            lease.beating(|| remove_all(store, &lease, clock, &|| false, &mut |progress| joined.report(progress)))?;
        removed.add(more);
        joined.next();
    }
    Ok(removed)
}

/// Like [`remove`], for the background of a server, whose leases are `own`. It writes nothing, and takes no lease, unless
/// there is something to remove.
///
/// # Errors
/// Those of [`remove`].
pub fn remove_in_background(
    store: &dyn Store,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    own: &Arc<OwnLeases>,
    stopped: &dyn Fn() -> bool,
) -> Result<Removal> {
    let now = clock.now();
    let waits = store.reading(|tx| waits_until(tx, now))?;
    if waits.is_some() {
        return Ok(Removal::Later);
    }
    let (mut removed, mut is_left) = (Removed::default(), false);
    for store in &buckets_of(store)? {
        match remove_from_bucket(store, clock, entropy, own, stopped, now)? {
            Removal::Done(more) => removed.add(more),
            Removal::Later => is_left = true,
        }
    }
    // What was removed is recorded by the caller, also if a bucket is left for the next call.
    let is_later = is_left && removed == Removed::default();
    Ok(if is_later { Removal::Later } else { Removal::Done(removed) })
}

fn remove_from_bucket(
    store: &dyn Store,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    own: &Arc<OwnLeases>,
    stopped: &dyn Fn() -> bool,
    now: Timestamp,
) -> Result<Removal> {
    let has_work = store.reading(|tx| {
        let has_rules = tx.retention_rules()?.iter().any(|rule| rule.keeps.is_some());
        let kept = tx.sheets_of_removed(ALL)?;
        Ok(has_rules || kept.iter().any(|(of, key)| is_due(*of, Level::Month.floor(key.start), now)))
    })?;
    if !has_work {
        return Ok(Removal::Done(Removed::default()));
    }
    let Some(lease) = Lease::take(store, clock, entropy, &LeaseWatch::beside(own))? else { return Ok(Removal::Later) };
    lease.beating(|| remove_all(store, &lease, clock, stopped, &mut |_| ())).map(Removal::Done)
}

fn remove_all(
    store: &dyn Store,
    lease: &Lease<'_>,
    clock: &dyn Clock,
    stopped: &dyn Fn() -> bool,
    progress: &mut dyn FnMut(Progress),
) -> Result<Removed> {
    while let Moving::Moved(_) = store.move_rows(MOVED_AT_ONCE)? {
        lease.keep()?;
    }
    // Only merged events can be removed.
    let merged = Pass::new(store, lease, HashSet::new(), stopped).run()?;
    if let Some((_, row)) = merged.unreadable.first() {
        return Err(Error::internal(format!(
            "{row}; run `trailkeeper verify`, then `trailkeeper rebuild`, before events are removed"
        )));
    }
    let mut removed = Removed::default();
    let of = u64::try_from(store.reading(|tx| tx.last_seq())?).unwrap_or_default();
    let (now, mut after) = (clock.now(), i64::MIN);
    while !stopped() {
        lease.keep()?;
        let step = store.reading(|tx| Step::plan(tx, now, after))?;
        let (next, is_last) = (step.after, step.is_last);
        match step.run(store, lease)? {
            StepOutcome::Changed => {
                if store.reading(|tx| waits_until(tx, clock.now()))?.is_some() {
                    break;
                }
                continue;
            }
            StepOutcome::Removed(events) => {
                removed.events += events;
                removed.steps += u64::from(events > 0);
            }
        }
        after = next;
        progress(Progress { done: u64::try_from(after).unwrap_or_default(), of, events: removed.events });
        if is_last {
            break;
        }
    }
    if !remove_replaced_pages(store, lease)? {
        return Err(crate::engine::lease::lost());
    }
    removed.months = release(store, lease, now, ALL, stopped)?;
    Ok(removed)
}
