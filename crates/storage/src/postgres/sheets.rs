//! Reads and writes sheets by their keys on PostgreSQL.
//!
//! A statement takes one array per column of the key, so any number of keys is one statement. It looks up each key in a
//! subquery that the planner cannot turn into a join (`OFFSET 0`). The sheets of a new generation arrive before the
//! statistics know them, and with old statistics a join reads the whole table. For the same reason the key of a sheet is
//! compared as one row with `>=` and `<=`, which only the primary key can answer. Comparing each column with `=` may take
//! the index of starts, which finds the sheets of all tenants for each key. The bucket is no part of the compared row: the
//! planner estimates such a comparison by its first column.

use diesel::deserialize::QueryableByName;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Binary, Integer, SmallInt};
use trailkeeper_domain::bucket::Bucket;

use super::Conn;
use crate::columns::{Instant, TenantKey};
use crate::rows::SheetKeyRow;

const RUNS: &str = "\
SELECT sent.nth - 1 AS nth, found.run, found.bytes \
FROM UNNEST($3, $4, $5, $6) WITH ORDINALITY AS sent (scope, level, part, start, nth) \
CROSS JOIN LATERAL (SELECT run, length(payload) AS bytes FROM sheets \
WHERE bucket = $1 AND (scope, generation, level, part, start) \
>= (sent.scope, $2, sent.level, sent.part, sent.start) \
AND (scope, generation, level, part, start) \
<= (sent.scope, $2, sent.level, sent.part, sent.start) OFFSET 0) AS found";

const PAYLOADS: &str = "\
SELECT sent.nth - 1 AS nth, found.payload \
FROM UNNEST($3, $4, $5, $6, $7) WITH ORDINALITY AS sent (scope, level, part, start, run, nth) \
CROSS JOIN LATERAL (SELECT payload FROM sheets \
WHERE bucket = $1 AND (scope, generation, level, part, start, run) \
>= (sent.scope, $2, sent.level, sent.part, sent.start, sent.run) \
AND (scope, generation, level, part, start, run) \
<= (sent.scope, $2, sent.level, sent.part, sent.start, sent.run) \
OFFSET 0) AS found";

const INSERT: &str = "\
INSERT INTO sheets (bucket, generation, scope, level, part, start, run, payload) \
SELECT $1, $2, sent.* FROM UNNEST($3, $4, $5, $6, $7, $8) AS sent";

/// It deletes by the addresses of rows. They do not change, because sheets are never updated.
const DELETE: &str = "\
DELETE FROM sheets WHERE bucket = $1 AND ctid = ANY (ARRAY(SELECT found.ctid \
FROM UNNEST($3, $4, $5, $6, $7) AS sent (scope, level, part, start, run) \
CROSS JOIN LATERAL (SELECT ctid FROM sheets \
WHERE bucket = $1 AND (scope, generation, level, part, start, run) \
>= (sent.scope, $2, sent.level, sent.part, sent.start, sent.run) \
AND (scope, generation, level, part, start, run) \
<= (sent.scope, $2, sent.level, sent.part, sent.start, sent.run) \
OFFSET 0) AS found))";

/// A run of the period whose index in the request is `nth`.
#[derive(QueryableByName)]
struct RunRow {
    #[diesel(sql_type = BigInt)]
    nth: i64,
    #[diesel(sql_type = Integer)]
    run: i32,
    #[diesel(sql_type = Integer)]
    bytes: i32,
}

/// The payload of the key whose index in the request is `nth`.
#[derive(QueryableByName)]
struct PayloadRow {
    #[diesel(sql_type = BigInt)]
    nth: i64,
    #[diesel(sql_type = Binary)]
    payload: Vec<u8>,
}

/// The runs of some periods: the index of the period in `periods`, the run, and the length of its payload in bytes. The
/// runs in `periods` are ignored.
pub fn runs(
    conn: &mut Conn,
    bucket: Bucket,
    generation: i64,
    periods: &[SheetKeyRow],
) -> QueryResult<Vec<(i64, i32, i32)>> {
    let rows: Vec<RunRow> = sql_query(RUNS)
        .bind::<SmallInt, _>(bucket.code())
        .bind::<BigInt, _>(generation)
        .bind::<Array<TenantKey>, _>(column(periods, |key| key.scope))
        .bind::<Array<SmallInt>, _>(column(periods, |key| key.level))
        .bind::<Array<SmallInt>, _>(column(periods, |key| key.part))
        .bind::<Array<Instant>, _>(column(periods, |key| key.start))
        .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.nth, row.run, row.bytes)).collect())
}

/// The payloads of some keys, each with the index of its key in `keys`.
pub fn payloads(
    conn: &mut Conn,
    bucket: Bucket,
    generation: i64,
    keys: &[SheetKeyRow],
) -> QueryResult<Vec<(i64, Vec<u8>)>> {
    let rows: Vec<PayloadRow> = sql_query(PAYLOADS)
        .bind::<SmallInt, _>(bucket.code())
        .bind::<BigInt, _>(generation)
        .bind::<Array<TenantKey>, _>(column(keys, |key| key.scope))
        .bind::<Array<SmallInt>, _>(column(keys, |key| key.level))
        .bind::<Array<SmallInt>, _>(column(keys, |key| key.part))
        .bind::<Array<Instant>, _>(column(keys, |key| key.start))
        .bind::<Array<Integer>, _>(column(keys, |key| key.run))
        .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.nth, row.payload)).collect())
}

/// Inserts sheets.
pub fn insert_sheets(
    conn: &mut Conn,
    bucket: Bucket,
    generation: i64,
    sheets: &[(SheetKeyRow, &[u8])],
) -> QueryResult<()> {
    sql_query(INSERT)
        .bind::<SmallInt, _>(bucket.code())
        .bind::<BigInt, _>(generation)
        .bind::<Array<TenantKey>, _>(column(sheets, |(key, _)| key.scope))
        .bind::<Array<SmallInt>, _>(column(sheets, |(key, _)| key.level))
        .bind::<Array<SmallInt>, _>(column(sheets, |(key, _)| key.part))
        .bind::<Array<Instant>, _>(column(sheets, |(key, _)| key.start))
        .bind::<Array<Integer>, _>(column(sheets, |(key, _)| key.run))
        .bind::<Array<Binary>, _>(column(sheets, |(_, payload)| *payload))
        .execute(conn)
        .map(drop)
}

/// Deletes sheets.
pub fn delete_sheets(conn: &mut Conn, bucket: Bucket, generation: i64, keys: &[SheetKeyRow]) -> QueryResult<()> {
    sql_query(DELETE)
        .bind::<SmallInt, _>(bucket.code())
        .bind::<BigInt, _>(generation)
        .bind::<Array<TenantKey>, _>(column(keys, |key| key.scope))
        .bind::<Array<SmallInt>, _>(column(keys, |key| key.level))
        .bind::<Array<SmallInt>, _>(column(keys, |key| key.part))
        .bind::<Array<Instant>, _>(column(keys, |key| key.start))
        .bind::<Array<Integer>, _>(column(keys, |key| key.run))
        .execute(conn)
        .map(drop)
}

fn column<'a, R, T>(rows: &'a [R], of: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}

/// Updates the statistics of the table. Without those of a new generation, the planner takes the index of starts for the
/// sheets of one scope, and reads the sheets of every tenant.
pub fn analyze_sheets(conn: &mut Conn) -> QueryResult<()> {
    sql_query("ANALYZE sheets").execute(conn).map(drop)
}
