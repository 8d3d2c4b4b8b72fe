//! PostgreSQL-specific SQL.

use diesel::RunQueryDsl as _;
use diesel::result::QueryResult;
use diesel::sql_query;

use super::Conn;
pub use super::buckets::bucket_count;
pub use super::ids::{Ids, NewIds, check_ids, events_by_id, insert_events};
pub use super::ingest::{
    NAMES_AT_ONCE, NUMBERS_IN_PLACE, ONE_NAME_PER_STATEMENT, delete_events, events, insert_names, insert_sources,
    key_without_number, lock_names, lock_page_rule, share_page_rule, update_pages,
};
pub use super::moving::keep_in_place;
pub use super::postings::{delete_posting_runs, delete_some, insert_pages, insert_posting_runs, posting_pages};
pub use super::settled::history;
pub use super::sheets::{analyze_sheets, delete_sheets, insert_sheets, payloads, runs};

/// The SQL expression for the UTC day of a creation.
pub const DAY_OF_CREATION: &str = "(created_at AT TIME ZONE 'UTC')::date";

/// Whether the row of `content_version` shows that others changed the content. No: PostgreSQL ends its connections first.
pub const HAS_CONTENT_VERSION: bool = false;

/// A query of the names of the indexes of events.
pub const INDEXES_OF_EVENTS: &str =
    "SELECT indexname::text AS name FROM pg_indexes WHERE schemaname = current_schema() AND tablename = 'events'";

/// Whether the table of events has the column `bucket`. Yes: a cluster distributes them by it.
pub const HAS_BUCKETS: bool = true;

/// Whether tenants have numbers in `dict_tenants`. No: they are UUIDs.
pub const TENANTS_ARE_NUMBERED: bool = false;

/// The prefix of a column whose index SQLite must not use. It is empty, because PostgreSQL chooses the right index.
pub const UNINDEXED: &str = "";

/// A query that counts diesel's table of migrations: 1 if it exists, else 0.
pub const COUNT_MIGRATION_TABLES: &str = "SELECT count(*) AS tables FROM (SELECT to_regclass('__diesel_schema_migrations') AS found) AS t WHERE found IS NOT NULL";

/// Opens a transaction by the statement `begin`.
pub fn begin(conn: &mut Conn, begin: &str) -> QueryResult<()> {
    conn.begin(begin)
}

/// Limits how long the next statements of the transaction wait for a lock: others wait behind it.
pub fn wait_shortly_for_locks(conn: &mut Conn) -> QueryResult<()> {
    sql_query("SET LOCAL lock_timeout = '250ms'").execute(conn).map(drop)
}

/// The key of the advisory lock of writers of the directory: the letters "tkdi".
const DIRECTORY_LOCK: i64 = 0x746b_6469;

/// The key of the advisory lock of transactions that count logins: the letters "tkth".
const LOGIN_COUNTERS_LOCK: i64 = 0x746b_7468;

/// Waits until no other transaction counts logins, and blocks others until this one ends.
pub fn lock_login_counters(conn: &mut Conn) -> QueryResult<()> {
    super::advisory_lock::lock(conn, LOGIN_COUNTERS_LOCK)
}

/// Waits until no other transaction writes the directory, and blocks others until this one ends.
pub fn lock_directory(conn: &mut Conn) -> QueryResult<()> {
    super::advisory_lock::lock(conn, DIRECTORY_LOCK)
}

/// The key of the advisory lock of transactions that change legal holds or remove events: the letters "tkre".
const RETENTION_LOCK: i64 = 0x746b_7265;

/// Waits until no other transaction changes legal holds or removes events, and blocks others until this one ends.
pub fn lock_retention(conn: &mut Conn) -> QueryResult<()> {
    super::advisory_lock::lock(conn, RETENTION_LOCK)
}
