//! What only PostgreSQL says so.

use std::collections::HashSet;

use diesel::deserialize::QueryableByName;
use diesel::result::QueryResult;
use diesel::sql_types::{Array, BigInt, Nullable, Text};
use diesel::{RunQueryDsl, sql_query};

use super::Conn;
use crate::columns::{DbUuid, Host, Instant, Json, Uuid128};
use crate::rows::NewEventRow;

/// The UTC day of an event.
pub const DAY_OF_EVENT: &str = "(occurred_at AT TIME ZONE 'UTC')::date";
/// The first day of the UTC month of an event.
pub const MONTH_OF_EVENT: &str = "date_trunc('month', occurred_at AT TIME ZONE 'UTC')::date";
/// The UTC day of a creation.
pub const DAY_OF_CREATION: &str = "(created_at AT TIME ZONE 'UTC')::date";

/// In front of a column that SQLite must not look up by an index: nothing, as PostgreSQL knows better.
pub const UNINDEXED: &str = "";

/// One row when diesel's table of migrations is there.
pub const COUNT_MIGRATION_TABLES: &str = "SELECT count(*) AS tables FROM (SELECT to_regclass('__diesel_schema_migrations') AS found) AS t WHERE found IS NOT NULL";

/// The key of the advisory lock that writers of the directory take: the letters "tkdi".
const DIRECTORY_LOCK: i64 = 0x746b_6469;

/// One array per column, so that any number of events is one statement with nineteen values.
///
/// The inner query numbers the events in the order in which they were sent; the outer one stores them in the order of
/// their keys. Two batches that share events then wait for each other on the first shared one, and never in a circle.
const INSERT_EVENTS: &str = "\
INSERT INTO events (seq, tenant_id, id, env_id, occurred_at, received_at, user_id, user_name, kind, outcome, source, \
user_agent, page, page_key, session_id, trace_id, target_type, target_id, target_name, metadata) \
SELECT * FROM (SELECT nextval('events_seq_seq'), sent.* FROM UNNEST($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, \
$12, $13, $14, $15, $16, $17, $18, $19) AS sent (tenant_id, id, env_id, occurred_at, received_at, user_id, user_name, \
kind, outcome, source, user_agent, page, page_key, session_id, trace_id, target_type, target_id, target_name, metadata) \
) AS numbered ORDER BY tenant_id, id \
ON CONFLICT (tenant_id, id) DO NOTHING RETURNING tenant_id, id";

#[derive(QueryableByName)]
struct Stored {
    #[diesel(sql_type = Uuid128)]
    tenant_id: DbUuid,
    #[diesel(sql_type = Uuid128)]
    id: DbUuid,
}

/// Stores events that are not known yet, and tells which were new.
pub fn insert_events(conn: &mut Conn, rows: &[NewEventRow<'_>]) -> QueryResult<Vec<bool>> {
    fn column<'r, 'a, T>(rows: &'r [NewEventRow<'a>], of: impl Fn(&'r NewEventRow<'a>) -> T) -> Vec<T> {
        rows.iter().map(of).collect()
    }
    let stored: Vec<Stored> = sql_query(INSERT_EVENTS)
        .bind::<Array<Uuid128>, _>(column(rows, |row| row.tenant_id))
        .bind::<Array<Uuid128>, _>(column(rows, |row| row.id))
        .bind::<Array<BigInt>, _>(column(rows, |row| row.env_id))
        .bind::<Array<Instant>, _>(column(rows, |row| row.occurred_at))
        .bind::<Array<Instant>, _>(column(rows, |row| row.received_at))
        .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.user_id))
        .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.user_name))
        .bind::<Array<Text>, _>(column(rows, |row| row.kind))
        .bind::<Array<Text>, _>(column(rows, |row| row.outcome))
        .bind::<Array<Nullable<Host>>, _>(column(rows, |row| row.source))
        .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.user_agent))
        .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.page))
        .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.page_key))
        .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.session_id))
        .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.trace_id))
        .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.target_type))
        .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.target_id))
        .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.target_name))
        .bind::<Array<Nullable<Json>>, _>(column(rows, |row| row.metadata.as_ref()))
        .load(conn)?;
    let new: HashSet<(DbUuid, DbUuid)> = stored.into_iter().map(|row| (row.tenant_id, row.id)).collect();
    Ok(rows.iter().map(|row| new.contains(&(row.tenant_id, row.id))).collect())
}

/// Waits until no other transaction writes the directory, and keeps others waiting until this one ends.
pub fn lock_directory(conn: &mut Conn) -> QueryResult<()> {
    sql_query("SELECT pg_advisory_xact_lock($1)").bind::<BigInt, _>(DIRECTORY_LOCK).execute(conn).map(|_| ())
}
