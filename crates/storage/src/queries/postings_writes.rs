//! Writes the index of events.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Integer, SmallInt};
use trailkeeper_domain::bucket::Bucket;
use trailkeeper_domain::ports::{PostingRun, PostingRunKey, PostingWrites};
use trailkeeper_domain::{Error, Result};

use super::postings::{PAGES, RUNS};
use super::{Conn, Db, Tx, count, dialect};
use crate::columns::{DbTenant, DbTime, Instant, TenantKey};
use crate::rows::PostingKeyRow;
use crate::schema::{hidden_posting_runs as hidden, posting_runs};

const HIDDEN: &str = "hidden_posting_runs";

/// The approximate number of payload bytes in one statement.
const SENT_BYTES: usize = 4 << 20;
/// The largest number of rows in one statement.
const ROWS_AT_ONCE: usize = 4_096;
/// The largest number of pages of other generations that one transaction removes: a few megabytes.
const REMOVED_PAGES: usize = 128;

impl PostingWrites for Tx<'_> {
    fn put_posting_pages(
        &mut self,
        generation: i64,
        key: PostingRunKey,
        first_page: u32,
        pages: &[Vec<u8>],
    ) -> Result<()> {
        let row = PostingKeyRow::new(self.tenant_key_assigned(key.scope.key())?, key)?;
        let bucket = self.bucket()?;
        self.hide_new_run(generation, key, row)?;
        let mut numbered = Vec::with_capacity(pages.len());
        for (page, payload) in (first_page..).zip(pages) {
            numbered.push((i32::try_from(page).map_err(Error::internal)?, payload.as_slice()));
        }
        let mut rest = numbered.as_slice();
        while !rest.is_empty() {
            let (some, others) = rest.split_at(fitting(rest.iter().map(|(_, payload)| payload.len())));
            self.run(PAGES, |conn| dialect::insert_pages(conn, bucket, generation, row, some))?;
            rest = others;
        }
        Ok(())
    }

    fn put_posting_runs(&mut self, generation: i64, runs: &[PostingRun]) -> Result<()> {
        self.changed_sheets = true;
        let scopes = self.tenant_keys(runs.iter().map(|run| run.key.scope.key()))?;
        let mut rows = Vec::with_capacity(runs.len());
        for run in runs {
            let scope = match scopes.get(&run.key.scope.key()) {
                Some(scope) => *scope,
                None => self.tenant_key_assigned(run.key.scope.key())?,
            };
            rows.push((PostingKeyRow::new(scope, run.key)?, i32::try_from(run.events).map_err(Error::internal)?, run));
        }
        let (bucket, mut rest) = (self.bucket()?, rows.as_slice());
        while !rest.is_empty() {
            let (some, others) = rest.split_at(fitting(rest.iter().map(|(_, _, run)| run.header.len())));
            let inserted = self.run(RUNS, |conn| dialect::insert_posting_runs(conn, bucket, generation, some))?;
            if inserted != some.len() {
                return Err(Error::internal("a new run has the number of a replaced one whose pages are still there"));
            }
            rest = others;
        }
        Ok(())
    }

    fn delete_posting_runs(&mut self, generation: i64, keys: &[PostingRunKey]) -> Result<()> {
        self.changed_sheets = true;
        let scopes = self.tenant_keys(keys.iter().map(|key| key.scope.key()))?;
        let bucket = self.bucket()?;
        for some in keys.chunks(ROWS_AT_ONCE) {
            let rows = some
                .iter()
                .filter_map(|key| scopes.get(&key.scope.key()).map(|scope| PostingKeyRow::new(*scope, *key)))
                .collect::<Result<Vec<_>>>()?;
            self.run(RUNS, |conn| dialect::delete_posting_runs(conn, bucket, generation, &rows))?;
        }
        Ok(())
    }

    fn delete_replaced_posting_pages(&mut self, limit: usize) -> Result<u64> {
        self.delete_hidden_pages(true, limit)
    }

    fn sweep_posting_pages(&mut self, limit: usize) -> Result<u64> {
        self.delete_hidden_pages(false, limit)
    }
}

