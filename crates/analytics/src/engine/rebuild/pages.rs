//! Gives the keys of another rule to the pages of all events.
//!
//! ```text
//! one transaction ─► all events with a page, in steps ─► sheets of generation + 1 ─► one transaction
//! new rule,                                                                         new generation,
//! "rewriting"                                                                       not "rewriting"
//! ```
//!
//! From the first transaction on, new events have keys of the new rule, and the store refuses questions about pages,
//! because events and sheets have keys of both. The last transaction ends that. If the process dies in between, the next
//! rebuild continues: a step changes only events whose keys are not those of the rule, so it may be repeated.
//!
//! If the database has lost the name of a page, its events keep the number, except those that have the page as it was
//! sent. They do not stop the walk, because questions about pages would fail until it is done.

use trailkeeper_domain::Result;
use trailkeeper_domain::bucket_store::BucketStore;
use trailkeeper_domain::page::{PageRule, PageRuleState};
use trailkeeper_domain::ports::{RewrittenPages, Store};

use super::rebuilt::Rewritten;
use crate::engine::buckets::Joined;
use crate::engine::lease::{Lease, lost};
use crate::engine::progress::Progress;

/// The most events that one transaction reads and changes.
const EVENTS_AT_ONCE: usize = 2_000;

/// Rewrites the keys if `wanted` differs from the rule of the database, or if that was begun and not finished. `None` if
/// nothing had to be done.
pub fn rewrite(
    buckets: &[BucketStore<'_>],
    leases: &[Lease<'_>],
    wanted: Option<&PageRule>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Option<Rewritten>> {
    let (Some(first), Some(lease)) = (buckets.first(), leases.first()) else { return Ok(None) };
    let before = (first as &dyn Store).reading(|tx| tx.page_rule())?;
    let rule = wanted.copied().unwrap_or(before.rule);
    if rule == before.rule && !before.rewriting {
        return Ok(None);
    }
    let state = PageRuleState { rule, rewriting: true, presumed: false };
    if state != before {
        let begin = lease.writing(|tx| {
            tx.set_page_rule(&state)?;
            tx.forget_new_pages()
        })?;
        begin.ok_or_else(lost)?;
    }
    let (mut rewritten, mut joined) = (Rewritten::default(), Joined::new(leases.len(), progress));
    for lease in leases {
        rewrite_bucket(lease, &mut rewritten, &mut |progress| joined.report(progress))?;
        joined.next();
    }
    Ok(Some(rewritten))
}

fn rewrite_bucket(lease: &Lease<'_>, rewritten: &mut Rewritten, progress: &mut dyn FnMut(Progress)) -> Result<()> {
    let (mut after, mut read) = (None, 0);
    loop {
        let step = lease.writing(|tx| tx.rewrite_page_keys(after.as_ref(), EVENTS_AT_ONCE))?;
        let step: RewrittenPages = step.ok_or_else(lost)?;
        read += step.read;
        rewritten.changed += step.changed;
        rewritten.missing += step.missing;
        let Some(next) = step.next else { return Ok(()) };
        let last = u64::try_from(next.last).unwrap_or_default();
        let done = u64::try_from(next.seq).unwrap_or_default() + if next.others { last } else { 0 };
        progress(Progress { done, of: 2 * last, events: read });
        after = Some(next);
    }
}
