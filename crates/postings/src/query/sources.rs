//! Questions about all events of a scope: its runs, and the events that wait for a merge.

use std::cmp::Reverse;

use trailkeeper_domain::Result;
use trailkeeper_domain::event::EventPosition;
use trailkeeper_domain::ports::NumberRange;
use trailkeeper_domain::time::{Timestamp, just_after};

use super::columns::{Columns, columns};
use super::condition::Query;
use super::newest::{first_and_last, newest as newest_of};
use super::numbered::{FirstStored, KEPT_AT_LEAST, first_stored};
use super::ordered::Ordered;
use super::segments::{Segments, Span};
use super::tally::{count, distinct, histogram};
use super::values::Values;
use super::waiting::{Waiting, micros_from};
use crate::dimension::Column;
use crate::segment::Segment;
use crate::value::dimension_of;

/// All events of a scope in one snapshot.
///
/// No answer depends on whether an event is in a segment or waits, so a cursor stays exact while events are merged into
/// segments.
pub struct Sources<'a> {
    segments: &'a mut dyn Segments,
}

impl<'a> Sources<'a> {
    /// The events of these segments, and those that wait.
    pub fn new(segments: &'a mut dyn Segments) -> Self {
        Self { segments }
    }

    /// At most `limit` matching events, newest first, strictly before `before`.
    ///
    /// It opens segments from the newest on, and none whose events are all older than the last of `limit` events.
    pub fn newest(&mut self, query: &Query, before: Option<EventPosition>, limit: usize) -> Result<Vec<EventPosition>> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let mut query = query.clone();
        if let Some(before) = before {
            let end = just_after(before.occurred_at);
            query.until = Some(query.until.map_or(end, |until| until.min(end)));
        }
        let mut newest = Newest::new(before, limit);
        self.segments.waiting(&query, &mut |waiting| newest.add(waiting))?;
        let mut found = newest.finish();
        for (index, span) in self.newest_first() {
            if found.len() == limit {
                // What is older than the last event found is not wanted any more.
                query.from = query.from.max(found.last().map(|last| last.occurred_at));
            }
            if !query.reaches(span.first, span.last) {
                continue;
            }
            self.segments.open(index, &mut |segment| {
                found.extend(newest_of(segment, &query, before, limit)?);
                Ok(())
            })?;
            keep_newest(&mut found, limit);
        }
        Ok(found)
    }

    /// The matching events with the smallest numbers in `range`, at most `limit`, in the order of numbers: as they were stored.
    ///
    /// It opens every segment that the query reaches, and reads those parts of them whose numbers are wanted.
    pub fn first_stored(&mut self, query: &Query, range: NumberRange, limit: usize) -> Result<Vec<EventPosition>> {
        let mut first = FirstStored::new(range, limit);
        if limit == 0 {
            return Ok(first.finish());
        }
        self.segments.waiting(query, &mut |waiting| {
            for key in waiting.keys() {
                if first.wanted().contains(key.1) {
                    first.add(waiting.position(key)?);
                }
            }
            Ok(())
        })?;
        self.each(query, &mut |segment| first_stored(segment, query, &mut first))?;
        Ok(first.finish())
    }

    /// The number of matching events.
    pub fn count(&mut self, query: &Query) -> Result<u64> {
        let mut sum = 0;
        self.segments.waiting(query, &mut |waiting| {
            sum += waiting.len() as u64;
            Ok(())
        })?;
        self.each(query, &mut |segment| {
            sum += count(segment, query)?;
            Ok(())
        })?;
        Ok(sum)
    }

    /// The number of matching events between each edge and the next. The edges ascend.
    pub fn histogram(&mut self, query: &Query, edges: &[Timestamp]) -> Result<Vec<u64>> {
        let mut counts = vec![0; edges.len().saturating_sub(1)];
        let (Some(first), Some(last)) = (edges.first(), edges.last()) else { return Ok(counts) };
        let query = query.between(*first, *last);
        let in_micros: Vec<i64> = edges.iter().copied().map(micros_from).collect();
        self.segments.waiting(&query, &mut |waiting| {
            for (micros, _) in waiting.keys() {
                let bucket = in_micros.partition_point(|edge| *edge <= micros).checked_sub(1);
                if let Some(count) = bucket.and_then(|bucket| counts.get_mut(bucket)) {
                    *count += 1;
                }
            }
            Ok(())
        })?;
        self.each(&query, &mut |segment| histogram(segment, &query, edges, &mut counts))?;
        Ok(counts)
    }

    /// The values that the matching events have in a column.
    pub fn distinct(&mut self, query: &Query, column: Column) -> Result<Values> {
        let mut values = Values::default();
        self.segments.waiting(query, &mut |waiting| {
            values.extend(waiting.values(dimension_of(column)).flatten());
            Ok(())
        })?;
        self.each(query, &mut |segment| distinct(segment, query, column, &mut values))?;
        Ok(values)
    }

    /// The oldest and the newest matching event.
    pub fn first_and_last(&mut self, query: &Query) -> Result<Option<(EventPosition, EventPosition)>> {
        let mut ends: Option<(EventPosition, EventPosition)> = None;
        let mut add = |first: EventPosition, last: EventPosition| {
            ends = Some(ends.map_or((first, last), |(oldest, newest)| (oldest.min(first), newest.max(last))));
            ends
        };
        let mut found = None;
        self.segments.waiting(query, &mut |waiting| {
            let ends = waiting.keys().min().zip(waiting.keys().max());
            if let Some((first, last)) = ends {
                found = add(waiting.position(first)?, waiting.position(last)?);
            }
            Ok(())
        })?;
        for (index, span) in self.newest_first() {
            // Segments between both ends cannot move them.
            let inside =
                found.is_some_and(|(oldest, newest)| oldest.occurred_at < span.first && span.last < newest.occurred_at);
            if inside || !query.reaches(span.first, span.last) {
                continue;
            }
            self.segments.open(index, &mut |segment| {
                if let Some((first, last)) = first_and_last(segment, query)? {
                    found = add(first, last);
                }
                Ok(())
            })?;
        }
        Ok(found)
    }

    /// Calls `each` for the columns of every matching event, oldest first.
    pub fn columns(&mut self, query: &Query, each: &mut dyn FnMut(&Columns) -> Result<()>) -> Result<()> {
        Ordered::new(query, self.segments, None)?.run(self.segments, usize::MAX, each)
    }

    /// The columns of the oldest matching events strictly after `after`, at most `limit`, oldest first.
    pub fn columns_after(&mut self, query: &Query, after: Option<EventPosition>, limit: usize) -> Result<Vec<Columns>> {
        let mut found = Vec::new();
        Ordered::new(query, self.segments, after)?.run(self.segments, limit, &mut |columns| {
            found.push(*columns);
            Ok(())
        })?;
        Ok(found)
    }

    /// Calls `each` for the columns of every matching event, in no order. It is faster than in order.
    pub fn scan(&mut self, query: &Query, each: &mut dyn FnMut(&Columns) -> Result<()>) -> Result<()> {
        self.segments.waiting(query, &mut |waiting| waiting.columns().try_for_each(|columns| each(&columns?)))?;
        self.each(query, &mut |segment| columns(segment, query, None, usize::MAX, each))
    }

    /// At most `limit` matching events, newest first, after the newest `offset` of them.
    ///
    /// It holds few events in memory for any offset: histograms find the time at which the list begins.
    pub fn at_offset(&mut self, query: &Query, offset: u64, limit: usize) -> Result<Vec<EventPosition>> {
        let (start, skipped) = if offset <= SKIPPED { (query.clone(), 0) } else { self.seek(query, offset)? };
        let Ok(rest) = usize::try_from(offset - skipped) else { return Ok(Vec::new()) };
        let mut found = self.newest(&start, None, rest.saturating_add(limit))?;
        Ok(found.split_off(rest.min(found.len())))
    }

    /// The query with an end before which at most `offset` of the newest events are left out, and their number.
    fn seek(&mut self, query: &Query, offset: u64) -> Result<(Query, u64)> {
        let Some((first, last)) = self.first_and_last(query)? else { return Ok((query.clone(), 0)) };
        let mut range = first.occurred_at.timestamp_micros()..last.occurred_at.timestamp_micros().saturating_add(1);
        let mut skipped = 0;
        loop {
            let edges = edges(&range);
            let counts = self.histogram(query, &edges)?;
            let Some((index, inside)) = counts.iter().enumerate().rev().find_map(|(index, inside)| {
                let here = skipped + inside > offset;
                if !here {
                    skipped += inside;
                }
                here.then_some((index, *inside))
            }) else {
                // The list is shorter than the offset.
                return Ok((query.between(first.occurred_at, first.occurred_at), skipped.min(offset)));
            };
            let (Some(start), Some(end)) = (edges.get(index), edges.get(index + 1)) else {
                return Ok((query.clone(), 0));
            };
            range = start.timestamp_micros()..end.timestamp_micros();
            if inside <= SKIPPED || range.end - range.start <= 1 {
                return Ok((
                    Query { until: Some(query.until.map_or(*end, |until| until.min(*end))), ..query.clone() },
                    skipped,
                ));
            }
        }
    }

    /// The segments by their last event, newest first.
    fn newest_first(&self) -> Vec<(usize, Span)> {
        let mut spans: Vec<(usize, Span)> = self.segments.spans().into_iter().enumerate().collect();
        spans.sort_by_key(|(_, span)| Reverse(span.last));
        spans
    }

    /// Calls `work` for each segment that may have events in the range of time of the query.
    fn each(&mut self, query: &Query, work: &mut dyn FnMut(&mut dyn Segment) -> Result<()>) -> Result<()> {
        for (index, span) in self.newest_first() {
            if query.reaches(span.first, span.last) {
                self.segments.open(index, work)?;
            }
        }
        Ok(())
    }
}

