//! The segments and the waiting events of a scope.

use trailkeeper_domain::Result;
use trailkeeper_domain::time::Timestamp;

use super::condition::Query;
use super::waiting::Waiting;
use crate::segment::Segment;

/// The times of the events of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The time of the oldest event.
    pub first: Timestamp,
    /// The time of the newest event.
    pub last: Timestamp,
}

/// The events of a scope in one snapshot: each is in exactly one segment, or in one delta that waits. One segment is open
/// at a time, because an open one may use the caller's transaction.
pub trait Segments {
    /// The times of each segment, in any order. Removed events may count.
    fn spans(&self) -> Vec<Span>;

    /// Calls `work` with the segment that has this index in [`spans`](Self::spans).
    fn open(&mut self, index: usize, work: &mut dyn FnMut(&mut dyn Segment) -> Result<()>) -> Result<()>;

    /// Calls `each` with the matching events of each waiting delta that has some, in any order of deltas.
    fn waiting(&mut self, query: &Query, each: &mut dyn FnMut(&Waiting<'_>) -> Result<()>) -> Result<()>;
}
