//! Making all sheets anew from the events, while everything else goes on.
//!
//! The new sheets are another generation, which nobody reads before it is whole:
//!
//! ```text
//! lease ─► merge ─► ┌ one snapshot ─────────────────────────────────┐ ─► one transaction ─► the old generation away
//!                   │ the deltas that wait; all events, in chunks ──┼─► sheets of            (small steps)
//!                   └───────────────────────────────────────────────┘   generation + 1
//! ```
//!
//! That one transaction makes the new generation the current one and removes the deltas of the snapshot, whose
//! events are in the new sheets. Deltas that came later stay and belong to the new generation as they would have
//! belonged to the old one. A crash before it leaves the old generation as it was; what lies about is removed by the
//! next rebuild or merger.

mod chunk;

use std::collections::HashSet;
use std::thread;
use std::time::Duration;

use trailkeeper_domain::clock::{Clock, Entropy};
use trailkeeper_domain::ports::{DeltaKey, ReadTx, Scopes, Store};
use trailkeeper_domain::scope::{Level, Scope};
use trailkeeper_domain::time::{self, Timestamp, rfc3339};
use trailkeeper_domain::{Error, Result};

use super::merger::{Lease, Pass, lost};
use super::progress::Progress;
use chunk::Chunk;

/// How long to wait between two attempts at the lease.
const PAUSE: Duration = Duration::from_millis(100);
/// Sheets of other generations that are removed in one transaction.
const REMOVED_AT_ONCE: usize = 1_000;
/// Events after which progress is told, and the lease looked after.
const TOLD_EVERY: u64 = 10_000;

/// What a rebuild did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rebuilt {
    /// Events that were counted.
    pub events: u64,
    /// Sheets of the new generation.
    pub sheets: u64,
    /// Their payloads, in bytes.
    pub bytes: u64,
    /// The generation that answers questions now.
    pub generation: i64,
}

/// Makes all sheets anew. Waits up to `patience` for a merger or another rebuild to give the lease back.
///
/// # Errors
/// [`Error::Unavailable`] when the lease was not to be had, or was lost on the way, or the database is away. The old
/// sheets answer then as before.
pub fn rebuild(
    store: &dyn Store,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    patience: Duration,
    progress: &mut dyn FnMut(Progress),
) -> Result<Rebuilt> {
    let lease = patiently(store, clock, entropy, patience)?;
    // Fewer deltas to remember. Rows that are unreadable are a reason to rebuild, not one to give up.
    let merged = Pass { store, lease: &lease, settled: HashSet::new(), stopped: &|| false }.run()?;
    for (_, row) in merged.unreadable {
        tracing::warn!("{row}; it is made anew from its events");
    }
    let (rebuilt, settled) = store.reading(|tx| {
        // Of a rebuild that did not come to its end, or of this one if the database asked to begin again.
        remove_other_generations(&lease)?;
        let settled = waiting(tx)?;
        let mut chunk = Chunk::new(store, &lease, tx.generation()? + 1);
        walk(tx, &lease, &mut chunk, progress)?;
        Ok((chunk.finish()?, settled))
    })?;
    lease
        .writing(|tx| {
            tx.set_generation(rebuilt.generation)?;
            tx.delete_deltas(&settled)
        })?
        .ok_or_else(lost)?;
    remove_other_generations(&lease)?;
    Ok(rebuilt)
}

fn patiently<'a>(
    store: &'a dyn Store,
    clock: &'a dyn Clock,
    entropy: &dyn Entropy,
    patience: Duration,
) -> Result<Lease<'a>> {
    let mut waited = Duration::ZERO;
    loop {
        if let Some(lease) = Lease::take(store, clock, entropy)? {
            return Ok(lease);
        }
        if waited >= patience {
            let until = Lease::taken_until(store)?;
            let until = until.map_or_else(String::new, |until| format!(" (now until {})", rfc3339(until)));
            return Err(Error::unavailable(format!(
                "another process has the lease on the sheets{until}, and did not give it back within {} seconds: a merger under heavy load or another rebuild; try again when that one is done (one that was killed loses it 30 seconds after its last write)",
                patience.as_secs()
            )));
        }
        thread::sleep(PAUSE);
        waited += PAUSE;
    }
}

fn remove_other_generations(lease: &Lease<'_>) -> Result<()> {
    while lease.writing(|tx| tx.delete_other_generations(None, REMOVED_AT_ONCE))?.ok_or_else(lost)? > 0 {}
    Ok(())
}

/// The deltas that the snapshot has: their events are among its events.
fn waiting(tx: &mut dyn ReadTx) -> Result<Vec<DeltaKey>> {
    let mut keys = Vec::new();
    for scopes in [Scopes::One(Scope::Everyone), Scopes::EveryTenant] {
        tx.deltas(scopes, &mut |key, _| {
            keys.push(key);
            Ok(())
        })?;
    }
    Ok(keys)
}

fn walk(
    tx: &mut dyn ReadTx,
    lease: &Lease<'_>,
    chunk: &mut Chunk<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<()> {
    let Some((first, last)) = tx.span()? else {
        return Ok(());
    };
    let day = |at: Timestamp| time::day_number(at.date_naive());
    let of = day(last).abs_diff(day(first)) + 1;
    let mut start = Level::Month.floor(first);
    while start <= last {
        let range = Level::Month.range(start);
        tx.facts(Scope::Everyone, range, &mut |fact| {
            chunk.add(fact)?;
            if chunk.events().is_multiple_of(TOLD_EVERY) {
                lease.keep_awake()?;
                progress(Progress { done: day(fact.occurred_at).abs_diff(day(first)), of, events: chunk.events() });
            }
            Ok(())
        })?;
        // Months without events are passed over as well, and may be many.
        lease.keep_awake()?;
        start = range.end;
    }
    progress(Progress { done: of, of, events: chunk.events() });
    Ok(())
}
