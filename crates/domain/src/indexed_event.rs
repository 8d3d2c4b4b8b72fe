//! The fields of a stored event that the index of events knows.

use crate::event::{EventPosition, Outcome};
use crate::fact::EventFact;
use crate::id::{EnvId, TenantId};
use crate::time::Timestamp;

/// The fields of a stored event by which lists find it and analytics count it, with numbers in place of texts.
///
/// `kind`, `user`, `source` and `page` are ids of the store's dictionaries, dense from 1. A text without a dictionary is
/// represented by a hash, which different texts may share: a reader that finds an event by a hash compares the text of
/// its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexedEvent {
    /// The number of the event in order of storage.
    pub seq: i64,
    /// The time of the event, by the sender's clock.
    pub occurred_at: Timestamp,
    /// The tenant; [`TenantId::NONE`] outside any tenant. It may be the system tenant.
    pub tenant_id: TenantId,
    /// The environment of the tenant.
    pub env: EnvId,
    /// The id of the type.
    pub kind: u32,
    /// The outcome that the sender gave.
    pub outcome: Outcome,
    /// The ordinal of the user.
    pub user: Option<u32>,
    /// The ordinal of the source address.
    pub source: Option<u32>,
    /// The id of the page's key, or [`OTHER_PAGE`](crate::fact::OTHER_PAGE).
    pub page: Option<u32>,
    /// The hash of the page's key, if `page` is [`OTHER_PAGE`](crate::fact::OTHER_PAGE).
    pub other_page: Option<u32>,
    /// The hash of the id of the application's session.
    pub session: Option<u32>,
    /// The hash of the target's type.
    pub target_type: Option<u32>,
    /// The hash of the target's id.
    pub target_id: Option<u32>,
}

impl IndexedEvent {
    /// The position of the event in lists.
    pub fn position(&self) -> EventPosition {
        EventPosition { occurred_at: self.occurred_at, seq: self.seq }
    }

    /// The fields that analytics count; `None` for an event of the system tenant: operators are not customers.
    pub fn fact(&self) -> Option<EventFact> {
        (self.tenant_id != TenantId::SYSTEM).then_some(EventFact {
            occurred_at: self.occurred_at,
            env: self.env,
            page: self.page,
            kind: self.kind,
            outcome: self.outcome,
            user: self.user,
            source: self.source,
        })
    }
}