/// The largest number of events that a list by offset walks over.
const SKIPPED: u64 = 4_096;

/// The number of parts into which [`Sources::seek`] divides a range.
const PARTS: i64 = 64;

/// The edges of the parts of a range of microseconds. It has one microsecond or more.
fn edges(range: &std::ops::Range<i64>) -> Vec<Timestamp> {
    let length = i128::from(range.end) - i128::from(range.start);
    let edge = |part: i64| {
        let offset = length * i128::from(part) / i128::from(PARTS);
        i64::try_from(i128::from(range.start) + offset).ok().and_then(Timestamp::from_timestamp_micros)
    };
    let mut edges: Vec<Timestamp> = (0..=PARTS).filter_map(edge).collect();
    edges.dedup();
    edges
}

/// The newest of some waiting events.
struct Newest {
    /// The time in microseconds and the number of the event before which all others lie.
    before: Option<(i64, i64)>,
    limit: usize,
    /// More than `limit` events, in any order.
    found: Vec<EventPosition>,
    /// The time in microseconds before which no event is wanted.
    least: i64,
}

impl Newest {
    fn new(before: Option<EventPosition>, limit: usize) -> Self {
        let before = before.map(|before| (before.occurred_at.timestamp_micros(), before.seq));
        Self { before, limit, found: Vec::new(), least: i64::MIN }
    }

    fn add(&mut self, waiting: &Waiting<'_>) -> Result<()> {
        for key in waiting.keys() {
            if key.0 < self.least || self.before.is_some_and(|before| before <= key) {
                continue;
            }
            self.found.push(waiting.position(key)?);
            if self.found.len() >= self.limit.saturating_mul(2).max(KEPT_AT_LEAST) {
                keep_newest(&mut self.found, self.limit);
                self.least = self.found.last().map_or(i64::MIN, |last| last.occurred_at.timestamp_micros());
            }
        }
        Ok(())
    }

    /// At most `limit` events, newest first.
    fn finish(mut self) -> Vec<EventPosition> {
        keep_newest(&mut self.found, self.limit);
        self.found
    }
}

/// Keeps the newest `limit` events, newest first.
fn keep_newest(found: &mut Vec<EventPosition>, limit: usize) {
    found.sort_unstable_by_key(|position| Reverse(*position));
    found.truncate(limit);
}
