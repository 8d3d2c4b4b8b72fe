//! Reads and writes the index of events on PostgreSQL, by one statement for any number of rows: see `sheets`.

use diesel::deserialize::QueryableByName;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Binary, Integer, Nullable, SmallInt};
use trailkeeper_domain::bucket::Bucket;
use trailkeeper_domain::ports::PostingRun;

use super::Conn;
use crate::columns::{Instant, TenantKey};
use crate::rows::PostingKeyRow;

const PAGES: &str = "\
SELECT page, payload FROM posting_pages \
WHERE bucket = $1 AND generation = $2 AND scope = $3 AND month = $4 AND run = $5 AND page = ANY ($6)";

const INSERT_PAGES: &str = "\
INSERT INTO posting_pages (bucket, generation, scope, month, run, page, payload) \
SELECT $1, $2, $3, $4, $5, sent.* FROM UNNEST($6, $7) AS sent";

/// The runs are left out for which pages of an older run with their key are still there.
const INSERT_RUNS: &str = "\
INSERT INTO posting_runs (bucket, generation, scope, month, run, events, bytes, header, removed) \
SELECT $1, $2, sent.scope, sent.month, sent.run, sent.events, length(sent.header) + (SELECT \
coalesce(sum(length(payload)), 0) FROM posting_pages AS p WHERE p.bucket = $1 AND p.generation = $2 AND \
p.scope = sent.scope AND p.month = sent.month AND p.run = sent.run), sent.header, sent.removed \
FROM UNNEST($3, $4, $5, $6, $7, $8) AS sent (scope, month, run, events, header, removed) \
WHERE NOT EXISTS (SELECT 1 FROM hidden_posting_runs AS h WHERE h.bucket = $1 AND h.generation = $2 AND \
h.scope = sent.scope AND h.month = sent.month AND h.run = sent.run AND h.replaced)";

const SHOW_RUNS: &str = "\
DELETE FROM hidden_posting_runs AS h USING UNNEST($3, $4, $5) AS sent (scope, month, run) \
WHERE h.bucket = $1 AND h.generation = $2 AND h.scope = sent.scope AND h.month = sent.month AND h.run = sent.run";

const HIDE_RUNS: &str = "\
INSERT INTO hidden_posting_runs (bucket, generation, scope, month, run, replaced) \
SELECT $1, $2, sent.scope, sent.month, sent.run, true FROM UNNEST($3, $4, $5) AS sent (scope, month, run) \
CROSS JOIN LATERAL (SELECT 1 FROM posting_runs AS r WHERE r.bucket = $1 AND r.generation = $2 AND \
r.scope = sent.scope AND r.month = sent.month AND r.run = sent.run AND r.bytes > length(r.header) OFFSET 0) AS found";

/// It deletes by the addresses of rows, which do not change under the lease.
const DELETE_RUNS: &str = "\
DELETE FROM posting_runs WHERE bucket = $1 AND ctid = ANY (ARRAY(SELECT found.ctid \
FROM UNNEST($3, $4, $5) AS sent (scope, month, run) CROSS JOIN LATERAL (SELECT r.ctid FROM posting_runs AS r \
WHERE r.bucket = $1 AND r.generation = $2 AND r.scope = sent.scope AND r.month = sent.month AND r.run = sent.run \
OFFSET 0) AS found))";

/// A page with its number.
#[derive(QueryableByName)]
struct PageRow {
    #[diesel(sql_type = Integer)]
    page: i32,
    #[diesel(sql_type = Binary)]
    payload: Vec<u8>,
}

/// Some pages of a run, each with its number.
pub fn posting_pages(
    conn: &mut Conn,
    bucket: Bucket,
    generation: i64,
    key: PostingKeyRow,
    pages: &[i32],
) -> QueryResult<Vec<(i32, Vec<u8>)>> {
    let rows: Vec<PageRow> = sql_query(PAGES)
        .bind::<SmallInt, _>(bucket.code())
        .bind::<BigInt, _>(generation)
        .bind::<TenantKey, _>(key.scope)
        .bind::<Instant, _>(key.month)
        .bind::<Integer, _>(key.run)
        .bind::<Array<Integer>, _>(pages)
        .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.page, row.payload)).collect())
}

