//! Sets of positions in a run.

use std::ops::Range;

/// The positions of events in a run, as many as one part of a query needs.
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
