//! A chunk: up to 4,096 positions of one posting list, in the shortest of several shapes.

use std::ops::Range;

use super::flaw::Flaw;
use super::format::{CHUNK, GAPS_PER_BLOCK};
use crate::bits::{Packed, Reader, load, pack, packed_len, put_number, varint_len, width};

/// Takes the positions of a list.
pub(super) trait Sink {
    /// Takes ascending positions.
    fn positions(&mut self, ascending: &[u32]);

    /// Takes the positions whose bits are set. The first bit is that of `start`, a multiple of 64.
    fn bits(&mut self, start: u32, bytes: &[u8]);

    /// Takes all positions of the range.
    fn range(&mut self, range: Range<u32>);
}

/// The shape of a chunk of four or more positions. The numbers are those on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    /// Each position with the bits of the largest position of the run. Fewer than four positions always have this shape.
    Plain = 0,
    /// The first position, then blocks of gaps.
    Gaps = 1,
    /// The first position, then a bit per position.
    Bits = 2,
    /// The first position only: the others follow it without gaps.
    Range = 3,
}

/// The number of counts that the first number of a chunk encodes: 1, 2 and 3.
const SMALL: u64 = 3;

/// The width in bits of the largest position of a run.
pub(super) fn position_width(events: u32) -> u8 {
    width([u64::from(events.saturating_sub(1))])
}

/// A chunk, whose positions are not decoded yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chunk<'a> {
    /// The value of the list.
    pub value: u32,
    /// The number of positions, at least 1.
    pub count: u32,
    /// The first position.
    pub first: u32,
    shape: Encoding,
    body: Reader<'a>,
    events: u32,
}

/// Appends a chunk. `gap` is the difference of its value to the one before; positions are ascending, at most 4,096, and
/// below `events`.
pub(super) fn put(out: &mut Vec<u8>, gap: u32, positions: &[u32], events: u32) {
    let (Some(&first), Some(&last)) = (positions.first(), positions.last()) else { return };
    let width = position_width(events);
    let count = positions.len() as u64;
    if count <= SMALL {
        put_number(out, u64::from(gap) << 2 | (count - 1));
        pack(out, width, positions.iter().map(|position| u64::from(*position)));
        return;
    }
    let plain = packed_len(positions.len(), width);
    let gaps = gaps_len(positions);
    let bits = (last - first / 64 * 64) as usize / 8 + 1;
    let first_len = varint_len(u64::from(first));
    let with_gaps = first_len + gaps + if positions.len() > 1 + GAPS_PER_BLOCK { varint_len(gaps as u64) } else { 0 };
    let with_bits = first_len + bits + varint_len(bits as u64);
    let shape = if u64::from(last - first) + 1 == count {
        Encoding::Range
    } else if plain <= with_gaps && plain <= with_bits {
        Encoding::Plain
    } else if with_gaps <= with_bits {
        Encoding::Gaps
    } else {
        Encoding::Bits
    };
    put_number(out, u64::from(gap) << 2 | SMALL);
    put_number(out, (count - SMALL - 1) << 2 | shape as u64);
    if shape == Encoding::Plain {
        pack(out, width, positions.iter().map(|position| u64::from(*position)));
        return;
    }
    put_number(out, u64::from(first));
    match shape {
        Encoding::Gaps => {
            if positions.len() > 1 + GAPS_PER_BLOCK {
                put_number(out, gaps as u64);
            }
            put_gaps(out, positions);
        }
        Encoding::Bits => {
            put_number(out, bits as u64);
            put_bits(out, positions, first / 64 * 64, bits);
        }
        Encoding::Plain | Encoding::Range => {}
    }
}

/// The number of positions between each position and the one before it, but the first.
fn gaps(positions: &[u32]) -> impl Iterator<Item = u64> + Clone {
    positions.iter().zip(positions.iter().skip(1)).map(|(before, position)| u64::from(position - before) - 1)
}

fn gaps_len(positions: &[u32]) -> usize {
    blocks(positions).map(|block| 1 + packed_len(block.len() - 1, width(gaps(block)))).sum()
}

fn put_gaps(out: &mut Vec<u8>, positions: &[u32]) {
    for block in blocks(positions) {
        let width = width(gaps(block));
        out.push(width);
        pack(out, width, gaps(block));
    }
}

/// The positions of each block of gaps, with the position before it in front.
fn blocks(positions: &[u32]) -> impl Iterator<Item = &[u32]> {
    (0..positions.len().saturating_sub(1))
        .step_by(GAPS_PER_BLOCK)
        .filter_map(|start| positions.get(start..positions.len().min(start + 1 + GAPS_PER_BLOCK)))
}

fn put_bits(out: &mut Vec<u8>, positions: &[u32], start: u32, bytes: usize) {
    let at = out.len();
    out.resize(at + bytes, 0);
    for position in positions {
        let bit = position - start;
        if let Some(byte) = out.get_mut(at + bit as usize / 8) {
            *byte |= 1 << (bit % 8);
        }
    }
}

