//! Rebuilds all sheets and the index of events from the events, while events are stored and questions answered.
//!
//! What is new is another generation, which is not read before it is complete. Buckets are rebuilt one after the other:
//!
//! ```text
//! lease ─► merge ─► ┌ one snapshot ─────────────────────────────────┐ ─► one transaction ─► remove the old generation
//!                   │ the waiting deltas; all events, in chunks ────┼─► sheets and runs of   (small steps)
//!                   └───────────────────────────────────────────────┘   generation + 1
//! ```
//!
//! The one transaction makes the new generation the current one and removes the deltas of the snapshot, whose events are
//! in the new sheets, with the passes that have claimed some of them. Later deltas stay and belong to the new generation. A crash before that transaction leaves the old
//! generation as it was; the next rebuild or merger removes the incomplete one.

mod chunk;
mod pages;
mod rebuilt;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use trailkeeper_domain::bucket_store::BucketStore;
use trailkeeper_domain::clock::{Clock, Entropy};
use trailkeeper_domain::page::{PageRule, PageRuleState};
use trailkeeper_domain::ports::{Moving, OldDeltaKey, ReadTx, Store, WriteTx};
use trailkeeper_domain::{Error, Result};

use super::ALL;
use super::buckets::{Joined, beating_all, buckets_of};
use super::lease::{Lease, LeaseWatch, OwnLeases, lost};
use super::merger::Pass;
use super::postings::PostingsBuilder;
use super::progress::Progress;
use chunk::Chunk;

pub use rebuilt::{Rebuilt, Rewritten};

/// The most sheets of other generations that one transaction removes, and the most deltas that are listed at once.
const REMOVED_AT_ONCE: usize = 1_000;
/// The most events that one transaction moves.
const MOVED_AT_ONCE: usize = 5_000;
/// The number of events after which progress is reported, and the lease prolonged if needed.
const REPORT_EVERY: u64 = 10_000;
/// The number of events after which a rebuild in the background looks whether it is to stop.
const STOP_EVERY: u64 = 100;

/// Rebuilds all sheets and the index of events, and first gives the pages of all events the keys of this rule, if they
/// have others. That also continues a rebuild that was interrupted. Otherwise like [`rebuild`].
///
/// Until it is done, questions about pages fail with [`Error::Overloaded`]. If it fails, they do so until another rebuild
/// is done, by the same rule or another one.
///
/// # Errors
/// As for [`rebuild`].
pub fn rebuild_by_rule(
    store: &dyn Store,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    patience: Duration,
    rule: &PageRule,
    progress: &mut dyn FnMut(Progress),
) -> Result<Rebuilt> {
    rebuild_waiting(store, clock, entropy, patience, Some(rule), progress)
}

/// Rebuilds all sheets and the index of events. Waits up to `patience` for a merger or another rebuild to release each of
/// the leases.
///
/// # Errors
/// [`Error::Unavailable`] if a lease is taken for longer, if one is lost in between, or if the database is away. Then the
/// old sheets of that bucket, and of those after it, stay the current ones.
pub fn rebuild(
    store: &dyn Store,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    patience: Duration,
    progress: &mut dyn FnMut(Progress),
) -> Result<Rebuilt> {
    rebuild_waiting(store, clock, entropy, patience, None, progress)
}

