//! Compares the stored sheets and deltas of a range with the recount.

use std::collections::{BTreeMap, BTreeSet};

use trailkeeper_domain::ports::{DeltaKey, ReadTx, Scopes, SheetPeriod, SheetQuery};
use trailkeeper_domain::scope::{Level, Part, Scope};
use trailkeeper_domain::time::{TimeRange, Timestamp};
use trailkeeper_domain::{Error, Result};

use super::recount::Sheets;
use super::{Counts, Difference, Findings};
use crate::engine::{delta, delta_row, sheet_row};
use crate::sheet::{CellKey, Facet, Fold, Sheet};

/// All scopes that have sheets.
const SCOPES: [Scopes; 2] = [Scopes::One(Scope::Everyone), Scopes::EveryTenant];

/// The waiting deltas.
pub struct Deltas {
    /// The months of their events.
    months: BTreeSet<Timestamp>,
    unreadable: BTreeSet<DeltaKey>,
}

impl Deltas {
    /// Reads all deltas once, and reports the unreadable ones.
    pub fn survey(tx: &mut dyn ReadTx, found: &mut Findings<'_>) -> Result<Self> {
        let mut deltas = Self { months: BTreeSet::new(), unreadable: BTreeSet::new() };
        for scopes in SCOPES {
            tx.deltas(scopes, &mut |key, payload| {
                found.verified.deltas += 1;
                let mut months = BTreeSet::new();
                let walked = delta::walk(payload, |hour, sheet| {
                    months.insert(Level::Month.floor(hour));
                    Fold::new(&Facet::ALL).add(sheet).map_err(Error::internal)
                });
                match walked {
                    Ok(()) => deltas.months.append(&mut months),
                    Err(error) => {
                        deltas.unreadable.insert(key);
                        found.report(Difference::Unreadable { row: format!("{}: {}", delta_row(key), error.chain()) });
                    }
                }
                Ok(())
            })?;
        }
        Ok(deltas)
    }

    /// The first and the last month of their events.
    pub fn span(&self) -> impl Iterator<Item = Timestamp> {
        self.months.first().into_iter().chain(self.months.last()).copied()
    }

    /// The folds of the readable deltas for each period of a month.
    pub fn of_range(&self, tx: &mut dyn ReadTx, month: TimeRange) -> Result<BTreeMap<SheetPeriod, Fold>> {
        let mut folds = BTreeMap::new();
        if !self.months.contains(&month.start) {
            return Ok(folds);
        }
        for scopes in SCOPES {
            tx.deltas(scopes, &mut |key, payload| {
                if self.unreadable.contains(&key) {
                    return Ok(());
                }
                delta::walk(payload, |hour, sheet| {
                    if hour < month.start || month.end <= hour {
                        return Ok(());
                    }
                    for period in periods(key.scope, hour) {
                        let fold = folds.entry(period).or_insert_with(|| empty(period.part));
                        fold.add(sheet).map_err(Error::internal)?;
                    }
                    Ok(())
                })
            })?;
        }
        // A delta's sheet may lack one of the halves.
        folds.retain(|_, fold: &mut Fold| !fold.clone().into_sheet().is_empty());
        Ok(folds)
    }
}

fn periods(scope: Scope, hour: Timestamp) -> impl Iterator<Item = SheetPeriod> {
    let levels = scope.kind().levels().iter();
    levels.flat_map(move |level| {
        Part::ALL.map(|part| SheetPeriod { scope, level: *level, part, start: level.floor(hour) })
    })
}

fn empty(part: Part) -> Fold {
    let facets: Vec<Facet> = Facet::ALL.into_iter().filter(|facet| facet.part() == part).collect();
    Fold::new(&facets)
}

/// The comparison of a range. Periods that were compared are removed from it.
#[derive(Default)]
pub struct Comparison {
    recount: Sheets,
    /// The folds of the waiting deltas.
    waiting: BTreeMap<SheetPeriod, Fold>,
}

/// The runs of one period.
struct Runs {
    period: SheetPeriod,
    fold: Fold,
    readable: bool,
}

impl Comparison {
    /// The comparison of one month.
    pub fn new(recount: Sheets, waiting: BTreeMap<SheetPeriod, Fold>) -> Self {
        Self { recount, waiting }
    }

    /// Compares all periods that begin in the range.
    pub fn run(mut self, tx: &mut dyn ReadTx, range: TimeRange, found: &mut Findings<'_>) -> Result<()> {
        for scopes in SCOPES {
            for level in Level::ALL {
                for part in Part::ALL {
                    let query = SheetQuery { scopes, level, part, starts: range };
                    self.sheets(tx, &query, found)?;
                }
            }
        }
        // Periods without sheets: all of their events may be in deltas.
        let left: BTreeSet<SheetPeriod> = self.recount.keys().chain(self.waiting.keys()).copied().collect();
        for period in left {
            let fold = self.waiting.remove(&period).unwrap_or_else(|| empty(period.part));
            self.compare(period, fold, found)?;
        }
        Ok(())
    }

    fn sheets(&mut self, tx: &mut dyn ReadTx, query: &SheetQuery, found: &mut Findings<'_>) -> Result<()> {
        let mut current: Option<Runs> = None;
        tx.sheets(query, &mut |key, payload| {
            found.verified.sheets += 1;
            let period = key.period();
            let runs = match current.take() {
                Some(runs) if runs.period == period => runs,
                done => {
                    self.done(done, found)?;
                    let fold = self.waiting.remove(&period).unwrap_or_else(|| empty(period.part));
                    Runs { period, fold, readable: true }
                }
            };
            let runs = current.insert(runs);
            // With all facets, so that the whole payload is checked, whichever half it is.
            if let Err(error) = Fold::new(&Facet::ALL).add(payload).and_then(|()| runs.fold.add(payload)) {
                runs.readable = false;
                found.report(Difference::Unreadable { row: format!("{}: {error}", sheet_row(key)) });
            }
            Ok(())
        })?;
        self.done(current, found)
    }

    fn done(&mut self, runs: Option<Runs>, found: &mut Findings<'_>) -> Result<()> {
        match runs {
            None => Ok(()),
            Some(Runs { period, readable: false, .. }) => {
                self.recount.remove(&period);
                Ok(())
            }
            Some(Runs { period, .. }) if !self.recount.contains_key(&period) => {
                let SheetPeriod { scope, level, part, start } = period;
                found.report(Difference::Stray { scope, level, part, start });
                Ok(())
            }
            Some(Runs { period, fold, .. }) => self.compare(period, fold, found),
        }
    }

    fn compare(&mut self, period: SheetPeriod, fold: Fold, found: &mut Findings<'_>) -> Result<()> {
        let sheets = fold.into_sheet();
        let events = match self.recount.remove(&period) {
            Some(payload) => Sheet::decode(&payload).map_err(Error::internal)?,
            None => Sheet::default(),
        };
        if sheets == events {
            return Ok(());
        }
        let keys: BTreeSet<CellKey> = sheets.cells().chain(events.cells()).map(|(key, _)| key).collect();
        for cell in keys {
            let (ours, theirs) = (sheets.get(cell), events.get(cell));
            if ours != theirs {
                let SheetPeriod { scope, level, start, .. } = period;
                let (sheets, events) = (Counts::of(ours), Counts::of(theirs));
                found.report(Difference::Cell { scope, level, start, cell, sheets, events });
            }
        }
        Ok(())
    }
}
