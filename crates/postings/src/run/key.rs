//! The key of an event: what orders the events of a run.

use chrono::DateTime;
use trailkeeper_domain::event::EventPosition;

/// Time in microseconds since 1970, then the number of the event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub time: i64,
    pub seq: i64,
}

impl From<EventPosition> for Key {
    fn from(position: EventPosition) -> Self {
        Self { time: position.occurred_at.timestamp_micros(), seq: position.seq }
    }
}

/// The least and the greatest number of these keys; `None` without keys.
pub(super) fn number_bounds(keys: &[Key]) -> Option<(i64, i64)> {
    let numbers = || keys.iter().map(|key| key.seq);
    numbers().min().zip(numbers().max())
}

impl Key {
    /// The position of the event in lists; `None` for a time outside the calendar.
    pub fn position(self) -> Option<EventPosition> {
        Some(EventPosition { occurred_at: DateTime::from_timestamp_micros(self.time)?, seq: self.seq })
    }
}
