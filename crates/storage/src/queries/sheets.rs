//! Reads sheets and the facts under them. Payloads are read in batches of bounded size.

use std::collections::{HashMap, HashSet};

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer};
use trailkeeper_domain::bucket::Bucket;
use trailkeeper_domain::fact::EventFact;
use trailkeeper_domain::id::{TenantId, UserId};
use trailkeeper_domain::ports::{
    Backlog, DeltaSize, MergePass, OldDeltaKey, Scopes, SheetKey, SheetPeriod, SheetQuery, SheetReads, WaitingDelta,
};
use trailkeeper_domain::scope::{Level, Part, Scope};
use trailkeeper_domain::time::{TimeRange, Timestamp};
use trailkeeper_domain::{Error, Result};
use trailkeeper_postings::query::Condition;
use uuid::Uuid;

use super::names::Dictionary;
use super::{Db, Tx, count};
use crate::columns::{DbTenant, DbTime, DbUuid, Instant, TenantKey};
use crate::rows::SheetRow;
use crate::schema::{leases, sheet_generation, sheets};

const SHEETS: &str = "sheets";

/// The approximate number of payload bytes in memory at once. A batch has at least one payload.
const BATCH_BYTES: usize = 4 << 20;
/// The number of payloads in the first batch, when their size is unknown.
pub const FIRST_BATCH: usize = 16;
/// The largest number of payloads in a batch.
const LARGEST_BATCH: usize = 1_000;

