//! Reads the cells of sheets. The sheets of one period are in memory at a time.

use std::collections::BTreeMap;

use trailkeeper_domain::ports::{ReadTx, SheetKey, SheetQuery};
use trailkeeper_domain::scope::{Part, Scope};
use trailkeeper_domain::{Error, Result};

use super::cells::{Each, TenantCells, TenantPeriod, show};
use crate::engine::{in_row, sheet_row};
use crate::sheet::{CodecError, Fold, Heads};

/// Calls `each` with the cells of all sheets of these tenants and periods, together with those of `waiting`, from which
/// it takes what it has passed on.
///
/// Most periods have one sheet, whose cells say how many ids they have: ids are decoded only where a period has several
/// sheets or waiting events.
pub fn per_tenant(
    tx: &mut dyn ReadTx,
    wanted: &TenantCells,
    waiting: &mut BTreeMap<TenantPeriod, Fold>,
    each: Each<'_>,
) -> Result<()> {
    let TenantCells { scopes, level, starts, .. } = *wanted;
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
    sheets.show(each)
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
            let fold = self.fold.insert(self.wanted.empty_fold());
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

fn corrupt(key: SheetKey, error: CodecError) -> Error {
    in_row(Error::internal(error), || sheet_row(key))
}
