//! The interface between queries and runs.

use std::ops::Range;

use trailkeeper_domain::Result;
use trailkeeper_domain::event::EventPosition;

use crate::dimension::{Column, Dimension};
use crate::positions::PositionSet;

/// The numbers of the events at some positions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberBounds {
    /// The positions, at least one.
    pub positions: Range<u32>,
    /// The least number, or a smaller one.
    pub least: i64,
    /// The greatest number, or a larger one.
    pub greatest: i64,
}

/// Events of one scope in ascending order of (`occurred_at`, `seq`). A position is the index of an event in this order.
///
/// Methods take `&mut self` because an implementation may read pages from a database.
pub trait Segment {
    /// The number of events, removed ones included.
    fn len(&self) -> u32;

    /// Whether there are no events.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The positions of events that were removed. No answer may contain them.
    fn removed(&mut self) -> Result<PositionSet>;

    /// The number of events before `key`, removed ones included.
    fn rank(&mut self, key: EventPosition) -> Result<u32>;

    /// The number of events with this value, removed ones included. It reads no posting list.
    fn frequency(&mut self, dimension: Dimension, value: u32) -> Result<u32>;

    /// The positions inside `within` of the events with this value, removed ones included.
    fn postings(&mut self, dimension: Dimension, value: u32, within: Range<u32>) -> Result<PositionSet>;

    /// The times and numbers of the events at these positions, which are ascending.
    fn keys(&mut self, positions: &[u32]) -> Result<Vec<EventPosition>>;

    /// The bounds of the numbers of adjacent positions, which together are all positions.
    fn number_bounds(&mut self) -> Vec<NumberBounds>;

    /// The values at these positions, which are ascending; `None` where the event has none.
    fn column(&mut self, column: Column, positions: &[u32]) -> Result<Vec<Option<u32>>>;
}
