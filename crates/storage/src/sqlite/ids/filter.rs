//! Filters in front of runs: most new ids are in no run, and need not read one.
//!
//! A Bloom filter of blocks of 256 bits: a key sets one bit in each of the eight words of its block, so asking it touches
//! one line of the processor's cache. With ten bits per key, about one of eighty foreign keys passes. Filters are in
//! memory only, and are made again from the pages.

/// Bits per key.
const BITS_PER_KEY: u64 = 10;
/// With fewer bits per key, a filter is not worth its memory.
const FEWEST_BITS: u64 = 2;
const BLOCK_BITS: u64 = 256;
const BLOCK_BYTES: u64 = BLOCK_BITS / 8;

/// The most bytes that all filters of a store take: those of about 50 million ids with ten bits each. Later runs have
/// filters of fewer bits, or none; then their pages are read more often.
pub const BUDGET: u64 = 64 * 1024 * 1024;

/// Odd numbers, one for each word of a block.
const SALTS: [u32; 8] =
    [0x47b6_137b, 0x4497_4d91, 0x8824_ad5b, 0xa2b7_289d, 0x7054_95c7, 0x2df1_424b, 0x9efc_4947, 0x5c6b_fb31];

/// A set of keys that may also say yes to others.
#[derive(Debug)]
pub struct Filter {
    blocks: Vec<[u32; 8]>,
}

impl Filter {
    /// An empty filter for so many keys, that takes at most `budget` bytes. Without enough of them it says yes to all.
    pub fn new(keys: u64, budget: u64) -> Self {
        let wanted = (keys.saturating_mul(BITS_PER_KEY) / BLOCK_BITS + 1) * BLOCK_BYTES;
        let bytes = wanted.min(budget);
        let blocks = if bytes.saturating_mul(8) < keys.saturating_mul(FEWEST_BITS) { 0 } else { bytes / BLOCK_BYTES };
        Self { blocks: vec![[0; 8]; usize::try_from(blocks).unwrap_or(0)] }
    }

    /// The number of bytes in memory.
    pub fn bytes(&self) -> u64 {
        self.blocks.len() as u64 * BLOCK_BYTES
    }

    /// Adds a key.
    pub fn insert(&mut self, key: u64) {
        let (block, bits) = self.place(key);
        if let Some(block) = self.blocks.get_mut(block) {
            for (word, salt) in block.iter_mut().zip(SALTS) {
                *word |= bit(bits, salt);
            }
        }
    }

    /// Whether the key was added; also yes for a few others.
    pub fn may_contain(&self, key: u64) -> bool {
        let (block, bits) = self.place(key);
        // Without blocks, every key may be there.
        self.blocks
            .get(block)
            .is_none_or(|block| block.iter().zip(SALTS).all(|(word, salt)| word & bit(bits, salt) != 0))
    }

    /// The block of a key, and the bits that choose its bits there. Keys are hashes, but neighbours in the order of keys
    /// must not share blocks.
    fn place(&self, key: u64) -> (usize, u32) {
        let mixed = key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ mixed >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93);
        let block = (u128::from(mixed) * self.blocks.len() as u128) >> 64;
        (usize::try_from(block).unwrap_or(0), u32::try_from(mixed & u64::from(u32::MAX)).unwrap_or(0))
    }
}

fn bit(bits: u32, salt: u32) -> u32 {
    1 << (bits.wrapping_mul(salt) >> 27)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(from: u64, count: u64) -> impl Iterator<Item = u64> {
        (from..from + count).map(|n| n.wrapping_mul(0x5851_f42d_4c95_7f2d) >> 16)
    }

    fn filter(count: u64, budget: u64) -> Filter {
        let mut filter = Filter::new(count, budget);
        keys(0, count).for_each(|key| filter.insert(key));
        filter
    }

    #[test]
    fn what_was_added_is_found_and_few_others_are() {
        let filter = filter(100_000, BUDGET);
        assert!(keys(0, 100_000).all(|key| filter.may_contain(key)));
        let others = keys(1_000_000, 100_000).filter(|key| filter.may_contain(*key)).count();
        assert!(others < 2_500, "{others}");
        assert!(filter.bytes() < 130_000, "{}", filter.bytes());
    }

    #[test]
    fn the_budget_is_kept() {
        let small = filter(100_000, 50_000);
        assert!(small.bytes() <= 50_000 && keys(0, 100_000).all(|key| small.may_contain(key)));
        let none = filter(100_000, 10_000);
        assert_eq!(none.bytes(), 0);
        assert!(keys(0, 200_000).all(|key| none.may_contain(key)), "it excludes nothing");
    }
}
