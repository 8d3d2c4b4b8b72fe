//! Sheets and deltas by their keys: what only PostgreSQL does so.
//!
//! One array per column of the key, so that any number of keys is one statement. Each key is looked up by itself, in a
//! subquery that cannot be made a join (`OFFSET 0`): sheets of a new generation and deltas come faster than the
//! statistics know, and by old ones a join reads the whole table. For the same reason a sheet's key stands between two
//! rows rather than being equal column by column: that is the primary key's order and no other index's, whereas
//! equality may take the index of starts, which finds the sheets of all tenants for each one.

use diesel::deserialize::QueryableByName;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Binary, Integer, SmallInt};

use super::Conn;
use crate::columns::{DbTenant, Instant, TenantKey};
use crate::rows::SheetPeriodRow;

const RUNS: &str = "\
SELECT sent.nth - 1 AS nth, found.run, found.bytes \
FROM UNNEST($2, $3, $4, $5) WITH ORDINALITY AS sent (scope, level, part, start, nth) \
CROSS JOIN LATERAL (SELECT run, length(payload) AS bytes FROM sheets \
WHERE (scope, generation, level, part, start) >= (sent.scope, $1, sent.level, sent.part, sent.start) \
AND (scope, generation, level, part, start) <= (sent.scope, $1, sent.level, sent.part, sent.start) OFFSET 0) AS found";

const PAYLOADS: &str = "\
SELECT sent.nth - 1 AS nth, found.payload \
FROM UNNEST($2, $3, $4, $5, $6) WITH ORDINALITY AS sent (scope, level, part, start, run, nth) \
CROSS JOIN LATERAL (SELECT payload FROM sheets \
WHERE (scope, generation, level, part, start, run) >= (sent.scope, $1, sent.level, sent.part, sent.start, sent.run) \
AND (scope, generation, level, part, start, run) <= (sent.scope, $1, sent.level, sent.part, sent.start, sent.run) \
OFFSET 0) AS found";

const INSERT: &str = "\
INSERT INTO sheets (generation, scope, level, part, start, run, payload) \
SELECT $1, sent.* FROM UNNEST($2, $3, $4, $5, $6, $7) AS sent";

/// By the rows' addresses, which nobody changes: sheets and deltas are never updated.
const DELETE: &str = "\
DELETE FROM sheets WHERE ctid = ANY (ARRAY(SELECT found.ctid \
FROM UNNEST($2, $3, $4, $5, $6) AS sent (scope, level, part, start, run) \
CROSS JOIN LATERAL (SELECT ctid FROM sheets \
WHERE (scope, generation, level, part, start, run) >= (sent.scope, $1, sent.level, sent.part, sent.start, sent.run) \
AND (scope, generation, level, part, start, run) <= (sent.scope, $1, sent.level, sent.part, sent.start, sent.run) \
OFFSET 0) AS found))";

const DELETE_DELTAS: &str = "\
DELETE FROM deltas WHERE ctid = ANY (ARRAY(SELECT found.ctid FROM UNNEST($1, $2) AS sent (scope, seq) \
CROSS JOIN LATERAL (SELECT ctid FROM deltas WHERE scope = sent.scope AND seq = sent.seq OFFSET 0) AS found))";

/// A run of the place with this number.
#[derive(QueryableByName)]
struct Standing {
    #[diesel(sql_type = BigInt)]
    nth: i64,
    #[diesel(sql_type = Integer)]
    run: i32,
    #[diesel(sql_type = Integer)]
    bytes: i32,
}

/// The payload of the key with this number.
#[derive(QueryableByName)]
struct Payload {
    #[diesel(sql_type = BigInt)]
    nth: i64,
    #[diesel(sql_type = Binary)]
    payload: Vec<u8>,
}

