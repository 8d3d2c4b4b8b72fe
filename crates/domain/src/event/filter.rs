//! Which events a list shows.

use crate::address::AddressRange;
use crate::event::{EventKind, Outcome};
use crate::id::{EnvId, TenantId, UserId};
use crate::time::Timestamp;

/// Every condition that is present must hold. One value for lists in all contracts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Only this tenant's.
    pub tenant_id: Option<TenantId>,
    /// Without the system tenant's, which are the server's own trail.
    pub customers_only: bool,
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
