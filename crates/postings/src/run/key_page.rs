//! A page of keys: up to 1,024 times and numbers, in blocks of 64.
//!
//! The key at the start of each block stands in front, so that a reader of one key decodes one block.

use super::flaw::Flaw;
use super::format::KEYS_PER_BLOCK;
use super::key::Key;
use crate::bits::{Framed, Packed, Reader, pack, packed_len, put_framed, put_number, unzigzag, width, zigzag};

const BLOCK: usize = KEYS_PER_BLOCK as usize;

/// The bytes of a page of keys, which ascend.
pub(super) fn encode(keys: &[Key]) -> Vec<u8> {
    let mut page = Vec::new();
    let Some(first) = keys.first() else { return page };
    put_number(&mut page, zigzag(first.time));
    put_number(&mut page, zigzag(first.seq));
    if keys.len() == 1 {
        return page;
    }
    let least = time_gaps(keys).min().unwrap_or_default();
    put_number(&mut page, least);
    if keys.len() > BLOCK {
        let starts = || keys.chunks(BLOCK).skip(1).filter_map(<[Key]>::first);
        put_framed(&mut page, &starts().map(|key| distance(first.time, key.time)).collect::<Vec<_>>());
        put_framed(&mut page, &starts().map(|key| signed(first.seq, key.seq)).collect::<Vec<_>>());
    }
    let blocks: Vec<Block> = keys.chunks(BLOCK).map(|keys| Block::of(keys, least)).collect();
    page.extend(blocks.iter().map(|block| block.time_width));
    put_framed(&mut page, &blocks.iter().map(|block| zigzag(block.least_seq)).collect::<Vec<_>>());
    page.extend(blocks.iter().map(|block| block.seq_width));
    for (block, keys) in blocks.iter().zip(keys.chunks(BLOCK)) {
        pack(&mut page, block.time_width, time_gaps(keys).map(|gap| gap - least));
        pack(&mut page, block.seq_width, seq_gaps(keys).map(|gap| distance(block.least_seq, gap)));
    }
    page
}

/// The widths of a block, and the smallest of its differences of numbers.
struct Block {
    time_width: u8,
    least_seq: i64,
    seq_width: u8,
}

impl Block {
    fn of(keys: &[Key], least_time: u64) -> Self {
        let least_seq = seq_gaps(keys).min().unwrap_or_default();
        Self {
            time_width: width(time_gaps(keys).map(|gap| gap - least_time)),
            least_seq,
            seq_width: width(seq_gaps(keys).map(|gap| distance(least_seq, gap))),
        }
    }
}

fn time_gaps(keys: &[Key]) -> impl Iterator<Item = u64> {
    keys.iter().zip(keys.iter().skip(1)).map(|(before, key)| distance(before.time, key.time))
}

fn seq_gaps(keys: &[Key]) -> impl Iterator<Item = i64> {
    keys.iter().zip(keys.iter().skip(1)).map(|(before, key)| key.seq.wrapping_sub(before.seq))
}

/// The distance of a number that is not less, which always fits.
fn distance(from: i64, to: i64) -> u64 {
    to.wrapping_sub(from).cast_unsigned()
}

fn signed(from: i64, to: i64) -> u64 {
    zigzag(to.wrapping_sub(from))
}

/// A page of keys.
pub(super) struct KeyPage<'a> {
    count: usize,
    first: Key,
    least_time: u64,
    time_starts: Framed<'a>,
    seq_starts: Framed<'a>,
    time_widths: &'a [u8],
    least_seqs: Framed<'a>,
    seq_widths: &'a [u8],
    blocks: Reader<'a>,
}

impl<'a> KeyPage<'a> {
    /// Reads the front of a page of `count` keys, at least 1.
    pub fn new(page: &'a [u8], count: usize) -> Result<Self, Flaw> {
        let mut reader = Reader::new(page, 0);
        let first = Key { time: unzigzag(reader.number()?), seq: unzigzag(reader.number()?) };
        let mut read = Self {
            count,
            first,
            least_time: 0,
            time_starts: Framed::default(),
            seq_starts: Framed::default(),
            time_widths: &[],
            least_seqs: Framed::default(),
            seq_widths: &[],
            blocks: reader,
        };
        if count > 1 {
            read.least_time = reader.number()?;
            let blocks = count.div_ceil(BLOCK);
            if blocks > 1 {
                read.time_starts = Framed::read(&mut reader, blocks - 1)?;
                read.seq_starts = Framed::read(&mut reader, blocks - 1)?;
            }
            read.time_widths = reader.take(blocks)?;
            read.least_seqs = Framed::read(&mut reader, blocks)?;
            read.seq_widths = reader.take(blocks)?;
            read.blocks = reader;
        }
        Ok(read)
    }

