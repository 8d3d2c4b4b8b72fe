//! Merges encoded sheets without decoding them to sets first.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::OnceLock;

use super::bits::IdBits;
use super::cell::{Cell, CellKey, Facet};
use super::codec::{self, CodecError, Visitor};
use super::fact::Fact;
use super::hash::SeededHash;
use super::set::IdSet;
use super::{ScopeKind, Sheet};

/// Merges sheets one after the other, for chosen facets: counts add up, sets go directly into bits.
///
/// Other facets are skipped. Memory depends on the cells and distinct ids of the chosen facets, not on the number of
/// sheets.
#[derive(Debug, Clone)]
pub struct Fold {
    parts: Vec<Part>,
    /// The index of the part whose cells are read at the moment.
    current: usize,
}

#[derive(Debug, Clone)]
struct Part {
    facet: Facet,
    /// The only cell that is folded; `None` folds all cells.
    only: Option<u64>,
    cells: HashMap<u64, Tally, SeededHash>,
}

#[derive(Debug, Clone, Default)]
struct Tally {
    count: u64,
    ids: IdBits,
    /// The number of ids, counted once: a cached fold is read many times.
    distinct: OnceLock<u64>,
}

impl Part {
    /// Adds to the count of a cell and returns its ids; `None` for a cell that is not folded.
    fn add(&mut self, id: u64, count: u64) -> Option<&mut IdBits> {
        let wanted = self.only.is_none_or(|only| only == id);
        wanted.then(|| self.cells.entry(id).or_default().add(count))
    }
}

impl Tally {
    fn add(&mut self, count: u64) -> &mut IdBits {
        // Saturating as in `Cell::merge`.
        self.count = self.count.saturating_add(count);
        self.distinct.take();
        &mut self.ids
    }

    fn folded(&self, id: u64) -> Folded {
        let distinct = *self.distinct.get_or_init(|| self.ids.len() as u64);
        Folded { id, count: self.count, distinct }
    }
}

/// The counts of one cell, or of all cells of a facet together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Folded {
    /// The id of the page, environment or type; 0 for a facet as a whole.
    pub id: u64,
    /// The number of events.
    pub count: u64,
    /// The number of distinct users or sources.
    pub distinct: u64,
}

impl Fold {
    /// An empty fold of these facets.
    pub fn new(facets: &[Facet]) -> Self {
        let mut facets = facets.to_vec();
        facets.sort_unstable();
        facets.dedup();
        let parts = facets.into_iter().map(|facet| Part { facet, only: None, cells: HashMap::default() }).collect();
        Self { parts, current: 0 }
    }

    /// An empty fold of all facets of one half of sheets.
    pub fn of_part(part: super::Part) -> Self {
        Self::new(&Facet::ALL.into_iter().filter(|facet| facet.part() == part).collect::<Vec<_>>())
    }

    /// Folds only this cell of its facet, and skips the other cells.
    #[must_use]
    pub fn only(mut self, key: CellKey) -> Self {
        for part in self.parts.iter_mut().filter(|part| part.facet == key.facet) {
            part.only = Some(key.id);
        }
        self
    }

    /// An empty fold of the same cells.
    #[must_use]
    pub fn emptied(&self) -> Self {
        let empty = |part: &Part| Part { facet: part.facet, only: part.only, cells: HashMap::default() };
        Self { parts: self.parts.iter().map(empty).collect(), current: 0 }
    }

    /// Adds a fold of other events that has the same choice of cells.
    pub fn unite(&mut self, other: Self) {
        for theirs in other.parts {
            let Some(mine) = self.parts.iter_mut().find(|part| part.facet == theirs.facet) else { continue };
            if mine.cells.is_empty() {
                mine.cells = theirs.cells;
                continue;
            }
            for (id, tally) in theirs.cells {
                match mine.cells.entry(id) {
                    Entry::Vacant(entry) => {
                        entry.insert(tally);
                    }
                    Entry::Occupied(mut entry) => entry.get_mut().add(tally.count).unite(&tally.ids),
                }
            }
        }
    }

