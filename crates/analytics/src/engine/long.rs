//! Sheets of everyone's quarters and years: made of those of the months, when the period is over.

use std::collections::{BTreeMap, BTreeSet};

use trailkeeper_domain::ports::{ReadTx, Scopes, SheetKey, SheetQuery};
use trailkeeper_domain::scope::{Level, Part, Scope};
use trailkeeper_domain::time::{TimeRange, Timestamp};
use trailkeeper_domain::{Error, Result};

use super::{in_row, sheet_row};
use crate::sheet::{Fold, Piece};

/// The long periods of a scope that have sheets and begin in one of the buckets and end in it. A period with events has
/// totals; one without pages has no sheet of them.
///
/// # Errors
/// Those of the store.
pub fn periods_in(tx: &mut dyn ReadTx, scope: Scope, buckets: &[TimeRange]) -> Result<BTreeSet<Piece>> {
    let mut found = BTreeSet::new();
    if scope != Scope::Everyone {
        return Ok(found);
    }
    for level in Level::LONG {
        let (mut first, mut last) = (None, None);
        for bucket in buckets {
            let begins =
                if level.begins(bucket.start) { Some(bucket.start) } else { level.end(level.floor(bucket.start)) };
            if let Some(begins) = begins.filter(|start| level.end(*start).is_some_and(|end| end <= bucket.end)) {
                first = first.or(Some(begins));
                last = Some(bucket.end);
            }
        }
        // Most questions hold no whole quarter, and cost no statement here.
        if let (Some(start), Some(end)) = (first, last) {
            let keys = tx.sheet_keys(scope, level, Part::Totals, TimeRange { start, end })?;
            found.extend(keys.into_iter().map(|key| Piece { level, start: key.start }));
        }
    }
    Ok(found)
}

/// The sheets of a long period, made of those of its months without the waiting events; none if no month has any.
///
/// # Errors
/// Those of the store; [`Error::Internal`] with the row for a corrupt sheet.
pub fn sheets_of(tx: &mut dyn ReadTx, level: Level, start: Timestamp) -> Result<Vec<(SheetKey, Vec<u8>)>> {
    let scope = Scope::Everyone;
    let mut sheets = Vec::new();
    for part in Part::ALL {
        let mut fold = Fold::of_part(part);
        let mut latest: BTreeMap<Timestamp, u32> = BTreeMap::new();
        let query = SheetQuery { scopes: Scopes::One(scope), level: Level::Month, part, starts: level.range(start) };
        tx.sheets(&query, &mut |key, payload| {
            let run = latest.entry(key.start).or_default();
            *run = key.run.max(*run);
            fold.add(payload).map_err(|error| in_row(Error::internal(error), || sheet_row(key)))
        })?;
        if latest.is_empty() {
            continue;
        }
        // Each change of a month's sheets adds a run with a greater number. So this sum grows with each change, and a run of
        // a long period never has the number of another one.
        let run = latest.values().fold(0_u32, |sum, run| sum.saturating_add(run.saturating_add(1)));
        sheets.push((SheetKey { scope, level, part, start, run }, fold.into_sheet().encode()));
    }
    Ok(sheets)
}
