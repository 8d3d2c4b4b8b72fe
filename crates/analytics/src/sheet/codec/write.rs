//! Encodes a sheet.

use std::collections::HashMap;

use trailkeeper_postings::bits::{put_number, seal, varint_len};

use super::format::{VERSION, may_be_referred};
use super::set::{self, Encoding};
use crate::sheet::Sheet;
use crate::sheet::cell::{Cell, CellKey};

/// Encodes a sheet.
pub(in crate::sheet) fn encode(sheet: &Sheet) -> Vec<u8> {
    let mut writer = Writer { out: vec![VERSION], ..Writer::default() };
    let mut cells = sheet.cells().peekable();
    while let Some((key, cell)) = cells.next() {
        writer.facet_at = writer.out.len();
        writer.out.push(key.facet.code());
        if key.facet.is_single() {
            let mut out = std::mem::take(&mut writer.out);
            writer.cell(&mut out, cell);
            writer.out = out;
        } else {
            let mut of_facet = vec![(key, cell)];
            while let Some(more) = cells.next_if(|(next, _)| next.facet == key.facet) {
                of_facet.push(more);
            }
            writer.cells(&of_facet);
        }
        writer.known.extend(std::mem::take(&mut writer.fresh));
    }
    seal(&mut writer.out);
    writer.out
}

#[derive(Default)]
struct Writer<'a> {
    out: Vec<u8>,
    /// The offset of the current facet.
    facet_at: usize,
    /// The offsets of the heads of the sets of earlier facets.
    known: HashMap<&'a [u32], usize>,
    /// The same of the current facet, which its own references cannot reach.
    fresh: Vec<(&'a [u32], usize)>,
    referred: usize,
    body: Vec<u8>,
}

impl<'a> Writer<'a> {
    fn cells(&mut self, cells: &[(CellKey, &'a Cell)]) {
        let mut part = Vec::new();
        let mut next = 0;
        for (key, cell) in cells {
            put_number(&mut part, key.id - next);
            self.cell(&mut part, cell);
            // Wraps only after the largest id, which is the last one.
            next = key.id.wrapping_add(1);
        }
        put_number(&mut self.out, cells.len() as u64);
        put_number(&mut self.out, part.len() as u64);
        // The offsets of the heads are known only now.
        let start = self.out.len();
        for (_, at) in &mut self.fresh {
            *at += start;
        }
        self.out.extend_from_slice(&part);
    }

    fn cell(&mut self, out: &mut Vec<u8>, cell: &'a Cell) {
        let ids = cell.set.as_slice();
        let head_at = out.len();
        let own = set::encode(ids, &mut self.body);
        let shape = if let Some(back) = self.reference(ids) {
            self.body.clear();
            put_number(&mut self.body, back);
            self.referred += ids.len();
            Encoding::Same
        } else {
            if ids.len() > 1 {
                self.fresh.push((ids, head_at));
            }
            own
        };
        let more = cell.count.checked_sub(ids.len() as u64 + 1);
        let flag = if more.is_some() { 4 } else { 0 };
        put_number(out, (ids.len() as u64) << 3 | flag | shape as u64);
        if let Some(more) = more {
            put_number(out, more);
        }
        if matches!(shape, Encoding::Packed | Encoding::Bits) {
            put_number(out, self.body.len() as u64);
        }
        out.extend_from_slice(&self.body);
    }

    /// The distance from the current facet back to the head of an equal set, if a reference is shorter than `body`.
    fn reference(&self, ids: &[u32]) -> Option<u64> {
        let back = (self.facet_at - self.known.get(ids)?) as u64;
        let allowed = self.referred + ids.len() <= may_be_referred(self.facet_at);
        (allowed && varint_len(back) < self.body.len()).then_some(back)
    }
}
