//! Compares the columns of waiting deltas with the rows of their events.

use std::collections::BTreeMap;

use trailkeeper_domain::Result;
use trailkeeper_domain::indexed_event::IndexedEvent;
use trailkeeper_domain::ports::ReadTx;
use trailkeeper_postings::delta::Delta;

use super::difference::Difference;
use super::findings::Findings;

/// The most deltas that are listed at once.
const DELTAS: usize = 1_024;
/// The most events that are compared at once, unless they are of one delta.
const EVENTS: usize = 1 << 16;

/// Events by their numbers, each with the number of its delta.
type Expected = BTreeMap<i64, (i64, IndexedEvent)>;

/// Reports events of waiting deltas that are not as in their rows. Unreadable deltas are skipped.
pub fn compare(tx: &mut dyn ReadTx, found: &mut Findings<'_>) -> Result<()> {
    let mut expected = Expected::new();
    for pass in tx.merge_passes()? {
        for delta in pass.deltas {
            add(tx, delta, &mut expected, found)?;
        }
    }
    let mut after = i64::MIN;
    loop {
        let some = tx.unclaimed_deltas(after, DELTAS)?;
        let Some(last) = some.last() else { return compare_rows(tx, &mut expected, found) };
        after = last.number;
        for size in some {
            add(tx, size.number, &mut expected, found)?;
        }
    }
}

fn add(tx: &mut dyn ReadTx, number: i64, expected: &mut Expected, found: &mut Findings<'_>) -> Result<()> {
    for (number, payload) in tx.deltas_by_number(&[number])? {
        let Ok(delta) = Delta::read(&payload) else { continue };
        let events = delta.sections().flat_map(|section| section.events()).filter_map(std::result::Result::ok);
        expected.extend(events.map(|event| (event.seq, (number, event))));
    }
    if expected.len() >= EVENTS { compare_rows(tx, expected, found) } else { Ok(()) }
}

/// Compares the events with their rows, and forgets them.
fn compare_rows(tx: &mut dyn ReadTx, expected: &mut Expected, found: &mut Findings<'_>) -> Result<()> {
    let numbers: Vec<i64> = expected.keys().copied().collect();
    tx.indexed_events_by_seq(&numbers, &mut |row| {
        if let Some((delta, event)) = expected.remove(&row.seq)
            && event != *row
        {
            found.report(Difference::Column { delta, event: row.seq, has_row: true });
        }
        Ok(())
    })?;
    for (event, (delta, _)) in std::mem::take(expected) {
        found.report(Difference::Column { delta, event, has_row: false });
    }
    Ok(())
}
