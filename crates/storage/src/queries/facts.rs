//! Events as facts: read in chunks, ordered by time.

use diesel::prelude::*;
use trailkeeper_domain::Result;
use trailkeeper_domain::bucket::Bucket;
use trailkeeper_domain::fact::EventFact;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::time::{TimeRange, Timestamp, just_after};

use super::{Db, Tx, dialect};
use crate::columns::{DbTenant, DbTime};
use crate::rows::FactRow;
use crate::schema::events;
use crate::unindexed::Unindexed;

const TABLE: &str = "events";

/// The number of rows in memory at once.
const CHUNK: usize = 10_000;

/// Selects the events of customers by tenant and user. The system tenant is never among them: operators are not
/// customers.
#[derive(Debug, Clone)]
pub struct ScopeFilter {
    buckets: Vec<Bucket>,
    system: DbTenant,
    tenant: Option<DbTenant>,
    user: Option<i32>,
}

impl ScopeFilter {
    /// The selected events, in no order.
    pub fn events(&self) -> events::BoxedQuery<'static, Db> {
        let query = dialect::events(&self.buckets);
        match (self.user, self.tenant) {
            (None, None) => query.filter(events::tenant_id.ne(self.system)),
            (None, Some(tenant)) => query.filter(events::tenant_id.eq(tenant)),
            (Some(user), None) => query.filter(events::user_ref.eq(user)).filter(events::tenant_id.ne(self.system)),
            // A user has fewer events than a tenant, so SQLite must take the index of users: see `Unindexed`.
            (Some(user), Some(tenant)) => {
                query.filter(events::user_ref.eq(user)).filter(Unindexed(events::tenant_id).eq(tenant))
            }
        }
    }
}

impl Tx<'_> {
    /// Selects the events of one tenant, one user, or both; `None` for the system tenant, which has no customers. An
    /// unknown tenant costs what a known one costs.
    pub fn scope_filter(&mut self, tenant: Option<TenantId>, user: Option<i32>) -> Result<Option<ScopeFilter>> {
        if tenant == Some(TenantId::SYSTEM) {
            return Ok(None);
        }
        let buckets = self.buckets_of(Scope::of(tenant))?;
        let system = self.tenant_key_assigned(TenantId::SYSTEM)?;
        let tenant = tenant.map(|tenant| self.asked_tenant(tenant)).transpose()?;
        Ok(Some(ScopeFilter { buckets, system, tenant, user }))
    }

    /// Passes the events of a range to `each` as facts, ordered by time, then by order of storage.
    pub fn walk(
        &mut self,
        filter: &ScopeFilter,
        range: TimeRange,
        each: &mut dyn FnMut(&EventFact) -> Result<()>,
    ) -> Result<()> {
        let mut start = range.start;
        while start < range.end {
            let chunk = filter
                .events()
                .filter(events::occurred_at.ge(DbTime(start)))
                .filter(events::occurred_at.lt(DbTime(range.end)));
            let Some((at, mut seq)) = self.chunk(chunk, each)? else { return Ok(()) };
            // The rest of the events of this instant. Equality finds them in the index at once, even if a million events
            // share their time.
            loop {
                let rest = filter.events().filter(events::occurred_at.eq(DbTime(at))).filter(events::seq.gt(seq));
                match self.chunk(rest, each)? {
                    Some((_, last)) => seq = last,
                    None => break,
                }
            }
            start = just_after(at);
        }
        Ok(())
    }

    /// The times of the first and the last event; `None` if there are no events.
    pub fn first_and_last(&mut self, filter: &ScopeFilter) -> Result<Option<(Timestamp, Timestamp)>> {
        let times = |query: events::BoxedQuery<'static, Db>| query.select(events::occurred_at).limit(1);
        let first = times(filter.events().order(events::occurred_at.asc()));
        let first: Option<DbTime> = self.run(TABLE, |conn| first.first(conn).optional())?;
        let last = times(filter.events().order(events::occurred_at.desc()));
        let last: Option<DbTime> = self.run(TABLE, |conn| last.first(conn).optional())?;
        Ok(first.zip(last).map(|(first, last)| (first.0, last.0)))
    }

    /// Reads one chunk. Returns the position of its last row, or `None` if it was the last chunk.
    fn chunk(
        &mut self,
        query: events::BoxedQuery<'static, Db>,
        each: &mut dyn FnMut(&EventFact) -> Result<()>,
    ) -> Result<Option<(Timestamp, i64)>> {
        let query = query
            .order((events::occurred_at.asc(), events::seq.asc()))
            .limit(super::count(CHUNK))
            .select(FactRow::as_select());
        let rows: Vec<FactRow> = self.run(TABLE, |conn| query.load(conn))?;
        let end = rows.last().filter(|_| rows.len() == CHUNK).map(|row| (row.occurred_at.0, row.seq));
        for row in rows {
            each(&row.into_fact()?)?;
        }
        Ok(end)
    }
}
