//! Events: one immutable fact each.

mod draft;
mod filter;
mod json;
mod kind;
mod target;

use std::net::IpAddr;

pub use draft::{EventDraft, IngestContext, MAX_FUTURE, MAX_METADATA_BYTES, MAX_USER_AGENT};
pub use filter::EventFilter;
pub use json::Unreadable;
pub use kind::{
    ANALYTICS_READ, ANALYTICS_REPORT, DIRECTORY_CHANGE, EVENTS_READ, EventKind, LOGIN_FAIL, LOGIN_SUCCESS, LOGOUT,
    Outcome, PAGE_LOAD, READS, REQUEST, USERINFO, USERS_READ,
};
pub use target::Target;

use crate::id::{EnvId, EventId, TenantId, UserId};
use crate::page::Page;
use crate::time::Timestamp;

/// One immutable fact: who, what, when, from where, on what.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The sender's, or ours where none was sent. Unique inside the tenant.
    pub id: EventId,
    /// [`TenantId::NONE`] outside any tenant.
    pub tenant_id: TenantId,
    /// The tenant's stage; 1 where none was sent.
    pub env_id: EnvId,
    /// When it happened, by the sender.
    pub occurred_at: Timestamp,
    /// When we learned of it.
    pub received_at: Timestamp,
    /// Whom it is about. Users that no one told us of are allowed.
    pub user_id: Option<UserId>,
    /// The actor's name at that time, for people.
    pub user_name: Option<String>,
    /// What happened.
    pub kind: EventKind,
    /// How it ended.
    pub outcome: Outcome,
    /// From which address.
    pub source: Option<IpAddr>,
    /// With which program.
    pub user_agent: Option<String>,
    /// On which page.
    pub page: Option<Page>,
    /// In which of the application's sessions.
    pub session_id: Option<String>,
    /// Which request or trace it belongs to.
    pub trace_id: Option<String>,
    /// On which object.
    pub target: Option<Target>,
    /// Whatever else the sender wants to keep: a JSON object.
    pub metadata: Option<serde_json::Map<String, serde_json::Value>>,
}

impl Event {
    /// An event of the system tenant, the server's own audit trail, with nothing but its id, time, type and outcome.
    pub fn system(id: EventId, at: Timestamp, kind: &str, outcome: Outcome) -> Self {
        Self::new(id, TenantId::SYSTEM, at, EventKind::known(kind), outcome)
    }

    /// An event of the default environment, received when it occurred, with nothing but the given fields.
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
        }
    }
}

/// An event as it lies in the database, with its place in the order of lists.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvent {
    /// The event.
    pub event: Event,
    /// Its number in order of storage: breaks ties among equal times.
    pub seq: i64,
}

impl StoredEvent {
    /// Where the list goes on behind it.
    pub fn position(&self) -> EventPosition {
        EventPosition { occurred_at: self.event.occurred_at, seq: self.seq }
    }
}

/// A place in the list of events, newest first: by time, then by order of storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventPosition {
    /// When the event occurred.
    pub occurred_at: Timestamp,
    /// Its number in order of storage.
    pub seq: i64,
}
