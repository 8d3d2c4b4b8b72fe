//! Collects the positions of a list.

use std::ops::Range;

use super::chunk::Sink;
use crate::bits::load;
use crate::positions::PositionSet;

/// Takes any positions of a run.
impl Sink for Vec<u32> {
    fn positions(&mut self, ascending: &[u32]) {
        self.extend_from_slice(ascending);
    }

    fn bits(&mut self, start: u32, bytes: &[u8]) {
        for (word, base) in bytes.chunks(8).zip((start..).step_by(64)) {
            let mut left = load(word, 0);
            while left != 0 {
                self.push(base + left.trailing_zeros());
                left &= left - 1;
            }
        }
    }

    fn range(&mut self, range: Range<u32>) {
        self.extend(range);
    }
}

/// Collects positions inside a range: a list while they are few, bits from then on.
pub(super) struct Collector {
    within: Range<u32>,
    few: Vec<u32>,
    start: u32,
    words: Vec<u64>,
}

impl Collector {
    /// An empty collector. `within` is not empty.
    pub fn new(within: Range<u32>) -> Self {
        let start = within.start / 64 * 64;
        Self { within, few: Vec::new(), start, words: Vec::new() }
    }

    /// Prepares for a chunk of `count` positions. Beyond a position per 32 of the range, bits are shorter.
    pub fn expect(&mut self, count: u32) {
        if self.words.is_empty() && self.few.len() + count as usize > 64.max(self.within.len() / 32) {
            self.words = vec![0; (self.within.end - self.start).div_ceil(64) as usize];
            let few = std::mem::take(&mut self.few);
            for position in few {
                self.set(position);
            }
        }
    }

    /// The positions, ascending and distinct.
    pub fn finish(mut self) -> PositionSet {
        if self.words.is_empty() {
            // Chunks that overlap are damage that no checksum finds; a set must be one all the same.
            if !self.few.is_sorted_by(|one, other| one < other) {
                self.few.sort_unstable();
                self.few.dedup();
            }
            if self.few.len() == self.within.len() {
                return PositionSet::All(self.within);
            }
            return PositionSet::Sparse(self.few);
        }
        let ones: usize = self.words.iter().map(|word| word.count_ones() as usize).sum();
        if ones == self.within.len() {
            return PositionSet::All(self.within);
        }
        PositionSet::Dense { start: self.start, words: self.words }
    }

    #[inline]
    fn set(&mut self, position: u32) {
        let offset = position - self.start;
        if let Some(word) = self.words.get_mut((offset / 64) as usize) {
            *word |= 1 << (offset % 64);
        }
    }

    fn or(&mut self, base: u32, bits: u64) {
        let bits = bits & mask(base, &self.within);
        if bits == 0 {
            return;
        }
        if let Some(word) = self.words.get_mut(((base - self.start) / 64) as usize) {
            *word |= bits;
        } else {
            let mut left = bits;
            while left != 0 {
                self.few.push(base + left.trailing_zeros());
                left &= left - 1;
            }
        }
    }
}

/// The bits of the word that begins at `base` whose positions are inside `range`.
fn mask(base: u32, range: &Range<u32>) -> u64 {
    let below = |end: u32| match end.saturating_sub(base) {
        bits if bits >= 64 => u64::MAX,
        bits => (1 << bits) - 1,
    };
    below(range.end) & !below(range.start)
}

impl Sink for Collector {
    fn positions(&mut self, ascending: &[u32]) {
        let start = ascending.partition_point(|position| *position < self.within.start);
        let end = ascending.partition_point(|position| *position < self.within.end);
        let inside = ascending.get(start..end).unwrap_or_default();
        if self.words.is_empty() {
            self.few.extend_from_slice(inside);
        } else {
            for position in inside {
                self.set(*position);
            }
        }
    }

    fn bits(&mut self, start: u32, bytes: &[u8]) {
        for (word, base) in bytes.chunks(8).zip((start..).step_by(64)) {
            self.or(base, load(word, 0));
        }
    }

    fn range(&mut self, range: Range<u32>) {
        let inside = range.start.max(self.within.start)..range.end.min(self.within.end);
        if inside.is_empty() {
            return;
        }
        if self.words.is_empty() {
            self.few.extend(inside);
        } else {
            for base in (inside.start / 64 * 64..inside.end).step_by(64) {
                self.or(base, mask(base, &inside));
            }
        }
    }
}
