//! Constants of the format, and the receiver of a set's ids.

use crate::sheet::bits::IdBits;

/// The first byte of a payload.
pub const VERSION: u8 = 1;

/// The most ids that references may encode in total, up to a facet that begins at this byte.
///
/// Without a limit, a forged payload of a megabyte could refer to one large set a hundred thousand times.
pub fn may_be_referred(facet_at: usize) -> usize {
    facet_at.saturating_mul(64)
}

/// Takes the ids of one set.
pub trait Sink {
    /// Takes ascending ids that are greater than all ids before.
    fn ids(&mut self, ascending: &[u32]);

    /// Takes the ids whose bits are set, which are greater than all ids before. The first bit is that of the id
    /// `64 * first_word`. All ids fit 32 bits.
    fn bits(&mut self, first_word: u32, bytes: &[u8]);
}

impl Sink for IdBits {
    fn ids(&mut self, ascending: &[u32]) {
        self.insert_ascending(ascending);
    }

    fn bits(&mut self, first_word: u32, bytes: &[u8]) {
        self.insert_bits(first_word, bytes);
    }
}

impl Sink for Vec<u32> {
    fn ids(&mut self, ascending: &[u32]) {
        self.extend_from_slice(ascending);
    }

    fn bits(&mut self, first_word: u32, bytes: &[u8]) {
        let mut base = u64::from(first_word) * 64;
        for byte in bytes {
            let mut left = *byte;
            while left != 0 {
                self.extend(u32::try_from(base + u64::from(left.trailing_zeros())));
                left &= left - 1;
            }
            base += 8;
        }
    }
}
