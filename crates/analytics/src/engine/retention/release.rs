//! Counts the sheets of a scope and month again, when they need not count removed events any longer.

use std::collections::{BTreeMap, BTreeSet};

use trailkeeper_domain::ports::{ReadTx, SheetKey, SheetPeriod, Store};
use trailkeeper_domain::scope::{Level, Part, Scope};
use trailkeeper_domain::time::{TimeRange, Timestamp};
use trailkeeper_domain::{Error, Result};

use super::kept::{folded, is_due};
use crate::engine::lease::{Lease, lost};
use crate::engine::merge::Addition;
use crate::sheet::{Fact, Sheet};

/// What is to be written for one scope and month.
struct Release {
    generation: i64,
    old: Vec<SheetKey>,
    new: Vec<(SheetKey, Vec<u8>)>,
    /// The sheets of removed events that go.
    removed: BTreeMap<i64, Vec<SheetKey>>,
}

/// Counts the sheets again that are not to be kept any longer. Each scope and month is one transaction. Returns the number of
/// these; `stopped` ends it early.
///
/// # Errors
/// Those of the store, that of a lost lease, and [`Error::Internal`] with the row that is damaged.
pub fn release(
    store: &dyn Store,
    lease: &Lease<'_>,
    now: Timestamp,
    all: TimeRange,
    stopped: &dyn Fn() -> bool,
) -> Result<u64> {
    let mut places: BTreeMap<(Timestamp, Scope), Vec<(i64, SheetKey)>> = BTreeMap::new();
    for (generation, key) in store.reading(|tx| tx.sheets_of_removed(all))? {
        places.entry((Level::Month.floor(key.start), key.scope)).or_default().push((generation, key));
    }
    let mut released = 0;
    for ((month, scope), keys) in places {
        let (due, kept): (Vec<_>, Vec<_>) = keys.into_iter().partition(|(of, _)| is_due(*of, month, now));
        if due.is_empty() || stopped() {
            continue;
        }
        lease.keep()?;
        let planned = store.reading(|tx| plan(tx, lease, scope, month, &due, &kept))?;
        lease.writing(|tx| planned.write(tx))?.ok_or_else(lost)?;
        released += 1;
    }
    Ok(released)
}

fn plan(
    tx: &mut dyn ReadTx,
    lease: &Lease<'_>,
    scope: Scope,
    month: Timestamp,
    due: &[(i64, SheetKey)],
    kept: &[(i64, SheetKey)],
) -> Result<Release> {
    let range = Level::Month.range(month);
    let mut addition = Addition::new(scope.kind());
    let mut read = 0_u64;
    tx.merged_facts(scope, range, &mut |fact| {
        read += 1;
        if read.is_multiple_of(10_000) {
            lease.keep()?;
        }
        addition.add(fact.occurred_at.timestamp_micros(), &Fact::from(fact))
    })?;
    let mut sheets: BTreeMap<SheetPeriod, Vec<u8>> = BTreeMap::new();
    for period in addition.into_periods() {
        for half in period.halves.iter() {
            let key = SheetPeriod { scope, level: period.level, part: half.part, start: period.start };
            sheets.insert(key, half.payload.clone());
        }
    }
    let mut sheets = folded(tx, kept, sheets)?;
    let (generation, mut old, mut new) = (tx.generation()?, Vec::new(), Vec::new());
    let mut stored: BTreeMap<SheetPeriod, Vec<SheetKey>> = BTreeMap::new();
    for level in scope.kind().levels() {
        for part in Part::ALL {
            for key in tx.sheet_keys(scope, *level, part, range)? {
                stored.entry(key.period()).or_default().push(key);
            }
        }
    }
    let periods: BTreeSet<SheetPeriod> = stored.keys().chain(sheets.keys()).copied().collect();
    for period in periods {
        let keys = stored.remove(&period).unwrap_or_default();
        let payload = sheets.remove(&period);
        // A period without events gets an empty sheet, which holds the number that the next run must exceed.
        let payload = payload.unwrap_or_else(|| Sheet::default().encode());
        if let [key] = keys.as_slice()
            && tx.sheets_by_key(generation, &[*key])?.get(key) == Some(&payload)
        {
            continue;
        }
        let run = keys.iter().map(|key| key.run.checked_add(1)).max().unwrap_or(Some(0));
        let run = run.ok_or_else(|| Error::internal("the numbers of runs are used up"))?;
        old.extend(keys);
        new.push((period.run(run), payload));
    }
    let mut removed: BTreeMap<i64, Vec<SheetKey>> = BTreeMap::new();
    for (generation, key) in due {
        removed.entry(*generation).or_default().push(*key);
    }
    Ok(Release { generation, old, new, removed })
}

impl Release {
    fn write(&self, tx: &mut dyn trailkeeper_domain::ports::WriteTx) -> Result<()> {
        if !self.old.is_empty() {
            tx.delete_sheets(self.generation, &self.old)?;
        }
        if !self.new.is_empty() {
            tx.put_sheets(self.generation, &self.new)?;
        }
        self.removed.iter().try_for_each(|(generation, keys)| tx.delete_sheets(*generation, keys))
    }
}
