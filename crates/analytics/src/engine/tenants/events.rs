//! The tenants that have events at all.

use std::collections::BTreeSet;

use trailkeeper_domain::Result;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::ports::{ReadTx, Scopes, SheetQuery};
use trailkeeper_domain::scope::{Level, Part, Scope};
use trailkeeper_domain::time::TimeRange;

use crate::engine::{delta, is_counted};

/// The tenants that have events in the UTC months of a range, ascending; possibly some more.
///
/// # Errors
/// Those of the store.
pub fn tenants_with_events(tx: &mut dyn ReadTx, range: TimeRange) -> Result<BTreeSet<TenantId>> {
    let mut tenants = BTreeSet::new();
    let mut add = |scope| {
        if let Scope::Tenant(tenant) = scope {
            tenants.insert(tenant);
        }
    };
    let starts = TimeRange { start: Level::Month.floor(range.start), ..range };
    let query = SheetQuery { scopes: Scopes::EveryTenant, level: Level::Month, part: Part::Totals, starts };
    tx.in_buckets_of(Scope::Everyone, |tx, _| {
        tx.sheets(&query, &mut |key, _| {
            add(key.scope);
            Ok(())
        })
    })?;
    tx.all_deltas(&mut |waiting| {
        let delta = delta::read(&waiting)?;
        delta.tenants().map(Scope::Tenant).filter(|scope| is_counted(*scope)).for_each(&mut add);
        Ok(())
    })?;
    Ok(tenants)
}
