//! The division of a range into whole periods, which sheets answer, and edges, which events answer.

use std::collections::BTreeSet;

use trailkeeper_domain::scope::{Level, ScopeKind};
use trailkeeper_domain::time::TimeRange;

use crate::sheet::{Piece, cover};

/// The ranges that are read from sheets, and those that are read from events.
#[derive(Debug, Default)]
pub struct Plan {
    /// Read from sheets, with one query for each.
    pub sheets: Vec<LevelRange>,
    /// The part of each bucket that whole periods cover; empty where there is none.
    pub covered: Vec<TimeRange>,
    /// Counted from events, ascending; adjacent edges of two buckets are one range.
    pub events: Vec<TimeRange>,
}

/// Adjacent periods of one level.
#[derive(Debug)]
pub struct LevelRange {
    /// The level of all of them.
    pub level: Level,
    /// The range in which they begin.
    pub starts: TimeRange,
}

impl Plan {
    /// Sheets wherever whole periods fit, these long ones among them, and events at the edges.
    pub fn of_cover(kind: ScopeKind, buckets: &[TimeRange], long: &BTreeSet<Piece>) -> Self {
        let mut plan = Self::default();
        for bucket in buckets {
            let cover = cover(kind, *bucket, long);
            plan.add_events(cover.head);
            let start = cover.pieces.first().map_or(bucket.start, |piece| piece.start);
            plan.covered.push(TimeRange { start, end: cover.pieces.last().map_or(start, |piece| piece.range().end) });
            for piece in cover.pieces {
                plan.add_piece(piece.level, piece.range());
            }
            plan.add_events(cover.tail);
        }
        plan
    }

    /// Only events.
    pub fn of_events(buckets: &[TimeRange]) -> Self {
        let mut plan = Self::default();
        for bucket in buckets {
            plan.add_events((bucket.start < bucket.end).then_some(*bucket));
        }
        plan
    }

    fn add_piece(&mut self, level: Level, starts: TimeRange) {
        match self.sheets.last_mut() {
            Some(last) if last.level == level && last.starts.end == starts.start => last.starts.end = starts.end,
            _ => self.sheets.push(LevelRange { level, starts }),
        }
    }

    fn add_events(&mut self, range: Option<TimeRange>) {
        match (self.events.last_mut(), range) {
            (Some(last), Some(range)) if last.end == range.start => last.end = range.end,
            (_, range) => self.events.extend(range),
        }
    }
}
