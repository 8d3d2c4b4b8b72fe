//! The encoding of one set of ordinals: the shortest of three shapes.

use trailkeeper_postings::bits::{Reader, put_number, varint_len};

use super::blocks::{self, BLOCK};
use super::error::{CodecError, Flaw};
use super::format::Sink;

/// The shape of an encoded set. The numbers are those on disk: two bits of a set's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// The gaps as varints: for a handful of ids.
    List = 0,
    /// The gaps packed in blocks of sixteen.
    Packed = 1,
    /// One bit per id for the dense beginning, then packed gaps.
    Bits = 2,
    /// A reference to an equal set of an earlier facet.
    Same = 3,
}

/// The most ids that one byte of a body can encode: those of a block of width 0. It bounds the memory of decoding.
pub(super) const IDS_PER_BYTE: usize = BLOCK;

impl Encoding {
    pub(super) fn of_head(head: u64) -> Self {
        match head & 3 {
            0 => Self::List,
            1 => Self::Packed,
            2 => Self::Bits,
            _ => Self::Same,
        }
    }
}

/// Replaces the content of `body` by the body of a set, and returns its shape.
pub(super) fn encode(ids: &[u32], body: &mut Vec<u8>) -> Encoding {
    body.clear();
    let plan = Plan::of(ids);
    match plan.shape {
        Encoding::Packed => blocks::put(body, ids, 0),
        Encoding::Bits => put_bits(body, ids, plan.split),
        Encoding::List | Encoding::Same => blocks::gaps(ids, 0).for_each(|gap| put_number(body, gap)),
    }
    plan.shape
}

struct Plan {
    shape: Encoding,
    /// For [`Encoding::Bits`], the least number of ids that the bits encode.
    split: usize,
}

impl Plan {
    /// Compares the lengths of all shapes, and for bits those of all ends between two blocks.
    fn of(ids: &[u32]) -> Self {
        let list: usize = blocks::gaps(ids, 0).map(varint_len).sum();
        let mut next = 0;
        let lens: Vec<(usize, u64)> = ids
            .chunks(BLOCK)
            .map(|block| {
                let len = blocks::block_len(block.len(), blocks::width(block, next));
                next = block.last().map_or(next, |last| u64::from(*last) + 1);
                (len, next)
            })
            .collect();
        let packed: usize = lens.iter().map(|(len, _)| len).sum();
        let base = ids.first().map_or(0, |first| u64::from(first / 64) * 64);
        // The numbers in front of the bits: their first word and their length.
        let heads = varint_len(base / 64) + 2;
        let (mut behind, mut split, mut bits) = (packed, 0, usize::MAX);
        for (at, (len, next)) in lens.iter().enumerate() {
            behind -= len;
            let before = usize::try_from((next - base).div_ceil(8)).unwrap_or(usize::MAX / 2);
            if heads + before + behind < bits {
                (split, bits) = (BLOCK * (at + 1), heads + before + behind);
            }
        }
        // Packed and bits have a length in front, a list has not.
        let shape = match (list, packed + varint_len(packed as u64), bits.saturating_add(varint_len(bits as u64))) {
            (list, packed, bits) if list <= packed && list <= bits => Encoding::List,
            (_, packed, bits) if packed < bits => Encoding::Packed,
            _ => Encoding::Bits,
        };
        Self { shape, split: split.min(ids.len()) }
    }
}

fn put_bits(body: &mut Vec<u8>, ids: &[u32], split: usize) {
    let (Some(first), Some(last)) = (ids.first(), ids.get(split.saturating_sub(1))) else {
        return;
    };
    let word = first / 64;
    let len = (last - word * 64) / 8 + 1;
    put_number(body, u64::from(word));
    put_number(body, u64::from(len));
    let start = body.len();
    body.resize(start + len as usize, 0);
    // Ids after the split whose bits lie in the last byte are encoded as bits as well.
    let covered = u64::from(word) * 64 + u64::from(len) * 8;
    let (inside, behind) = ids.split_at(ids.partition_point(|id| u64::from(*id) < covered));
    for id in inside {
        let bit = id - word * 64;
        if let Some(byte) = body.get_mut(start + bit as usize / 8) {
            *byte |= 1 << (bit % 8);
        }
    }
    blocks::put(body, behind, covered);
}

/// Reads the body of a set of `count` ids into `sink`, up to the end of the body.
///
/// A list has no length: it ends with its last id. The other shapes end at the end of `reader`.
pub(super) fn read(
    reader: &mut Reader<'_>,
    shape: Encoding,
    count: usize,
    sink: &mut impl Sink,
) -> Result<(), CodecError> {
    match shape {
        Encoding::List => return read_list(reader, count, sink),
        Encoding::Packed => blocks::read(reader, count, 0, sink)?,
        Encoding::Bits => read_bits(reader, count, sink)?,
        Encoding::Same => return Err(CodecError::new(reader.at(), Flaw::Reference)),
    }
    Ok(reader.end()?)
}

fn read_list(reader: &mut Reader<'_>, count: usize, sink: &mut impl Sink) -> Result<(), CodecError> {
    // Block by block, because a call of the sink costs more than an id.
    let mut ids = [0_u32; BLOCK];
    let mut next = 0_u64;
    let mut left = count;
    while left > 0 {
        let here = left.min(BLOCK);
        for slot in ids.iter_mut().take(here) {
            let at = reader.at();
            let id = next.checked_add(reader.number()?).and_then(|id| u32::try_from(id).ok());
            *slot = id.ok_or(CodecError::new(at, Flaw::IdRange))?;
            next = u64::from(*slot) + 1;
        }
        sink.ids(ids.get(..here).unwrap_or_default());
        left -= here;
    }
    Ok(())
}

fn read_bits(reader: &mut Reader<'_>, count: usize, sink: &mut impl Sink) -> Result<(), CodecError> {
    let at = reader.at();
    let word = reader.number()?;
    let len = reader.length()?;
    let covered = u128::from(word) * 64 + len as u128 * 8;
    let (Ok(first), Ok(next)) = (u32::try_from(word), u64::try_from(covered)) else {
        return Err(CodecError::new(at, Flaw::IdRange));
    };
    if next > 1 << 32 {
        return Err(CodecError::new(at, Flaw::IdRange));
    }
    let bytes = reader.take(len)?;
    let (words, rest) = bytes.as_chunks::<8>();
    let inside = words.iter().map(|word| u64::from_le_bytes(*word).count_ones() as usize).sum::<usize>()
        + rest.iter().map(|byte| byte.count_ones() as usize).sum::<usize>();
    let behind = count.checked_sub(inside).ok_or(CodecError::new(at, Flaw::Cardinality))?;
    sink.bits(first, bytes);
    blocks::read(reader, behind, next, sink)
}
