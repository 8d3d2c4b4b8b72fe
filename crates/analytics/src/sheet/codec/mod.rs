//! The format of a sheet on disk, version 1. `docs/sheets.md` describes it.
//!
//! Reading never panics, and never allocates more than a fixed multiple of the payload's length, whatever its bytes are.

mod blocks;
mod error;
mod format;
#[cfg(test)]
mod hostile;
mod set;
mod walk;
mod write;

use std::collections::BTreeMap;

pub use error::{CodecError, Flaw};
pub(super) use walk::{Visitor, walk};

use super::Sheet;
use super::cell::{Cell, CellKey, Facet};
use super::set::IdSet;

impl Sheet {
    /// Encodes the sheet in the format of `docs/sheets.md`.
    pub fn encode(&self) -> Vec<u8> {
        write::encode(self)
    }

    /// Decodes the result of [`Sheet::encode`].
    ///
    /// # Errors
    /// [`CodecError`] with the flaw and its offset for a payload that is truncated, corrupt, or of a version or facet that
    /// this program does not know. The caller adds the row.
    pub fn decode(payload: &[u8]) -> Result<Self, CodecError> {
        decode(payload)
    }
}

/// Decodes a payload.
fn decode(payload: &[u8]) -> Result<Sheet, CodecError> {
    let mut decoder = Decoder { facet: Facet::Views, cells: BTreeMap::new() };
    walk(payload, &mut decoder)?;
    let cells = decoder.cells.into_iter();
    Ok(Sheet::of_cells(cells.map(|(key, (count, ids))| (key, Cell { count, set: IdSet::of_ascending(ids) }))))
}

struct Decoder {
    facet: Facet,
    cells: BTreeMap<CellKey, (u64, Vec<u32>)>,
}

impl Visitor for Decoder {
    type Ids = Vec<u32>;

    fn facet(&mut self, facet: Facet) -> bool {
        self.facet = facet;
        true
    }

    fn cell(&mut self, id: u64, count: u64, distinct: usize) -> Option<&mut Vec<u32>> {
        // The walk visits each key once, in order.
        let cell = self.cells.entry(CellKey::new(self.facet, id)).or_default();
        *cell = (count, Vec::with_capacity(distinct));
        Some(&mut cell.1)
    }
}
