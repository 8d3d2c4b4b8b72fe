//! Reads the index of events, and the events that it points to.

use std::collections::{HashMap, HashSet};

use diesel::dsl::max;
use diesel::prelude::*;
use trailkeeper_domain::event::StoredEvent;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::indexed_event::IndexedEvent;
use trailkeeper_domain::ports::{PostingReads, PostingRun, PostingRunKey};
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::time::TimeRange;
use trailkeeper_domain::{Error, Result};

use super::sheets::number;
use super::{Conn, Tx, count, dialect};
use crate::columns::{DbTenant, DbTime};
use crate::rows::{EventRow, IndexedEventRow, PostingKeyRow, PostingRunRow};
use crate::schema::{events, hidden_posting_runs, posting_runs};

pub(super) const EVENTS: &str = "events";
pub const RUNS: &str = "posting_runs";
pub const PAGES: &str = "posting_pages";

/// The largest number of events, in words or in numbers, that one statement reads.
pub(super) const EVENTS_AT_ONCE: usize = 1_000;
/// The largest number of events that are walked in memory at once.
const WALKED_AT_ONCE: usize = 10_000;

impl PostingReads for Tx<'_> {
    fn has_postings(&mut self) -> Result<bool> {
        Ok(self.indexed_generations(Scope::Everyone)?.is_some())
    }

    fn posting_runs(&mut self, generation: i64, scope: Scope, months: TimeRange) -> Result<Vec<PostingRun>> {
        let bucket = self.bucket()?;
        let key = self.asked_tenant(scope.key())?;
        let runs = posting_runs::table
            .filter(posting_runs::bucket.eq(bucket.code()))
            .filter(posting_runs::generation.eq(generation))
            .filter(posting_runs::scope.eq(key))
            .filter(posting_runs::month.ge(DbTime(months.start)))
            .filter(posting_runs::month.lt(DbTime(months.end)))
            .select(PostingRunRow::as_select());
        let rows: Vec<PostingRunRow> = self.run(RUNS, |conn| runs.load(conn))?;
        let mut runs = rows.into_iter().map(|row| row.into_run(scope)).collect::<Result<Vec<_>>>()?;
        // The database would copy the headers to sort them.
        runs.sort_unstable_by_key(|run| (std::cmp::Reverse(run.key.month), run.key.run));
        Ok(runs)
    }

    fn posting_scopes(&mut self, generation: i64) -> Result<Vec<Scope>> {
        let bucket = self.bucket()?;
        let scopes = posting_runs::table
            .filter(posting_runs::bucket.eq(bucket.code()))
            .filter(posting_runs::generation.eq(generation))
            .select(posting_runs::scope)
            .distinct();
        let keys: Vec<DbTenant> = self.run(RUNS, |conn| scopes.load(conn))?;
        Ok(self.scopes_of(keys)?.into_values().collect())
    }

    fn posting_run_keys(&mut self, generation: i64, scopes: &[Scope]) -> Result<Vec<(PostingRunKey, u32, u64)>> {
        let keys = match scopes {
            // An unknown scope costs what a known one costs.
            [scope] => HashMap::from([(scope.key(), self.asked_tenant(scope.key())?)]),
            _ => self.tenant_keys(scopes.iter().map(|scope| scope.key()))?,
        };
        let scopes: HashMap<DbTenant, Scope> =
            scopes.iter().filter_map(|scope| Some((*keys.get(&scope.key())?, *scope))).collect();
        let keys: Vec<DbTenant> = scopes.keys().copied().collect();
        let (bucket, mut found) = (self.bucket()?, Vec::new());
        for some in keys.chunks(dialect::NAMES_AT_ONCE) {
            let runs = posting_runs::table
                .filter(posting_runs::bucket.eq(bucket.code()))
                .filter(posting_runs::generation.eq(generation))
                .filter(posting_runs::scope.eq_any(some))
                .select((
                    posting_runs::scope,
                    posting_runs::month,
                    posting_runs::run,
                    posting_runs::events,
                    posting_runs::bytes,
                ));
            let rows: Vec<(DbTenant, DbTime, i32, i32, i64)> = self.run(RUNS, |conn| runs.load(conn))?;
            for (scope, month, run, events, bytes) in rows {
                let scope = super::sheets::scope_in(&scopes, scope)?;
                let key = PostingRunKey { scope, month: month.0, run: number(run)? };
                found.push((key, number(events)?, u64::try_from(bytes).map_err(Error::internal)?));
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    fn posting_pages(&mut self, generation: i64, key: PostingRunKey, pages: &[u32]) -> Result<Vec<Vec<u8>>> {
        let bucket = self.bucket()?;
        let lost = |page: u32| Error::internal(format!("table {PAGES} has no page {page} of the run {key:?}"));
        let Some(first) = pages.first() else { return Ok(Vec::new()) };
        let scope = self.asked_tenant(key.scope.key())?;
        let numbers = pages.iter().map(|page| i32::try_from(*page).map_err(|_| lost(*page)));
        let (row, numbers) = (PostingKeyRow::new(scope, key)?, numbers.collect::<Result<Vec<_>>>()?);
        let read = |conn: &mut Conn, numbers: &[i32]| dialect::posting_pages(conn, bucket, generation, row, numbers);
        if let [number] = numbers.as_slice() {
            let mut found = self.run(PAGES, |conn| read(conn, &[*number]))?;
            return found.pop().map(|(_, payload)| vec![payload]).ok_or_else(|| lost(*first));
        }
        let found = self.run(PAGES, |conn| read(conn, &numbers))?;
        let mut found: HashMap<i32, Vec<u8>> = found.into_iter().collect();
        pages.iter().zip(numbers).map(|(page, number)| found.remove(&number).ok_or_else(|| lost(*page))).collect()
    }

    fn has_hidden_posting_pages(&mut self) -> Result<bool> {
        let bucket = self.bucket()?;
        let any = hidden_posting_runs::table
            .filter(hidden_posting_runs::bucket.eq(bucket.code()))
            .select(hidden_posting_runs::run)
            .limit(1);
        let run: Option<i32> = self.run("hidden_posting_runs", |conn| any.first(conn).optional())?;
        Ok(run.is_some())
    }

    fn events_by_seq(&mut self, seqs: &[i64]) -> Result<Vec<StoredEvent>> {
        let (buckets, mut rows) = (self.buckets_of(Scope::Everyone)?, Vec::<EventRow>::with_capacity(seqs.len()));
        for some in seqs.chunks(EVENTS_AT_ONCE) {
            let query = dialect::events(&buckets).filter(events::seq.eq_any(some)).select(EventRow::as_select());
            rows.extend(self.run(EVENTS, |conn| query.load::<EventRow>(conn))?);
        }
        let places: HashMap<i64, usize> = seqs.iter().enumerate().map(|(place, seq)| (*seq, place)).collect();
        rows.sort_unstable_by_key(|row| places.get(&row.position().1).copied());
        self.stored(rows)
    }

    fn last_seq(&mut self) -> Result<i64> {
        let buckets = self.buckets_of(Scope::Everyone)?;
        let last = dialect::events(&buckets).select(max(events::seq));
        let last: Option<i64> = self.run(EVENTS, |conn| last.first(conn))?;
        Ok(last.unwrap_or_default())
    }

    fn indexed_events_by_seq(&mut self, seqs: &[i64], each: &mut dyn FnMut(&IndexedEvent) -> Result<()>) -> Result<()> {
        let (buckets, mut known) = (self.buckets_of(Scope::Everyone)?, HashMap::new());
        for some in seqs.chunks(EVENTS_AT_ONCE) {
            let query = dialect::events(&buckets).filter(events::seq.eq_any(some)).select(IndexedEventRow::as_select());
            let rows = self.run(EVENTS, |conn| query.load(conn))?;
            self.each_indexed(rows, &mut known, each)?;
        }
        Ok(())
    }

    fn indexed_events(
        &mut self,
        after: i64,
        limit: usize,
        each: &mut dyn FnMut(&IndexedEvent) -> Result<()>,
    ) -> Result<()> {
        let (buckets, mut known) = (self.buckets_of(Scope::Everyone)?, HashMap::new());
        let (mut after, mut left) = (after, limit);
        while left > 0 {
            let asked = left.min(WALKED_AT_ONCE);
            let query = dialect::events(&buckets)
                .filter(events::seq.gt(after))
                .order(events::seq.asc())
                .limit(count(asked))
                .select(IndexedEventRow::as_select());
            let rows: Vec<IndexedEventRow> = self.run(EVENTS, |conn| query.load(conn))?;
            let Some(last) = rows.last() else { return Ok(()) };
            (after, left) = (last.seq, if rows.len() < asked { 0 } else { left - asked });
            self.each_indexed(rows, &mut known, each)?;
        }
        Ok(())
    }
}

impl Tx<'_> {
    /// Calls `each` for the events of these rows. `known` has the tenants that were looked up before.
    fn each_indexed(
        &mut self,
        rows: Vec<IndexedEventRow>,
        known: &mut HashMap<DbTenant, TenantId>,
        each: &mut dyn FnMut(&IndexedEvent) -> Result<()>,
    ) -> Result<()> {
        let hash_key = self.hash_key()?;
        let unknown: HashSet<DbTenant> =
            rows.iter().map(|row| row.tenant_id).filter(|key| !known.contains_key(key)).collect();
        known.extend(self.tenants_of(&unknown.into_iter().collect::<Vec<_>>())?);
        for row in rows {
            let tenant = known.get(&row.tenant_id).copied();
            let tenant = tenant.ok_or_else(|| Error::internal("the tenant of a row was not looked up"))?;
            each(&row.into_event(tenant, &hash_key)?)?;
        }
        Ok(())
    }
}
