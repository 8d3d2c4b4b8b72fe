//! Which sheets answer a range of time, and which of its edges must be answered from events.

use trailkeeper_domain::time::{TimeRange, Timestamp};

use super::{Level, ScopeKind};

/// One period that a sheet answers. There may be no such sheet: then nothing happened in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Piece {
    /// How long it is.
    pub level: Level,
    /// Where it begins.
    pub start: Timestamp,
}

impl Piece {
    /// The time it covers.
    pub fn range(self) -> TimeRange {
        self.level.range(self.start)
    }
}

/// A range of time as `head`, `pieces`, `tail`, in this order, without gap or overlap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cover {
    /// The ragged beginning: shorter than the finest period, inside one of them. Raw events.
    pub head: Option<TimeRange>,
    /// Whole periods, ascending.
    pub pieces: Vec<Piece>,
    /// The ragged end, like the head. A range inside one period is all head.
    pub tail: Option<TimeRange>,
}

impl Cover {
    /// The edges that sheets cannot answer.
    pub fn raw(&self) -> impl Iterator<Item = TimeRange> {
        self.head.into_iter().chain(self.tail)
    }
}

/// The coarsest cover of `range`: wherever a whole longer period fits, it stands instead of its parts.
///
/// Months have sheets once they are closed: those that end at `months_closed_until` or before. An empty
/// or inverted range has an empty cover.
pub fn cover(scope: ScopeKind, range: TimeRange, months_closed_until: Timestamp) -> Cover {
    let TimeRange { start, end } = range;
    if start >= end {
        return Cover::default();
    }
    let finest = scope.finest();
    let first = if finest.begins(start) { Some(start) } else { finest.end(finest.floor(start)) };
    let last = finest.floor(end);
    let Some(first) = first.filter(|first| *first <= last) else {
        return Cover { head: Some(range), ..Cover::default() };
    };
    let mut pieces = Vec::new();
    let mut at = first;
    // Greedy from the left is minimal, because every period is a whole number of the next finer ones.
    while at < last {
        let fits = |level: Level| {
            let until = if level == Level::Month { last.min(months_closed_until) } else { last };
            let end = level.end(at).filter(|end| level.begins(at) && *end <= until)?;
            Some((level, end))
        };
        let Some((level, end)) = scope.levels().iter().find_map(|level| fits(*level)) else {
            break;
        };
        pieces.push(Piece { level, start: at });
        at = end;
    }
    Cover {
        head: (start < first).then_some(TimeRange { start, end: first }),
        pieces,
        tail: (at < end).then_some(TimeRange { start: at, end }),
    }
}
