//! Other encodings of sets. Each set is framed by facet, id, count, cardinality and length.

use std::collections::{BTreeMap, HashMap};

use roaring::{MultiOps, RoaringBitmap};
use trailkeeper_analytics::sheet::{Facet, IdBits, Sheet};

/// An encoding of sets.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Candidate {
    /// A serialised roaring bitmap; folds by its multi-way union.
    Roaring,
    /// Gaps as varints; folds into bits.
    Varints,
    /// Gaps as Rice codes of one width per set; folds into bits.
    Rice,
    /// Runs as pairs of varints, gap and length; folds into bits.
    Runs,
}

impl Candidate {
    pub(crate) fn encode(self, sheet: &Sheet) -> Vec<u8> {
        let mut out = Vec::new();
        for (key, cell) in sheet.cells() {
            let mut body = Vec::new();
            self.put(cell.set.as_slice(), &mut body);
            out.push(key.facet.code());
            for number in [key.id, cell.count, cell.set.len() as u64, body.len() as u64] {
                put(&mut out, number);
            }
            out.append(&mut body);
        }
        out
    }

    fn put(self, ids: &[u32], out: &mut Vec<u8>) {
        match self {
            Self::Roaring => {
                RoaringBitmap::from_sorted_iter(ids.iter().copied()).unwrap().serialize_into(out).unwrap();
            }
            Self::Varints => gaps(ids).for_each(|gap| put(out, gap)),
            Self::Rice => rice_put(ids, out),
            Self::Runs => {
                let mut next = 0;
                for run in ids.chunk_by(|a, b| a + 1 == *b) {
                    put(out, u64::from(run[0]) - next);
                    put(out, run.len() as u64 - 1);
                    next = u64::from(run[run.len() - 1]) + 1;
                }
            }
        }
    }

    /// Distinct users per page over all sheets.
    pub(crate) fn fold(self, payloads: &[Vec<u8>]) -> BTreeMap<u64, usize> {
        let mut bits: HashMap<u64, IdBits> = HashMap::new();
        let mut maps: HashMap<u64, Vec<RoaringBitmap>> = HashMap::new();
        for payload in payloads {
            let mut rest = payload.as_slice();
            while let Some((facet, after)) = rest.split_first() {
                rest = after;
                let [id, _, count, len] = [(); 4].map(|()| number(&mut rest));
                let (body, after) = rest.split_at(usize::try_from(len).unwrap());
                rest = after;
                if *facet != Facet::Views.code() {
                    continue;
                }
                if self == Self::Roaring {
                    maps.entry(id).or_default().push(RoaringBitmap::deserialize_unchecked_from(body).unwrap());
                } else {
                    self.read(body, count, bits.entry(id).or_default());
                }
            }
        }
        let maps = maps.into_iter().map(|(id, maps)| (id, usize::try_from(maps.union().len()).unwrap()));
        maps.chain(bits.into_iter().map(|(id, bits)| (id, bits.len()))).collect()
    }

    fn read(self, mut body: &[u8], count: u64, bits: &mut IdBits) {
        let mut block = Block { ids: [0; 16], len: 0, next: 0, bits };
        match self {
            Self::Roaring => {}
            Self::Varints => (0..count).for_each(|_| block.push(number(&mut body))),
            Self::Rice => rice_read(body, count, &mut block),
            Self::Runs => {
                while !body.is_empty() {
                    block.push(number(&mut body));
                    (0..number(&mut body)).for_each(|_| block.push(0));
                }
            }
        }
        block.flush();
    }
}

/// Passes ids on sixteen at a time, like the codec of sheets.
struct Block<'a> {
    ids: [u32; 16],
    len: usize,
    next: u64,
    bits: &'a mut IdBits,
}

impl Block<'_> {
    #[expect(clippy::cast_possible_truncation, reason = "written from 32-bit ids just now")]
    fn push(&mut self, gap: u64) {
        self.next += gap;
        self.ids[self.len] = self.next as u32;
        self.next += 1;
        self.len += 1;
        if self.len == 16 {
            self.flush();
        }
    }

    fn flush(&mut self) {
        self.bits.insert_ascending(&self.ids[..self.len]);
        self.len = 0;
    }
}

fn gaps(ids: &[u32]) -> impl Iterator<Item = u64> {
    let mut next = 0;
    ids.iter().map(move |id| {
        let gap = u64::from(*id) - next;
        next = u64::from(*id) + 1;
        gap
    })
}

/// The width that is nearest to that of the mean gap; quotients of 24 and more follow 24 ones as whole numbers.
fn rice_put(ids: &[u32], out: &mut Vec<u8>) {
    let Some(last) = ids.last() else { return };
    let mean = (u64::from(*last) + 1) / ids.len() as u64 * 7 / 10;
    let width = mean.checked_ilog2().unwrap_or(0);
    out.push(u8::try_from(width).unwrap());
    let (mut pending, mut bits) = (0_u128, 0);
    for gap in gaps(ids) {
        let quotient = gap >> width;
        let (code, len) = if quotient < 24 {
            let (ones, low) = ((1_u64 << quotient) - 1, gap % (1 << width));
            (u128::from(ones | (low << (quotient + 1))), quotient + 1 + u64::from(width))
        } else {
            (u128::from((1_u64 << 24) - 1) | (u128::from(gap) << 24), 24 + 32)
        };
        pending |= code << bits;
        bits += len;
        while bits >= 8 {
            out.push(pending.to_le_bytes()[0]);
            pending >>= 8;
            bits -= 8;
        }
    }
    if bits > 0 {
        out.push(pending.to_le_bytes()[0]);
    }
}

fn rice_read(body: &[u8], count: u64, block: &mut Block<'_>) {
    let Some((width, codes)) = body.split_first() else { return };
    let mut bit = 0;
    for _ in 0..count {
        let rest = &codes[bit / 8..];
        let word = rest.first_chunk::<8>().map_or_else(
            || {
                let mut last = [0; 8];
                last[..rest.len()].copy_from_slice(rest);
                u64::from_le_bytes(last)
            },
            |eight| u64::from_le_bytes(*eight),
        ) >> (bit % 8);
        let quotient = word.trailing_ones();
        if quotient < 24 {
            let low = (word >> (quotient + 1)) % (1 << width);
            block.push((u64::from(quotient) << width) | low);
            bit += quotient as usize + 1 + usize::from(*width);
        } else {
            block.push(word >> 24 & u64::from(u32::MAX));
            bit += 24 + 32;
        }
    }
}

fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

fn number(bytes: &mut &[u8]) -> u64 {
    let mut number = 0;
    let mut shift = 0;
    while let Some((byte, rest)) = bytes.split_first() {
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if *byte < 0x80 {
            break;
        }
    }
    number
}
