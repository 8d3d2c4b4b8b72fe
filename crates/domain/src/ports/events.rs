use crate::error::Result;
use crate::event::{Event, EventFilter, EventPosition, StoredEvent};
use crate::id::{EventId, TenantId};

/// Events, read.
pub trait EventReads {
    /// The events with this id, at most three: senders choose ids, so tenants may share one, and a third tells
    /// that two customers do where the system tenant's is left out.
    fn events_by_id(&mut self, id: EventId, tenant: Option<TenantId>) -> Result<Vec<StoredEvent>>;

    /// Events newest first (by `occurred_at`, then by `seq`, both descending), strictly behind `after`.
    fn events(&mut self, filter: &EventFilter, after: Option<EventPosition>, limit: usize) -> Result<Vec<StoredEvent>>;

    /// The same order by page number: skips `offset` events. Only for the contract that demands it.
    fn events_at_offset(&mut self, filter: &EventFilter, offset: u64, limit: usize) -> Result<Vec<StoredEvent>>;
}

/// Events, written.
pub trait EventWrites {
    /// Stores the events whose (tenant, id) is not known yet. If several of `events` share one, the first is stored.
    ///
    /// Returns, for each event in order, whether it was stored. The store is the only place that drops duplicates, in a
    /// batch as well as between batches.
    fn insert_events(&mut self, events: &[Event]) -> Result<Vec<bool>>;
}
