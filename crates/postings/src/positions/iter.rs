//! Walks over sets of positions, in both directions.

use std::iter::Copied;
use std::ops::Range;
use std::slice;

use super::bits::{self, WORD};

/// The positions of a set, ascending; `rev` makes them descending.
#[derive(Debug, Clone)]
pub struct Iter<'a>(Walk<'a>);

#[derive(Debug, Clone)]
enum Walk<'a> {
    Sparse(Copied<slice::Iter<'a, u32>>),
    Dense(Bits<'a>),
    All(Range<u32>),
}

/// The set bits whose positions are inside `left`.
#[derive(Debug, Clone)]
struct Bits<'a> {
    start: u32,
    words: &'a [u64],
    left: Range<u32>,
}

impl<'a> Iter<'a> {
    /// Positions that are ascending and distinct.
    pub(super) fn sparse(positions: &'a [u32]) -> Self {
        Self(Walk::Sparse(positions.iter().copied()))
    }

    /// The set bits inside `within`.
    pub(super) fn dense(start: u32, words: &'a [u64], within: Range<u32>) -> Self {
        let left = within.start.max(start)..within.end.min(bits::end(start, words.len()));
        Self(Walk::Dense(Bits { start, words, left }))
    }

    /// All positions of a range.
    pub(super) fn all(range: Range<u32>) -> Self {
        Self(Walk::All(range))
    }
}

impl Iterator for Iter<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        match &mut self.0 {
            Walk::Sparse(positions) => positions.next(),
            Walk::Dense(bits) => bits.first(),
            Walk::All(range) => range.next(),
        }
    }
}

impl DoubleEndedIterator for Iter<'_> {
    fn next_back(&mut self) -> Option<u32> {
        match &mut self.0 {
            Walk::Sparse(positions) => positions.next_back(),
            Walk::Dense(bits) => bits.last(),
            Walk::All(range) => range.next_back(),
        }
    }
}

impl Bits<'_> {
    /// The word with this position, without the bits outside `left`, and the position of its first bit.
    fn word(&self, position: u32) -> Option<(u32, u64)> {
        let (index, _) = bits::place(self.start, position)?;
        let base = position - (position - self.start) % WORD;
        self.words.get(index).map(|word| (base, word & bits::mask(base, &self.left)))
    }

    fn first(&mut self) -> Option<u32> {
        while self.left.start < self.left.end {
            let (base, word) = self.word(self.left.start)?;
            if word != 0 {
                let found = base + word.trailing_zeros();
                self.left.start = found + 1;
                return Some(found);
            }
            self.left.start = base.saturating_add(WORD);
        }
        None
    }

    fn last(&mut self) -> Option<u32> {
        while self.left.start < self.left.end {
            let (base, word) = self.word(self.left.end - 1)?;
            if word != 0 {
                let found = base + (WORD - 1 - word.leading_zeros());
                self.left.end = found;
                return Some(found);
            }
            self.left.end = base;
        }
        None
    }
}
