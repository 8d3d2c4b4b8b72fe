//! What one sheet says of a facet, without its ids.

use super::bits::IdBits;
use super::cell::Facet;
use super::codec::{self, CodecError, Visitor};
use super::fold::Folded;

/// Reads the cells of one facet from one encoded sheet after the other, and passes over their sets: a cell's head
/// tells how many ids follow. Of a sheet that is alone in its period this is all that a [`Fold`](super::Fold) would
/// find.
#[derive(Debug)]
pub struct Heads {
    facet: Facet,
    only: Option<u64>,
    cells: Vec<Folded>,
}

impl Heads {
    /// Of all cells of a facet, or of one.
    pub fn new(facet: Facet, only: Option<u64>) -> Self {
        Self { facet, only, cells: Vec::new() }
    }

    /// The cells of a sheet, by id. Sheets before it are forgotten.
    ///
    /// # Errors
    /// As [`Sheet::decode`](super::Sheet::decode), except for flaws inside of sets behind a right checksum.
    pub fn read(&mut self, payload: &[u8]) -> Result<&[Folded], CodecError> {
        self.cells.clear();
        codec::walk(payload, self)?;
        Ok(&self.cells)
    }
}

impl Visitor for Heads {
    type Ids = IdBits;

    fn facet(&mut self, facet: Facet) -> bool {
        facet == self.facet
    }

    fn cell(&mut self, id: u64, count: u64, distinct: usize) -> Option<&mut IdBits> {
        if self.only.is_none_or(|only| only == id) {
            self.cells.push(Folded { id, count, distinct: distinct as u64 });
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Cell, CellKey, Fold, IdSet, Sheet};
    use super::*;

    #[test]
    fn heads_say_what_a_fold_of_one_sheet_finds() {
        let cell = |facet, id, ids: std::ops::Range<u32>, more: u64| {
            let set: IdSet = ids.collect();
            (CellKey::new(facet, id), Cell { count: set.len() as u64 + more, set })
        };
        // All shapes of sets: none, a list, packed, bits, and one that is the same as an earlier one.
        let sheet = Sheet::of_cells([
            cell(Facet::AllViews, 0, 5..200, 3),
            cell(Facet::Active, 1, 5..200, 0),
            cell(Facet::Active, 7, 0..0, 2),
            cell(Facet::Active, 9, 3..4, 1),
            (CellKey::new(Facet::Active, 12), Cell { count: 40, set: (0..40).map(|id| id * 1_000).collect() }),
            cell(Facet::Userinfo, 0, 1..3, 0),
        ]);
        let payload = sheet.encode();
        for facet in Facet::ALL {
            let mut fold = Fold::new(&[facet]);
            fold.add(&payload).unwrap();
            assert_eq!(Heads::new(facet, None).read(&payload).unwrap(), fold.cells(facet), "{facet:?}");
        }
        let mut one = Heads::new(Facet::Active, Some(9));
        for _ in 0..2 {
            assert_eq!(one.read(&payload).unwrap(), [Folded { id: 9, count: 2, distinct: 1 }]);
        }
        assert!(one.read(&payload[1..]).is_err());
    }
}
