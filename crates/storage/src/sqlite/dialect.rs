//! What only SQLite says so.

use diesel::prelude::*;

use super::Conn;
pub use super::ingest::{
    NAMES_AT_ONCE, NUMBERS_IN_PLACE, PARTITIONED, events_by_id, insert_events, insert_names, insert_sources,
    key_without_number, lock_names, make_partitions,
};
pub use super::sheets::{delete_deltas, delete_sheets, insert_sheets, know_sheets, payloads, runs};
use crate::columns::DbTenant;
use crate::schema::deltas;

/// The UTC day of a creation, as days since 1970.
pub const DAY_OF_CREATION: &str = "created_at / 86400000000";

/// In front of a column that must not be looked up by an index, in queries that are text.
pub const UNINDEXED: &str = "+";

/// One row when diesel's table of migrations is there.
pub const COUNT_MIGRATION_TABLES: &str =
    "SELECT count(*) AS tables FROM sqlite_schema WHERE type = 'table' AND name = '__diesel_schema_migrations'";

/// Nothing to do: there is one writer at a time.
#[expect(clippy::unnecessary_wraps, reason = "the same signature on both databases")]
pub fn lock_directory(_conn: &mut Conn) -> QueryResult<()> {
    Ok(())
}

/// Nothing to do: there is one writer at a time.
#[expect(clippy::unnecessary_wraps, reason = "the same signature on both databases")]
pub fn lock_login_counters(_conn: &mut Conn) -> QueryResult<()> {
    Ok(())
}

/// Stores the deltas of one batch. The last number of the batch's events is new in every scope: it only rises, and
/// there is one writer at a time.
pub fn insert_deltas(conn: &mut Conn, rows: &[(DbTenant, &[u8])], batch_seq: i64) -> QueryResult<()> {
    for (scope, payload) in rows {
        diesel::insert_into(deltas::table)
            .values((deltas::scope.eq(scope), deltas::seq.eq(batch_seq), deltas::payload.eq(*payload)))
            .execute(conn)?;
    }
    Ok(())
}
