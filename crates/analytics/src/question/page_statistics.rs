//! Page views and distinct users, per page and over all pages.

use std::sync::Arc;

use chrono::{Duration, Months};
use trailkeeper_domain::ports::{ReadTx, Store};
use trailkeeper_domain::time::{TimeRange, Timestamp};
use trailkeeper_domain::{Error, Result};

use super::ranking::{self, Dictionary, Named};
use crate::engine::read;
use crate::sheet::{CellKey, Facet, Folded, Numbers};
use crate::span::bounds::MAX_YEARS_OF_DAYS;
use crate::{Audience, Span, Zone};

/// The most pages that a request may ask for.
pub const MAX_PAGES: usize = 10_000;

/// A question for the pages of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PagesQuestion {
    /// The range.
    pub span: Span,
    /// The range to compare with: it ends where `span` begins.
    pub previous: Option<Span>,
    /// The most pages in the answer.
    pub limit: usize,
}

impl PagesQuestion {
    /// All pages from `start` to `end`, which are whole UNIX seconds and both included: a view at 23:59:59.9 counts if
    /// the end is 23:59:59.
    ///
    /// # Errors
    /// [`Error::Invalid`] for `start_timestamp` or `end_timestamp` if the range is inverted or longer than ten years.
    pub fn of_seconds(start: Timestamp, end: Timestamp) -> Result<Self> {
        let (from, to) = (start.timestamp(), end.timestamp());
        if start > end {
            return Err(Error::invalid(
                "start_timestamp",
                format!("{from} lies after end_timestamp {to}; swap the two"),
            ));
        }
        if start.checked_add_months(Months::new(MAX_YEARS_OF_DAYS * 12)).is_some_and(|latest| end > latest) {
            return Err(Error::invalid(
                "end_timestamp",
                format!(
                    "{to} is more than {MAX_YEARS_OF_DAYS} years after start_timestamp {from}; ask for a shorter range"
                ),
            ));
        }
        let range = TimeRange { start, end: end + Duration::seconds(1) };
        Ok(Self { span: Span::new(Zone::UTC, range), previous: None, limit: usize::MAX })
    }
}

/// Views and users of the pages of a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageStatistics {
    /// The totals over all pages.
    pub totals: PageTotals,
    /// The totals of the range to compare with.
    pub previous: Option<PageTotals>,
    /// The pages of the range, by views descending, then by page.
    pub pages: Vec<Named<PageUse>>,
}

/// The totals over all pages of a range.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PageTotals {
    /// Views and distinct users over all pages; the users are not the sum of those of the pages.
    pub seen: Views,
    /// The number of distinct pages that were viewed.
    pub pages: u64,
}

/// Page views and their distinct users.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Views {
    /// Events that name the page, failed ones included.
    pub views: u64,
    /// Distinct users of the events that name one.
    pub users: u64,
}

/// The views of one page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageUse {
    /// Views in the range.
    pub current: Views,
    /// Views in the range to compare with.
    pub previous: Option<Views>,
}

impl From<Folded> for Views {
    fn from(cell: Folded) -> Self {
        Self { views: cell.count, users: cell.distinct }
    }
}

/// The pages with the most views.
///
/// Pages beyond those that a tenant may add to the dictionary in a day are counted together, as the page `(other)`.
pub fn page_statistics(store: &dyn Store, question: &PagesQuestion, audience: &Audience) -> Result<PageStatistics> {
    store.reading(|tx| answer(tx, question, audience))
}

fn answer(tx: &mut dyn ReadTx, question: &PagesQuestion, audience: &Audience) -> Result<PageStatistics> {
    let current = fold(tx, audience, question.span.range)?;
    let totals = totals(&current);
    let cells = current.cells(Facet::Views).into_iter();
    let counts = cells
        .map(|cell| Ok((u32::try_from(cell.id).map_err(Error::internal)?, cell)))
        .collect::<Result<Vec<(u32, Folded)>>>()?;
    drop(current);
    let pages = Dictionary::Pages;
    let found = ranking::greatest(pages, counts, question.limit, |cell| cell.count, &mut |ids| pages.names(tx, ids))?;
    let before = question.previous.map(|span| fold(tx, audience, span.range)).transpose()?;
    let used = |cell: Folded| PageUse {
        current: cell.into(),
        previous: before.as_ref().map(|fold| fold.cell(CellKey::new(Facet::Views, cell.id)).into()),
    };
    Ok(PageStatistics {
        totals,
        previous: before.as_deref().map(self::totals),
        pages: found.into_iter().map(|page| Named { name: page.name, counted: used(page.counted) }).collect(),
    })
}

fn fold(tx: &mut dyn ReadTx, audience: &Audience, range: TimeRange) -> Result<Arc<Numbers>> {
    read::fold(tx, audience, range, &[Facet::Views, Facet::AllViews])
}

fn totals(fold: &Numbers) -> PageTotals {
    PageTotals {
        seen: fold.cell(CellKey::single(Facet::AllViews)).into(),
        pages: fold.cells(Facet::Views).len() as u64,
    }
}

#[cfg(test)]
mod tests {
    use trailkeeper_domain::time::parse_rfc3339;

    use super::*;

    fn asked(start: &str, end: &str) -> Result<PagesQuestion> {
        let at = |text| parse_rfc3339("at", text).unwrap();
        PagesQuestion::of_seconds(at(start), at(end))
    }

    #[test]
    fn the_last_second_is_included_to_its_end() {
        let range = |start, end| asked(start, end).unwrap().span.range;
        let month = range("2023-12-01T00:00:00Z", "2023-12-31T23:59:59Z");
        assert_eq!(month.end, parse_rfc3339("at", "2024-01-01T00:00:00Z").unwrap());
        let second = range("2023-12-01T00:00:00Z", "2023-12-01T00:00:00Z");
        assert_eq!(second.end - second.start, Duration::seconds(1));
    }

    #[test]
    fn wrong_ranges_name_their_field() {
        for (start, end, field) in [
            ("2024-01-01T00:00:01Z", "2024-01-01T00:00:00Z", "start_timestamp"),
            ("2014-01-01T00:00:00Z", "2024-01-01T00:00:01Z", "end_timestamp"),
        ] {
            let error = asked(start, end).unwrap_err();
            assert_eq!(error.detail().unwrap().field.as_deref(), Some(field), "{error}");
        }
        assert!(asked("2014-01-01T00:00:00Z", "2024-01-01T00:00:00Z").is_ok());
    }
}
