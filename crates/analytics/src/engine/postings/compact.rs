//! Merges stored runs that are too large to be absorbed while a group of scopes waits.

use trailkeeper_domain::Result;
use trailkeeper_domain::ports::{PostingRunKey, Store};

use super::merged::{Stored, keys, merged};
use super::tiers::{Place, absorbed_by, next_number};
use super::write::RunWriter;
use crate::engine::lease::Lease;

/// Merges the runs of one scope and month until each is more than twice as large as the next smaller one, or nearly full.
/// Readers see the old runs or the new one in every snapshot; no transaction writes more than some MiB.
///
/// # Errors
/// Those of the store, that of a lost lease, and `Error::Internal` with the run that is damaged. Then the runs stay as they
/// are.
pub fn compact(store: &dyn Store, lease: &Lease<'_>, generation: i64, place: Place) -> Result<()> {
    let (scope, month) = place;
    loop {
        let mut runs = store.reading(|tx| tx.posting_run_keys(generation, &[scope]))?;
        runs.retain(|(key, ..)| key.month == month);
        let key = PostingRunKey { scope, month, run: next_number(&runs) };
        runs.sort_unstable_by_key(|(key, events, _)| (*events, *key));
        // The smallest one that absorbs another. Nearly full ones do not.
        let absorbing = (0..runs.len()).find_map(|nth| {
            let (smaller, rest) = runs.split_at(nth + 1);
            let smallest = smaller.last()?;
            let mut absorbed = absorbed_by(smallest.1, rest);
            if absorbed.is_empty() {
                return None;
            }
            absorbed.push(*smallest);
            Some(absorbed)
        });
        let Some(absorbed) = absorbing else { return Ok(()) };
        let absorbed = keys(&absorbed);
        let stored = Stored { store, generation, keys: &absorbed };
        let mut writer = RunWriter::new(store, lease, generation);
        writer.write(key, absorbed.clone(), |sink| merged(None, stored, sink))?;
        writer.flush()?;
    }
}
