//! Where sheets lie.

use trailkeeper_domain::ports::SheetKey;
use trailkeeper_domain::scope::{Level, Part, Scope};
use trailkeeper_domain::time::Timestamp;

use crate::sheet::Sheet;

/// One half of the sheets of one period: all its runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Whom they are about.
    pub scope: Scope,
    /// How long the period is.
    pub level: Level,
    /// Which half.
    pub part: Part,
    /// Where the period begins.
    pub start: Timestamp,
}

impl Place {
    /// Where a run lies.
    pub fn of(key: SheetKey) -> Self {
        Self { scope: key.scope, level: key.level, part: key.part, start: key.start }
    }

    /// The key of one of its runs.
    pub fn key(self, run: u32) -> SheetKey {
        SheetKey { scope: self.scope, level: self.level, part: self.part, start: self.start, run }
    }
}

/// A sheet's two halves, as far as they count anything.
pub fn halves_of(sheet: Sheet) -> Vec<(Part, Sheet)> {
    let (pages, totals) = sheet.partition(|facet| facet.part() == Part::Pages);
    let both = [(Part::Totals, totals), (Part::Pages, pages)];
    both.into_iter().filter(|(_, half)| !half.is_empty()).collect()
}
