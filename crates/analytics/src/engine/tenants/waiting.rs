//! Reads the cells of events that wait to be merged.

use std::collections::BTreeMap;

use trailkeeper_domain::Result;
use trailkeeper_domain::ports::{ReadTx, Scopes, WaitingDelta};
use trailkeeper_domain::scope::{Scope, ScopeKind};
use trailkeeper_domain::time::TimeRange;
use trailkeeper_postings::dimension::Column;

use super::cells::{TenantCells, TenantPeriod};
use crate::engine::delta::{self, Periods};
use crate::sheet::Fold;

/// The cells of all waiting events.
pub fn of_deltas(tx: &mut dyn ReadTx, wanted: &TenantCells) -> Result<BTreeMap<TenantPeriod, Fold>> {
    let mut waiting = WaitingCells::new(wanted);
    match wanted.scopes {
        Scopes::One(scope @ Scope::Tenant(_)) => tx.deltas(scope, &mut |delta| waiting.add(&delta, Some(scope)))?,
        Scopes::One(Scope::Everyone) => {}
        Scopes::EveryTenant => tx.all_deltas(&mut |delta| waiting.add(&delta, None))?,
    }
    Ok(waiting.folds)
}

/// The cells of waiting events.
struct WaitingCells<'a> {
    wanted: &'a TenantCells,
    columns: Vec<Column>,
    /// The range in which the periods begin, in microseconds since 1970.
    starts: (i64, i64),
    periods: Periods,
    folds: BTreeMap<TenantPeriod, Fold>,
}

impl<'a> WaitingCells<'a> {
    fn new(wanted: &'a TenantCells) -> Self {
        let TimeRange { start, end } = wanted.starts;
        Self {
            wanted,
            columns: delta::columns_of([wanted.facet]),
            starts: (start.timestamp_micros(), end.timestamp_micros()),
            periods: Periods::new(wanted.level),
            folds: BTreeMap::new(),
        }
    }

    /// Counts the events of a delta: those of one scope, or those of each tenant whose sheets do not count them yet.
    fn add(&mut self, waiting: &WaitingDelta<'_>, scope: Option<Scope>) -> Result<()> {
        let delta = delta::read(waiting)?;
        for section in delta::sections(&delta, scope.unwrap_or(Scope::Everyone)) {
            let tenant = section.tenant_id();
            if waiting.merged.contains(&Scope::Tenant(tenant)) {
                continue;
            }
            let Self { wanted, columns, starts: (first, end), periods, folds } = self;
            delta::each_fact(waiting.number, &section, columns, |at, fact| {
                if *first <= at && at < *end {
                    let period = (tenant, periods.start(at)?);
                    folds.entry(period).or_insert_with(|| wanted.empty_fold()).count(fact, ScopeKind::Tenant);
                }
                Ok(())
            })?;
        }
        Ok(())
    }
}
