//! The conditions of a query.

use trailkeeper_domain::event::EventPosition;
use trailkeeper_domain::indexed_event::IndexedEvent;
use trailkeeper_domain::time::Timestamp;

use crate::dimension::{Column, Dimension};
use crate::positions::PositionSet;
use crate::value::{value_in, value_of};

/// A condition on events, with numbers in place of names.
///
/// A value that no event has matches no event and costs what any other absent value costs, so an unknown name can be
/// represented by any number that is never given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// The event has one of these values.
    Any(Dimension, Vec<u32>),
    /// The event has a value in the column, and the set contains it. For sets of many values: it reads the values of
    /// the events that all other conditions leave, and no posting list.
    InColumn(Column, PositionSet),
    /// The event does not match. This includes events without a value.
    Not(Box<Condition>),
    /// The event matches all of these; with none of them, every event matches.
    All(Vec<Condition>),
    /// The event matches at least one of these.
    Or(Vec<Condition>),
}

/// Events of a scope that match a condition, in a range of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The condition.
    pub condition: Condition,
    /// Only events at or after this time.
    pub from: Option<Timestamp>,
    /// Only events before this time.
    pub until: Option<Timestamp>,
}

impl Condition {
    /// Every event matches.
    pub fn everything() -> Self {
        Self::All(Vec::new())
    }

    /// No event matches.
    pub fn nothing() -> Self {
        Self::Or(Vec::new())
    }

    /// The event has this value.
    pub fn is(dimension: Dimension, value: u32) -> Self {
        Self::Any(dimension, vec![value])
    }

    /// The event does not match `condition`.
    #[must_use]
    pub fn negated(condition: Self) -> Self {
        Self::Not(Box::new(condition))
    }

    /// Whether an event matches.
    pub fn matches(&self, event: &IndexedEvent) -> bool {
        match self {
            Self::Any(dimension, values) => value_of(event, *dimension).is_some_and(|value| values.contains(&value)),
            Self::InColumn(column, values) => value_in(event, *column).is_some_and(|value| values.contains(value)),
            Self::Not(condition) => !condition.matches(event),
            Self::All(conditions) => conditions.iter().all(|condition| condition.matches(event)),
            Self::Or(conditions) => conditions.iter().any(|condition| condition.matches(event)),
        }
    }
}

impl Query {
    /// The events that match, at any time.
    pub fn of(condition: Condition) -> Self {
        Self { condition, from: None, until: None }
    }

    /// Whether an event matches.
    pub fn matches(&self, event: &IndexedEvent) -> bool {
        self.from.is_none_or(|from| from <= event.occurred_at)
            && self.until.is_none_or(|until| event.occurred_at < until)
            && self.condition.matches(event)
    }

    /// The same query about the events from `first` until before `last`, as far as it is about them at all.
    #[must_use]
    pub fn between(&self, first: Timestamp, last: Timestamp) -> Self {
        Self {
            condition: self.condition.clone(),
            from: Some(self.from.map_or(first, |from| from.max(first))),
            until: Some(self.until.map_or(last, |until| until.min(last))),
        }
    }

    /// Whether an event at a time from `first` to `last` may match.
    pub(super) fn reaches(&self, first: Timestamp, last: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= last) && self.until.is_none_or(|until| first < until)
    }
}

/// The position before every event at or after `at`.
pub fn start_of(at: Timestamp) -> EventPosition {
    EventPosition { occurred_at: at, seq: i64::MIN }
}
