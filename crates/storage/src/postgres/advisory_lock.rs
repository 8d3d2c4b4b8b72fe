//! Advisory locks, by which transactions take turns.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::BigInt;

use super::Conn;

/// Waits for an advisory lock, and holds it until this transaction ends.
pub fn lock(conn: &mut Conn, key: i64) -> QueryResult<()> {
    sql_query("SELECT pg_advisory_xact_lock($1)").bind::<BigInt, _>(key).execute(conn).map(drop)
}
