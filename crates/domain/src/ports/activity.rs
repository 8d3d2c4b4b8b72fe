use std::net::IpAddr;

use crate::activity::{ActiveUsers, ActiveUsersQuery, Behavior};
use crate::creation::{Creation, CreationKind, DailyCount};
use crate::error::Result;
use crate::id::{EnvId, TenantId, UserId};
use crate::time::{TimeRange, Timestamp};

/// The facts that answer analytic questions. None of them counts the system tenant.
pub trait ActivityReads {
    /// What callers reported instead, per period, tenant and environment; by period, tenant, environment.
    fn reported_active_users(&mut self, query: &ActiveUsersQuery) -> Result<Vec<ActiveUsers>>;

    /// Entries of the ledger per UTC day and tenant, in `range`; by day, tenant.
    ///
    /// `tenants` narrows tenants and memberships to those tenants, and users to those who ever
    /// became a member of one of them; [`TenantId::NONE`] in it stands for users who never became a
    /// member of any tenant.
    fn creations_per_day(
        &mut self,
        kind: CreationKind,
        range: TimeRange,
        tenants: Option<&[TenantId]>,
    ) -> Result<Vec<DailyCount>>;

    /// Entries of the ledger, one by one, by time; `tenant` narrows them as `tenants` does above.
    fn creations(
        &mut self,
        kind: CreationKind,
        range: TimeRange,
        tenant: Option<TenantId>,
        each: &mut dyn FnMut(&Creation) -> Result<()>,
    ) -> Result<()>;

    /// The pages of a user's `page_load` and `userinfo` events, by time, then by order of storage.
    fn behaviors(&mut self, user: &UserId, range: TimeRange, tenant: Option<TenantId>) -> Result<Vec<Behavior>>;

    /// How many users of a pool registered in `range`, removed ones included; `tenant` narrows it to
    /// those who ever became a member of it.
    fn registered_users(
        &mut self,
        range: TimeRange,
        region: &str,
        user_pool_id: &str,
        tenant: Option<TenantId>,
    ) -> Result<u64>;

    /// The source addresses of the events in the range of `query`, by events descending, then by address, IPv4 first; at
    /// most `limit`. An address that occurs only in the previous range is left out.
    fn source_activity(&mut self, query: &SourceQuery, limit: usize) -> Result<Vec<SourceActivity>>;

    /// The totals over all source addresses, of the range and of the previous range.
    fn source_totals(&mut self, query: &SourceQuery) -> Result<(SourceTotals, SourceTotals)>;
}

/// Facts that callers report.
pub trait ActivityWrites {
    /// Sets the reported number of one period, tenant and environment.
    fn put_reported_active_users(&mut self, period: crate::activity::Period, reported: &ActiveUsers) -> Result<()>;
}

/// A query for the source addresses of customers' events. It counts no event without a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceQuery {
    /// Only events of this tenant; [`TenantId::NONE`]: those outside any.
    pub tenant_id: Option<TenantId>,
    /// Only events of this environment.
    pub env_id: Option<EnvId>,
    /// The range that is counted.
    pub range: TimeRange,
    /// The start of the previous range, which ends where `range` begins; `None` counts nothing as previous.
    pub previous_start: Option<Timestamp>,
}

/// The events of one source address in a range, or of all source addresses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SourceCounts {
    /// The number of events, failed ones included.
    pub events: u64,
    /// The distinct users of the events that name one.
    pub users: u64,
    /// The number of successful logins: events of type `login_success`.
    pub logins: u64,
    /// The number of failed logins: events of type `login_fail`.
    pub failed_logins: u64,
    /// The times of the first and the last event; `None` without events.
    pub seen: Option<(Timestamp, Timestamp)>,
}

/// The events of one source address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceActivity {
    /// The address.
    pub source: IpAddr,
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
    /// Their events. Users are distinct over all addresses, and no sum.
    pub counts: SourceCounts,
}
