use crate::error::Result;
use crate::event::{Event, EventFilter, EventPosition, StoredEvent};
use crate::id::{EventId, TenantId};

/// Read access to events.
pub trait EventReads {
    /// The events with this id, at most three. Senders choose ids, so several tenants may use the same id. Three are
    /// enough: without the event of the system tenant, they still show whether two customers use the id.
    fn events_by_id(&mut self, id: EventId, tenant: Option<TenantId>) -> Result<Vec<StoredEvent>>;

    /// At most `limit` events, newest first (by `occurred_at`, then by `seq`, both descending), strictly after `after`.
    fn events(&mut self, filter: &EventFilter, after: Option<EventPosition>, limit: usize) -> Result<Vec<StoredEvent>>;

    /// Like [`events`](Self::events), but skips `offset` events. Only for the contract that requires page numbers.
    fn events_at_offset(&mut self, filter: &EventFilter, offset: u64, limit: usize) -> Result<Vec<StoredEvent>>;
}

/// Write access to events.
pub trait EventWrites {
    /// Stores the events whose (tenant, id) is not stored yet. If several of `events` share one, the first is stored.
    ///
    /// Returns, for each event in order, whether it was stored. Only the store drops duplicates, both in a batch and
    /// between batches.
    fn insert_events(&mut self, events: &[Event]) -> Result<Vec<bool>>;
}
