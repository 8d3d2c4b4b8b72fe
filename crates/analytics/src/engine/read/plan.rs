//! What is read of which period.

use chrono::{DateTime, Utc};
use trailkeeper_domain::scope::{Level, ScopeKind};
use trailkeeper_domain::time::TimeRange;

use crate::sheet::cover;

/// What is read of sheets and what of events.
#[derive(Debug, Default)]
pub struct Plan {
    /// Periods that follow each other and have the same level: one query each.
    pub runs: Vec<LevelRange>,
    /// What periods cover of each bucket; empty where they cover nothing.
    pub covered: Vec<TimeRange>,
    /// What is counted from events, ascending; adjacent edges of two buckets are one range.
    pub raw: Vec<TimeRange>,
}

/// Periods of one level, one after the other.
#[derive(Debug)]
pub struct LevelRange {
    /// How long each of them is.
    pub level: Level,
    /// Where they begin.
    pub starts: TimeRange,
}

impl Plan {
    /// Sheets wherever they fit, and events at the edges.
    pub fn of_cover(kind: ScopeKind, buckets: &[TimeRange]) -> Self {
        let mut plan = Self::default();
        for bucket in buckets {
            // Months are complete at any time, the current one too.
            let cover = cover(kind, *bucket, DateTime::<Utc>::MAX_UTC);
            plan.raw(cover.head);
            let start = cover.pieces.first().map_or(bucket.start, |piece| piece.start);
            plan.covered.push(TimeRange { start, end: cover.pieces.last().map_or(start, |piece| piece.range().end) });
            for piece in cover.pieces {
                plan.piece(piece.level, piece.range());
            }
            plan.raw(cover.tail);
        }
        plan
    }

    /// Events alone.
    pub fn of_events(buckets: &[TimeRange]) -> Self {
        let mut plan = Self::default();
        for bucket in buckets {
            plan.raw((bucket.start < bucket.end).then_some(*bucket));
        }
        plan
    }

    fn piece(&mut self, level: Level, starts: TimeRange) {
        match self.runs.last_mut() {
            Some(last) if last.level == level && last.starts.end == starts.start => last.starts.end = starts.end,
            _ => self.runs.push(LevelRange { level, starts }),
        }
    }

    fn raw(&mut self, range: Option<TimeRange>) {
        match (self.raw.last_mut(), range) {
            (Some(last), Some(range)) if last.end == range.start => last.end = range.end,
            (_, range) => self.raw.extend(range),
        }
    }
}
