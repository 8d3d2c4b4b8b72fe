use std::net::IpAddr;

use crate::activity::{ActiveUsers, ActiveUsersQuery, Behavior};
use crate::creation::{Creation, CreationKind, DailyCount};
use crate::error::Result;
use crate::id::{EnvId, TenantId, UserId};
use crate::time::{TimeRange, Timestamp};

/// Read access to the facts that answer analytic questions. No method counts events of the system tenant.
pub trait ActivityReads {
    /// The numbers of active users that callers reported, one per period, tenant and environment, sorted in that order.
    /// They replace the counted numbers.
    fn reported_active_users(&mut self, query: &ActiveUsersQuery) -> Result<Vec<ActiveUsers>>;

    /// The number of entries of the ledger per UTC day and tenant in `range`, sorted by day, then by tenant.
    ///
    /// `tenants` narrows tenants and memberships to those tenants, and users to the users that ever became a member of
    /// one of them. [`TenantId::NONE`] in it stands for users that never became a member of any tenant.
    fn creations_per_day(
        &mut self,
        kind: CreationKind,
        range: TimeRange,
        tenants: Option<&[TenantId]>,
    ) -> Result<Vec<DailyCount>>;

    /// Calls `each` for every entry of the ledger in `range`, by time. `tenants` narrows the entries as in
    /// [`creations_per_day`](Self::creations_per_day).
    fn creations(
        &mut self,
        kind: CreationKind,
        range: TimeRange,
        tenants: Option<&[TenantId]>,
        each: &mut dyn FnMut(&Creation) -> Result<()>,
    ) -> Result<()>;

    /// The pages of a user's `page_load` and `userinfo` events, sorted by time, then by order of storage.
    fn behaviors(&mut self, user: &UserId, range: TimeRange, tenant: Option<TenantId>) -> Result<Vec<Behavior>>;

    /// The number of users of a pool that registered in `range`, including removed ones. `tenant` narrows it to users
    /// that ever became a member of that tenant.
    fn registered_users(
        &mut self,
        range: TimeRange,
        region: &str,
        user_pool_id: &str,
        tenant: Option<TenantId>,
    ) -> Result<u64>;

    /// At most `limit` source addresses of the events in the range of `query`, sorted by descending number of events,
    /// then by address, IPv4 first. The result omits addresses that occur only in the previous range.
    fn source_activity(&mut self, query: &SourceQuery, limit: usize) -> Result<Vec<SourceActivity>>;

    /// The totals over all source addresses, of the range and of the previous range.
    fn source_totals(&mut self, query: &SourceQuery) -> Result<(SourceTotals, SourceTotals)>;
}

/// Write access to the facts that callers report.
pub trait ActivityWrites {
    /// Sets the reported number of one period, tenant and environment.
    fn put_reported_active_users(&mut self, period: crate::activity::Period, reported: &ActiveUsers) -> Result<()>;
}

/// A query for the source addresses of customers' events. It does not count events without a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceQuery {
    /// Only events of this tenant; [`TenantId::NONE`] stands for the events outside any tenant.
    pub tenant_id: Option<TenantId>,
    /// Only events of this environment.
    pub env_id: Option<EnvId>,
    /// The counted range.
    pub range: TimeRange,
    /// The start of the previous range, which ends where `range` begins. With `None`, the previous range is empty.
    pub previous_start: Option<Timestamp>,
}

/// The events of one source address in a range, or of all source addresses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SourceCounts {
    /// The number of events, including failed ones.
    pub events: u64,
    /// The number of distinct users. Events without a user do not count.
    pub users: u64,
    /// The number of successful logins: events of type `login_success`.
    pub logins: u64,
    /// The number of failed logins: events of type `login_fail`.
    pub failed_logins: u64,
    /// The times of the first and the last event; `None` if no event was counted.
    pub seen: Option<(Timestamp, Timestamp)>,
}

/// The events of one source address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceActivity {
    /// The address; `None` if the database has lost it.
    pub source: Option<IpAddr>,
    /// The events in the range.
    pub current: SourceCounts,
    /// The events in the previous range.
    pub previous: SourceCounts,
}

/// The events of all source addresses in a range.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SourceTotals {
    /// The number of distinct addresses.
    pub sources: u64,
    /// The counts over all addresses. A user with several addresses counts once, so `users` is not the sum over the
    /// addresses.
    pub counts: SourceCounts,
}
