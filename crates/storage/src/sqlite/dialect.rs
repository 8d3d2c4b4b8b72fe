//! What only SQLite says so.

use diesel::RunQueryDsl;
use diesel::result::QueryResult;

use super::Conn;
use crate::rows::NewEventRow;
use crate::schema::events;

/// The UTC day of an event, as days since 1970.
pub const DAY_OF_EVENT: &str = "occurred_at / 86400000000";
/// The first day of the UTC month of an event, as days since 1970.
pub const MONTH_OF_EVENT: &str = "unixepoch(occurred_at / 1000000, 'unixepoch', 'start of month') / 86400";
/// The UTC day of a creation, as days since 1970.
pub const DAY_OF_CREATION: &str = "created_at / 86400000000";

/// In front of a column that must not be looked up by an index, in queries that are text.
pub const UNINDEXED: &str = "+";

/// One row when diesel's table of migrations is there.
pub const COUNT_MIGRATION_TABLES: &str =
    "SELECT count(*) AS tables FROM sqlite_schema WHERE type = 'table' AND name = '__diesel_schema_migrations'";

/// Stores events that are not known yet, and tells which were new.
///
/// One prepared statement per event: inside one transaction this is faster than statements of many rows, which have
/// to be parsed anew for every size, and the count of changed rows tells what became of each.
pub fn insert_events(conn: &mut Conn, rows: &[NewEventRow<'_>]) -> QueryResult<Vec<bool>> {
    rows.iter()
        .map(|row| {
            diesel::insert_into(events::table)
                .values(row)
                .on_conflict((events::tenant_id, events::id))
                .do_nothing()
                .execute(conn)
                .map(|stored| stored > 0)
        })
        .collect()
}

/// Nothing to do: there is one writer at a time.
#[expect(clippy::unnecessary_wraps, reason = "the same signature on both databases")]
pub fn lock_directory(_conn: &mut Conn) -> QueryResult<()> {
    Ok(())
}
