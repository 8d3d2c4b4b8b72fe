//! One pass: everything that waits is merged, scope after scope, in bounded steps.

use std::collections::{HashSet, VecDeque};

use trailkeeper_domain::Result;
use trailkeeper_domain::clock::{Clock, Entropy};
use trailkeeper_domain::ports::Store;
use trailkeeper_domain::scope::Scope;

use super::group::{gather, write_together};
use super::lease::Lease;
use crate::engine::merge::{self, Plan};

/// Scopes whose backlog is looked at in one go.
const SCOPES: usize = 1_024;

/// What a pass did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Merged {
    /// Whether everything that waited at its beginning was looked at. Not when it was stopped or lost the lease.
    pub finished: bool,
    /// Deltas that are in sheets now.
    pub deltas: u64,
    /// Sheets that were written.
    pub sheets_written: u64,
    /// Sheets that were replaced by those.
    pub sheets_replaced: u64,
    /// Bytes of the deltas and sheets that were read.
    pub bytes_read: u64,
    /// Bytes of the sheets that were written.
    pub bytes_written: u64,
    /// Transactions that wrote.
    pub transactions: u64,
    /// Scopes that were left as they are because a row is unreadable, with that row and what is wrong with it.
    pub unreadable: Vec<(Scope, String)>,
}

impl Merged {
    /// Counts a plan that was written.
    pub(super) fn count(&mut self, plan: &Plan) {
        self.deltas += plan.deltas();
        self.sheets_written += plan.sheets_written();
        self.sheets_replaced += plan.sheets_replaced();
        self.bytes_read += plan.bytes_read();
        self.bytes_written += plan.bytes_written();
    }
}

/// Merges everything that waits, now and here. `None` when another process is at it, which has the lease.
///
/// Scopes with an unreadable row are named in the answer and left as they are.
pub fn run_once(store: &dyn Store, clock: &dyn Clock, entropy: &dyn Entropy) -> Result<Option<Merged>> {
    merge_waiting(store, clock, entropy, HashSet::new(), &|| false)
}

/// [`run_once`] without the scopes of `left_out`, and only until `stopped`.
pub(super) fn merge_waiting(
    store: &dyn Store,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    left_out: HashSet<Scope>,
    stopped: &dyn Fn() -> bool,
) -> Result<Option<Merged>> {
    let waiting = store.reading(|tx| tx.pending(left_out.len() + 1))?;
    if waiting.iter().all(|pending| left_out.contains(&pending.scope)) {
        // No lease for nothing: a server at rest does not write.
        return Ok(Some(Merged { finished: true, ..Merged::default() }));
    }
    let Some(lease) = Lease::take(store, clock, entropy)? else {
        return Ok(None);
    };
    Pass { store, lease: &lease, settled: left_out, stopped }.run().map(Some)
}

/// A pass under a lease.
pub struct Pass<'a> {
    /// The database.
    pub store: &'a dyn Store,
    /// The right to write sheets.
    pub lease: &'a Lease<'a>,
    /// Scopes that are done, or to be left out. A scope to which events keep coming is done once in a pass.
    pub settled: HashSet<Scope>,
    /// Asked between two steps.
    pub stopped: &'a dyn Fn() -> bool,
}

impl Pass<'_> {
    /// Merges until nothing is left that waited when it was looked at.
    pub fn run(mut self) -> Result<Merged> {
        let mut merged = Merged::default();
        loop {
            let mut queue = self.waiting()?;
            if queue.is_empty() {
                return Ok(Merged { finished: true, ..merged });
            }
            while !queue.is_empty() {
                if (self.stopped)() || !self.step(&mut queue, &mut merged)? {
                    return Ok(merged);
                }
            }
        }
    }

    fn waiting(&self) -> Result<VecDeque<Scope>> {
        let waiting = self.store.reading(|tx| tx.pending(self.settled.len() + SCOPES))?;
        Ok(waiting.into_iter().map(|pending| pending.scope).filter(|scope| !self.settled.contains(scope)).collect())
    }

    /// Merges a part of the backlog of the first scopes; `false` when the lease is lost.
    fn step(&mut self, queue: &mut VecDeque<Scope>, merged: &mut Merged) -> Result<bool> {
        let members = self.store.reading(|tx| {
            let generation = tx.generation()?;
            gather(tx, queue.iter().copied(), &mut |tx, scope| {
                merge::step(tx, generation, scope).map(|step| (step.plan, step.more))
            })
        })?;
        if !write_together(self.lease, &members, merged)? {
            return Ok(false);
        }
        for member in members {
            // They are the first of the queue, in its order.
            queue.pop_front();
            match member.outcome {
                Ok((_, true)) => queue.push_back(member.scope),
                Ok((_, false)) => {
                    self.settled.insert(member.scope);
                }
                Err(row) => {
                    self.settled.insert(member.scope);
                    merged.unreadable.push((member.scope, row));
                }
            }
        }
        Ok(true)
    }
}
