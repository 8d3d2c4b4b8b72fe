//! The counts of all tenants: reads a period from one row where it has them, and makes them.

use std::collections::BTreeMap;

use trailkeeper_domain::error::Context;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::ports::{ReadTx, Scopes};
use trailkeeper_domain::scope::{Level, Scope};
use trailkeeper_domain::time::{TimeRange, Timestamp, rfc3339};
use trailkeeper_domain::{Error, Result};

use super::cells::{Each, TenantCells, TenantPeriod, show};
use super::{sheets, waiting};
use crate::engine::is_counted;
use crate::sheet::{Fold, TenantCounts, TenantCountsBuilder};

/// The most tenants with waiting events whose sheets are looked up one by one. With more, the sheets of all tenants are
/// read, which are next to each other.
const LOOKED_UP: usize = 16;

/// Calls `each` once with every cell of every tenant and period that has any; in no particular order.
///
/// Memory holds the cells of all waiting events.
///
/// # Errors
/// Those of the store and of `each`; [`Error::Internal`] with the row for a corrupt payload.
pub fn per_tenant(tx: &mut dyn ReadTx, wanted: &TenantCells, each: Each<'_>) -> Result<()> {
    if let Scopes::One(scope) = wanted.scopes
        && !is_counted(scope)
    {
        return Ok(());
    }
    // The tenants of one bucket are in no other one.
    let scope = match wanted.scopes {
        Scopes::One(scope) => scope,
        Scopes::EveryTenant => Scope::Everyone,
    };
    tx.in_buckets_of(scope, |tx, _| per_tenant_of_bucket(tx, wanted, each))
}

fn per_tenant_of_bucket(tx: &mut dyn ReadTx, wanted: &TenantCells, each: Each<'_>) -> Result<()> {
    let mut waiting = waiting::of_deltas(tx, wanted)?;
    let unread = if wanted.scopes == Scopes::EveryTenant && TenantCounts::FACETS.contains(&wanted.facet) {
        from_counts(tx, wanted, &mut waiting, each)?
    } else {
        vec![wanted.starts]
    };
    for starts in unread {
        sheets::per_tenant(tx, &TenantCells { starts, ..*wanted }, &mut waiting, each)?;
    }
    for (period, fold) in waiting {
        show(period, &fold.cells(wanted.facet), each)?;
    }
    Ok(())
}

/// The payload of the counts of all tenants in a period, made of its sheets without the waiting events.
///
/// # Errors
/// Those of the store; [`Error::Internal`] with the row for a corrupt sheet.
pub fn counts_of(tx: &mut dyn ReadTx, level: Level, start: Timestamp) -> Result<Vec<u8>> {
    let mut builder = TenantCountsBuilder::default();
    for facet in TenantCounts::FACETS {
        let wanted = TenantCells { scopes: Scopes::EveryTenant, level, starts: level.range(start), facet, only: None };
        sheets::per_tenant(tx, &wanted, &mut BTreeMap::new(), &mut |tenant, _, cell| {
            builder.add(tenant, facet, cell);
            Ok(())
        })?;
    }
    Ok(builder.finish())
}

/// Reads the periods that have counts. Returns the ranges of the other ones, whose sheets must be read.
///
/// The sets of a tenant that has waiting events in such a period are needed: its sheets are read instead.
fn from_counts(
    tx: &mut dyn ReadTx,
    wanted: &TenantCells,
    waiting: &mut BTreeMap<TenantPeriod, Fold>,
    each: Each<'_>,
) -> Result<Vec<TimeRange>> {
    let TenantCells { level, starts, facet, only, .. } = *wanted;
    let mut with_events: BTreeMap<Timestamp, Vec<TenantId>> = BTreeMap::new();
    for (tenant, start) in waiting.keys() {
        with_events.entry(*start).or_default().push(*tenant);
    }
    let (mut unread, mut looked_up) = (Vec::new(), Vec::new());
    let mut at = starts.start;
    tx.tenant_counts(level, starts, &mut |start, payload| {
        let others = with_events.get(&start).map_or(&[][..], Vec::as_slice);
        if others.len() > LOOKED_UP {
            return Ok(());
        }
        if at < start {
            unread.push(TimeRange { start: at, end: start });
        }
        at = level.range(start).end;
        looked_up.extend(others.iter().map(|tenant| (*tenant, start)));
        let counts = TenantCounts::read(payload).map_err(|error| {
            let row = format!("counts of all tenants, {} {}", level.as_str(), rfc3339(start));
            Error::internal(Context::new(row, error))
        })?;
        counts.each(facet, |tenant, cell| {
            let is_wanted = only.is_none_or(|only| only == cell.id) && !others.contains(&tenant);
            if is_wanted { each(tenant, start, cell) } else { Ok(()) }
        })
    })?;
    if at < starts.end {
        unread.push(TimeRange { start: at, ..starts });
    }
    for (tenant, start) in looked_up {
        let one = TenantCells { scopes: Scopes::One(Scope::Tenant(tenant)), starts: level.range(start), ..*wanted };
        sheets::per_tenant(tx, &one, waiting, each)?;
    }
    Ok(unread)
}
