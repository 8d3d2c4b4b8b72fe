//! Sorted events in memory.

use std::ops::Range;

use trailkeeper_domain::Result;
use trailkeeper_domain::event::EventPosition;
use trailkeeper_domain::indexed_event::IndexedEvent;

use crate::dimension::{Column, Dimension};
use crate::positions::PositionSet;
use crate::segment::{NumberBounds, Segment};
use crate::value::{value_in, value_of};

/// The events whose numbers have common bounds.
const PART: usize = 64;

/// Events of one scope in memory, as a segment. It looks at every event for each posting list.
#[derive(Debug, Clone)]
pub struct SortedEvents {
    events: Vec<IndexedEvent>,
    removed: PositionSet,
}

impl SortedEvents {
    /// Sorts the events.
    pub fn new(mut events: Vec<IndexedEvent>) -> Self {
        events.sort_unstable_by_key(IndexedEvent::position);
        Self { events, removed: PositionSet::empty() }
    }

    /// The same events, of which those at these positions are removed.
    #[must_use]
    pub fn without(self, removed: PositionSet) -> Self {
        Self { removed, ..self }
    }

    /// The events in ascending order, removed ones included.
    pub fn events(&self) -> &[IndexedEvent] {
        &self.events
    }

    fn at<'a>(&'a self, positions: &'a [u32]) -> impl Iterator<Item = &'a IndexedEvent> {
        positions.iter().filter_map(|position| self.events.get(*position as usize))
    }
}

impl Segment for SortedEvents {
    fn len(&self) -> u32 {
        number(self.events.len())
    }

    fn removed(&mut self) -> Result<PositionSet> {
        Ok(self.removed.clone())
    }

    fn rank(&mut self, key: EventPosition) -> Result<u32> {
        Ok(number(self.events.partition_point(|event| event.position() < key)))
    }

    fn frequency(&mut self, dimension: Dimension, value: u32) -> Result<u32> {
        Ok(number(self.events.iter().filter(|event| value_of(event, dimension) == Some(value)).count()))
    }

    fn postings(&mut self, dimension: Dimension, value: u32, within: Range<u32>) -> Result<PositionSet> {
        let events = (0..self.len()).zip(&self.events).skip(within.start as usize).take(within.len());
        let found = events.filter(|(_, event)| value_of(event, dimension) == Some(value));
        Ok(PositionSet::Sparse(found.map(|(position, _)| position).collect()))
    }

    fn keys(&mut self, positions: &[u32]) -> Result<Vec<EventPosition>> {
        Ok(self.at(positions).map(IndexedEvent::position).collect())
    }

    fn number_bounds(&mut self) -> Vec<NumberBounds> {
        let parts = (0_u32..).step_by(PART).zip(self.events.chunks(PART));
        parts
            .filter_map(|(start, part)| {
                let numbers = || part.iter().map(|event| event.seq);
                let (least, greatest) = (numbers().min()?, numbers().max()?);
                Some(NumberBounds { positions: start..start + number(part.len()), least, greatest })
            })
            .collect()
    }

    fn column(&mut self, column: Column, positions: &[u32]) -> Result<Vec<Option<u32>>> {
        Ok(self.at(positions).map(|event| value_in(event, column)).collect())
    }
}

fn number(events: usize) -> u32 {
    u32::try_from(events).unwrap_or(u32::MAX)
}
