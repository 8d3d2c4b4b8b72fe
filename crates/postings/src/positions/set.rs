//! One set of positions.

use std::ops::Range;

use super::bits;
use super::iter::Iter;

/// The positions of events in a run, as many as one part of a query needs.
///
/// `u32::MAX` is no position, so that every set fits into a half-open range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PositionSet {
    /// Ascending and distinct.
    Sparse(Vec<u32>),
    /// One bit per position, least significant first. The first bit is that of `start`, a multiple of 64.
    Dense {
        /// The position of the first bit.
        start: u32,
        /// The bits.
        words: Vec<u64>,
    },
    /// All positions of the range.
    All(Range<u32>),
}

impl PositionSet {
    /// The set without positions.
    pub fn empty() -> Self {
        Self::Sparse(Vec::new())
    }

    /// The number of positions.
    pub fn len(&self) -> u32 {
        self.count_in(&(0..u32::MAX))
    }

    /// Whether there are no positions.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Sparse(positions) => positions.is_empty(),
            Self::Dense { words, .. } => words.iter().all(|word| *word == 0),
            Self::All(range) => range.is_empty(),
        }
    }

    /// Whether the set has this position.
    pub fn contains(&self, position: u32) -> bool {
        match self {
            Self::Sparse(positions) => positions.binary_search(&position).is_ok(),
            Self::Dense { start, words } => bits::place(*start, position)
                .and_then(|(index, bit)| words.get(index).map(|word| word & bit != 0))
                .unwrap_or_default(),
            Self::All(range) => range.contains(&position),
        }
    }

    /// The number of positions inside `range`.
    pub fn count_in(&self, range: &Range<u32>) -> u32 {
        match self {
            Self::Sparse(positions) => u32::try_from(slice(positions, range).len()).unwrap_or(u32::MAX),
            Self::Dense { start, words } => {
                bits::inside(*start, words, range).map(|(_, word)| word.count_ones()).fold(0, u32::saturating_add)
            }
            Self::All(all) => all.end.min(range.end).saturating_sub(all.start.max(range.start)),
        }
    }

    /// The positions, ascending. The iterator also goes backwards.
    pub fn iter(&self) -> Iter<'_> {
        self.iter_in(&(0..u32::MAX))
    }

    /// The positions inside `range`, ascending. The iterator also goes backwards.
    pub fn iter_in(&self, range: &Range<u32>) -> Iter<'_> {
        match self {
            Self::Sparse(positions) => Iter::sparse(slice(positions, range)),
            Self::Dense { start, words } => Iter::dense(*start, words, range.clone()),
            Self::All(all) => Iter::all(common(all, range)),
        }
    }

    /// The smallest range with all positions; an empty range without positions.
    pub fn span(&self) -> Range<u32> {
        let mut positions = self.iter();
        let Some(first) = positions.next() else { return 0..0 };
        first..positions.next_back().unwrap_or(first) + 1
    }

    /// The positions inside `range`.
    #[must_use]
    pub fn within(&self, range: &Range<u32>) -> Self {
        match self {
            Self::Sparse(positions) => Self::Sparse(slice(positions, range).to_vec()),
            Self::Dense { start, words } => {
                let kept: Vec<u64> = bits::inside(*start, words, range).map(|(_, word)| word).collect();
                let first = bits::indexes(*start, words.len(), range).start;
                Self::Dense { start: bits::end(*start, first), words: kept }
            }
            Self::All(all) => Self::All(common(all, range)),
        }
    }
}

impl<'a> IntoIterator for &'a PositionSet {
    type Item = u32;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl FromIterator<u32> for PositionSet {
    /// The set of these positions, in any order.
    fn from_iter<I: IntoIterator<Item = u32>>(positions: I) -> Self {
        let mut positions: Vec<u32> = positions.into_iter().collect();
        positions.sort_unstable();
        positions.dedup();
        Self::Sparse(positions)
    }
}

/// The positions inside both ranges.
pub(super) fn common(one: &Range<u32>, other: &Range<u32>) -> Range<u32> {
    let start = one.start.max(other.start);
    start..one.end.min(other.end).max(start)
}

/// The part of ascending positions that is inside `range`.
pub(super) fn slice<'a>(positions: &'a [u32], range: &Range<u32>) -> &'a [u32] {
    let first = positions.partition_point(|position| *position < range.start);
    let rest = positions.get(first..).unwrap_or_default();
    let kept = rest.partition_point(|position| *position < range.end);
    rest.get(..kept).unwrap_or_default()
}
