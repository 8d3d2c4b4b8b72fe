use crate::error::Result;
use crate::event::{Event, EventFilter, EventPosition, NamedField, StoredEvent};
use crate::id::{EventId, TenantId};
use crate::time::Timestamp;

/// Read access to events.
pub trait EventReads {
    /// The events with this id, at most three. Senders choose ids, so several tenants may use the same id. Three are
    /// enough: without the event of the system tenant, they still show whether two customers use the id.
    fn events_by_id(&mut self, id: EventId, tenant: Option<TenantId>) -> Result<Vec<StoredEvent>>;

    /// At most `limit` events, newest first (by `occurred_at`, then by `seq`, both descending), strictly after `after`.
    fn events(&mut self, filter: &EventFilter, after: Option<EventPosition>, limit: usize) -> Result<Vec<StoredEvent>>;

    /// Like [`events`](Self::events), but skips `offset` events. Only for the contract that requires page numbers.
    fn events_at_offset(&mut self, filter: &EventFilter, offset: u64, limit: usize) -> Result<Vec<StoredEvent>>;

    /// The number of events that match.
    fn count_events(&mut self, filter: &EventFilter) -> Result<u64>;

    /// The number of matching events between each two neighbouring `edges`: in `edges[0]..edges[1]`, in
    /// `edges[1]..edges[2]` and so on, each with its start and without its end. The edges ascend; no two are equal. The
    /// answer has one number fewer than there are edges, and none for fewer than two. Events that the filter's own range
    /// leaves out are not counted.
    fn event_histogram(&mut self, filter: &EventFilter, edges: &[Timestamp]) -> Result<Vec<u64>>;

    /// The number of distinct users of the events that match. Events without a user add none.
    fn distinct_users(&mut self, filter: &EventFilter) -> Result<u64>;

    /// The names that events refer to and that their dictionaries do not have, at most `limit` per field. It reads every
    /// event.
    fn missing_names(&mut self, limit: usize) -> Result<Vec<MissingName>>;

    /// Compares the structure that finds events by their ids with the events of the snapshot, and calls `each` for every
    /// fault. Returns the number of events that were looked up: 0 if the database itself keeps ids unique.
    fn check_ids(&mut self, each: &mut dyn FnMut(IdFault)) -> Result<u64>;
}

/// A fault of the structure that finds events by their ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdFault {
    /// A row cannot be read.
    Unreadable(String),
    /// The events between these numbers are in no run of ids, or in two.
    Gap {
        /// The number before the first of them.
        after: i64,
        /// The number of the last.
        until: i64,
    },
    /// The event is not found by its id, so it could be stored twice.
    Lost {
        /// The number of the event.
        seq: i64,
        /// The id.
        id: EventId,
    },
    /// Entries without an event.
    Extra {
        /// Their number; negative if entries are missing.
        entries: i64,
    },
}

/// A number in events that its dictionary does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingName {
    /// The field of the events.
    pub field: NamedField,
    /// The table of the dictionary.
    pub table: &'static str,
    /// The number.
    pub number: i64,
    /// The number of events that refer to it.
    pub events: u64,
    /// The time and the id of the event that was stored first of these.
    pub first: (Timestamp, EventId),
}

/// Write access to events.
pub trait EventWrites {
    /// Stores the events whose (tenant, id) is not stored yet. If several of `events` share one, the first is stored.
    ///
    /// Returns, for each event in order, whether it was stored. Only the store drops duplicates, both in a batch and
    /// between batches.
    fn insert_events(&mut self, events: &[Event]) -> Result<Vec<bool>>;
}
