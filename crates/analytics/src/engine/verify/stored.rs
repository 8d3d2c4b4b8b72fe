//! Compares the stored sheets and deltas of a range with the recount.

use std::collections::{BTreeMap, BTreeSet};

use trailkeeper_domain::ports::{ReadTx, Scopes, SheetPeriod, SheetQuery, WaitingDelta};
use trailkeeper_domain::scope::{Level, Part, Scope};
use trailkeeper_domain::time::{TimeRange, Timestamp};
use trailkeeper_domain::{Error, Result};
use trailkeeper_postings::dimension::Column;

use super::recount::Sheets;
use super::{Counts, Difference, Findings};
use crate::engine::delta::{self, Periods};
use crate::engine::sheet_row;
use crate::sheet::{CellKey, Facet, Fold, Sheet};

/// All scopes that have sheets.
const SCOPES: [Scopes; 2] = [Scopes::One(Scope::Everyone), Scopes::EveryTenant];

/// The waiting deltas.
pub struct Deltas {
    /// The months of their events.
    months: BTreeSet<Timestamp>,
    unreadable: BTreeSet<i64>,
}

impl Deltas {
    /// Reads all deltas once, and reports the unreadable ones.
    pub fn survey(tx: &mut dyn ReadTx, found: &mut Findings<'_>) -> Result<Self> {
        let mut deltas = Self { months: BTreeSet::new(), unreadable: BTreeSet::new() };
        let mut each_month = Periods::new(Level::Month);
        tx.all_deltas(&mut |waiting| {
            let mut months = BTreeSet::new();
            match months_of(&waiting, &mut each_month, &mut months) {
                Ok(()) => {
                    found.verified.deltas += u64::from(!months.is_empty());
                    deltas.months.append(&mut months);
                }
                Err(error) => {
                    deltas.unreadable.insert(waiting.number);
                    found.report(Difference::Unreadable { row: error.chain().to_string() });
                }
            }
            Ok(())
        })?;
        Ok(deltas)
    }

    /// The first and the last month of their events.
    pub fn span(&self) -> impl Iterator<Item = Timestamp> {
        self.months.first().into_iter().chain(self.months.last()).copied()
    }

    /// The folds of the events of readable deltas for each period of a month. A scope that a merge has marked counts the
    /// deltas of that merge in its sheets.
    pub fn of_range(&self, tx: &mut dyn ReadTx, month: TimeRange) -> Result<BTreeMap<SheetPeriod, Fold>> {
        let mut folds = BTreeMap::new();
        if !self.months.contains(&month.start) {
            return Ok(folds);
        }
        let (start, end) = (month.start.timestamp_micros(), month.end.timestamp_micros());
        let columns = delta::columns_of(Facet::ALL);
        let mut hours = Periods::new(Level::Hour);
        tx.all_deltas(&mut |waiting| {
            if self.unreadable.contains(&waiting.number) {
                return Ok(());
            }
            let delta = delta::read(&waiting)?;
            for section in delta::sections(&delta, Scope::Everyone) {
                let mut scopes = vec![Scope::Everyone, Scope::Tenant(section.tenant_id())];
                scopes.retain(|scope| !waiting.merged.contains(scope));
                delta::each_fact(waiting.number, &section, &columns, |at, fact| {
                    if at < start || end <= at {
                        return Ok(());
                    }
                    let hour = hours.start(at)?;
                    for period in scopes.iter().flat_map(|scope| periods(*scope, hour)) {
                        let fold = folds.entry(period).or_insert_with(|| Fold::of_part(period.part));
                        fold.count(fact, period.scope.kind());
                    }
                    Ok(())
                })?;
            }
            Ok(())
        })?;
        // The events of a period may count in one of the halves only.
        folds.retain(|_, fold: &mut Fold| !fold.clone().into_sheet().is_empty());
        Ok(folds)
    }
}

/// Adds the months of the events of customers.
fn months_of(waiting: &WaitingDelta<'_>, each: &mut Periods, months: &mut BTreeSet<Timestamp>) -> Result<()> {
    let delta = delta::read(waiting)?;
    for section in delta::sections(&delta, Scope::Everyone) {
        delta::each_fact(waiting.number, &section, &[Column::Outcome], |at, _| {
            months.insert(each.start(at)?);
            Ok(())
        })?;
    }
    Ok(())
}

fn periods(scope: Scope, hour: Timestamp) -> impl Iterator<Item = SheetPeriod> {
    let levels = scope.kind().levels().iter();
    levels.flat_map(move |level| {
        Part::ALL.map(|part| SheetPeriod { scope, level: *level, part, start: level.floor(hour) })
    })
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
            for level in Level::MERGED {
                for part in Part::ALL {
                    let query = SheetQuery { scopes, level, part, starts: range };
                    self.sheets(tx, &query, found)?;
                }
            }
        }
        // Periods without sheets: all of their events may be in deltas.
        let left: BTreeSet<SheetPeriod> = self.recount.keys().chain(self.waiting.keys()).copied().collect();
        for period in left {
            let fold = self.waiting.remove(&period).unwrap_or_else(|| Fold::of_part(period.part));
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
                    let fold = self.waiting.remove(&period).unwrap_or_else(|| Fold::of_part(period.part));
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
            // An empty sheet only holds the number of a run: all events of the period were removed.
            Some(Runs { period, fold, .. }) if !self.recount.contains_key(&period) => {
                if fold.into_sheet().is_empty() {
                    return Ok(());
                }
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
