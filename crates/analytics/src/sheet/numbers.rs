//! Merges encoded sheets for questions that need numbers and no ids.

use std::sync::Arc;

use super::bits::IdBits;
use super::cell::{CellKey, Facet};
use super::codec::{self, CodecError, Visitor};
use super::fact::Fact;
use super::fold::{Fold, Folded};
use super::{ScopeKind, Sheet};

/// A [`Fold`] without the ids of its result: while a facet lies in one sheet, the heads of that sheet's cells are its numbers,
/// and no set is decoded.
#[derive(Debug, Clone)]
pub struct Numbers {
    /// The facets that lie in one sheet.
    single: Vec<Single>,
    /// The other facets.
    fold: Fold,
}

/// A facet that was added once.
#[derive(Debug, Clone)]
struct Single {
    facet: Facet,
    /// The sheet, for the case that another one follows.
    payload: Arc<[u8]>,
    /// By id.
    cells: Vec<Folded>,
}

impl Numbers {
    /// The numbers of an empty fold, and then of what is added.
    pub fn of(fold: Fold) -> Self {
        Self { single: Vec::new(), fold }
    }

    /// The fold whose choice of cells it has.
    pub fn fold(&self) -> &Fold {
        &self.fold
    }

    /// Adds an encoded sheet of other events.
    ///
    /// # Errors
    /// As [`Fold::add`], except that flaws inside sets are not found while no other sheet has the facet.
    pub fn add(&mut self, payload: &[u8]) -> Result<(), CodecError> {
        let mut heads = Heads { numbers: self, only: None, found: Vec::new(), again: Vec::new() };
        codec::walk(payload, &mut heads)?;
        let Heads { found, again, .. } = heads;
        let mut shared = None;
        for (facet, cells) in found.into_iter().filter(|(_, cells)| !cells.is_empty()) {
            let payload = Arc::clone(shared.get_or_insert_with(|| Arc::from(payload)));
            self.single.push(Single { facet, payload, cells });
        }
        if again.is_empty() {
            return Ok(());
        }
        self.decode(|single| again.contains(&single.facet))?;
        self.fold.add_facets(payload, &again)
    }

    /// Counts one more event, as [`Fold::count`].
    ///
    /// # Errors
    /// As [`Fold::add`], for a flaw inside a set of a sheet that was added before.
    #[inline]
    pub fn count(&mut self, fact: &Fact, scope: ScopeKind) -> Result<(), CodecError> {
        self.decode_all()?;
        self.fold.count(fact, scope);
        Ok(())
    }

    /// Adds a decoded sheet of other events; errors as [`Self::count`].
    pub fn add_sheet(&mut self, sheet: &Sheet) -> Result<(), CodecError> {
        self.decode_all()?;
        self.fold.add_sheet(sheet);
        Ok(())
    }

    /// Adds the numbers of other events with the same choice of cells; errors as [`Self::count`].
    pub fn unite(&mut self, other: Self) -> Result<(), CodecError> {
        self.decode(|single| other.has(single.facet))?;
        for single in other.single {
            if self.fold.has(single.facet) {
                self.fold.add_facets(&single.payload, &[single.facet])?;
            } else {
                self.single.push(single);
            }
        }
        self.fold.unite(other.fold);
        Ok(())
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.single.is_empty() && self.fold.choice().all(|(facet, _)| !self.fold.has(facet))
    }

    /// The cells of a facet that counted anything, by id.
    pub fn cells(&self, facet: Facet) -> Vec<Folded> {
        match self.single(facet) {
            Some(single) => single.cells.clone(),
            None => self.fold.cells(facet),
        }
    }

    /// One cell; zeros if nothing was counted in it.
    pub fn cell(&self, key: CellKey) -> Folded {
        let Some(single) = self.single(key.facet) else { return self.fold.cell(key) };
        let found = single.cells.binary_search_by_key(&key.id, |cell| cell.id).ok();
        let found = found.and_then(|at| single.cells.get(at)).copied();
        found.unwrap_or(Folded { id: key.id, ..Folded::default() })
    }

    /// About how many bytes of memory they take.
    pub fn bytes(&self) -> usize {
        // Facets of one sheet share its payload; counted for each, it is at most too much.
        let single = |single: &Single| {
            size_of::<Single>() + single.payload.len() + single.cells.capacity() * size_of::<Folded>()
        };
        self.fold.bytes() + self.single.iter().map(single).sum::<usize>()
    }

    fn has(&self, facet: Facet) -> bool {
        self.single(facet).is_some() || self.fold.has(facet)
    }

    fn single(&self, facet: Facet) -> Option<&Single> {
        self.single.iter().find(|single| single.facet == facet)
    }

    /// Decodes the sheets whose heads were read.
    ///
    /// # Errors
    /// As [`Fold::add`], for a flaw inside a set.
    fn decode_all(&mut self) -> Result<(), CodecError> {
        if self.single.is_empty() { Ok(()) } else { self.decode(|_| true) }
    }

    fn decode(&mut self, which: impl Fn(&Single) -> bool) -> Result<(), CodecError> {
        let (decoded, single) = std::mem::take(&mut self.single).into_iter().partition(which);
        self.single = single;
        let decoded: Vec<Single> = decoded;
        decoded.iter().try_for_each(|single| self.fold.add_facets(&single.payload, &[single.facet]))
    }
}

/// Reads the heads of the chosen facets that nothing was added to.
struct Heads<'a> {
    numbers: &'a Numbers,
    /// The only cell of the current facet that is read.
    only: Option<u64>,
    found: Vec<(Facet, Vec<Folded>)>,
    /// The other facets of the sheet that are chosen.
    again: Vec<Facet>,
}