fn rebuild_waiting(
    store: &dyn Store,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    patience: Duration,
    rule: Option<&PageRule>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Rebuilt> {
    let buckets = buckets_of(store)?;
    let take = |store| Lease::take_within(store, clock, entropy, patience);
    let leases = buckets.iter().map(|store| take(store)).collect::<Result<Vec<_>>>()?;
    beating_all(&leases, &mut || rebuild_all(&buckets, &leases, rule, &|| false, progress))
}

/// Like [`rebuild`], for the background of a server, whose leases are `own`: `None` if another process or thread has a lease, or if `stopped` says that it is
/// time to stop. Then the old sheets stay the current ones, and a later call begins again.
///
/// # Errors
/// Those of [`rebuild`].
pub fn rebuild_in_background(
    store: &dyn Store,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    own: &Arc<OwnLeases>,
    stopped: &dyn Fn() -> bool,
    progress: &mut dyn FnMut(Progress),
) -> Result<Option<Rebuilt>> {
    let buckets = buckets_of(store)?;
    let mut leases = Vec::with_capacity(buckets.len());
    for store in &buckets {
        let Some(lease) = Lease::take(store, clock, entropy, &LeaseWatch::beside(own))? else { return Ok(None) };
        leases.push(lease);
    }
    match beating_all(&leases, &mut || rebuild_all(&buckets, &leases, None, stopped, progress)) {
        Err(_) if stopped() => Ok(None),
        outcome => outcome.map(Some),
    }
}

/// Rebuilds one bucket after the other. The pages of all of them get their keys first, and the last one ends the rewriting.
fn rebuild_all(
    buckets: &[BucketStore<'_>],
    leases: &[Lease<'_>],
    rule: Option<&PageRule>,
    stopped: &dyn Fn() -> bool,
    progress: &mut dyn FnMut(Progress),
) -> Result<Rebuilt> {
    // Events are moved in the whole store.
    if let Some((store, lease)) = buckets.first().zip(leases.first()) {
        move_rows(store, lease)?;
    }
    let rewritten = pages::rewrite(buckets, leases, rule, progress)?;
    let (mut all, mut joined) = (Rebuilt { rewritten, ..Rebuilt::default() }, Joined::new(buckets.len(), progress));
    for (nth, (store, lease)) in (1..).zip(buckets.iter().zip(leases)) {
        let ends_rewriting = rewritten.is_some() && nth == buckets.len();
        let rebuilt = rebuild_bucket(store, lease, ends_rewriting, stopped, &mut |progress| joined.report(progress))?;
        joined.next();
        all.add(rebuilt);
    }
    Ok(all)
}

fn rebuild_bucket(
    store: &dyn Store,
    lease: &Lease<'_>,
    ends_rewriting: bool,
    stopped: &dyn Fn() -> bool,
    progress: &mut dyn FnMut(Progress),
) -> Result<Rebuilt> {
    // Merging first leaves fewer deltas to remember. Unreadable rows are a reason to rebuild, and no reason to stop.
    let merged = Pass::new(store, lease, HashSet::new(), stopped).run()?;
    for (_, row) in merged.unreadable {
        tracing::warn!("{row}; it is rebuilt from its events");
    }
    let (rebuilt, settled) = store.reading(|tx| {
        // Left by an interrupted rebuild, or by this one if the database asked to run the transaction again.
        remove_other_generations(lease)?;
        let settled = waiting(tx)?;
        let generation = tx.generation()? + 1;
        let mut chunk = Chunk::new(store, lease, generation);
        let mut postings = PostingsBuilder::new(store, lease, generation);
        walk(tx, lease, &mut chunk, &mut postings, stopped, progress)?;
        chunk.add_removed(tx, ALL)?;
        let runs = postings.finish()?;
        Ok((Rebuilt { runs: runs.runs - runs.replaced, ..chunk.finish()? }, settled))
    })?;
    lease
        .writing(|tx| {
            tx.set_generation(rebuilt.generation, true)?;
            if ends_rewriting {
                let state = tx.page_rule()?;
                tx.set_page_rule(&PageRuleState { rewriting: false, ..state })?;
            }
            tx.delete_deltas(&settled.deltas)?;
            tx.end_merge_passes(&settled.passes)?;
            delete_old_deltas(tx)
        })?
        .ok_or_else(lost)?;
    remove_other_generations(lease)?;
    Ok(rebuilt)
}

/// Moves the events of an older version to their present place, as far as no other process does: there they have an index
/// of the order of storage.
fn move_rows(store: &dyn Store, lease: &Lease<'_>) -> Result<()> {
    while let Moving::Moved(_) = store.move_rows(MOVED_AT_ONCE)? {
        lease.keep()?;
    }
    Ok(())
}

fn remove_other_generations(lease: &Lease<'_>) -> Result<()> {
    while lease.writing(|tx| tx.delete_other_generations(None, REMOVED_AT_ONCE))?.ok_or_else(lost)? > 0 {}
    Ok(())
}

/// The deltas of a snapshot, whose events are among its events, and the passes that are not finished.
struct Settled {
    deltas: Vec<i64>,
    passes: Vec<i64>,
}

fn waiting(tx: &mut dyn ReadTx) -> Result<Settled> {
    let mut settled = Settled { deltas: Vec::new(), passes: Vec::new() };
    for pass in tx.merge_passes()? {
        settled.passes.push(pass.number);
        settled.deltas.extend(pass.deltas);
    }
    let mut after = i64::MIN;
    loop {
        let some = tx.unclaimed_deltas(after, REMOVED_AT_ONCE)?;
        let Some(last) = some.last() else { return Ok(settled) };
        after = last.number;
        settled.deltas.extend(some.iter().map(|size| size.number));
    }
}

/// Removes the deltas of older programs: the new sheets count their events, too.
fn delete_old_deltas(tx: &mut dyn WriteTx) -> Result<()> {
    loop {
        let keys: Vec<OldDeltaKey> = tx.old_deltas(REMOVED_AT_ONCE)?.into_iter().map(|(key, _)| key).collect();
        if keys.is_empty() {
            return Ok(());
        }
        tx.delete_old_deltas(&keys)?;
    }
}

/// Walks all events in the order of storage, for the sheets and for the index.
fn walk(
    tx: &mut dyn ReadTx,
    lease: &Lease<'_>,
    chunk: &mut Chunk<'_>,
    postings: &mut PostingsBuilder<'_>,
    stopped: &dyn Fn() -> bool,
    progress: &mut dyn FnMut(Progress),
) -> Result<()> {
    let last = tx.last_seq()?;
    let (of, mut read) = (u64::try_from(last).unwrap_or_default(), 0_u64);
    tx.indexed_events(i64::MIN, usize::MAX, &mut |event| {
        if let Some(fact) = event.fact() {
            chunk.add(event.tenant_id, &fact)?;
        }
        postings.add(event)?;
        read += 1;
        if read.is_multiple_of(STOP_EVERY) && stopped() {
            return Err(Error::unavailable("the rebuild was stopped"));
        }
        if read.is_multiple_of(REPORT_EVERY) {
            lease.keep()?;
            progress(Progress { done: u64::try_from(event.seq).unwrap_or_default(), of, events: chunk.events() });
        }
        Ok(())
    })?;
    progress(Progress { done: of, of, events: chunk.events() });
    Ok(())
}
