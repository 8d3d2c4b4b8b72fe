//! Events as facts: read in chunks, in order of time.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;
use trailkeeper_domain::fact::EventFact;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::time::{TimeRange, Timestamp, just_after};
use trailkeeper_domain::{Error, Result};

use super::{Db, Tx};
use crate::columns::{DbTenant, DbTime};
use crate::rows::FactRow;
use crate::schema::events;
use crate::unindexed::Unindexed;

const TABLE: &str = "events";

/// How many rows are in memory at once.
const CHUNK: usize = 10_000;

/// Whose events. Never the system tenant's: operators are no customers.
#[derive(Debug, Clone, Copy)]
pub struct Whose {
    system: DbTenant,
    tenant: Option<DbTenant>,
    user: Option<i32>,
}

impl Whose {
    /// The events themselves, in no order.
    pub fn events(self) -> events::BoxedQuery<'static, Db> {
        let query = events::table.into_boxed::<Db>();
        match (self.user, self.tenant) {
            (None, None) => query.filter(events::tenant_id.ne(self.system)),
            (None, Some(tenant)) => query.filter(events::tenant_id.eq(tenant)),
            (Some(user), None) => query.filter(events::user_ref.eq(user)).filter(events::tenant_id.ne(self.system)),
            // A user has fewer events than a tenant: see `Unindexed`.
            (Some(user), Some(tenant)) => {
                query.filter(events::user_ref.eq(user)).filter(Unindexed(events::tenant_id).eq(tenant))
            }
        }
    }
}

/// Tenants that were met on the way, and what they stand for.
type Met = HashMap<DbTenant, TenantId>;

impl Tx<'_> {
    /// Customers' events: of one tenant, one user, or both. `None` where there cannot be any.
    pub fn whose(&mut self, tenant: Option<TenantId>, user: Option<i32>) -> Result<Option<Whose>> {
        let system = self.tenant_key_assigned(TenantId::SYSTEM)?;
        let Some(id) = tenant else { return Ok(Some(Whose { system, tenant: None, user })) };
        if id == TenantId::SYSTEM {
            return Ok(None);
        }
        Ok(self.tenant_key(id)?.map(|tenant| Whose { system, tenant: Some(tenant), user }))
    }

    /// The events of a range as facts, by time, then by order of storage.
    pub fn walk(
        &mut self,
        whose: Whose,
        range: TimeRange,
        each: &mut dyn FnMut(&EventFact) -> Result<()>,
    ) -> Result<()> {
        let mut met = Met::default();
        let mut start = range.start;
        while start < range.end {
            let chunk = whose
                .events()
                .filter(events::occurred_at.ge(DbTime(start)))
                .filter(events::occurred_at.lt(DbTime(range.end)));
            let Some((at, mut seq)) = self.chunk(chunk, &mut met, each)? else { return Ok(()) };
            // What else happened at the same instant is asked for by equality, which an index finds at once even
            // where a million events share their time.
            loop {
                let rest = whose.events().filter(events::occurred_at.eq(DbTime(at))).filter(events::seq.gt(seq));
                match self.chunk(rest, &mut met, each)? {
                    Some((_, last)) => seq = last,
                    None => break,
                }
            }
            start = just_after(at);
        }
        Ok(())
    }

    /// The first and the last time.
    pub fn ends(&mut self, whose: Whose) -> Result<Option<(Timestamp, Timestamp)>> {
        let times = |query: events::BoxedQuery<'static, Db>| query.select(events::occurred_at).limit(1);
        let first = times(whose.events().order(events::occurred_at.asc()));
        let first: Option<DbTime> = self.run(TABLE, |conn| first.first(conn).optional())?;
        let last = times(whose.events().order(events::occurred_at.desc()));
        let last: Option<DbTime> = self.run(TABLE, |conn| last.first(conn).optional())?;
        Ok(first.zip(last).map(|(first, last)| (first.0, last.0)))
    }

    /// Reads one chunk; where it ended, unless it was the last one.
    fn chunk(
        &mut self,
        query: events::BoxedQuery<'static, Db>,
        met: &mut Met,
        each: &mut dyn FnMut(&EventFact) -> Result<()>,
    ) -> Result<Option<(Timestamp, i64)>> {
        let query = query
            .order((events::occurred_at.asc(), events::seq.asc()))
            .limit(super::count(CHUNK))
            .select(FactRow::as_select());
        let rows: Vec<FactRow> = self.run(TABLE, |conn| query.load(conn))?;
        let end = rows.last().filter(|_| rows.len() == CHUNK).map(|row| (row.occurred_at.0, row.seq));
        let unmet: HashSet<DbTenant> =
            rows.iter().map(|row| row.tenant_id).filter(|key| !met.contains_key(key)).collect();
        met.extend(self.tenants_of(&unmet.into_iter().collect::<Vec<_>>())?);
        for row in rows {
            let tenant = met.get(&row.tenant_id).copied();
            each(&row.into_fact(tenant.ok_or_else(|| Error::internal("a row lost its tenant"))?)?)?;
        }
        Ok(end)
    }
}