/// The runs at some places, each as the place's number among them, the run and its length. Runs of the places
/// themselves do not matter.
pub fn runs(conn: &mut Conn, generation: i64, periods: &[SheetPeriodRow]) -> QueryResult<Vec<(i64, i32, i32)>> {
    let rows: Vec<Standing> = sql_query(RUNS)
        .bind::<BigInt, _>(generation)
        .bind::<Array<TenantKey>, _>(column(periods, |period_row| period_row.scope))
        .bind::<Array<SmallInt>, _>(column(periods, |period_row| period_row.level))
        .bind::<Array<SmallInt>, _>(column(periods, |period_row| period_row.part))
        .bind::<Array<Instant>, _>(column(periods, |period_row| period_row.start))
        .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.nth, row.run, row.bytes)).collect())
}

/// Some payloads, each with the number of its key among them.
pub fn payloads(conn: &mut Conn, generation: i64, keys: &[SheetPeriodRow]) -> QueryResult<Vec<(i64, Vec<u8>)>> {
    let rows: Vec<Payload> = sql_query(PAYLOADS)
        .bind::<BigInt, _>(generation)
        .bind::<Array<TenantKey>, _>(column(keys, |period_row| period_row.scope))
        .bind::<Array<SmallInt>, _>(column(keys, |period_row| period_row.level))
        .bind::<Array<SmallInt>, _>(column(keys, |period_row| period_row.part))
        .bind::<Array<Instant>, _>(column(keys, |period_row| period_row.start))
        .bind::<Array<Integer>, _>(column(keys, |period_row| period_row.run))
        .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.nth, row.payload)).collect())
}

/// Writes sheets.
pub fn insert_sheets(conn: &mut Conn, generation: i64, sheets: &[(SheetPeriodRow, &[u8])]) -> QueryResult<()> {
    sql_query(INSERT)
        .bind::<BigInt, _>(generation)
        .bind::<Array<TenantKey>, _>(column(sheets, |(period_row, _)| period_row.scope))
        .bind::<Array<SmallInt>, _>(column(sheets, |(period_row, _)| period_row.level))
        .bind::<Array<SmallInt>, _>(column(sheets, |(period_row, _)| period_row.part))
        .bind::<Array<Instant>, _>(column(sheets, |(period_row, _)| period_row.start))
        .bind::<Array<Integer>, _>(column(sheets, |(period_row, _)| period_row.run))
        .bind::<Array<Binary>, _>(column(sheets, |(_, payload)| *payload))
        .execute(conn)
        .map(drop)
}

/// Removes sheets.
pub fn delete_sheets(conn: &mut Conn, generation: i64, keys: &[SheetPeriodRow]) -> QueryResult<()> {
    sql_query(DELETE)
        .bind::<BigInt, _>(generation)
        .bind::<Array<TenantKey>, _>(column(keys, |period_row| period_row.scope))
        .bind::<Array<SmallInt>, _>(column(keys, |period_row| period_row.level))
        .bind::<Array<SmallInt>, _>(column(keys, |period_row| period_row.part))
        .bind::<Array<Instant>, _>(column(keys, |period_row| period_row.start))
        .bind::<Array<Integer>, _>(column(keys, |period_row| period_row.run))
        .execute(conn)
        .map(drop)
}

/// Removes deltas.
pub fn delete_deltas(conn: &mut Conn, keys: &[(DbTenant, i64)]) -> QueryResult<()> {
    sql_query(DELETE_DELTAS)
        .bind::<Array<TenantKey>, _>(column(keys, |(scope, _)| *scope))
        .bind::<Array<BigInt>, _>(column(keys, |(_, seq)| *seq))
        .execute(conn)
        .map(drop)
}

fn column<'a, R, T>(rows: &'a [R], of: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}

/// Tells the planner what the table holds. Before it knows a new generation, it takes the index of the time for one
/// scope's sheets, and reads those of every tenant.
pub fn know_sheets(conn: &mut Conn) -> QueryResult<()> {
    sql_query("ANALYZE sheets").execute(conn).map(drop)
}