    /// The cells that are folded: for each facet the id of the only cell, or `None` for all. Folds of the same sheets with
    /// the same choice are equal.
    pub fn choice(&self) -> impl Iterator<Item = (Facet, Option<u64>)> + '_ {
        self.parts.iter().map(|part| (part.facet, part.only))
    }

    /// About how many bytes of memory the fold takes.
    pub fn bytes(&self) -> usize {
        let parts = self.parts.iter().map(|part| {
            // A table keeps an eighth of its slots free, and a control byte for each slot.
            let slots = part.cells.capacity() / 7 * 8 + 8;
            let ids: usize = part.cells.values().map(|tally| tally.ids.heap_bytes()).sum();
            slots * (size_of::<(u64, Tally)>() + 1) + ids
        });
        size_of::<Self>() + self.parts.capacity() * size_of::<Part>() + parts.sum::<usize>()
    }

    /// Adds an encoded sheet of other events.
    ///
    /// # Errors
    /// As [`Sheet::decode`]. Then the fold contains a part of that sheet and must be discarded.
    pub fn add(&mut self, payload: &[u8]) -> Result<(), CodecError> {
        codec::walk(payload, self)
    }

    /// Adds only these facets of an encoded sheet; errors as [`Self::add`].
    pub(super) fn add_facets(&mut self, payload: &[u8], facets: &[Facet]) -> Result<(), CodecError> {
        codec::walk(payload, &mut OfFacets { fold: self, facets })
    }

    /// Whether anything was counted in a facet.
    pub(super) fn has(&self, facet: Facet) -> bool {
        self.part(facet).is_some_and(|part| !part.cells.is_empty())
    }

    /// Counts one more event. Of its fields, only those are needed by which the chosen facets count.
    #[inline]
    pub fn count(&mut self, fact: &Fact, scope: ScopeKind) {
        for part in &mut self.parts {
            if let Some((id, member)) = fact.cell(part.facet, scope)
                && let Some(ids) = part.add(id, 1)
                && let Some(member) = member
            {
                ids.insert_ascending(&[member]);
            }
        }
    }

    /// Adds a decoded sheet of other events, for example of the ragged edges of a range.
    pub fn add_sheet(&mut self, sheet: &Sheet) {
        for (key, cell) in sheet.cells() {
            let part = self.parts.iter_mut().find(|part| part.facet == key.facet);
            if let Some(ids) = part.and_then(|part| part.add(key.id, cell.count)) {
                ids.insert_ascending(cell.set.as_slice());
            }
        }
    }

    /// The cells of a facet that counted anything, by id; none for a facet that was not chosen.
    pub fn cells(&self, facet: Facet) -> Vec<Folded> {
        let cells = self.part(facet).into_iter().flat_map(|part| &part.cells);
        let mut cells: Vec<Folded> = cells.map(|(id, tally)| tally.folded(*id)).collect();
        cells.sort_unstable_by_key(|cell| cell.id);
        cells
    }

    /// One cell; zeros if nothing was counted in it.
    pub fn cell(&self, key: CellKey) -> Folded {
        let tally = self.part(key.facet).and_then(|part| part.cells.get(&key.id));
        tally.map_or(Folded { id: key.id, ..Folded::default() }, |tally| tally.folded(key.id))
    }

    /// A facet as a whole: the sum of its counts, and the distinct ids over all of its cells, which are not a sum.
    pub fn total(&self, facet: Facet) -> Folded {
        let Some(part) = self.part(facet) else {
            return Folded::default();
        };
        let mut all = IdBits::default();
        let mut count = 0_u64;
        for tally in part.cells.values() {
            all.unite(&tally.ids);
            count = count.saturating_add(tally.count);
        }
        Folded { id: 0, count, distinct: all.len() as u64 }
    }

    /// The ids of one cell, for comparison with those of another fold; `None` if nothing was counted in it.
    pub fn ids(&self, key: CellKey) -> Option<&IdBits> {
        Some(&self.part(key.facet)?.cells.get(&key.id)?.ids)
    }

    /// The merged sheet of the chosen facets.
    pub fn into_sheet(self) -> Sheet {
        Sheet::of_cells(self.parts.into_iter().flat_map(|part| {
            part.cells.into_iter().map(move |(id, tally)| {
                let set = IdSet::of_ascending(tally.ids.iter().collect());
                (CellKey::new(part.facet, id), Cell { count: tally.count, set })
            })
        }))
    }

    fn part(&self, facet: Facet) -> Option<&Part> {
        self.parts.iter().find(|part| part.facet == facet)
    }
}

impl Visitor for Fold {
    type Ids = IdBits;

    fn facet(&mut self, facet: Facet) -> bool {
        let found = self.parts.iter().position(|part| part.facet == facet);
        self.current = found.unwrap_or_default();
        found.is_some()
    }

    fn cell(&mut self, id: u64, count: u64, _distinct: usize) -> Option<&mut IdBits> {
        self.parts.get_mut(self.current)?.add(id, count)
    }
}

/// Folds some of the chosen facets.
struct OfFacets<'a> {
    fold: &'a mut Fold,
    facets: &'a [Facet],
}

impl Visitor for OfFacets<'_> {
    type Ids = IdBits;

    fn facet(&mut self, facet: Facet) -> bool {
        self.facets.contains(&facet) && Visitor::facet(self.fold, facet)
    }

    fn cell(&mut self, id: u64, count: u64, distinct: usize) -> Option<&mut IdBits> {
        Visitor::cell(self.fold, id, count, distinct)
    }
}
