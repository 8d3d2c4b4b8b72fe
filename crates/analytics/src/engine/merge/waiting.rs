//! From the deltas that wait to a plan.

use trailkeeper_domain::Error;
use trailkeeper_domain::ports::{ReadTx, Scopes};
use trailkeeper_domain::scope::Scope;

use super::{Addition, Plan, Trouble, absorb};
use crate::engine::{delta, delta_row};

/// How many deltas of a scope are merged at once.
const DELTAS: usize = 4_096;
/// How many bytes of their payloads: folded, they take some twenty times as much memory.
const BYTES: usize = 1024 * 1024;

/// A bounded part of a scope's backlog, merged.
pub struct Step {
    /// What is to be written.
    pub plan: Plan,
    /// Whether deltas are left over for another step.
    pub more: bool,
}

/// Merges the oldest deltas of a scope. The rest stays as it is and is read as before.
pub fn step(tx: &mut dyn ReadTx, generation: i64, scope: Scope) -> Result<Step, Trouble> {
    let mut addition = Addition::new(scope.kind());
    let mut keys = Vec::new();
    let mut bytes = 0;
    let mut more = false;
    let mut unreadable = None;
    let read = tx.deltas(Scopes::One(scope), &mut |key, payload| {
        more = keys.len() >= DELTAS || (bytes > 0 && bytes + payload.len() > BYTES);
        if more {
            return Err(Error::internal("this step has enough deltas"));
        }
        bytes += payload.len();
        keys.push(key);
        let added = delta::walk(payload, |hour, sheet| addition.add(hour, sheet).map_err(Error::internal));
        added.map_err(|error| {
            unreadable = Some(format!("{}: {error}", delta_row(key)));
            error
        })
    });
    match (unreadable, read) {
        (Some(row), _) => return Err(Trouble::Unreadable(row)),
        // The error is the one by which reading was ended early.
        (None, Err(_)) if more => {}
        (None, read) => read?,
    }
    let mut plan = absorb(tx, generation, scope, &addition.into_periods())?;
    plan.has_read(bytes as u64);
    plan.settle(keys);
    Ok(Step { plan, more })
}
