//! The settings of the merger.

use std::time::Duration;

/// The settings of a merger.
#[derive(Debug, Clone, Copy)]
pub struct MergerSettings {
    /// The pause between two looks at what waits.
    pub every: Duration,
    /// The number of waiting events from which on they are merged.
    pub events: u64,
    /// The time after which waiting events are merged, however few they are.
    pub within: Duration,
}

impl Default for MergerSettings {
    /// Five seconds, 20,000 events, one minute. Only the speed of questions depends on it, because they count the waiting
    /// events. Rare merges leave more time for storing events: the cost of a merge depends on the number of periods more
    /// than on the number of events.
    fn default() -> Self {
        Self { every: Duration::from_secs(5), events: 20_000, within: Duration::from_mins(1) }
    }
}
