//! What a removal would remove.

use trailkeeper_domain::Result;
use trailkeeper_domain::ports::Store;
use trailkeeper_domain::retention::{LegalHold, RetentionRule};
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::time::Timestamp;

use super::selection::{Selection, Verdict};
use crate::engine::Progress;
use crate::engine::buckets::Joined;

/// The number of events after which progress is reported.
const REPORT_EVERY: u64 = 10_000;

/// The counts of the events that a removal would find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// The rules that keep something, each with the number of events that it would remove.
    pub rules: Vec<(RetentionRule, u64)>,
    /// The holds, each with the number of events that rules would remove without it. An event that several holds keep is
    /// counted for one of them.
    pub holds: Vec<(LegalHold, u64)>,
    /// The number of events that would be removed.
    pub would_remove: u64,
    /// The number of events that holds keep.
    pub held: u64,
}

/// Counts what a removal at `now` would remove, in one snapshot. It reads every event, and changes nothing.
///
/// # Errors
/// Those of the store.
pub fn preview(store: &dyn Store, now: Timestamp, progress: &mut dyn FnMut(Progress)) -> Result<Preview> {
    store.reading(|tx| {
        let selection = Selection::read(tx, now)?;
        let (mut by_rule, mut by_hold) = (vec![0_u64; selection.rules.len()], vec![0_u64; selection.holds.len()]);
        let mut joined = Joined::new(tx.buckets()?.count().into(), progress);
        tx.in_buckets_of(Scope::Everyone, |tx, _| {
            // The last event stays until another one follows it: numbers are not used again.
            let last = tx.last_seq()?;
            let (of, mut events) = (u64::try_from(last).unwrap_or_default(), 0_u64);
            if !selection.has_rules() {
                return Ok(());
            }
            tx.indexed_events(i64::MIN, usize::MAX, &mut |event| {
                let count = match selection.of(event) {
                    Verdict::Removed(rule) if event.seq < last => by_rule.get_mut(rule),
                    Verdict::OnHold(hold) if event.seq < last => by_hold.get_mut(hold),
                    _ => None,
                };
                if let Some(count) = count {
                    *count += 1;
                }
                events += 1;
                if events.is_multiple_of(REPORT_EVERY) {
                    joined.report(Progress { done: u64::try_from(event.seq).unwrap_or_default(), of, events });
                }
                Ok(())
            })?;
            joined.next();
            Ok(())
        })?;
        let (would_remove, held) = (by_rule.iter().sum(), by_hold.iter().sum());
        let rules = selection.rules.into_iter().zip(by_rule).filter(|(rule, _)| rule.keeps.is_some());
        Ok(Preview {
            rules: rules.collect(),
            holds: selection.holds.into_iter().zip(by_hold).collect(),
            would_remove,
            held,
        })
    })
}