impl Visitor for Heads<'_> {
    type Ids = IdBits;

    fn facet(&mut self, facet: Facet) -> bool {
        let Some((_, only)) = self.numbers.fold.choice().find(|(chosen, _)| *chosen == facet) else { return false };
        if self.numbers.has(facet) {
            self.again.push(facet);
            return false;
        }
        self.only = only;
        self.found.push((facet, Vec::new()));
        true
    }

    fn cell(&mut self, id: u64, count: u64, distinct: usize) -> Option<&mut IdBits> {
        if self.only.is_none_or(|only| only == id)
            && let Some((_, cells)) = self.found.last_mut()
        {
            cells.push(Folded { id, count, distinct: distinct as u64 });
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Cell, IdSet};
    use super::*;

    const FACETS: [Facet; 3] = [Facet::Active, Facet::AllViews, Facet::Userinfo];

    fn cell(facet: Facet, id: u64, ids: std::ops::Range<u32>, more: u64) -> (CellKey, Cell) {
        let set: IdSet = ids.collect();
        (CellKey::new(facet, id), Cell { count: set.len() as u64 + more, set })
    }

    fn sheets() -> [Vec<u8>; 3] {
        [
            // All shapes of sets: an empty one, a list, packed, bits, and a reference to an earlier set.
            Sheet::of_cells([
                cell(Facet::AllViews, 0, 5..200, 3),
                cell(Facet::Active, 1, 5..200, 0),
                cell(Facet::Active, 7, 0..0, 2),
                cell(Facet::Active, 9, 3..4, 1),
                (CellKey::new(Facet::Active, 12), Cell { count: 40, set: (0..40).map(|id| id * 1_000).collect() }),
            ]),
            Sheet::of_cells([cell(Facet::Active, 1, 100..300, 5), cell(Facet::Views, 3, 1..2, 0)]),
            Sheet::of_cells([cell(Facet::Active, 9, 3..5, 1), cell(Facet::Userinfo, 0, 1..3, 0)]),
        ]
        .map(|sheet| sheet.encode())
    }

    #[track_caller]
    fn assert_same(numbers: &Numbers, fold: &Fold) {
        for facet in FACETS {
            assert_eq!(numbers.cells(facet), fold.cells(facet), "{facet:?}");
            for id in 0..14 {
                let key = CellKey::new(facet, id);
                assert_eq!(numbers.cell(key), fold.cell(key), "{key:?}");
            }
        }
    }

    #[test]
    fn numbers_are_those_of_a_fold_after_each_sheet() {
        for only in [None, Some(CellKey::new(Facet::Active, 9)), Some(CellKey::new(Facet::Active, 77))] {
            let fold = || only.map_or(Fold::new(&FACETS), |key| Fold::new(&FACETS).only(key));
            for (first, second, third) in [(0, 1, 2), (2, 0, 1), (1, 2, 0)] {
                let (mut numbers, mut fold) = (Numbers::of(fold()), fold());
                for nth in [first, second, third] {
                    numbers.add(&sheets()[nth]).unwrap();
                    fold.add(&sheets()[nth]).unwrap();
                    assert_same(&numbers, &fold);
                }
            }
        }
    }

    #[test]
    fn events_and_decoded_sheets_are_added_to_what_lies_in_one_sheet() {
        let fact = Fact {
            page: Some(3),
            env: 9,
            kind: 4,
            userinfo: false,
            login: None,
            failed: false,
            user: Some(4),
            source: None,
        };
        let decoded = Sheet::of_cells([cell(Facet::Active, 9, 7..9, 0)]);
        let (mut numbers, mut fold) = (Numbers::of(Fold::new(&FACETS)), Fold::new(&FACETS));
        numbers.add(&sheets()[0]).unwrap();
        fold.add(&sheets()[0]).unwrap();
        let (mut united, mut alone) = (numbers.clone(), Numbers::of(Fold::new(&FACETS)));
        assert!(alone.is_empty() && !united.is_empty());
        alone.unite(united.clone()).unwrap();
        assert_same(&alone, &fold);
        assert_eq!(alone.single.len(), 2, "uniting with nothing decodes nothing");
        numbers.count(&fact, ScopeKind::Tenant).unwrap();
        fold.count(&fact, ScopeKind::Tenant);
        assert_same(&numbers, &fold);
        numbers.add_sheet(&decoded).unwrap();
        fold.add_sheet(&decoded);
        assert_same(&numbers, &fold);

        let (mut other, mut others) = (Numbers::of(Fold::new(&FACETS)), Fold::new(&FACETS));
        for sheet in &sheets()[..2] {
            others.add(sheet).unwrap();
        }
        other.add(&sheets()[1]).unwrap();
        united.unite(other).unwrap();
        assert_same(&united, &others);
    }

    #[test]
    fn only_one_sheet_of_a_facet_is_kept_undecoded() {
        let mut numbers = Numbers::of(Fold::new(&FACETS));
        let undecoded = |numbers: &Numbers| numbers.single.iter().map(|single| single.facet).collect::<Vec<_>>();
        numbers.add(&sheets()[0]).unwrap();
        assert_eq!(undecoded(&numbers), [Facet::AllViews, Facet::Active]);
        numbers.add(&sheets()[2]).unwrap();
        assert_eq!(undecoded(&numbers), [Facet::AllViews, Facet::Userinfo]);
        assert!(numbers.bytes() > numbers.fold().bytes());
        assert!(numbers.add(&sheets()[0][1..]).is_err());
    }
}
