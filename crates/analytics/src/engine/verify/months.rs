//! The rows of each month. They lie anywhere in the order of storage, but mostly next to each other.

use std::collections::BTreeMap;

use trailkeeper_domain::Result;
use trailkeeper_domain::indexed_event::IndexedEvent;
use trailkeeper_domain::ports::ReadTx;
use trailkeeper_domain::scope::Level;
use trailkeeper_domain::time::Timestamp;

use super::recount::Recount;

/// The most events of several months that are recounted by one walk. A month with more has a walk of its own.
const EVENTS: u64 = 1 << 18;
/// The most rows that one statement reads.
const ROWS: usize = 10_000;

/// The months with events of customers.
pub struct Months(BTreeMap<Timestamp, Rows>);

/// The rows of a month.
#[derive(Clone, Copy)]
struct Rows {
    /// The number of the first row.
    first: i64,
    /// The number of the last row.
    last: i64,
    /// The number of rows.
    count: u64,
}

impl Months {
    /// Reads all rows once. The index of events may be what is damaged, so it is not asked.
    pub fn survey(tx: &mut dyn ReadTx) -> Result<Self> {
        let mut months: BTreeMap<Timestamp, Rows> = BTreeMap::new();
        tx.indexed_events(i64::MIN, usize::MAX, &mut |row| {
            if let Some(fact) = row.fact() {
                let month = Level::Month.floor(fact.occurred_at);
                let rows = months.entry(month).or_insert(Rows { first: row.seq, last: row.seq, count: 0 });
                (rows.last, rows.count) = (row.seq, rows.count + 1);
            }
            Ok(())
        })?;
        Ok(Self(months))
    }

    /// The first and the last month.
    pub fn span(&self) -> impl Iterator<Item = Timestamp> {
        [self.0.keys().next(), self.0.keys().next_back()].into_iter().flatten().copied()
    }

    /// Recounts a month, and the months after it as long as they have few events together; none if it has no events.
    pub fn recount(&self, tx: &mut dyn ReadTx, month: Timestamp) -> Result<BTreeMap<Timestamp, Recount>> {
        let mut recounts = BTreeMap::new();
        let Some(mut all) = self.0.get(&month).copied() else { return Ok(recounts) };
        recounts.insert(month, Recount::default());
        for (month, rows) in self.0.range(month..).skip(1) {
            if all.count + rows.count > EVENTS {
                break;
            }
            all =
                Rows { first: all.first.min(rows.first), last: all.last.max(rows.last), count: all.count + rows.count };
            recounts.insert(*month, Recount::default());
        }
        walk(tx, all, &mut |row| match (recounts.get_mut(&Level::Month.floor(row.occurred_at)), row.fact()) {
            (Some(recount), Some(fact)) => recount.add(row.tenant_id, &fact),
            _ => Ok(()),
        })?;
        Ok(recounts)
    }
}

/// Calls `each` for all rows from the first to the last of some, and a few more.
fn walk(tx: &mut dyn ReadTx, some: Rows, each: &mut dyn FnMut(&IndexedEvent) -> Result<()>) -> Result<()> {
    let (mut after, mut read) = (some.first.saturating_sub(1), ROWS);
    while read == ROWS && after < some.last {
        read = 0;
        tx.indexed_events(after, ROWS, &mut |row| {
            (after, read) = (row.seq, read + 1);
            each(row)
        })?;
    }
    Ok(())
}
