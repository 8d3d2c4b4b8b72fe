use uuid::Uuid;

use crate::error::Result;
use crate::event::{EventFilter, StoredEvent};
use crate::id::TenantId;

/// Read access to events in the order of storage, which is that of their numbers.
pub trait FeedReads {
    /// The first matching events with numbers in `range`, at most `limit`, in ascending order of number.
    fn events_by_number(&mut self, filter: &EventFilter, range: NumberRange, limit: usize) -> Result<Vec<StoredEvent>>;

    /// What a position in the order of storage depends on, beside the events: for one tenant, or for all of them.
    fn feed_state(&mut self, tenant: Option<TenantId>) -> Result<FeedState>;
}

/// Numbers of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberRange {
    /// The number before the first one.
    pub after: i64,
    /// The last one.
    pub until: i64,
}

impl NumberRange {
    /// Whether a number lies in the range.
    pub fn contains(self, number: i64) -> bool {
        self.after < number && number <= self.until
    }
}

/// What a position in the order of storage depends on, beside the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedState {
    /// The history of the database, in which numbers are given once. A restored database has another one, because it gives
    /// numbers again that the lost events had.
    pub history: Uuid,
    /// The number of events that were removed.
    pub removed: u64,
    /// The greatest number of a removed event; 0 if none was removed.
    pub removed_until: i64,
}
