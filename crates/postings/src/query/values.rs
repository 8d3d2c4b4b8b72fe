//! Sets of values, collected over many segments.

use std::collections::BTreeMap;

/// The values of a block.
const BLOCK: u32 = 1 << 16;

/// A set of numbers of a dictionary. It takes at most one bit per number up to the largest, in blocks of 8 KiB.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Values {
    blocks: BTreeMap<u32, Vec<u64>>,
    len: u64,
}

impl Values {
    /// Adds a value. Returns whether it is new.
    pub fn insert(&mut self, value: u32) -> bool {
        let block = self.blocks.entry(value / BLOCK).or_insert_with(|| vec![0; (BLOCK / 64) as usize]);
        let bit = 1 << (value % 64);
        match block.get_mut((value % BLOCK / 64) as usize) {
            Some(word) if *word & bit == 0 => {
                *word |= bit;
                self.len += 1;
                true
            }
            _ => false,
        }
    }

    /// The number of values.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether the set has this value.
    pub fn contains(&self, value: u32) -> bool {
        let word = self.blocks.get(&(value / BLOCK)).and_then(|block| block.get((value % BLOCK / 64) as usize));
        word.is_some_and(|word| word & (1 << (value % 64)) != 0)
    }

    /// The values, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.blocks.iter().flat_map(|(block, words)| {
            let base = block * BLOCK;
            (0_u32..).zip(words).flat_map(move |(index, word)| {
                (0..64).filter(move |bit| word & (1 << bit) != 0).map(move |bit| base + index * 64 + bit)
            })
        })
    }
}

impl Extend<u32> for Values {
    fn extend<I: IntoIterator<Item = u32>>(&mut self, values: I) {
        for value in values {
            self.insert(value);
        }
    }
}