/// Inserts pages of a run, each with its number.
pub fn insert_pages(
    conn: &mut Conn,
    bucket: Bucket,
    generation: i64,
    key: PostingKeyRow,
    pages: &[(i32, &[u8])],
) -> QueryResult<()> {
    sql_query(INSERT_PAGES)
        .bind::<SmallInt, _>(bucket.code())
        .bind::<BigInt, _>(generation)
        .bind::<TenantKey, _>(key.scope)
        .bind::<Instant, _>(key.month)
        .bind::<Integer, _>(key.run)
        .bind::<Array<Integer>, _>(column(pages, |(page, _)| *page))
        .bind::<Array<Binary>, _>(column(pages, |(_, payload)| *payload))
        .execute(conn)
        .map(drop)
}

/// Inserts runs, each with its number of events, and computes their sizes. Returns the number of inserted ones: those
/// with the key of a replaced run whose pages are still there are left out.
pub fn insert_posting_runs(
    conn: &mut Conn,
    bucket: Bucket,
    generation: i64,
    runs: &[(PostingKeyRow, i32, &PostingRun)],
) -> QueryResult<usize> {
    let inserted = sql_query(INSERT_RUNS)
        .bind::<SmallInt, _>(bucket.code())
        .bind::<BigInt, _>(generation)
        .bind::<Array<TenantKey>, _>(column(runs, |(key, ..)| key.scope))
        .bind::<Array<Instant>, _>(column(runs, |(key, ..)| key.month))
        .bind::<Array<Integer>, _>(column(runs, |(key, ..)| key.run))
        .bind::<Array<Integer>, _>(column(runs, |(_, events, _)| *events))
        .bind::<Array<Binary>, _>(column(runs, |(.., run)| run.header.as_slice()))
        .bind::<Array<Nullable<Binary>>, _>(column(runs, |(.., run)| run.removed.as_deref()))
        .execute(conn)?;
    let keys: Vec<PostingKeyRow> = column(runs, |(key, ..)| *key);
    of_runs(SHOW_RUNS, conn, bucket, generation, &keys)?;
    Ok(inserted)
}

/// Deletes runs, and notes those with pages.
pub fn delete_posting_runs(
    conn: &mut Conn,
    bucket: Bucket,
    generation: i64,
    keys: &[PostingKeyRow],
) -> QueryResult<()> {
    of_runs(HIDE_RUNS, conn, bucket, generation, keys)?;
    of_runs(DELETE_RUNS, conn, bucket, generation, keys)
}

/// A statement that deletes at most `limit` rows of a table. The first value is the bucket.
pub fn delete_some(table: &str, conditions: &str, limit: &str) -> String {
    format!(
        "DELETE FROM {table} WHERE bucket = $1 AND \
         ctid = ANY (ARRAY(SELECT ctid FROM {table} WHERE {conditions} LIMIT {limit}))"
    )
}

fn of_runs(
    statement: &str,
    conn: &mut Conn,
    bucket: Bucket,
    generation: i64,
    keys: &[PostingKeyRow],
) -> QueryResult<()> {
    sql_query(statement)
        .bind::<SmallInt, _>(bucket.code())
        .bind::<BigInt, _>(generation)
        .bind::<Array<TenantKey>, _>(column(keys, |key| key.scope))
        .bind::<Array<Instant>, _>(column(keys, |key| key.month))
        .bind::<Array<Integer>, _>(column(keys, |key| key.run))
        .execute(conn)
        .map(drop)
}

fn column<'a, R, T>(rows: &'a [R], of: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}
