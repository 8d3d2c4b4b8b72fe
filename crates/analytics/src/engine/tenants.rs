//! Whole periods of many tenants, each apart: a walk over their sheets and deltas in the order of the database.

use std::collections::BTreeMap;

use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::ports::{ReadTx, Scopes, SheetQuery};
use trailkeeper_domain::scope::{Level, Part, Scope};
use trailkeeper_domain::time::{TimeRange, Timestamp};
use trailkeeper_domain::{Error, Result};

use super::{delta, delta_row, in_row, is_counted, sheet_row};
use crate::sheet::Fold;

/// Which tenant, and where its period begins.
type Place = (TenantId, Timestamp);

/// Folds the totals of each tenant and period that has any, into copies of `empty`; in no particular order. Only
/// tenants are asked for, in `scopes`; `starts` begins and ends where periods of this level do, and tenants have no
/// hours.
///
/// One fold of merged sheets is in memory at a time, besides those of the deltas that wait.
///
/// # Errors
/// Those of the store and of `each`; [`Error::Internal`] with the row for a corrupt payload.
pub fn per_tenant(
    tx: &mut dyn ReadTx,
    scopes: Scopes,
    level: Level,
    starts: TimeRange,
    empty: &Fold,
    each: &mut dyn FnMut(TenantId, Timestamp, &Fold) -> Result<()>,
) -> Result<()> {
    if let Scopes::One(scope) = scopes
        && !is_counted(scope)
    {
        return Ok(());
    }
    let mut waiting = of_deltas(tx, scopes, level, starts, empty)?;
    let mut current: Option<(Place, Fold)> = None;
    let query = SheetQuery { scopes, level, part: Part::Totals, starts };
    tx.sheets(&query, &mut |key, payload| {
        let Scope::Tenant(tenant) = key.scope else { return Ok(()) };
        let place = (tenant, key.start);
        if current.as_ref().is_none_or(|(last, _)| *last != place) {
            let fold = waiting.remove(&place).unwrap_or_else(|| empty.clone());
            if let Some(((tenant, start), fold)) = current.replace((place, fold)) {
                each(tenant, start, &fold)?;
            }
        }
        let Some((_, fold)) = &mut current else { return Ok(()) };
        fold.add(payload).map_err(|error| in_row(Error::internal(error), || sheet_row(key)))
    })?;
    for ((tenant, start), fold) in current.into_iter().chain(waiting) {
        each(tenant, start, &fold)?;
    }
    Ok(())
}

fn of_deltas(
    tx: &mut dyn ReadTx,
    scopes: Scopes,
    level: Level,
    starts: TimeRange,
    empty: &Fold,
) -> Result<BTreeMap<Place, Fold>> {
    let mut folds = BTreeMap::new();
    tx.deltas(scopes, &mut |key, payload| {
        let Scope::Tenant(tenant) = key.scope else { return Ok(()) };
        let walked = delta::walk(payload, |hour, sheet| {
            if hour < starts.start || starts.end <= hour {
                return Ok(());
            }
            let fold = folds.entry((tenant, level.floor(hour))).or_insert_with(|| empty.clone());
            fold.add(sheet).map_err(Error::internal)
        });
        walked.map_err(|error| in_row(error, || delta_row(key)))
    })?;
    Ok(folds)
}
