//! Moves the events of an older version into the table of events. That version kept each month in a table of its own, and
//! the keys of all events in `event_ids`.
//!
//! The migration made each month a child of `events`, so every query of `events` reads the months, too. A step moves rows
//! from a month to `events` in one transaction: each snapshot has a row in one of the two places. `event_ids` keeps the
//! keys of all old events, moved or not, until the end, so that none of them is stored again:
//!
//! ```text
//! what                        months      events         event_ids    a new event is compared with
//! after the migration         all rows    nothing        all keys     event_ids, events
//! between two steps           some rows   other rows     all keys     event_ids, events
//! a month has no rows left    dropped     …              all keys     event_ids, events
//! no month is left            none        all rows       dropped      events
//! ```
//!
//! A month is dropped once no snapshot needs its rows. A transaction that began before the last step still reads these
//! rows in the month, but would not find a month that has been dropped since.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::sql_query;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};

use super::Conn;

/// The key of the advisory lock of transactions that move events, or change them where they are: the letters "tkmv".
const MOVE_LOCK: i64 = 0x746b_6d76;

/// The key of the advisory lock for the removal of a month: the letters "tkrm". Its vacuum may take minutes.
const REMOVE_LOCK: i64 = 0x746b_726d;

/// The SQLSTATE of a statement on a table that does not exist.
const UNDEFINED_TABLE: &str = "42P01: ";

/// How long dropping a table waits for transactions that use it. Others queue behind it meanwhile.
const LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '2s'";

/// Every column of events.
const COLUMNS: &str = "bucket, seq, tenant_id, id, env_id, occurred_at, received_at, user_ref, user_name_ref, kind_ref, \
    outcome, source_ref, user_agent_ref, page_ref, page, page_key, session_id, trace_id, target_type, target_id, \
    target_name, metadata, original";

/// What one step did.
pub enum Step {
    /// There is nothing to move.
    Done,
    /// There is no month, but the table of their keys is still there.
    NoMonths,
    /// It moved this number of events.
    Moved(u64),
    /// This month has no rows.
    Empty(String),
    /// Another process moves events, or changes them.
    Busy,
}

#[derive(QueryableByName)]
struct Flag {
    #[diesel(sql_type = Bool)]
    flag: bool,
}

#[derive(QueryableByName)]
struct Month {
    #[diesel(sql_type = Nullable<Text>)]
    name: Option<String>,
}

fn ask(conn: &mut Conn, sql: &str, key: i64) -> QueryResult<bool> {
    sql_query(sql).bind::<BigInt, _>(key).get_result::<Flag>(conn).map(|row| row.flag)
}

/// Whether events of an older version are still to be moved. Then `event_ids` exists, but may be dropped at any time: see
/// [`again_if_dropped`].
pub fn has_old_events(conn: &mut Conn) -> QueryResult<bool> {
    if conn.is_moved() {
        return Ok(false);
    }
    let found: Flag = sql_query("SELECT to_regclass('event_ids') IS NOT NULL AS flag").get_result(conn)?;
    if !found.flag {
        conn.note_moved();
    }
    Ok(found.flag)
}

/// The error of a statement on `event_ids`. If that table was dropped meanwhile, the transaction is to run again.
pub fn again_if_dropped(error: DieselError) -> DieselError {
    match &error {
        DieselError::DatabaseError(_, information) if information.message().starts_with(UNDEFINED_TABLE) => {
            let text = "40001: the last events of an older version have been moved".to_owned();
            DieselError::DatabaseError(DatabaseErrorKind::SerializationFailure, Box::new(text))
        }
        _ => error,
    }
}

/// Keeps every event where it is until this transaction ends.
pub fn keep_in_place(conn: &mut Conn) -> QueryResult<()> {
    super::advisory_lock::lock(conn, MOVE_LOCK)
}

/// Whether nobody else moves events until this transaction ends.
fn may_move(conn: &mut Conn) -> QueryResult<bool> {
    ask(conn, "SELECT pg_try_advisory_xact_lock($1) AS flag", MOVE_LOCK)
}

/// Moves at most `limit` events of the oldest month.
pub fn step(conn: &mut Conn, limit: i64) -> QueryResult<Step> {
    if !may_move(conn)? {
        return Ok(Step::Busy);
    }
    let oldest = "SELECT min(inhrelid::regclass::text) AS name FROM pg_inherits WHERE inhparent = 'events'::regclass";
    let Some(month) = sql_query(oldest).get_result::<Month>(conn)?.name else {
        return Ok(if has_old_events(conn)? { Step::NoMonths } else { Step::Done });
    };
    let moved = sql_query(format!(
        "WITH gone AS (DELETE FROM {month} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {month} ORDER BY occurred_at, seq \
         LIMIT $1)) RETURNING {COLUMNS}) INSERT INTO events ({COLUMNS}) SELECT {COLUMNS} FROM gone ORDER BY seq"
    ))
    .bind::<BigInt, _>(limit)
    .execute(conn)?;
    Ok(if moved == 0 { Step::Empty(month) } else { Step::Moved(u64::try_from(moved).unwrap_or(u64::MAX)) })
}

/// Drops a month that has no rows, if no snapshot needs them. Returns whether it did. `conn` is in no transaction, waits for
/// answers without a time limit, and is of no further use.
pub fn remove(conn: &mut Conn, month: &str) -> QueryResult<bool> {
    // Until the end of the connection.
    if !ask(conn, "SELECT pg_try_advisory_lock($1) AS flag", REMOVE_LOCK)? {
        return Ok(false);
    }
    let found = sql_query("SELECT to_regclass($1) IS NOT NULL AS flag").bind::<Text, _>(month);
    if !found.get_result::<Flag>(conn)?.flag {
        // Another server has dropped it.
        return Ok(true);
    }
    conn.batch_execute(&format!("VACUUM (INDEX_CLEANUP ON) {month}"))?;
    // It marks a page as visible to all unless the page has a dead row that some snapshot needs.
    let unneeded = sql_query(format!(
        "SELECT relallvisible = relpages AND NOT EXISTS (SELECT FROM {month}) AS flag FROM pg_class \
         WHERE oid = '{month}'::regclass"
    ));
    let unneeded: Flag = unneeded.get_result(conn)?;
    if unneeded.flag {
        conn.transaction(|conn| {
            conn.batch_execute(LOCK_TIMEOUT)?;
            // No step of another server looks at the month meanwhile.
            keep_in_place(conn)?;
            conn.batch_execute(&format!("DROP TABLE {month}"))
        })?;
    }
    Ok(unneeded.flag)
}

/// Drops the table of the keys of old events. No month is left.
pub fn drop_old_ids(conn: &mut Conn) -> QueryResult<()> {
    conn.batch_execute(&format!("{LOCK_TIMEOUT}; DROP TABLE IF EXISTS event_ids"))
}
