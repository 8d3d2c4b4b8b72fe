//! Gaps between ids, packed in blocks of sixteen gaps of the same width.
//!
//! A gap is the number of ids between an id and the one before it. The width of a block is that of its largest gap, so
//! consecutive ids cost a byte per sixteen ids.

use trailkeeper_postings::bits::{self, Reader, load};

use super::error::{CodecError, Flaw};
use super::format::Sink;

/// The number of ids in a block; the last block of a set may have fewer.
pub(super) const BLOCK: usize = 16;

/// The length in bytes of a block of `ids` gaps of `width` bits, including its head.
pub(super) fn block_len(ids: usize, width: u8) -> usize {
    1 + bits::packed_len(ids, width)
}

/// The width in bits of the largest gap of a block.
pub(super) fn width(block: &[u32], next: u64) -> u8 {
    bits::width(gaps(block, next))
}

/// The gap before each id; `next` is the smallest id that the first one could be.
pub(super) fn gaps(ids: &[u32], next: u64) -> impl Iterator<Item = u64> {
    ids.iter().scan(next, |next, id| {
        let gap = u64::from(*id) - *next;
        *next = u64::from(*id) + 1;
        Some(gap)
    })
}

/// Appends the blocks of ascending ids, which are not below `next`.
pub(super) fn put(out: &mut Vec<u8>, ids: &[u32], mut next: u64) {
    for block in ids.chunks(BLOCK) {
        let width = width(block, next);
        out.push(width);
        bits::pack(out, width, gaps(block, next));
        next = block.last().map_or(next, |last| u64::from(*last) + 1);
    }
}

/// Reads the blocks of `count` ids, which are not below `next`.
pub(super) fn read(
    reader: &mut Reader<'_>,
    mut count: usize,
    mut next: u64,
    sink: &mut impl Sink,
) -> Result<(), CodecError> {
    let mut ids = [0_u32; BLOCK];
    while count > 0 {
        let head = reader.byte()?;
        if head > 32 {
            return Err(CodecError::new(reader.at() - 1, Flaw::Width(head)));
        }
        let here = count.min(BLOCK);
        let window = reader.rest();
        let start = reader.at();
        reader.take(block_len(here, head) - 1)?;
        let width = usize::from(head);
        let mask = (1_u64 << width) - 1;
        let mut bit = 0;
        for id in ids.iter_mut().take(here) {
            // A gap has at most 32 bits and begins in the first byte, so it lies in the eight bytes.
            next += load(window, bit / 8) >> (bit % 8) & mask;
            #[expect(clippy::cast_possible_truncation, reason = "the check below rejects a block with a larger id")]
            let fits = next as u32;
            *id = fits;
            next += 1;
            bit += width;
        }
        if next > 1 << 32 {
            return Err(CodecError::new(start, Flaw::IdRange));
        }
        sink.ids(ids.get(..here).unwrap_or_default());
        count -= here;
    }
    Ok(())
}
