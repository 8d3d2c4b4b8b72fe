//! Reads and writes sheets by their keys on SQLite.
//!
//! It runs one prepared statement per key. SQLite has no network whose latency a larger statement would save, and a
//! statement for many keys would be parsed again for every number of keys.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Integer;
use trailkeeper_domain::bucket::Bucket;

use super::{Conn, Db};
use crate::rows::SheetKeyRow;
use crate::schema::sheets;

/// The runs of some periods: the index of the period in `periods`, the run, and the length of its payload in bytes. The
/// runs in `periods` are ignored.
pub fn runs(
    conn: &mut Conn,
    bucket: Bucket,
    generation: i64,
    periods: &[SheetKeyRow],
) -> QueryResult<Vec<(i64, i32, i32)>> {
    let mut found = Vec::new();
    for (nth, period) in (0..).zip(periods) {
        let query = of_period(bucket, generation, period).select((sheets::run, sql::<Integer>("length(payload)")));
        let runs: Vec<(i32, i32)> = query.load(conn)?;
        found.extend(runs.into_iter().map(|(run, bytes)| (nth, run, bytes)));
    }
    Ok(found)
}

/// The payloads of some keys, each with the index of its key in `keys`.
pub fn payloads(
    conn: &mut Conn,
    bucket: Bucket,
    generation: i64,
    keys: &[SheetKeyRow],
) -> QueryResult<Vec<(i64, Vec<u8>)>> {
    let mut found = Vec::new();
    for (nth, key) in (0..).zip(keys) {
        let query = of_period(bucket, generation, key).filter(sheets::run.eq(key.run)).select(sheets::payload);
        found.extend(query.first(conn).optional()?.map(|payload| (nth, payload)));
    }
    Ok(found)
}

/// Inserts sheets.
pub fn insert_sheets(
    conn: &mut Conn,
    bucket: Bucket,
    generation: i64,
    sheets: &[(SheetKeyRow, &[u8])],
) -> QueryResult<()> {
    for (key, payload) in sheets {
        let row = (
            sheets::bucket.eq(bucket.code()),
            sheets::generation.eq(generation),
            sheets::scope.eq(key.scope),
            sheets::level.eq(key.level),
            sheets::part.eq(key.part),
            sheets::start.eq(key.start),
            sheets::run.eq(key.run),
            sheets::payload.eq(*payload),
        );
        diesel::insert_into(sheets::table).values(row).execute(conn)?;
    }
    Ok(())
}

/// Deletes sheets.
pub fn delete_sheets(conn: &mut Conn, bucket: Bucket, generation: i64, keys: &[SheetKeyRow]) -> QueryResult<()> {
    for key in keys {
        let one = sheets::table
            .filter(sheets::bucket.eq(bucket.code()))
            .filter(sheets::generation.eq(generation))
            .filter(sheets::scope.eq(key.scope))
            .filter(sheets::level.eq(key.level))
            .filter(sheets::part.eq(key.part))
            .filter(sheets::start.eq(key.start))
            .filter(sheets::run.eq(key.run));
        diesel::delete(one).execute(conn)?;
    }
    Ok(())
}

/// The runs of a period.
fn of_period(bucket: Bucket, generation: i64, period: &SheetKeyRow) -> sheets::BoxedQuery<'static, Db> {
    sheets::table
        .into_boxed::<Db>()
        .filter(sheets::bucket.eq(bucket.code()))
        .filter(sheets::generation.eq(generation))
        .filter(sheets::scope.eq(period.scope))
        .filter(sheets::level.eq(period.level))
        .filter(sheets::part.eq(period.part))
        .filter(sheets::start.eq(period.start))
}

/// Does nothing: the planner takes the index whose columns all have conditions.
#[expect(clippy::unnecessary_wraps, reason = "the same signature on both databases")]
pub fn analyze_sheets(_conn: &mut Conn) -> QueryResult<()> {
    Ok(())
}