impl<'a> Chunk<'a> {
    /// Reads a chunk of a run of `events` events, whose value is counted from `before`, and skips its positions.
    pub fn read(reader: &mut Reader<'a>, before: u32, events: u32) -> Result<Self, Flaw> {
        let at = reader.at();
        let head = reader.number()?;
        let value = u32::try_from(head >> 2).ok().and_then(|gap| before.checked_add(gap));
        let value = value.ok_or(Flaw::new(at, "a value exceeds 32 bits"))?;
        let (count, shape) = if head & 3 < SMALL {
            ((head & 3) + 1, Encoding::Plain)
        } else {
            let at = reader.at();
            let head = reader.number()?;
            let shape = match head & 3 {
                0 => Encoding::Plain,
                1 => Encoding::Gaps,
                2 => Encoding::Bits,
                _ => Encoding::Range,
            };
            let count = (head >> 2).saturating_add(SMALL + 1);
            if count > CHUNK as u64 {
                return Err(Flaw::new(at, "a chunk has more than 4,096 positions"));
            }
            (count, shape)
        };
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        if shape == Encoding::Plain {
            let width = position_width(events);
            let body = reader.part(packed_len(count as usize, width))?;
            let first = Packed::read(&mut body.clone(), width, 1)?.get(0).and_then(|first| u32::try_from(first).ok());
            return Ok(Self { value, count, first: first.unwrap_or_default(), shape, body, events });
        }
        let at = reader.at();
        let first = u32::try_from(reader.number()?).ok().filter(|first| *first < events);
        let first = first.ok_or(Flaw::new(at, "a position exceeds the number of events"))?;
        let length = match shape {
            Encoding::Gaps if count as usize <= 1 + GAPS_PER_BLOCK => {
                let width = reader.clone().byte()?;
                1 + packed_len(count as usize - 1, width)
            }
            Encoding::Gaps | Encoding::Bits => reader.length()?,
            Encoding::Plain | Encoding::Range => 0,
        };
        Ok(Self { value, count, first, shape, body: reader.part(length)?, events })
    }

    /// Decodes the positions.
    pub fn decode(&self, sink: &mut impl Sink) -> Result<(), Flaw> {
        let mut body = self.body;
        match self.shape {
            Encoding::Plain => self.decode_plain(&mut body, sink)?,
            Encoding::Gaps => self.decode_gaps(&mut body, sink)?,
            Encoding::Bits => self.decode_bits(&mut body, sink)?,
            Encoding::Range => {
                let end = self.first + self.count;
                if end > self.events {
                    return Err(self.too_large());
                }
                sink.range(self.first..end);
            }
        }
        Ok(body.end()?)
    }

    fn decode_plain(&self, body: &mut Reader<'a>, sink: &mut impl Sink) -> Result<(), Flaw> {
        let packed = Packed::read(body, position_width(self.events), self.count as usize)?;
        let mut buffer = Buffer::new();
        let mut next = 0;
        for position in packed.iter() {
            if position < next || position >= u64::from(self.events) {
                return Err(self.too_large());
            }
            next = position + 1;
            buffer.push(position, sink);
        }
        buffer.flush(sink);
        Ok(())
    }

    fn decode_gaps(&self, body: &mut Reader<'a>, sink: &mut impl Sink) -> Result<(), Flaw> {
        let mut left = self.count as usize - 1;
        let mut position = u64::from(self.first);
        let mut buffer = Buffer::new();
        buffer.push(position, sink);
        while left > 0 {
            let at = body.at();
            let width = body.byte()?;
            if width > 32 {
                return Err(Flaw::new(at, "a gap has more than 32 bits"));
            }
            let here = left.min(GAPS_PER_BLOCK);
            let window = body.rest();
            body.take(packed_len(here, width))?;
            let width = usize::from(width);
            let mask = (1_u64 << width) - 1;
            let mut bit = 0;
            for _ in 0..here {
                // A gap begins in the first of eight bytes and has at most 32 bits.
                position += 1 + (load(window, bit / 8) >> (bit % 8) & mask);
                buffer.push(position, sink);
                bit += width;
            }
            // Checked per block: within a block the sum stays far below 64 bits.
            if position >= u64::from(self.events) {
                return Err(self.too_large());
            }
            buffer.flush(sink);
            left -= here;
        }
        buffer.flush(sink);
        Ok(())
    }

    fn decode_bits(&self, body: &mut Reader<'a>, sink: &mut impl Sink) -> Result<(), Flaw> {
        let bytes = body.take(body.left())?;
        let (words, rest) = bytes.as_chunks::<8>();
        let ones = words.iter().map(|word| u64::from_le_bytes(*word).count_ones()).sum::<u32>()
            + rest.iter().map(|byte| byte.count_ones()).sum::<u32>();
        let start = self.first / 64 * 64;
        let lowest = load(bytes, 0).trailing_zeros();
        let last = bytes.last().copied().unwrap_or_default();
        if ones != self.count || lowest != self.first - start || last == 0 {
            return Err(Flaw::new(body.at() - bytes.len(), "the bits of a chunk contradict its head"));
        }
        let end = bytes.len() as u64 * 8 - u64::from(last.leading_zeros());
        if u64::from(start) + end > u64::from(self.events) {
            return Err(self.too_large());
        }
        sink.bits(start, bytes);
        Ok(())
    }

    fn too_large(&self) -> Flaw {
        Flaw::new(self.body.at(), "the positions of a chunk do not ascend below the number of events")
    }
}

/// Positions on their way to a sink: a call of the sink costs more than a position.
struct Buffer {
    positions: [u32; 64],
    len: usize,
}

impl Buffer {
    fn new() -> Self {
        Self { positions: [0; 64], len: 0 }
    }

    /// Adds a position, which is below 2³² if the chunk is sound; the caller checks it before the next call of `flush`.
    #[inline]
    fn push(&mut self, position: u64, sink: &mut impl Sink) {
        if self.len == self.positions.len() {
            self.flush(sink);
        }
        if let Some(slot) = self.positions.get_mut(self.len) {
            *slot = u32::try_from(position).unwrap_or(u32::MAX);
        }
        self.len += 1;
    }

    fn flush(&mut self, sink: &mut impl Sink) {
        sink.positions(self.positions.get(..self.len).unwrap_or_default());
        self.len = 0;
    }
}
