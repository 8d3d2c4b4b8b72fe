//! Plans of several scopes in one transaction: a commit costs a sync of the disk, whatever it holds.

use trailkeeper_domain::Result;
use trailkeeper_domain::ports::ReadTx;
use trailkeeper_domain::scope::Scope;

use super::{Lease, Merged};
use crate::engine::merge::{Plan, Trouble};

/// Scopes that are written at once.
const SCOPES: usize = 64;
/// Bytes of payloads after which no other scope joins.
const BYTES: u64 = 4 * 1024 * 1024;

/// Makes the plan of one scope; with it, whether the scope needs another turn.
pub type Planning<'a> = dyn FnMut(&mut dyn ReadTx, Scope) -> Result<(Plan, bool), Trouble> + 'a;

/// What came of one scope.
pub struct Member {
    /// Which one.
    pub scope: Scope,
    /// What to write, and whether the scope needs another turn; or the row that is unreadable.
    pub outcome: Result<(Plan, bool), String>,
}

/// Makes the plans of the first scopes of a queue, as many as go into one transaction: one at least.
pub fn gather(
    tx: &mut dyn ReadTx,
    scopes: impl IntoIterator<Item = Scope>,
    plan: &mut Planning<'_>,
) -> Result<Vec<Member>> {
    let mut members = Vec::new();
    let mut bytes = 0;
    for scope in scopes {
        let outcome = match plan(tx, scope) {
            Ok((plan, more)) => {
                bytes += plan.bytes_written();
                Ok((plan, more))
            }
            Err(Trouble::Unreadable(row)) => Err(row),
            Err(Trouble::Store(error)) => return Err(error),
        };
        members.push(Member { scope, outcome });
        if members.len() >= SCOPES || bytes >= BYTES {
            break;
        }
    }
    Ok(members)
}

/// Writes the plans in one transaction; `false`, and nothing is written, when the lease is lost.
pub fn write_together(lease: &Lease<'_>, members: &[Member], merged: &mut Merged) -> Result<bool> {
    let plans: Vec<&Plan> = members.iter().filter_map(|member| Some(&member.outcome.as_ref().ok()?.0)).collect();
    if plans.is_empty() {
        return Ok(true);
    }
    let written = lease.writing(|tx| plans.iter().try_for_each(|plan| plan.write(tx)))?;
    if written.is_none() {
        return Ok(false);
    }
    merged.transactions += 1;
    for plan in plans {
        merged.count(plan);
    }
    Ok(true)
}
