//! The division of a range of time into periods that sheets answer, and edges that events answer.

use std::collections::BTreeSet;

use trailkeeper_domain::time::{TimeRange, Timestamp};

use super::{Level, ScopeKind};

/// A period that a sheet answers. If the sheet does not exist, the period has no events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Piece {
    /// The level of the period.
    pub level: Level,
    /// The start of the period.
    pub start: Timestamp,
}

impl Piece {
    /// The range of the period.
    pub fn range(self) -> TimeRange {
        self.level.range(self.start)
    }
}

/// A range of time as `head`, `pieces`, `tail`, in this order, without gap or overlap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cover {
    /// The ragged beginning, inside one period of the finest level. It is counted from events.
    pub head: Option<TimeRange>,
    /// Whole periods, ascending.
    pub pieces: Vec<Piece>,
    /// The ragged end, like the head. A range inside one period is only a head.
    pub tail: Option<TimeRange>,
}

impl Cover {
    /// The head and the tail, which sheets cannot answer.
    pub fn raw(&self) -> impl Iterator<Item = TimeRange> {
        self.head.into_iter().chain(self.tail)
    }
}

/// The coarsest cover of `range`: wherever a whole longer period fits, it is used instead of its parts.
///
/// `long` has the [long](Level::LONG) periods that may be used; the sheets of all others are complete. An empty or inverted
/// range has an empty cover.
pub fn cover(scope: ScopeKind, range: TimeRange, long: &BTreeSet<Piece>) -> Cover {
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
        let end_of = |level: &Level| level.end(at).filter(|end| level.begins(at) && *end <= last);
        let longest = Level::LONG.iter().rev().filter(|level| long.contains(&Piece { level: **level, start: at }));
        let fits = longest.chain(scope.levels()).find_map(|level| Some((*level, end_of(level)?)));
        let Some((level, end)) = fits else { break };
        pieces.push(Piece { level, start: at });
        at = end;
    }
    Cover {
        head: (start < first).then_some(TimeRange { start, end: first }),
        pieces,
        tail: (at < end).then_some(TimeRange { start: at, end }),
    }
}
