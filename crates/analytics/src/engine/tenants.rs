//! Reads whole periods of many tenants, each on its own, by one walk over sheets and deltas in the order of the database.

use std::collections::{BTreeMap, BTreeSet};

use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::ports::{ReadTx, Scopes, SheetKey, SheetQuery, WaitingDelta};
use trailkeeper_domain::scope::{Level, Part, Scope, ScopeKind};
use trailkeeper_domain::time::{TimeRange, Timestamp};
use trailkeeper_domain::{Error, Result};
use trailkeeper_postings::dimension::Column;

use super::delta::{self, Periods};
use super::{in_row, is_counted, sheet_row};
use crate::sheet::{CellKey, CodecError, Facet, Fold, Folded, Heads};

/// A tenant and the start of a period.
type TenantPeriod = (TenantId, Timestamp);

/// Takes a cell of a tenant and a period, which is given by its start.
type Each<'a> = &'a mut dyn FnMut(TenantId, Timestamp, Folded) -> Result<()>;

/// The cells and periods that [`per_tenant`] reads.
#[derive(Debug, Clone, Copy)]
pub struct TenantCells {
    /// One tenant, or every tenant.
    pub scopes: Scopes,
    /// Days or months: tenants have no sheets of hours.
    pub level: Level,
    /// The range in which the periods begin; its ends are boundaries of the level.
    pub starts: TimeRange,
    /// The facet: one of the totals.
    pub facet: Facet,
    /// The only cell of the facet that is read; `None` reads all cells.
    pub only: Option<u64>,
}

/// Calls `each` once with every cell of every tenant and period that has any; in no particular order.
///
/// Most periods have one sheet, whose cells say how many ids they have: ids are decoded only where a period has several
/// sheets or waiting deltas. The sheets of one period are in memory at a time, and the cells of all waiting events.
///
/// # Errors
/// Those of the store and of `each`; [`Error::Internal`] with the row for a corrupt payload.
pub fn per_tenant(tx: &mut dyn ReadTx, wanted: &TenantCells, each: Each<'_>) -> Result<()> {
    let TenantCells { scopes, level, starts, facet, .. } = *wanted;
    if let Scopes::One(scope) = scopes
        && !is_counted(scope)
    {
        return Ok(());
    }
    let mut waiting = of_deltas(tx, wanted)?;
    let mut sheets = PeriodSheets::new(wanted);
    let query = SheetQuery { scopes, level, part: Part::Totals, starts };
    tx.sheets(&query, &mut |key, payload| {
        let Scope::Tenant(tenant) = key.scope else { return Ok(()) };
        let period = (tenant, key.start);
        if sheets.current() == Some(period) {
            return sheets.add(key, payload);
        }
        sheets.show(each)?;
        sheets.begin(key, period, payload, waiting.remove(&period))
    })?;
    sheets.show(each)?;
    for (period, fold) in waiting {
        show(period, &fold.cells(facet), each)?;
    }
    Ok(())
}

/// The sheets of one tenant and period.
struct PeriodSheets<'a> {
    wanted: &'a TenantCells,
    first: Option<(SheetKey, TenantPeriod)>,
    /// The payload of the first sheet, while it is the only one.
    payload: Vec<u8>,
    heads: Heads,
    /// The fold of all sheets and deltas, once there is more than one sheet.
    fold: Option<Fold>,
}

impl<'a> PeriodSheets<'a> {
    fn new(wanted: &'a TenantCells) -> Self {
        let heads = Heads::new(wanted.facet, wanted.only);
        Self { wanted, first: None, payload: Vec::new(), heads, fold: None }
    }

    fn current(&self) -> Option<TenantPeriod> {
        self.first.map(|(_, period)| period)
    }

    fn begin(&mut self, key: SheetKey, period: TenantPeriod, payload: &[u8], waiting: Option<Fold>) -> Result<()> {
        self.first = Some((key, period));
        self.fold = waiting;
        if let Some(fold) = &mut self.fold {
            return fold.add(payload).map_err(|error| corrupt(key, error));
        }
        self.payload.clear();
        self.payload.extend_from_slice(payload);
        Ok(())
    }

    fn add(&mut self, key: SheetKey, payload: &[u8]) -> Result<()> {
        if let (None, Some((first, _))) = (&self.fold, self.first) {
            let fold = self.fold.insert(empty(self.wanted));
            fold.add(&self.payload).map_err(|error| corrupt(first, error))?;
        }
        match &mut self.fold {
            Some(fold) => fold.add(payload).map_err(|error| corrupt(key, error)),
            None => Ok(()),
        }
    }

    fn show(&mut self, each: Each<'_>) -> Result<()> {
        let Some((key, period)) = self.first else { return Ok(()) };
        match &self.fold {
            Some(fold) => show(period, &fold.cells(self.wanted.facet), each),
            None => show(period, self.heads.read(&self.payload).map_err(|error| corrupt(key, error))?, each),
        }
    }
}

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
    tx.sheets(&query, &mut |key, _| {
        add(key.scope);
        Ok(())
    })?;
    tx.all_deltas(&mut |waiting| {
        let delta = delta::read(&waiting)?;
        delta.tenants().map(Scope::Tenant).filter(|scope| is_counted(*scope)).for_each(&mut add);
        Ok(())
    })?;
    Ok(tenants)
}

fn show((tenant, start): TenantPeriod, cells: &[Folded], each: Each<'_>) -> Result<()> {
    cells.iter().try_for_each(|cell| each(tenant, start, *cell))
}

fn corrupt(key: SheetKey, error: CodecError) -> Error {
    in_row(Error::internal(error), || sheet_row(key))
}

fn empty(wanted: &TenantCells) -> Fold {
    let fold = Fold::new(&[wanted.facet]);
    match wanted.only {
        Some(id) => fold.only(CellKey::new(wanted.facet, id)),
        None => fold,
    }
}

fn of_deltas(tx: &mut dyn ReadTx, wanted: &TenantCells) -> Result<BTreeMap<TenantPeriod, Fold>> {
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
                    folds.entry(period).or_insert_with(|| empty(wanted)).count(fact, ScopeKind::Tenant);
                }
                Ok(())
            })?;
        }
        Ok(())
    }
}