impl Tx<'_> {
    /// Notes that a run has pages and is not visible, if that is not noted yet.
    fn hide_new_run(&mut self, generation: i64, key: PostingRunKey, row: PostingKeyRow) -> Result<()> {
        let bucket = self.bucket()?;
        let noted =
            hidden::table.find((bucket.code(), generation, row.scope, row.month, row.run)).select(hidden::replaced);
        match self.run(HIDDEN, |conn| noted.first::<bool>(conn).optional())? {
            Some(false) => return Ok(()),
            Some(true) => return Err(Error::internal(format!("the run {key:?} was replaced, and gets a page"))),
            None => {}
        }
        let visible = posting_runs::table.find((bucket.code(), generation, row.scope, row.month, row.run));
        let visible = visible.select(posting_runs::run);
        if self.run(RUNS, |conn| visible.first::<i32>(conn).optional())?.is_some() {
            return Err(Error::internal(format!("the run {key:?} is visible, and gets a page")));
        }
        let note = diesel::insert_into(hidden::table).values((
            hidden::bucket.eq(bucket.code()),
            hidden::generation.eq(generation),
            hidden::scope.eq(row.scope),
            hidden::month.eq(row.month),
            hidden::run.eq(row.run),
            hidden::replaced.eq(false),
        ));
        self.run(HIDDEN, |conn| note.execute(conn)).map(drop)
    }

    fn delete_hidden_pages(&mut self, replaced_only: bool, limit: usize) -> Result<u64> {
        let (bucket, mut deleted) = (self.bucket()?, 0);
        while deleted < limit {
            let mut first = hidden::table.into_boxed::<Db>().filter(hidden::bucket.eq(bucket.code()));
            if replaced_only {
                first = first.filter(hidden::replaced.eq(true));
            }
            let first = first.select((hidden::generation, hidden::scope, hidden::month, hidden::run)).limit(1);
            let found: Option<(i64, DbTenant, DbTime, i32)> = self.run(HIDDEN, |conn| first.first(conn).optional())?;
            let Some((generation, scope, month, run)) = found else { break };
            let (row, asked) = (PostingKeyRow { scope, month, run }, limit - deleted);
            let pages = self.run(PAGES, |conn| delete_pages(conn, bucket, generation, row, count(asked)))?;
            deleted += pages;
            if pages < asked {
                let note = hidden::table.find((bucket.code(), generation, scope, month, run));
                self.run(HIDDEN, |conn| diesel::delete(note).execute(conn))?;
            }
        }
        u64::try_from(deleted).map_err(Error::internal)
    }

    /// Deletes at most `limit` runs and pages of the generations between two others.
    pub(super) fn delete_postings_between(&mut self, above: i64, below: i64, limit: usize) -> Result<usize> {
        let (bucket, mut deleted) = (self.bucket()?, 0);
        for (table, most) in [(RUNS, limit), (PAGES, REMOVED_PAGES), (HIDDEN, limit)] {
            let some =
                sql_query(dialect::delete_some(table, "bucket = $1 AND generation > $2 AND generation < $3", "$4"))
                    .bind::<SmallInt, _>(bucket.code())
                    .bind::<BigInt, _>(above)
                    .bind::<BigInt, _>(below)
                    .bind::<BigInt, _>(count(most.min(limit.saturating_sub(deleted))));
            deleted += self.run(table, |conn| some.execute(conn))?;
        }
        Ok(deleted)
    }
}

/// The number of payloads of these sizes that the next statement writes, at least one.
fn fitting(sizes: impl Iterator<Item = usize>) -> usize {
    let mut bytes = 0_usize;
    let fitting = sizes.take(ROWS_AT_ONCE).take_while(|size| {
        bytes = bytes.saturating_add(*size);
        bytes <= SENT_BYTES
    });
    fitting.count().max(1)
}

/// Deletes at most `limit` pages of a run, and returns their number.
fn delete_pages(
    conn: &mut Conn,
    bucket: Bucket,
    generation: i64,
    key: PostingKeyRow,
    limit: i64,
) -> QueryResult<usize> {
    let conditions = "bucket = $1 AND generation = $2 AND scope = $3 AND month = $4 AND run = $5";
    sql_query(dialect::delete_some("posting_pages", conditions, "$6"))
        .bind::<SmallInt, _>(bucket.code())
        .bind::<BigInt, _>(generation)
        .bind::<TenantKey, _>(key.scope)
        .bind::<Instant, _>(key.month)
        .bind::<Integer, _>(key.run)
        .bind::<BigInt, _>(limit)
        .execute(conn)
}
