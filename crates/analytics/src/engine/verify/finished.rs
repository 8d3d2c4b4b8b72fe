//! Compares what periods that are over got with the sheets that it was made of, which are compared with the events elsewhere.

use std::collections::BTreeSet;

use trailkeeper_domain::ports::{ReadTx, Scopes, SheetKey, SheetQuery};
use trailkeeper_domain::scope::{Level, Part, Scope};
use trailkeeper_domain::time::{TimeRange, Timestamp};
use trailkeeper_domain::{Error, Result};

use super::difference::Difference;
use super::findings::Findings;
use crate::engine::long;
use crate::engine::tenants::counts_of;

/// Compares the counts of all tenants and the sheets of long periods in `all` with those that their sheets give, byte for
/// byte.
pub fn compare(tx: &mut dyn ReadTx, all: TimeRange, found: &mut Findings<'_>) -> Result<()> {
    for level in [Level::Day, Level::Month] {
        for start in tx.counted_periods(level)? {
            let Some(expected) = readable(counts_of(tx, level, start), found)? else { continue };
            let mut same = false;
            tx.tenant_counts(level, level.range(start), &mut |_, payload| {
                same = payload == expected;
                Ok(())
            })?;
            if !same {
                found.report(Difference::TenantCounts { level, start });
            }
        }
    }
    for level in Level::LONG {
        for start in long_periods(tx, level, all)? {
            let stored = stored(tx, level, start)?;
            let Some(expected) = readable(long::sheets_of(tx, level, start), found)? else { continue };
            found.verified.sheets += stored.len() as u64;
            if stored != expected {
                found.report(Difference::LongSheets { level, start });
            }
        }
    }
    Ok(())
}

/// What was made of sheets; `None`, and a difference, if one of them is unreadable.
fn readable<T>(made: Result<T>, found: &mut Findings<'_>) -> Result<Option<T>> {
    match made {
        Err(error @ Error::Internal { .. }) => {
            found.report(Difference::Unreadable { row: error.chain().to_string() });
            Ok(None)
        }
        made => made.map(Some),
    }
}

/// The periods of a level that have a sheet.
fn long_periods(tx: &mut dyn ReadTx, level: Level, starts: TimeRange) -> Result<BTreeSet<Timestamp>> {
    let mut periods = BTreeSet::new();
    for part in Part::ALL {
        periods.extend(tx.sheet_keys(Scope::Everyone, level, part, starts)?.into_iter().map(|key| key.start));
    }
    Ok(periods)
}

fn stored(tx: &mut dyn ReadTx, level: Level, start: Timestamp) -> Result<Vec<(SheetKey, Vec<u8>)>> {
    let mut sheets = Vec::new();
    for part in Part::ALL {
        let query = SheetQuery { scopes: Scopes::One(Scope::Everyone), level, part, starts: level.range(start) };
        tx.sheets(&query, &mut |key, payload| {
            sheets.push((key, payload.to_vec()));
            Ok(())
        })?;
    }
    Ok(sheets)
}
