//! Sheets: mergeable summaries of events, with exact sets of users.
//!
//! A [`Sheet`] maps cell keys to cells; a cell is a count and a set of ordinals. Sheets of disjoint
//! sets of events merge into the sheet of all of them: counts add, sets unite. Nothing is estimated.
//! [`Fold`] answers questions from encoded sheets without decoding them, [`cover`] says which sheets a
//! range of time needs. The model, the format on disk and the measurements are in `docs/sheets.md`.
//!
//! Nothing here knows a database. Ordinals and ids are given by the store's dictionaries.

mod bits;
mod cell;
mod codec;
mod cover;
mod fact;
mod fold;
mod hash;
mod heads;
mod set;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

pub use bits::IdBits;
pub use cell::{Cell, CellKey, Facet};
pub use codec::{CodecError, Flaw};
pub(crate) use codec::{Reader, checksum, put_number};
pub use cover::{Cover, Piece, cover};
pub use fact::{Fact, SheetBuilder};
pub use fold::{Fold, Folded};
pub use heads::Heads;
pub use set::IdSet;
pub use trailkeeper_domain::scope::{Level, Part, ScopeKind};

/// The summary of a set of events of one scope.
///
/// Two sheets are equal when they count the same. The empty sheet is the neutral element of merging.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sheet {
    cells: BTreeMap<CellKey, Cell>,
}

impl Sheet {
    /// The sheet of these events. Those of the system tenant must not be among them (see [`Fact`]).
    pub fn of<'a>(scope: ScopeKind, facts: impl IntoIterator<Item = &'a Fact>) -> Self {
        let mut builder = SheetBuilder::new(scope);
        for fact in facts {
            builder.add(fact);
        }
        builder.finish()
    }

    /// From cells with distinct keys that keep the promises of [`Cell`].
    fn of_cells(cells: impl IntoIterator<Item = (CellKey, Cell)>) -> Self {
        Self { cells: cells.into_iter().collect() }
    }

    /// Adds the sheet of other events of the same scope.
    ///
    /// No event may be in both: counts would count it twice.
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

    /// One cell; `None` where nothing was counted.
    pub fn get(&self, key: CellKey) -> Option<&Cell> {
        self.cells.get(&key)
    }

    /// All cells, by facet and id.
    pub fn cells(&self) -> impl Iterator<Item = (CellKey, &Cell)> {
        self.cells.iter().map(|(key, cell)| (*key, cell))
    }

    /// How many cells there are.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether it counts nothing.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// Divides it by facet: those that `first` accepts, and the rest. Merging both gives it back, so a
    /// store may keep the large pages apart from the small totals and read only what a question needs.
    pub fn partition(self, first: impl Fn(Facet) -> bool) -> (Self, Self) {
        let (yes, no) = self.cells.into_iter().partition(|(key, _)| first(key.facet));
        (Self { cells: yes }, Self { cells: no })
    }

    /// The compact, versioned form of `docs/sheets.md`.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads what [`Sheet::encode`] wrote.
    ///
    /// # Errors
    /// A payload that is truncated, corrupt or of a version or facet that this program does not know.
    /// The error tells what and where; the caller adds the row.
    pub fn decode(payload: &[u8]) -> Result<Self, CodecError> {
        codec::decode(payload)
    }
}
