//! Events. Each event is one immutable fact.

mod draft;
mod filter;
mod json;
mod kind;
mod metadata;
mod named_field;
mod optional;
mod original;
mod target;
mod usual;
mod values;

use std::collections::BTreeMap;
use std::net::IpAddr;

pub use draft::{CheckedEvent, EventDraft, IngestContext, MAX_FUTURE, MAX_USER_AGENT, MAX_USER_NAME};
pub use filter::EventFilter;
pub use json::Unreadable;
pub use kind::{
    ANALYTICS_READ, ANALYTICS_REPORT, DIRECTORY_CHANGE, EVENTS_READ, EventKind, LOGIN_FAIL, LOGIN_SUCCESS, LOGOUT,
    Outcome, PAGE_LOAD, READS, REQUEST, USERINFO, USERS_READ,
};
pub use metadata::{MAX_METADATA_BYTES, Metadata};
pub use named_field::{NamedField, missing_kind, missing_name};
pub use optional::{MAX_TARGET, Warning};
pub use original::Original;
pub use target::Target;
pub use values::Values;

use crate::id::{EnvId, EventId, TenantId, UserId};
use crate::page::Page;
use crate::time::Timestamp;

/// One immutable fact: who did what, when, from where and on what.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The id that the sender chose, or a new one if none was sent. Unique inside the tenant.
    pub id: EventId,
    /// The tenant; [`TenantId::NONE`] for an event outside any tenant.
    pub tenant_id: TenantId,
    /// The environment of the tenant; 1 if none was sent.
    pub env_id: EnvId,
    /// The time when the event happened, by the sender's clock.
    pub occurred_at: Timestamp,
    /// The time when the server received the event, by the server's clock.
    pub received_at: Timestamp,
    /// The user, the subject of the event. The user need not have a record.
    pub user_id: Option<UserId>,
    /// The name of the actor at that time, for display.
    pub user_name: Option<String>,
    /// The type of the event.
    pub kind: EventKind,
    /// The outcome of the event.
    pub outcome: Outcome,
    /// The source address.
    pub source: Option<IpAddr>,
    /// The user agent, as the client sent it.
    pub user_agent: Option<String>,
    /// The page on which the event happened.
    pub page: Option<Page>,
    /// The id of the session of the application.
    pub session_id: Option<String>,
    /// The id of the request or trace to which the event belongs.
    pub trace_id: Option<String>,
    /// The object of the action.
    pub target: Option<Target>,
    /// Further data of the sender: a JSON object.
    pub metadata: Option<Metadata>,
    /// The texts of the fields that could not be stored as they were sent, by name: `user_id`, `target.id`, `metadata`.
    /// These fields are then `None`.
    pub original: BTreeMap<String, Original>,
}

impl Event {
    /// An event of the system tenant, the server's own audit trail. It has only an id, a time, a type and an outcome.
    pub fn system(id: EventId, at: Timestamp, kind: &str, outcome: Outcome) -> Self {
        Self::new(id, TenantId::SYSTEM, at, EventKind::known(kind), outcome)
    }

    /// An event of the default environment with only the given fields. It counts as received when it occurred.
    pub fn new(id: EventId, tenant_id: TenantId, at: Timestamp, kind: EventKind, outcome: Outcome) -> Self {
        Self {
            id,
            tenant_id,
            env_id: EnvId::default(),
            occurred_at: at,
            received_at: at,
            user_id: None,
            user_name: None,
            kind,
            outcome,
            source: None,
            user_agent: None,
            page: None,
            session_id: None,
            trace_id: None,
            target: None,
            metadata: None,
            original: BTreeMap::new(),
        }
    }
}

/// An event from the database, with its position in lists.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvent {
    /// The event.
    pub event: Event,
    /// The number of the event in order of storage. It orders events with equal times.
    pub seq: i64,
    /// The fields whose names the database has lost. They are empty in the event; its type and its tenant have a
    /// placeholder.
    pub missing_names: Vec<NamedField>,
}

impl StoredEvent {
    /// The position after which a list continues behind this event.
    pub fn position(&self) -> EventPosition {
        EventPosition { occurred_at: self.event.occurred_at, seq: self.seq }
    }
}

/// A position in the list of events. The list is sorted by time, then by order of storage, newest first. Positions are
/// compared in the same way: the greatest is the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventPosition {
    /// The time when the event occurred.
    pub occurred_at: Timestamp,
    /// The number of the event in order of storage.
    pub seq: i64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{at, tenant_id, uuid};

    #[test]
    fn a_new_event_has_only_what_it_is_given_and_is_received_when_it_occurs() {
        let noon = at("2026-03-01T12:00:00Z");
        let event = Event::new(EventId(uuid(1)), tenant_id(1), noon, EventKind::known(PAGE_LOAD), Outcome::Unknown);
        assert_eq!((event.occurred_at, event.received_at), (noon, noon));
        assert_eq!((event.tenant_id, event.env_id), (tenant_id(1), EnvId(1)));
        assert_eq!((event.user_id, event.user_name, event.source, event.user_agent), (None, None, None, None));
        assert_eq!((event.page, event.session_id, event.trace_id), (None, None, None));
        assert_eq!((event.target, event.metadata), (None, None));
    }

    #[test]
    fn an_event_of_the_system_is_of_the_system_tenant() {
        let event = Event::system(EventId(uuid(1)), at("2026-03-01T12:00:00Z"), EVENTS_READ, Outcome::Success);
        assert_eq!((event.tenant_id, event.kind.as_str()), (TenantId::SYSTEM, "events_read"));
    }

    #[test]
    fn a_list_continues_behind_the_time_and_the_number_of_an_event() {
        let event = crate::testing::event(7);
        let position = StoredEvent { event: event.clone(), seq: 42, missing_names: Vec::new() }.position();
        assert_eq!(position, EventPosition { occurred_at: event.occurred_at, seq: 42 });
    }
}
