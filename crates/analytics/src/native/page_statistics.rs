//! Views and distinct users, per page and over all pages.

use std::sync::Arc;

use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::ports::ReadTx;
use trailkeeper_domain::time::TimeRange;
use trailkeeper_domain::{Error, Result};

use super::Audience;
use super::buckets::Span;
use super::ranking::{self, Named};
use super::tally::Folding;
use crate::Source;
use crate::sheet::{CellKey, Facet, Fold, Folded};

/// How many pages one answer may name.
pub const MAX_PAGES: usize = 10_000;

/// Which pages are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PagesQuestion {
    /// Whose views.
    pub audience: Audience,
    /// Over which time.
    pub span: Span,
    /// The time to compare with: it ends where `span` begins.
    pub previous: Option<Span>,
    /// How many pages at most, 1 to [`MAX_PAGES`].
    pub limit: usize,
}

/// Views and users of the pages of a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageStatistics {
    /// Over all pages.
    pub totals: PageTotals,
    /// The same of the time to compare with.
    pub previous: Option<PageTotals>,
    /// By views descending, then by page.
    pub pages: Vec<Named<PageUse>>,
}

/// What all pages of a range had.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PageTotals {
    /// Views and users over all pages: users are no sum.
    pub seen: Views,
    /// How many distinct pages were viewed.
    pub pages: u64,
}

/// Views and the distinct users who had them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Views {
    /// Events that name the page, whatever their outcome.
    pub views: u64,
    /// Distinct users.
    pub users: u64,
}

/// What one page had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageUse {
    /// In the range.
    pub current: Views,
    /// In the time to compare with.
    pub previous: Option<Views>,
}

impl From<Folded> for Views {
    fn from(cell: Folded) -> Self {
        Self { views: cell.count, users: cell.distinct }
    }
}

/// The pages with the most views, in one snapshot.
///
/// Pages past what a tenant may add to the dictionary in a day are counted together, as the page `(other)`.
pub fn page_statistics(
    source: Source<'_>,
    question: &PagesQuestion,
    tenant_scoped: Option<TenantId>,
) -> Result<PageStatistics> {
    let scope_filter = question.audience.folding(source, tenant_scoped)?;
    source.store.reading(|tx| answer(tx, question, scope_filter))
}

fn answer(tx: &mut dyn ReadTx, question: &PagesQuestion, scope_filter: Folding<'_>) -> Result<PageStatistics> {
    let current = fold(tx, scope_filter, question.span.range)?;
    let totals = totals(&current);
    let cells = current.cells(Facet::Views).into_iter();
    let counts = cells
        .map(|cell| Ok((u32::try_from(cell.id).map_err(Error::internal)?, cell)))
        .collect::<Result<Vec<(u32, Folded)>>>()?;
    drop(current);
    let found = ranking::greatest(counts, question.limit, |cell| cell.count, &mut |ids| tx.page_keys(ids))?;
    let before = question.previous.map(|span| fold(tx, scope_filter, span.range)).transpose()?;
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

fn fold(tx: &mut dyn ReadTx, scope_filter: Folding<'_>, range: TimeRange) -> Result<Arc<Fold>> {
    scope_filter.fold(tx, range, &[Facet::Views, Facet::AllViews])
}

fn totals(fold: &Fold) -> PageTotals {
    PageTotals {
        seen: fold.cell(CellKey::single(Facet::AllViews)).into(),
        pages: fold.cells(Facet::Views).len() as u64,
    }
}
