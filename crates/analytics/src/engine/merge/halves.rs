//! The halves of a sheet, which are stored separately.

use trailkeeper_domain::scope::Part;

use crate::sheet::Sheet;

/// The halves of a sheet that count anything.
pub fn halves_of(sheet: Sheet) -> Vec<(Part, Sheet)> {
    let (pages, totals) = sheet.partition(|facet| facet.part() == Part::Pages);
    let both = [(Part::Totals, totals), (Part::Pages, pages)];
    both.into_iter().filter(|(_, half)| !half.is_empty()).collect()
}
