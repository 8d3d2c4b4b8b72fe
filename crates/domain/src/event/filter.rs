//! The conditions by which a list of events is filtered.

use crate::address::AddressRange;
use crate::event::{EventKind, Outcome};
use crate::id::{EnvId, UserId};
use crate::time::Timestamp;
use crate::visibility::Visibility;

/// Every condition that is present must hold. One value for lists in all contracts.
///
/// It begins with the caller's [`Visibility`]: there is no filter without one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFilter {
    /// Only events of these tenants.
    pub visibility: Visibility,
    /// Without those by which the system tenant tells of people's reads ([`READS`](crate::event::READS)). A list by
    /// page number needs it: reading a page adds such an event, so its reader would never come to the end.
    pub without_reads: bool,
    /// Only this environment's.
    pub env_id: Option<EnvId>,
    /// Only this user's.
    pub user_id: Option<UserId>,
    /// Only these types; empty means all.
    pub kinds: Vec<EventKind>,
    /// Only with this outcome.
    pub outcome: Option<Outcome>,
    /// Only events that failed, or only those that did not, as [`EventKind::failed`] tells.
    pub failed: Option<bool>,
    /// Only from these addresses.
    pub source: Option<AddressRange>,
    /// Only on this page: the key, without fragment and (by default) query.
    pub page_key: Option<String>,
    /// Only of this session of the application.
    pub session_id: Option<String>,
    /// Only at or after this time.
    pub from: Option<Timestamp>,
    /// Only before this time.
    pub until: Option<Timestamp>,
}

impl EventFilter {
    /// All events that may be seen.
    pub fn within(visibility: Visibility) -> Self {
        Self {
            visibility,
            without_reads: false,
            env_id: None,
            user_id: None,
            kinds: Vec::new(),
            outcome: None,
            failed: None,
            source: None,
            page_key: None,
            session_id: None,
            from: None,
            until: None,
        }
    }
}
