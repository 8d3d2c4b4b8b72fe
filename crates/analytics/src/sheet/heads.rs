//! Reads the counts of one facet from single sheets, without their ids.

use super::bits::IdBits;
use super::cell::Facet;
use super::codec::{self, CodecError, Visitor};
use super::fold::Folded;

/// Reads the cells of one facet from one encoded sheet after the other, and skips their sets: the head of a cell contains
/// the number of ids. For a period with a single sheet, the result is that of a [`Fold`](super::Fold).
#[derive(Debug)]
pub struct Heads {
    facet: Facet,
    only: Option<u64>,
    cells: Vec<Folded>,
}

impl Heads {
    /// A reader of all cells of a facet, or of only one cell.
    pub fn new(facet: Facet, only: Option<u64>) -> Self {
        Self { facet, only, cells: Vec::new() }
    }

    /// The cells of one sheet, by id.
    ///
    /// # Errors
    /// As [`Sheet::decode`](super::Sheet::decode), except that flaws inside sets are not found if the checksum is right.
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
    fn heads_equal_the_fold_of_one_sheet() {
        let cell = |facet, id, ids: std::ops::Range<u32>, more: u64| {
            let set: IdSet = ids.collect();
            (CellKey::new(facet, id), Cell { count: set.len() as u64 + more, set })
        };
        // All shapes of sets: an empty one, a list, packed, bits, and a reference to an earlier set.
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
