//! Reads and writes the index of events on SQLite, by one prepared statement per row: see `sheets`.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Binary, Integer, Nullable, SmallInt};
use trailkeeper_domain::bucket::Bucket;
use trailkeeper_domain::ports::PostingRun;

use super::Conn;
use crate::columns::{Instant, TenantKey};
use crate::rows::PostingKeyRow;
use crate::schema::{posting_pages, posting_runs};

/// The run is left out if pages of an older run with its key are still there.
const INSERT_RUN: &str = "\
INSERT INTO posting_runs (bucket, generation, scope, month, run, events, bytes, header, removed) \
SELECT $1, $2, $3, $4, $5, $6, length($7) + (SELECT coalesce(sum(length(payload)), 0) FROM posting_pages \
WHERE bucket = $1 AND generation = $2 AND scope = $3 AND month = $4 AND run = $5), $7, $8 \
WHERE NOT EXISTS (SELECT 1 FROM hidden_posting_runs \
WHERE bucket = $1 AND generation = $2 AND scope = $3 AND month = $4 AND run = $5 AND replaced)";

const SHOW_RUN: &str = "\
DELETE FROM hidden_posting_runs WHERE bucket = $1 AND generation = $2 AND scope = $3 AND month = $4 AND run = $5";

const HIDE_RUN: &str = "\
INSERT INTO hidden_posting_runs (bucket, generation, scope, month, run, replaced) \
SELECT bucket, generation, scope, month, run, 1 FROM posting_runs \
WHERE bucket = $1 AND generation = $2 AND scope = $3 AND month = $4 AND run = $5 AND bytes > length(header)";

/// Some pages of a run, each with its number.
pub fn posting_pages(
    conn: &mut Conn,
    bucket: Bucket,
    generation: i64,
    key: PostingKeyRow,
    pages: &[i32],
) -> QueryResult<Vec<(i32, Vec<u8>)>> {
    let mut found = Vec::with_capacity(pages.len());
    for page in pages {
        let one = posting_pages::table
            .filter(posting_pages::bucket.eq(bucket.code()))
            .filter(posting_pages::generation.eq(generation))
            .filter(posting_pages::scope.eq(key.scope))
            .filter(posting_pages::month.eq(key.month))
            .filter(posting_pages::run.eq(key.run))
            .filter(posting_pages::page.eq(page))
            .select(posting_pages::payload);
        found.extend(one.first(conn).optional()?.map(|payload| (*page, payload)));
    }
    Ok(found)
}

/// Inserts pages of a run, each with its number.
pub fn insert_pages(
    conn: &mut Conn,
    bucket: Bucket,
    generation: i64,
    key: PostingKeyRow,
    pages: &[(i32, &[u8])],
) -> QueryResult<()> {
    for (page, payload) in pages {
        let row = (
            posting_pages::bucket.eq(bucket.code()),
            posting_pages::generation.eq(generation),
            posting_pages::scope.eq(key.scope),
            posting_pages::month.eq(key.month),
            posting_pages::run.eq(key.run),
            posting_pages::page.eq(page),
            posting_pages::payload.eq(*payload),
        );
        diesel::insert_into(posting_pages::table).values(row).execute(conn)?;
    }
    Ok(())
}

/// Inserts runs, each with its number of events, and computes their sizes. Returns the number of inserted ones: those
/// with the key of a replaced run whose pages are still there are left out.
pub fn insert_posting_runs(
    conn: &mut Conn,
    bucket: Bucket,
    generation: i64,
    runs: &[(PostingKeyRow, i32, &PostingRun)],
) -> QueryResult<usize> {
    let mut inserted = 0;
    for (key, events, run) in runs {
        inserted += sql_query(INSERT_RUN)
            .bind::<SmallInt, _>(bucket.code())
            .bind::<BigInt, _>(generation)
            .bind::<TenantKey, _>(key.scope)
            .bind::<Instant, _>(key.month)
            .bind::<Integer, _>(key.run)
            .bind::<Integer, _>(*events)
            .bind::<Binary, _>(run.header.as_slice())
            .bind::<Nullable<Binary>, _>(run.removed.as_deref())
            .execute(conn)?;
        of_run(SHOW_RUN, conn, bucket, generation, *key)?;
    }
    Ok(inserted)
}

/// Deletes runs, and notes those with pages.
pub fn delete_posting_runs(
    conn: &mut Conn,
    bucket: Bucket,
    generation: i64,
    keys: &[PostingKeyRow],
) -> QueryResult<()> {
    for key in keys {
        of_run(HIDE_RUN, conn, bucket, generation, *key)?;
        let one = posting_runs::table.find((bucket.code(), generation, key.scope, key.month, key.run));
        diesel::delete(one).execute(conn)?;
    }
    Ok(())
}

/// A statement that deletes at most `limit` rows of a table.
pub fn delete_some(table: &str, conditions: &str, limit: &str) -> String {
    format!("DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM {table} WHERE {conditions} LIMIT {limit})")
}

fn of_run(statement: &str, conn: &mut Conn, bucket: Bucket, generation: i64, key: PostingKeyRow) -> QueryResult<usize> {
    sql_query(statement)
        .bind::<SmallInt, _>(bucket.code())
        .bind::<BigInt, _>(generation)
        .bind::<TenantKey, _>(key.scope)
        .bind::<Instant, _>(key.month)
        .bind::<Integer, _>(key.run)
        .execute(conn)
}
