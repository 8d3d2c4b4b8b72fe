//! SQLite-specific SQL.

use diesel::connection::AnsiTransactionManager;
use diesel::prelude::*;
use diesel::result::QueryResult;
use uuid::Uuid;

use super::Conn;
pub use super::ids::{Ids, NewIds, events_by_id, insert_events, verify as check_ids};
pub use super::ingest::{
    NAMES_AT_ONCE, NUMBERS_IN_PLACE, ONE_NAME_PER_STATEMENT, delete_events, events, insert_names, insert_sources,
    keep_in_place, key_without_number, lock_names, lock_page_rule, share_page_rule, update_pages,
};
pub use super::postings::{delete_posting_runs, delete_some, insert_pages, insert_posting_runs, posting_pages};
pub use super::sheets::{analyze_sheets, delete_sheets, insert_sheets, payloads, runs};
use crate::columns::DbUuid;
use crate::schema::content_version;

/// The SQL expression for the UTC day of a creation, in days since 1970.
pub const DAY_OF_CREATION: &str = "created_at / 86400000000";

/// Whether the row of `content_version` shows that others changed the content. Yes: a file can be replaced under an open connection.
pub const HAS_CONTENT_VERSION: bool = true;

/// Whether the table of events has the column `bucket`. No: one file has all of them.
pub const HAS_BUCKETS: bool = false;

/// Whether tenants have numbers in `dict_tenants`. Yes: rows and indexes are smaller with numbers.
pub const TENANTS_ARE_NUMBERED: bool = true;

/// The prefix of a column whose index SQLite must not use, in queries that are text.
pub const UNINDEXED: &str = "+";

/// A query that counts diesel's table of migrations: 1 if it exists, else 0.
pub const COUNT_MIGRATION_TABLES: &str =
    "SELECT count(*) AS tables FROM sqlite_schema WHERE type = 'table' AND name = '__diesel_schema_migrations'";

/// A query of the names of the indexes of events.
pub const INDEXES_OF_EVENTS: &str = "SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'events'";

/// Opens a transaction by the statement `begin`.
pub fn begin(conn: &mut Conn, begin: &str) -> QueryResult<()> {
    AnsiTransactionManager::begin_transaction_sql(conn, begin)
}

/// Does nothing: the connection has a limit for waiting of its own.
#[expect(clippy::unnecessary_wraps, reason = "the same signature on both databases")]
pub fn wait_shortly_for_locks(_conn: &mut Conn) -> QueryResult<()> {
    Ok(())
}

/// Does nothing: SQLite has one writer at a time.
#[expect(clippy::unnecessary_wraps, reason = "the same signature on both databases")]
pub fn lock_directory(_conn: &mut Conn) -> QueryResult<()> {
    Ok(())
}

/// Does nothing: SQLite has one writer at a time.
#[expect(clippy::unnecessary_wraps, reason = "the same signature on both databases")]
pub fn lock_login_counters(_conn: &mut Conn) -> QueryResult<()> {
    Ok(())
}

/// Does nothing: SQLite has one writer at a time.
#[expect(clippy::unnecessary_wraps, reason = "the same signature on both databases")]
pub fn lock_retention(_conn: &mut Conn) -> QueryResult<()> {
    Ok(())
}

/// The history of the database, which a restored copy does not have.
pub fn history(conn: &mut Conn) -> QueryResult<Uuid> {
    let row = content_version::table.find(1_i16).select(content_version::database_id);
    row.first::<DbUuid>(conn).map(|id| id.0)
}

/// The number of buckets: a file has one.
#[expect(clippy::unnecessary_wraps, reason = "the same signature on both databases")]
pub fn bucket_count(_conn: &mut Conn) -> QueryResult<Option<i16>> {
    Ok(Some(1))
}
