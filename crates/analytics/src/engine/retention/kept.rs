//! The sheets of removed events.

use std::collections::BTreeMap;

use trailkeeper_domain::ports::{ReadTx, SheetKey, SheetPeriod};
use trailkeeper_domain::retention::RuleDraft;
use trailkeeper_domain::scope::{Level, Scope};
use trailkeeper_domain::time::{self, TimeRange, Timestamp, rfc3339};
use trailkeeper_domain::{Error, ErrorDetail, Result};

use crate::engine::{in_row, is_counted, sheet_row};
use crate::sheet::{Facet, Fold};

/// The most sheets that are in memory at once, unless they are of one period.
const SHEETS_AT_ONCE: usize = 256;

/// The generation of the sheets of events that a rule with these days removes: one for each length of time for which sheets
/// are kept, and -1 for those that are not kept longer than their events.
pub fn generation_of(keeps: &RuleDraft) -> i64 {
    -1 - i64::from(keeps.keep_sheets_days.unwrap_or(0))
}

/// Whether the sheets of a generation below 0 need not be kept any longer, of a UTC month.
pub fn is_due(generation: i64, month: Timestamp, now: Timestamp) -> bool {
    let days = -1 - generation;
    let Some(end) = Level::Month.end(month) else { return false };
    let age = time::midnight(now.date_naive()) - end;
    days == 0 || age.num_days() >= days
}

/// The sheets of removed events that begin in `starts`: the sum of all generations below 0.
///
/// # Errors
/// Those of the store; [`Error::Internal`] with the row for an unreadable sheet.
pub fn sheets_of_removed(tx: &mut dyn ReadTx, starts: TimeRange) -> Result<BTreeMap<SheetPeriod, Vec<u8>>> {
    let keys = tx.sheets_of_removed(starts)?;
    folded(tx, &keys, BTreeMap::new())
}

/// Adds sheets to others.
///
/// # Errors
/// As [`sheets_of_removed`].
pub fn folded(
    tx: &mut dyn ReadTx,
    keys: &[(i64, SheetKey)],
    mut sheets: BTreeMap<SheetPeriod, Vec<u8>>,
) -> Result<BTreeMap<SheetPeriod, Vec<u8>>> {
    for some in keys.chunk_by(|one, other| one.0 == other.0) {
        for some in some.chunks(SHEETS_AT_ONCE) {
            let generation = some.first().map_or(-1, |(generation, _)| *generation);
            let keys: Vec<SheetKey> = some.iter().map(|(_, key)| *key).collect();
            for (key, payload) in tx.sheets_by_key(generation, &keys)? {
                let sum = match sheets.remove(&key.period()) {
                    None => payload,
                    Some(other) => union(key, &[other, payload])?,
                };
                sheets.insert(key.period(), sum);
            }
        }
    }
    Ok(sheets)
}

/// The sheet of the events of all payloads.
fn union(key: SheetKey, payloads: &[Vec<u8>]) -> Result<Vec<u8>> {
    let mut fold = Fold::new(&Facet::ALL);
    for payload in payloads {
        fold.add(payload).map_err(|error| in_row(Error::internal(error), || sheet_row(key)))?;
    }
    Ok(fold.into_sheet().encode())
}

/// Checks that no event in these ranges was removed while sheets still count it: an answer from events would lack it, and
/// contradict that of sheets.
///
/// # Errors
/// [`Error::Invalid`] if so; those of the store.
pub fn check_edges(tx: &mut dyn ReadTx, scope: Scope, ranges: &[TimeRange]) -> Result<()> {
    let level = scope.kind().finest();
    let floored = |range: &TimeRange| TimeRange { start: level.floor(range.start), end: range.end };
    let (Some(first), Some(last)) = (ranges.first(), ranges.last()) else { return Ok(()) };
    let all = TimeRange { start: level.floor(first.start), end: last.end };
    if !is_counted(scope) || !tx.has_removed(scope, level, all)? {
        return Ok(());
    }
    for range in ranges {
        if tx.has_removed(scope, level, floored(range))? {
            return Err(Error::Invalid(ErrorDetail::new(
                "invalid_parameter",
                format!(
                    "this needs single events between {} and {}, of which retention has removed some; ask for whole UTC {}s without other conditions, or for a later time",
                    rfc3339(range.start),
                    rfc3339(range.end),
                    level.as_str()
                ),
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use trailkeeper_testkit::at;

    use super::*;

    #[test]
    fn sheets_are_kept_until_their_month_is_as_old_as_the_rule_says() {
        let of = |keep_sheets_days| generation_of(&RuleDraft { keep_days: 30, keep_sheets_days });
        assert_eq!((of(None), of(Some(400))), (-1, -401));
        let month = at("2026-01-01T00:00:00Z");
        assert!(is_due(-1, month, at("2026-01-15T00:00:00Z")));
        // The month ends at the beginning of February.
        assert!(!is_due(-11, month, at("2026-02-10T23:00:00Z")));
        assert!(is_due(-11, month, at("2026-02-11T00:00:00Z")));
    }
}