    /// Replaces the content of `keys` by those of one block.
    pub fn block(&self, index: usize, keys: &mut Vec<Key>) -> Result<(), Flaw> {
        keys.clear();
        let mut key = self.start(index);
        keys.push(key);
        let here = self.count.saturating_sub(index * BLOCK).min(BLOCK);
        if here < 2 {
            return Ok(());
        }
        let mut reader = self.blocks;
        let widths = self.time_widths.iter().zip(self.seq_widths);
        for (time, seq) in widths.take(index) {
            reader.take(packed_len(BLOCK - 1, *time))?;
            reader.take(packed_len(BLOCK - 1, *seq))?;
        }
        let width = |widths: &[u8]| widths.get(index).copied().unwrap_or_default();
        let times = Packed::read(&mut reader, width(self.time_widths), here - 1)?;
        let seqs = Packed::read(&mut reader, width(self.seq_widths), here - 1)?;
        let least_seq = unzigzag(self.least_seqs.get(index).unwrap_or_default());
        for (time, seq) in times.iter().zip(seqs.iter()) {
            key = Key {
                time: key.time.wrapping_add_unsigned(time.wrapping_add(self.least_time)),
                seq: key.seq.wrapping_add(least_seq).wrapping_add_unsigned(seq),
            };
            keys.push(key);
        }
        Ok(())
    }

    /// The number of keys before `key`.
    pub fn rank(&self, key: Key) -> Result<usize, Flaw> {
        let (mut low, mut high) = (0, self.count.div_ceil(BLOCK));
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.start(middle) < key {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        // The last block that begins before the key.
        let Some(block) = low.checked_sub(1) else { return Ok(0) };
        let mut keys = Vec::with_capacity(BLOCK);
        self.block(block, &mut keys)?;
        Ok(block * BLOCK + keys.partition_point(|other| *other < key))
    }

    /// All keys of the page.
    pub fn all(&self) -> Result<Vec<Key>, Flaw> {
        let (mut all, mut keys) = (Vec::with_capacity(self.count), Vec::with_capacity(BLOCK));
        for block in 0..self.count.div_ceil(BLOCK) {
            self.block(block, &mut keys)?;
            all.append(&mut keys);
        }
        if all.is_sorted_by(|one, other| one < other) { Ok(all) } else { Err(Flaw::new(0, "the keys do not ascend")) }
    }

    /// The first key of a block.
    fn start(&self, block: usize) -> Key {
        let Some(index) = block.checked_sub(1) else { return self.first };
        let (time, seq) = (self.time_starts.get(index), self.seq_starts.get(index));
        Key {
            time: self.first.time.wrapping_add_unsigned(time.unwrap_or_default()),
            seq: self.first.seq.wrapping_add(unzigzag(seq.unwrap_or_default())),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn keys() -> impl Strategy<Value = Vec<Key>> {
        let number =
            || prop_oneof![any::<i64>(), -100_i64..100, 1_000_000_i64..1_001_000, Just(i64::MAX), Just(i64::MIN)];
        vec((number(), number()), 1..300).prop_map(|keys| {
            let mut keys: Vec<Key> = keys.into_iter().map(|(time, seq)| Key { time, seq }).collect();
            keys.sort();
            keys.dedup();
            keys
        })
    }

    proptest! {
        #[test]
        fn keys_are_read_as_written(keys in keys(), other in keys()) {
            let page = encode(&keys);
            let read = KeyPage::new(&page, keys.len()).unwrap();
            prop_assert_eq!(read.all().unwrap(), keys.clone());
            for key in keys.iter().chain(&other) {
                prop_assert_eq!(read.rank(*key).unwrap(), keys.iter().filter(|one| *one < key).count());
            }
        }
    }

    #[test]
    fn a_steady_stream_takes_few_bytes() {
        let keys: Vec<Key> = (0..1_024).map(|index| Key { time: 1_000_000 + index * 777, seq: 50 + index }).collect();
        assert!(encode(&keys).len() < 160, "{}", encode(&keys).len());
    }
}
