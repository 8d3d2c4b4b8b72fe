//! The runs of a period, merged by size.
//!
//! A new run takes in every older one of at most twice its size, and again with the size it has then. So each
//! run is more than twice as large as the next smaller one: a period has O(log n) of them. And a byte that is
//! written again goes into a run that is larger by half at least, unless the sets overlap and the whole got no
//! longer: so it is written O(log n) times.

use std::fmt::Display;

use trailkeeper_domain::ports::{ReadTx, SheetKey};

use super::{Place, Plan, Trouble};
use crate::engine::sheet_row;
use crate::sheet::{Facet, Fold};

/// Adds a run to a period.
pub fn add(tx: &mut dyn ReadTx, place: Place, addition: &[u8], plan: &mut Plan) -> Result<(), Trouble> {
    let generation = plan.generation();
    let mut standing = tx.runs(generation, place.key(0))?;
    let mut payload = addition.to_vec();
    let mut taken = Vec::new();
    loop {
        let most = payload.len() as u64 * 2;
        let (small, large): (Vec<_>, Vec<_>) = standing.into_iter().partition(|(_, bytes)| *bytes <= most);
        standing = large;
        if small.is_empty() {
            break;
        }
        let mut fold = Fold::new(&Facet::ALL);
        // Written by this very program a moment ago: it does not fail.
        fold.add(&payload).map_err(|error| unreadable(place.key(0), &error))?;
        for (run, _) in small {
            let key = place.key(run);
            let old = tx.sheet(generation, key)?;
            let old = old.ok_or_else(|| unreadable(key, &"it is listed and yet not there"))?;
            plan.has_read(old.len() as u64);
            fold.add(&old).map_err(|error| unreadable(key, &error))?;
            taken.push(key);
        }
        payload = fold.into_sheet().encode();
    }
    // The smallest free number: numbers stay small, however often runs are merged.
    let used: Vec<u32> = standing.iter().map(|(run, _)| *run).collect();
    let free = (0..=u32::MAX).find(|run| !used.contains(run)).unwrap_or(u32::MAX);
    plan.replace(taken, place.key(free), payload);
    Ok(())
}

fn unreadable(key: SheetKey, wrong: &dyn Display) -> Trouble {
    Trouble::Unreadable(format!("{}: {wrong}", sheet_row(key)))
}
