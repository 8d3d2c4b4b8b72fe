use crate::activity::{ActiveUsers, ActiveUsersQuery, Behavior};
use crate::creation::{Creation, CreationKind, DailyCount};
use crate::error::Result;
use crate::id::{TenantId, UserId};
use crate::time::TimeRange;

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
}

/// Facts that callers report.
pub trait ActivityWrites {
    /// Sets the reported number of one period, tenant and environment.
    fn put_reported_active_users(&mut self, period: crate::activity::Period, reported: &ActiveUsers) -> Result<()>;
}
