//! The matching events with the smallest numbers: those that were stored first.

use std::ops::Range;

use trailkeeper_domain::Result;
use trailkeeper_domain::event::EventPosition;
use trailkeeper_domain::ports::NumberRange;

use super::condition::Query;
use super::matching::Matching;
use super::windows;
use crate::segment::{NumberBounds, Segment};

/// The events with the smallest numbers among those that were offered.
#[derive(Debug)]
pub struct FirstStored {
    range: NumberRange,
    limit: usize,
    /// Up to twice as many as wanted, in any order.
    found: Vec<EventPosition>,
}

impl FirstStored {
    /// Takes the events with the smallest numbers in `range`, at most `limit`.
    pub fn new(range: NumberRange, limit: usize) -> Self {
        Self { range, limit, found: Vec::new() }
    }

    /// Offers an event.
    pub fn add(&mut self, event: EventPosition) {
        if self.range.contains(event.seq) {
            self.found.push(event);
            if self.found.len() >= self.limit.saturating_mul(2).max(KEPT_AT_LEAST) {
                self.cut();
            }
        }
    }

    /// The numbers that are still wanted.
    pub fn wanted(&self) -> NumberRange {
        self.range
    }

    /// The events in the order of numbers.
    pub fn finish(mut self) -> Vec<EventPosition> {
        self.cut();
        self.found
    }

    fn cut(&mut self) {
        self.found.sort_unstable_by_key(|event| event.seq);
        self.found.truncate(self.limit);
        if let Some(last) = self.found.last().filter(|_| self.found.len() == self.limit) {
            self.range.until = self.range.until.min(last.seq);
        }
    }
}

/// The least number of events from which on those that are not wanted any more are forgotten.
pub(super) const KEPT_AT_LEAST: usize = 1_024;

/// Offers the matching events of a segment, as far as they may be wanted.
///
/// It reads the parts of the segment in the order of their smallest numbers, and none whose numbers are all too small or too
/// great. Events that were stored in the order of their times have few parts with the same numbers.
pub fn first_stored(segment: &mut dyn Segment, query: &Query, first: &mut FirstStored) -> Result<()> {
    let reaches = |part: &NumberBounds, wanted: NumberRange| wanted.after < part.greatest && part.least <= wanted.until;
    let mut parts = segment.number_bounds();
    parts.retain(|part| reaches(part, first.wanted()));
    if parts.is_empty() {
        return Ok(());
    }
    let mut matching = Matching::new(query, segment)?;
    if matching.at_most == 0 {
        return Ok(());
    }
    let range = matching.range.clone();
    // Their numbers are read at once, and not in the order of parts.
    if matching.at_most <= windows::FEW {
        let inside = |position: u32| {
            let next = parts.partition_point(|part| part.positions.end <= position);
            parts.get(next).is_some_and(|part| part.positions.contains(&position))
        };
        let found: Vec<u32> = matching.positions(range)?.iter().filter(|position| inside(*position)).collect();
        return offer(&mut matching, &found, first);
    }
    parts.sort_unstable_by_key(|part| part.least);
    for part in parts {
        // The parts that follow have no smaller numbers, but their greatest ones differ.
        if !reaches(&part, first.wanted()) {
            continue;
        }
        for window in windows::all(common(&part.positions, &range), matching.at_most) {
            let found: Vec<u32> = matching.positions(window)?.iter().collect();
            offer(&mut matching, &found, first)?;
        }
        first.cut();
    }
    Ok(())
}

/// Offers the events at these positions.
fn offer(matching: &mut Matching<'_, '_>, positions: &[u32], first: &mut FirstStored) -> Result<()> {
    matching.segment.keys(positions)?.into_iter().for_each(|event| first.add(event));
    Ok(())
}

fn common(one: &Range<u32>, other: &Range<u32>) -> Range<u32> {
    let start = one.start.max(other.start);
    start..one.end.min(other.end).max(start)
}
