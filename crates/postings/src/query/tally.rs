//! Counts, histograms and distinct values.

use trailkeeper_domain::Result;
use trailkeeper_domain::event::EventPosition;
use trailkeeper_domain::time::Timestamp;

use super::condition::{Query, start_of};
use super::matching::{Matching, chunks};
use super::values::Values;
use super::windows;
use crate::dimension::Column;
use crate::segment::Segment;

/// The number of matching events.
pub fn count(segment: &mut dyn Segment, query: &Query) -> Result<u64> {
    let mut matching = Matching::new(query, segment)?;
    if let Some(count) = matching.known_count() {
        return Ok(count.into());
    }
    let mut count = 0;
    for window in windows::all(matching.range.clone(), matching.at_most) {
        count += u64::from(matching.positions(window)?.len());
    }
    Ok(count)
}

/// Adds the number of matching events between each edge and the next to `counts`, which has one number less than there
/// are edges. The edges ascend.
///
/// It reads the positions of the edges, or the times of the matching events if these are fewer.
pub fn histogram(segment: &mut dyn Segment, query: &Query, edges: &[Timestamp], counts: &mut [u64]) -> Result<()> {
    let (Some(first), Some(last)) = (edges.first(), edges.last()) else { return Ok(()) };
    let query = query.between(*first, *last);
    let mut matching = Matching::new(&query, segment)?;
    let range = matching.range.clone();
    if range.is_empty() || matching.at_most == 0 {
        return Ok(());
    }
    let mut ends = vec![range.start, range.end - 1];
    ends.dedup();
    let times = matching.segment.keys(&ends)?;
    let (Some(oldest), Some(newest)) = (times.first().copied(), times.last().copied()) else { return Ok(()) };
    // The edges up to the oldest event come before all positions, the edges after the newest behind all.
    let before = edges.partition_point(|edge| *edge <= oldest.occurred_at);
    let until = edges.partition_point(|edge| *edge <= newest.occurred_at);
    let inner = edges.get(before..until).unwrap_or_default();
    let counts = counts.get_mut(before.saturating_sub(1)..).unwrap_or_default();
    if usize::try_from(matching.at_most).is_ok_and(|at_most| at_most < inner.len()) {
        for window in windows::all(range, matching.at_most) {
            let positions = matching.positions(window)?;
            chunks(&positions, &mut |positions| {
                for EventPosition { occurred_at, .. } in matching.segment.keys(positions)? {
                    add(counts, inner.partition_point(|edge| *edge <= occurred_at), 1);
                }
                Ok(())
            })?;
        }
        return Ok(());
    }
    let mut ranks = Vec::with_capacity(inner.len() + 1);
    for edge in inner {
        ranks.push(matching.segment.rank(start_of(*edge))?);
    }
    ranks.push(range.end);
    let mut bucket = 0;
    for window in windows::all(range, matching.at_most) {
        let positions = matching.positions(window.clone())?;
        let mut start = window.start;
        while let Some(rank) = ranks.get(bucket) {
            let end = window.end.min(*rank);
            add(counts, bucket, positions.count_in(&(start..end)).into());
            start = end;
            if *rank > window.end {
                break;
            }
            bucket += 1;
        }
    }
    Ok(())
}

fn add(counts: &mut [u64], bucket: usize, number: u64) {
    if let Some(count) = counts.get_mut(bucket) {
        *count += number;
    }
}

/// Adds the values that the matching events have in a column to `values`.
pub fn distinct(segment: &mut dyn Segment, query: &Query, column: Column, values: &mut Values) -> Result<()> {
    let mut matching = Matching::new(query, segment)?;
    if matching.at_most == 0 {
        return Ok(());
    }
    for window in windows::all(matching.range.clone(), matching.at_most) {
        let positions = matching.positions(window)?;
        chunks(&positions, &mut |positions| {
            values.extend(matching.segment.column(column, positions)?.into_iter().flatten());
            Ok(())
        })?;
    }
    Ok(())
}