impl SheetReads for Tx<'_> {
    fn facts(&mut self, scope: Scope, range: TimeRange, each: &mut dyn FnMut(&EventFact) -> Result<()>) -> Result<()> {
        if let Some(generations) = self.indexed_generations(scope)? {
            return self.facts_by_postings(&generations, scope, Condition::everything(), range, each);
        }
        let tenant = match scope {
            Scope::Everyone => None,
            Scope::Tenant(tenant) => Some(tenant),
        };
        match self.scope_filter(tenant, None)? {
            Some(filter) => self.walk(&filter, range, each),
            None => Ok(()),
        }
    }

    fn facts_of_user(
        &mut self,
        user: &UserId,
        tenant: Option<TenantId>,
        range: TimeRange,
        each: &mut dyn FnMut(&EventFact) -> Result<()>,
    ) -> Result<()> {
        if let Some(generations) = self.indexed_generations(Scope::of(tenant))? {
            return self.facts_of_user_by_postings(&generations, user, tenant, range, each);
        }
        let user = self.asked_user(user)?;
        match self.scope_filter(tenant, Some(user))? {
            Some(filter) => self.walk(&filter, range, each),
            None => Ok(()),
        }
    }

    fn span_of_user(&mut self, user: &UserId, tenant: Option<TenantId>) -> Result<Option<(Timestamp, Timestamp)>> {
        if let Some(generations) = self.indexed_generations(Scope::of(tenant))? {
            return self.span_by_postings(&generations, Some(user), tenant);
        }
        let user = self.asked_user(user)?;
        match self.scope_filter(tenant, Some(user))? {
            Some(filter) => self.first_and_last(&filter),
            None => Ok(None),
        }
    }

    fn span(&mut self) -> Result<Option<(Timestamp, Timestamp)>> {
        if let Some(generations) = self.indexed_generations(Scope::Everyone)? {
            return self.span_by_postings(&generations, None, None);
        }
        match self.scope_filter(None, None)? {
            Some(filter) => self.first_and_last(&filter),
            None => Ok(None),
        }
    }

    fn sheets(&mut self, query: &SheetQuery, each: &mut dyn FnMut(SheetKey, &[u8]) -> Result<()>) -> Result<()> {
        let bucket = self.bucket()?;
        let generation = self.generation()?;
        match query.scopes {
            Scopes::One(scope) => {
                let key = self.asked_tenant(scope.key())?;
                self.sheets_of_one((bucket, generation), (scope, key), query, each)
            }
            Scopes::EveryTenant => self.sheets_of_every_tenant((bucket, generation), query, each),
        }
    }

    fn sheet_keys(&mut self, scope: Scope, level: Level, part: Part, starts: TimeRange) -> Result<Vec<SheetKey>> {
        let key = self.asked_tenant(scope.key())?;
        let bucket = self.bucket()?;
        let keys = of_part((bucket, self.generation()?), level.code().into(), part.code().into())
            .filter(sheets::scope.eq(key))
            .filter(sheets::start.ge(DbTime(starts.start)))
            .filter(sheets::start.lt(DbTime(starts.end)))
            .order((sheets::start.asc(), sheets::run.asc()))
            .select((sheets::start, sheets::run));
        let rows: Vec<(DbTime, i32)> = self.run(SHEETS, |conn| keys.load(conn))?;
        rows.into_iter()
            .map(|(start, run)| Ok(SheetKey { scope, level, part, start: start.0, run: number(run)? }))
            .collect()
    }

    fn tenant_counts(
        &mut self,
        level: Level,
        starts: TimeRange,
        each: &mut dyn FnMut(Timestamp, &[u8]) -> Result<()>,
    ) -> Result<()> {
        self.counts_of_tenants(level, starts, each)
    }

    fn counted_periods(&mut self, level: Level) -> Result<Vec<Timestamp>> {
        self.starts_of_counts(level)
    }

    fn deltas(&mut self, scope: Scope, each: &mut dyn FnMut(WaitingDelta<'_>) -> Result<()>) -> Result<()> {
        self.deltas_of(scope, each)
    }

    fn all_deltas(&mut self, each: &mut dyn FnMut(WaitingDelta<'_>) -> Result<()>) -> Result<()> {
        self.every_delta(each)
    }

    fn backlog(&mut self) -> Result<Backlog> {
        self.unclaimed_backlog()
    }

    fn unclaimed_deltas(&mut self, after: i64, limit: usize) -> Result<Vec<DeltaSize>> {
        self.unclaimed_after(after, limit)
    }

    fn deltas_by_number(&mut self, numbers: &[i64]) -> Result<Vec<(i64, Vec<u8>)>> {
        self.payloads_of_deltas(numbers)
    }

    fn merge_passes(&mut self) -> Result<Vec<MergePass>> {
        let bucket = self.bucket()?;
        self.open_passes(bucket)
    }

    fn old_deltas(&mut self, limit: usize) -> Result<Vec<(OldDeltaKey, Vec<u8>)>> {
        self.oldest_old_deltas(limit)
    }

    fn runs(&mut self, generation: i64, periods: &[SheetPeriod]) -> Result<Vec<(SheetKey, u64)>> {
        self.runs_at(generation, periods)
    }

    fn sheets_by_key(&mut self, generation: i64, keys: &[SheetKey]) -> Result<HashMap<SheetKey, Vec<u8>>> {
        self.payloads(generation, keys)
    }

    fn generation(&mut self) -> Result<i64> {
        let bucket = self.bucket()?;
        let row = sheet_generation::table.find(bucket.code()).select(sheet_generation::generation);
        self.run("sheet_generation", |conn| row.first(conn))
    }

    fn epoch(&self) -> u64 {
        self.shared.epoch
    }

    fn lease(&mut self, name: &str) -> Result<Option<(Uuid, Timestamp)>> {
        let bucket = self.bucket()?;
        let lease = leases::table.find((bucket.code(), name)).select((leases::holder, leases::until));
        let found: Option<(DbUuid, DbTime)> = self.run("leases", |conn| lease.first(conn).optional())?;
        Ok(found.map(|(holder, until)| (holder.0, until.0)))
    }

    fn page_keys(&mut self, ids: &[u32]) -> Result<HashMap<u32, String>> {
        self.complete_page_rule()?;
        self.names(Dictionary::Pages, ids)
    }

    fn kind_names(&mut self, ids: &[u32]) -> Result<HashMap<u32, String>> {
        self.names(Dictionary::Kinds, ids)
    }

    fn source_names(&mut self, ordinals: &[u32]) -> Result<HashMap<u32, String>> {
        self.names(Dictionary::Sources, ordinals)
    }
}

fn of_part((bucket, generation): (Bucket, i64), level: i16, part: i16) -> sheets::BoxedQuery<'static, Db> {
    sheets::table
        .into_boxed::<Db>()
        .filter(sheets::bucket.eq(bucket.code()))
        .filter(sheets::generation.eq(generation))
        .filter(sheets::level.eq(level))
        .filter(sheets::part.eq(part))
}

