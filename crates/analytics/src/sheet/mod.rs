//! Sheets: mergeable summaries of events, with exact sets of users.
//!
//! A [`Sheet`] maps cell keys to cells; a cell is a count and a set of ordinals. Sheets of disjoint sets of events merge
//! into the sheet of all of them: counts add up, sets unite. Nothing is estimated. [`Fold`] answers questions from
//! encoded sheets without decoding them, and [`cover`] finds the sheets for a range of time. The model, the format on
//! disk and the measurements are in `docs/sheets.md`.
//!
//! This module knows no database. Ordinals and ids come from the dictionaries of the store.
//!
//! ```
//! use trailkeeper_analytics::sheet::{CellKey, Facet, Fact, Fold, ScopeKind, Sheet};
//!
//! // Views of page 7: two by the user with ordinal 1, one by user 2. The type 4 is `page_load`.
//! let view = |user| Fact {
//!     page: Some(7), env: 1, kind: 4, userinfo: false, login: None, failed: false, user: Some(user), source: None,
//! };
//! let monday = Sheet::of(ScopeKind::Tenant, &[view(1), view(1)]);
//! let tuesday = Sheet::of(ScopeKind::Tenant, &[view(1), view(2)]);
//!
//! let payload = monday.encode();
//! assert_eq!(Sheet::decode(&payload)?, monday);
//!
//! // Distinct users over both days, from the encoded sheets.
//! let mut fold = Fold::new(&[Facet::Views]);
//! fold.add(&payload)?;
//! fold.add(&tuesday.encode())?;
//! let views = fold.cell(CellKey::new(Facet::Views, 7));
//! assert_eq!((views.count, views.distinct), (4, 2));
//! # Ok::<(), trailkeeper_analytics::sheet::CodecError>(())
//! ```

mod bits;
mod cell;
mod codec;
mod cover;
mod fact;
mod fold;
mod hash;
mod heads;
mod numbers;
mod set;
mod tenant_counts;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

pub use bits::IdBits;
pub use cell::{Cell, CellKey, Facet};
pub use codec::{CodecError, Flaw};
pub use cover::{Cover, Piece, cover};
pub use fact::{Fact, SheetBuilder};
pub use fold::{Fold, Folded};
pub use heads::Heads;
pub use numbers::Numbers;
pub use set::IdSet;
pub use tenant_counts::{TenantCounts, TenantCountsBuilder};
pub use trailkeeper_domain::scope::{Level, Part, ScopeKind};

/// The summary of a set of events of one scope.
///
/// Two sheets are equal if they count the same. The empty sheet is the neutral element of merging.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sheet {
    cells: BTreeMap<CellKey, Cell>,
}

impl Sheet {
    /// The sheet of these cells, whose keys are distinct and whose counts keep the invariants of [`Cell`].
    fn of_cells(cells: impl IntoIterator<Item = (CellKey, Cell)>) -> Self {
        Self { cells: cells.into_iter().collect() }
    }

    /// Adds the sheet of other events of the same scope.
    ///
    /// No event may be in both sheets: it would be counted twice.
    pub fn merge(&mut self, other: Self) {
        if self.cells.is_empty() {
            *self = other;
            return;
        }
        for (key, cell) in other.cells {
            match self.cells.entry(key) {
                Entry::Vacant(entry) => {
                    entry.insert(cell);
                }
                Entry::Occupied(mut entry) => entry.get_mut().merge(&cell),
            }
        }
    }

    /// One cell; `None` if nothing was counted in it.
    pub fn get(&self, key: CellKey) -> Option<&Cell> {
        self.cells.get(&key)
    }

    /// All cells, by facet and id.
    pub fn cells(&self) -> impl Iterator<Item = (CellKey, &Cell)> {
        self.cells.iter().map(|(key, cell)| (*key, cell))
    }

    /// The number of cells.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether the sheet has no cells.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// Splits the sheet by facet: the facets that `first` accepts, and the others. Both parts merge to the whole, so a
    /// store may keep the large pages apart from the small totals, and a question reads only the part that it needs.
    pub fn partition(self, first: impl Fn(Facet) -> bool) -> (Self, Self) {
        let (yes, no) = self.cells.into_iter().partition(|(key, _)| first(key.facet));
        (Self { cells: yes }, Self { cells: no })
    }
}
