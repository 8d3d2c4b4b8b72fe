//! One pass: merges everything that waits, scope after scope, in bounded steps.

use std::collections::{HashSet, VecDeque};

use trailkeeper_domain::Result;
use trailkeeper_domain::clock::{Clock, Entropy};
use trailkeeper_domain::ports::{Pending, Store};
use trailkeeper_domain::scope::Scope;

use super::lease::Lease;
use crate::engine::merge::{self, Outcome, Plan};

/// The most scopes whose backlog is read at once.
const SCOPES: usize = 1_024;

/// The result of a pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Merged {
    /// Whether the pass came to the end of what waited; `false` if it was stopped or lost the lease.
    pub finished: bool,
    /// The number of deltas that were merged.
    pub deltas: u64,
    /// The number of sheets that were written.
    pub sheets_written: u64,
    /// The number of sheets that were replaced by those.
    pub sheets_replaced: u64,
    /// The bytes of the deltas and sheets that were read.
    pub bytes_read: u64,
    /// The bytes of the sheets that were written.
    pub bytes_written: u64,
    /// The number of transactions that wrote.
    pub transactions: u64,
    /// Scopes that were left as they are because a row is unreadable; each with the row and its error.
    pub unreadable: Vec<(Scope, String)>,
}

impl Merged {
    fn count(&mut self, plan: &Plan) {
        self.deltas += plan.deltas();
        self.sheets_written += plan.sheets_written();
        self.sheets_replaced += plan.sheets_replaced();
        self.bytes_read += plan.bytes_read();
        self.bytes_written += plan.bytes_written();
        self.transactions += 1;
    }
}

/// Merges everything that waits, on the caller's thread. `None` if another process holds the lease.
///
/// Scopes with an unreadable row are left as they are, and named in the result.
///
/// # Errors
/// Those of the store.
pub fn run_once(store: &dyn Store, clock: &dyn Clock, entropy: &dyn Entropy) -> Result<Option<Merged>> {
    merge_waiting(store, clock, entropy, HashSet::new(), &|| false)
}

/// [`run_once`] without the scopes of `left_out`, until `stopped` returns `true`.
pub(super) fn merge_waiting(
    store: &dyn Store,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    left_out: HashSet<Scope>,
    stopped: &dyn Fn() -> bool,
) -> Result<Option<Merged>> {
    let waiting = store.reading(|tx| tx.pending(left_out.len() + 1))?;
    if waiting.iter().all(|pending| left_out.contains(&pending.scope)) {
        // Without the lease: an idle server must not write.
        return Ok(Some(Merged { finished: true, ..Merged::default() }));
    }
    let Some(lease) = Lease::take(store, clock, entropy)? else {
        return Ok(None);
    };
    Pass { store, lease: &lease, settled: left_out, stopped }.run().map(Some)
}

/// A pass that holds the lease.
pub struct Pass<'a> {
    /// The database.
    pub store: &'a dyn Store,
    /// The right to write sheets.
    pub lease: &'a Lease<'a>,
    /// Scopes that are merged, or are to be left out. A scope that keeps getting events is merged once in a pass.
    pub settled: HashSet<Scope>,
    /// Called between two steps; `true` ends the pass.
    pub stopped: &'a dyn Fn() -> bool,
}

impl Pass<'_> {
    /// Merges until nothing waits.
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

    fn waiting(&self) -> Result<VecDeque<Pending>> {
        let mut waiting = self.store.reading(|tx| tx.pending(self.settled.len() + SCOPES))?;
        waiting.retain(|pending| !self.settled.contains(&pending.scope));
        Ok(waiting.into())
    }

    /// Merges a part of the backlog of the first scopes; `false` if the lease is lost.
    fn step(&mut self, queue: &mut VecDeque<Pending>, merged: &mut Merged) -> Result<bool> {
        let group: Vec<Pending> = queue.drain(..merge::group_size(queue.iter()).min(queue.len())).collect();
        let scopes: Vec<Scope> = group.iter().map(|pending| pending.scope).collect();
        let step = self.store.reading(|tx| merge::step(tx, &scopes))?;
        if !write(self.lease, &step.plan, merged)? {
            return Ok(false);
        }
        let mut later: Vec<Pending> = Vec::new();
        for (scope, outcome) in step.outcomes {
            match outcome {
                Outcome::Whole => drop(self.settled.insert(scope)),
                Outcome::Part => queue.extend(group.iter().find(|pending| pending.scope == scope)),
                Outcome::Later => later.extend(group.iter().find(|pending| pending.scope == scope)),
                Outcome::Unreadable(row) => {
                    self.settled.insert(scope);
                    merged.unreadable.push((scope, row));
                }
            }
        }
        // The scopes that were read in vain come first.
        for pending in later.into_iter().rev() {
            queue.push_front(pending);
        }
        Ok(true)
    }
}

/// Executes a plan in one transaction; `false`, without writing anything, if the lease is lost.
pub fn write(lease: &Lease<'_>, plan: &Plan, merged: &mut Merged) -> Result<bool> {
    if plan.is_empty() {
        return Ok(true);
    }
    let written = lease.writing(|tx| plan.write(tx))?;
    if written.is_some() {
        merged.count(plan);
    }
    Ok(written.is_some())
}