impl Tx<'_> {
    /// The names of these ids. Ids that are not in the dictionary, or too large for it, are left out.
    fn names(&mut self, dictionary: Dictionary, ids: &[u32]) -> Result<HashMap<u32, String>> {
        let ids: Vec<i32> = ids.iter().filter_map(|id| i32::try_from(*id).ok()).collect();
        self.names_of(dictionary, &ids)?.into_iter().map(|(id, name)| Ok((number(id)?, name))).collect()
    }

    fn sheets_of_one(
        &mut self,
        generation: (Bucket, i64),
        (scope, key): (Scope, DbTenant),
        query: &SheetQuery,
        each: &mut dyn FnMut(SheetKey, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let (mut start, mut run, mut limit) = (query.starts.start, -1, FIRST_BATCH);
        loop {
            // A period has few runs, so the next batch may begin with the same period and skip the runs that were read.
            let batch = of_part(generation, query.level.code().into(), query.part.code().into())
                .filter(sheets::scope.eq(key))
                .filter(sheets::start.ge(DbTime(start)))
                .filter(sheets::start.lt(DbTime(query.starts.end)))
                .filter(sheets::start.gt(DbTime(start)).or(sheets::run.gt(run)))
                .order((sheets::start.asc(), sheets::run.asc()))
                .limit(count(limit))
                .select(SheetRow::as_select());
            let rows: Vec<SheetRow> = self.run(SHEETS, |conn| batch.load(conn))?;
            for row in &rows {
                each(key_of(scope, query, row)?, &row.payload)?;
            }
            match rows.last().filter(|_| rows.len() == limit) {
                Some(last) => (start, run) = (last.start.0, last.run),
                None => return Ok(()),
            }
            limit = next_limit(rows.len(), rows.iter().map(|row| row.payload.len()).sum());
        }
    }

    /// Reads period by period: the sheets of a period were written together, so they are on the same disk pages.
    fn sheets_of_every_tenant(
        &mut self,
        generation: (Bucket, i64),
        query: &SheetQuery,
        each: &mut dyn FnMut(SheetKey, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let everyone = self.tenant_key_assigned(Scope::Everyone.key())?;
        let mut known = HashMap::new();
        let lowest = match everyone {
            DbTenant::Number(_) => DbTenant::Number(0),
            DbTenant::Id(_) => DbTenant::Id(Uuid::nil()),
        };
        let (mut start, mut scope, mut run, mut limit) = (query.starts.start, lowest, -1, FIRST_BATCH);
        loop {
            let behind = sql::<Bool>("(start, scope, run) > (")
                .bind::<Instant, _>(DbTime(start))
                .sql(", ")
                .bind::<TenantKey, _>(scope)
                .sql(", ")
                .bind::<Integer, _>(run)
                .sql(")");
            let batch = of_part(generation, query.level.code().into(), query.part.code().into())
                .filter(sheets::start.ge(DbTime(start)))
                .filter(sheets::start.lt(DbTime(query.starts.end)))
                .filter(sheets::scope.ne(everyone))
                .filter(behind)
                .order((sheets::start.asc(), sheets::scope.asc(), sheets::run.asc()))
                .limit(count(limit))
                .select(SheetRow::as_select());
            let rows: Vec<SheetRow> = self.run(SHEETS, |conn| batch.load(conn))?;
            let new: HashSet<DbTenant> =
                rows.iter().map(|row| row.scope).filter(|key| !known.contains_key(key)).collect();
            known.extend(self.scopes_of(new)?);
            for row in &rows {
                each(key_of(scope_in(&known, row.scope)?, query, row)?, &row.payload)?;
            }
            match rows.last().filter(|_| rows.len() == limit) {
                Some(last) => (start, scope, run) = (last.start.0, last.scope, last.run),
                None => return Ok(()),
            }
            limit = next_limit(rows.len(), rows.iter().map(|row| row.payload.len()).sum());
        }
    }

    /// The scopes of these keys, by one query.
    pub fn scopes_of(&mut self, keys: impl IntoIterator<Item = DbTenant>) -> Result<HashMap<DbTenant, Scope>> {
        let tenants = self.tenants_of(&keys.into_iter().collect::<Vec<_>>())?;
        Ok(tenants.into_iter().map(|(key, tenant)| (key, Scope::of_key(tenant))).collect())
    }
}

fn key_of(scope: Scope, query: &SheetQuery, row: &SheetRow) -> Result<SheetKey> {
    Ok(SheetKey { scope, level: query.level, part: query.part, start: row.start.0, run: number(row.run)? })
}

/// The scope of a key that was looked up.
pub fn scope_in(scopes: &HashMap<DbTenant, Scope>, key: DbTenant) -> Result<Scope> {
    scopes.get(&key).copied().ok_or_else(|| Error::internal("a scope was not looked up"))
}

/// The number of payloads of the next batch, after `payloads` payloads had `bytes` bytes together.
pub fn next_limit(payloads: usize, bytes: usize) -> usize {
    (BATCH_BYTES / (bytes / payloads.max(1)).max(1)).clamp(1, LARGEST_BATCH)
}

/// A number of the database that is never negative.
pub fn number(value: i32) -> Result<u32> {
    u32::try_from(value).map_err(Error::internal)
}
