//! The columns of the events of several segments in one order.

use std::cmp::Reverse;
use std::collections::VecDeque;

use trailkeeper_domain::Result;
use trailkeeper_domain::event::EventPosition;

use super::columns::{Columns, columns};
use super::condition::{Query, start_of};
use super::segments::{Segments, Span};

/// The number of events that are read from a segment at once.
const BATCH: usize = 1 << 13;

/// A walk over the matching events of several sources in ascending order.
///
/// Segments overlap in time, and one is open at a time. So each has a buffer, which is filled again when it is empty.
/// The walk begins a segment only when it reaches its first event.
pub struct Ordered<'q> {
    query: &'q Query,
    /// Only events behind this one.
    after: Option<EventPosition>,
    /// Segments that have not begun, with the latest first.
    later: Vec<(usize, Span)>,
    begun: Vec<Begun>,
    waiting: VecDeque<Columns>,
}

struct Begun {
    index: usize,
    buffer: VecDeque<Columns>,
    /// The last event that was read.
    after: Option<EventPosition>,
    /// Whether there are no events behind the buffer.
    ended: bool,
}

impl<'q> Ordered<'q> {
    /// Prepares a walk over all matching events strictly after `after`.
    pub fn new(query: &'q Query, segments: &mut dyn Segments, after: Option<EventPosition>) -> Result<Self> {
        let mut waiting: Vec<Columns> = Vec::new();
        let narrowed = after.map(|after| Query {
            from: Some(query.from.map_or(after.occurred_at, |from| from.max(after.occurred_at))),
            ..query.clone()
        });
        segments.waiting(narrowed.as_ref().unwrap_or(query), &mut |some| {
            for columns in some.columns() {
                waiting.push(columns?);
            }
            Ok(())
        })?;
        waiting.retain(|columns| after.is_none_or(|after| after < columns.key));
        waiting.sort_unstable_by_key(|columns| columns.key);
        let spans = segments.spans();
        let reaches = |span: &Span| {
            query.reaches(span.first, span.last) && after.is_none_or(|after| after.occurred_at <= span.last)
        };
        let mut later: Vec<(usize, Span)> = spans.into_iter().enumerate().filter(|(_, span)| reaches(span)).collect();
        later.sort_by_key(|(_, span)| Reverse(span.first));
        Ok(Self { query, after, later, begun: Vec::new(), waiting: waiting.into() })
    }

    /// Calls `each` for the first `limit` events.
    pub fn run(
        mut self,
        segments: &mut dyn Segments,
        limit: usize,
        each: &mut dyn FnMut(&Columns) -> Result<()>,
    ) -> Result<()> {
        for _ in 0..limit {
            self.fill(segments, limit)?;
            let heads = self.begun.iter().filter_map(|begun| begun.buffer.front());
            let Some(oldest) = heads.chain(self.waiting.front()).map(|columns| columns.key).min() else {
                break;
            };
            let buffers = self.begun.iter_mut().map(|begun| &mut begun.buffer).chain([&mut self.waiting]);
            for buffer in buffers {
                if buffer.front().is_some_and(|columns| columns.key == oldest) {
                    let columns = buffer.pop_front();
                    columns.iter().try_for_each(&mut *each)?;
                }
            }
        }
        Ok(())
    }

    /// Begins the segments that may have the next event, and fills empty buffers.
    fn fill(&mut self, segments: &mut dyn Segments, limit: usize) -> Result<()> {
        loop {
            for begun in &mut self.begun {
                begun.fill(self.query, segments, limit.min(BATCH))?;
            }
            self.begun.retain(|begun| !begun.buffer.is_empty());
            let heads = self.begun.iter().filter_map(|begun| begun.buffer.front());
            let oldest = heads.chain(self.waiting.front()).map(|columns| columns.key).min();
            let Some((_, span)) = self.later.last() else { return Ok(()) };
            if oldest.is_some_and(|oldest| oldest < start_of(span.first)) {
                return Ok(());
            }
            if let Some((index, _)) = self.later.pop() {
                self.begun.push(Begun { index, buffer: VecDeque::new(), after: self.after, ended: false });
            }
        }
    }
}

impl Begun {
    fn fill(&mut self, query: &Query, segments: &mut dyn Segments, limit: usize) -> Result<()> {
        if !self.buffer.is_empty() || self.ended {
            return Ok(());
        }
        segments.open(self.index, &mut |segment| {
            columns(segment, query, self.after, limit, &mut |columns| {
                self.buffer.push_back(*columns);
                Ok(())
            })
        })?;
        self.ended = self.buffer.len() < limit;
        self.after = self.buffer.back().map(|columns| columns.key).or(self.after);
        Ok(())
    }
}
