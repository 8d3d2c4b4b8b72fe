//! Sheets and deltas by their keys: what only SQLite does so.
//!
//! One prepared statement per key: there is no way to the database to save, and no new text to parse for every number
//! of keys.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Integer;

use super::{Conn, Db};
use crate::columns::DbTenant;
use crate::rows::SheetPeriodRow;
use crate::schema::{deltas, sheets};

/// The runs at some places, each as the place's number among them, the run and its length. Runs of the places
/// themselves do not matter.
pub fn runs(conn: &mut Conn, generation: i64, periods: &[SheetPeriodRow]) -> QueryResult<Vec<(i64, i32, i32)>> {
    let mut found = Vec::new();
    for (nth, period) in (0..).zip(periods) {
        let query = at(generation, period).select((sheets::run, sql::<Integer>("length(payload)")));
        let runs: Vec<(i32, i32)> = query.load(conn)?;
        found.extend(runs.into_iter().map(|(run, bytes)| (nth, run, bytes)));
    }
    Ok(found)
}

/// Some payloads, each with the number of its key among them.
pub fn payloads(conn: &mut Conn, generation: i64, keys: &[SheetPeriodRow]) -> QueryResult<Vec<(i64, Vec<u8>)>> {
    let mut found = Vec::new();
    for (nth, key) in (0..).zip(keys) {
        let query = at(generation, key).filter(sheets::run.eq(key.run)).select(sheets::payload);
        found.extend(query.first(conn).optional()?.map(|payload| (nth, payload)));
    }
    Ok(found)
}

/// Writes sheets.
pub fn insert_sheets(conn: &mut Conn, generation: i64, sheets: &[(SheetPeriodRow, &[u8])]) -> QueryResult<()> {
    for (key, payload) in sheets {
        let row = (
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

/// Removes sheets.
pub fn delete_sheets(conn: &mut Conn, generation: i64, keys: &[SheetPeriodRow]) -> QueryResult<()> {
    for key in keys {
        let one = sheets::table
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

/// Removes deltas.
pub fn delete_deltas(conn: &mut Conn, keys: &[(DbTenant, i64)]) -> QueryResult<()> {
    for (scope, seq) in keys {
        diesel::delete(deltas::table.find((*scope, *seq))).execute(conn)?;
    }
    Ok(())
}

fn at(generation: i64, period: &SheetPeriodRow) -> sheets::BoxedQuery<'static, Db> {
    sheets::table
        .into_boxed::<Db>()
        .filter(sheets::generation.eq(generation))
        .filter(sheets::scope.eq(period.scope))
        .filter(sheets::level.eq(period.level))
        .filter(sheets::part.eq(period.part))
        .filter(sheets::start.eq(period.start))
}

/// Nothing to do: the planner takes the index whose columns are all asked for.
#[expect(clippy::unnecessary_wraps, reason = "the same signature on both databases")]
pub fn know_sheets(_conn: &mut Conn) -> QueryResult<()> {
    Ok(())
}
