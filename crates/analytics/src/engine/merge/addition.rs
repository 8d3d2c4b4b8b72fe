//! Makes sheets of every level from events.

use std::collections::BTreeMap;
use std::rc::Rc;

use trailkeeper_domain::Result;
use trailkeeper_domain::scope::{Level, Part, ScopeKind};
use trailkeeper_domain::time::Timestamp;

use super::halves_of;
use crate::engine::delta::Periods;
use crate::sheet::{Facet, Fact, Fold, Sheet, SheetBuilder};

/// Events of one scope that its sheets do not count yet, by period of the scope's finest level.
pub struct Addition {
    kind: ScopeKind,
    periods: Periods,
    finest: BTreeMap<Timestamp, SheetBuilder>,
}

/// The part of an addition that belongs to one period.
pub struct Period {
    /// The level of the period.
    pub level: Level,
    /// The start of the period.
    pub start: Timestamp,
    /// The halves that count something. Shared with a longer period that has no other events.
    pub halves: Rc<Vec<Half>>,
}

impl Period {
    /// A period with this encoded half.
    ///
    /// # Errors
    /// [`Error::Internal`](trailkeeper_domain::Error::Internal) if the payload is unreadable.
    pub fn of(level: Level, start: Timestamp, part: Part, payload: Vec<u8>) -> Result<Self> {
        let sheet = Sheet::decode(&payload).map_err(trailkeeper_domain::Error::internal)?;
        Ok(Self { level, start, halves: Rc::new(vec![Half { part, payload, sheet }]) })
    }
}

/// One half of an addition's sheet of a period.
pub struct Half {
    /// The part of the sheet.
    pub part: Part,
    /// The encoded sheet.
    pub payload: Vec<u8>,
    sheet: Sheet,
}

impl Addition {
    /// An empty addition.
    pub fn new(kind: ScopeKind) -> Self {
        Self { kind, periods: Periods::new(kind.finest()), finest: BTreeMap::new() }
    }

    /// Adds an event.
    ///
    /// # Errors
    /// [`Error::Internal`](trailkeeper_domain::Error::Internal) for a number outside the range of times.
    pub fn add(&mut self, micros: i64, fact: &Fact) -> Result<()> {
        let start = self.periods.start(micros)?;
        self.finest.entry(start).or_insert_with(|| SheetBuilder::new(self.kind)).add(fact);
        Ok(())
    }

    /// The periods of all levels.
    pub fn into_periods(mut self) -> Vec<Period> {
        // One after the other, so that a builder is freed before the next becomes a sheet.
        let sheets = std::iter::from_fn(|| self.finest.pop_first());
        periods(self.kind, sheets.map(|(start, builder)| (start, builder.finish())))
    }
}

/// The periods of all levels, made of the sheets of the finest level in order of time.
///
/// Days are folded from hours and months from days, so that no byte is folded more often than there are levels. A period
/// with a single part shares that part's halves.
pub fn periods(kind: ScopeKind, finest: impl Iterator<Item = (Timestamp, Sheet)>) -> Vec<Period> {
    let level = kind.finest();
    let mut level_below: Vec<Period> =
        finest.map(|(start, sheet)| Period { level, start, halves: Rc::new(halves(sheet)) }).collect();
    let mut all = Vec::new();
    for longer in Level::MERGED.into_iter().filter(|longer| *longer > level) {
        let united = lengthened(longer, &level_below);
        all.append(&mut level_below);
        level_below = united;
    }
    all.append(&mut level_below);
    all
}

fn lengthened(level: Level, parts: &[Period]) -> Vec<Period> {
    let groups = parts.chunk_by(|a, b| level.floor(a.start) == level.floor(b.start));
    let longer = groups.filter_map(|group| {
        let first = group.first()?;
        let halves = if group.len() == 1 { Rc::clone(&first.halves) } else { Rc::new(united(group)) };
        Some(Period { level, start: level.floor(first.start), halves })
    });
    longer.collect()
}

fn united(group: &[Period]) -> Vec<Half> {
    let mut fold = Fold::new(&Facet::ALL);
    for half in group.iter().flat_map(|period| period.halves.iter()) {
        fold.add_sheet(&half.sheet);
    }
    halves(fold.into_sheet())
}

fn halves(sheet: Sheet) -> Vec<Half> {
    let halves = halves_of(sheet).into_iter();
    halves.map(|(part, sheet)| Half { part, payload: sheet.encode(), sheet }).collect()
}
