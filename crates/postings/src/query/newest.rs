//! The newest matching events, and the first and the last.

use trailkeeper_domain::Result;
use trailkeeper_domain::event::EventPosition;

use super::condition::Query;
use super::matching::Matching;
use super::windows;
use crate::segment::Segment;

/// At most `limit` matching events, newest first, strictly before `before`. It stops at the window with the last of
/// them.
pub fn newest(
    segment: &mut dyn Segment,
    query: &Query,
    before: Option<EventPosition>,
    limit: usize,
) -> Result<Vec<EventPosition>> {
    let mut matching = Matching::new(query, segment)?;
    if limit == 0 || matching.at_most == 0 {
        return Ok(Vec::new());
    }
    let mut range = matching.range.clone();
    if let Some(before) = before {
        range.end = range.end.min(matching.segment.rank(before)?);
    }
    let mut found = Vec::new();
    for window in windows::descending(range, matching.at_most) {
        found.extend(matching.positions(window)?.iter().rev().take(limit - found.len()));
        if found.len() == limit {
            break;
        }
    }
    found.reverse();
    let mut keys = matching.segment.keys(&found)?;
    keys.reverse();
    Ok(keys)
}

/// The oldest and the newest matching event.
pub fn first_and_last(segment: &mut dyn Segment, query: &Query) -> Result<Option<(EventPosition, EventPosition)>> {
    let mut matching = Matching::new(query, segment)?;
    if matching.at_most == 0 {
        return Ok(None);
    }
    let (range, at_most) = (matching.range.clone(), matching.at_most);
    let mut first = None;
    for window in windows::ascending(range.clone(), at_most) {
        first = matching.positions(window)?.iter().next();
        if first.is_some() {
            break;
        }
    }
    let Some(first) = first else { return Ok(None) };
    let mut last = first;
    for window in windows::descending(first..range.end, at_most) {
        if let Some(found) = matching.positions(window)?.iter().next_back() {
            last = found;
            break;
        }
    }
    let positions = if first == last { vec![first] } else { vec![first, last] };
    let keys = matching.segment.keys(&positions)?;
    Ok(keys.first().copied().zip(keys.last().copied()))
}
