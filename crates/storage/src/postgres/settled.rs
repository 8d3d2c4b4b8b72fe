//! The number up to which no event will become visible any more.
//!
//! An event has its number before its transaction commits, so a greater number may become visible first. Each transaction
//! that stores events gets its transaction id before it takes numbers. So whoever has taken a number up to `last` has a
//! smaller id than one that is given after `last` was read; when all smaller ids have ended, the numbers up to `last` are
//! settled:
//!
//! ```text
//! read `last` of the sequence ─► take a transaction id ─► later: is no smaller id running? ─► settled up to `last`
//! ```

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Bool, Text};
use parking_lot::Mutex;
use uuid::Uuid;

use super::Conn;
use crate::names::digest_of;

/// The last number that any transaction has taken.
const LAST: &str = "SELECT last_value AS number, is_called FROM events_seq_seq";

/// A new transaction id. The cast goes by text, because no cast leads to a number.
const NEW_ID: &str = "SELECT pg_current_xact_id()::text::bigint AS number, true AS is_called";

/// The smallest transaction id that is running, or the next one if none is.
const OLDEST: &str = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS number, true AS is_called";

/// What changes when a database is restored: a dump gives the table another oid, a copy of the files goes on in another
/// timeline, and so does a standby that becomes the primary, because it may lack the last commits.
const HISTORY: &str = "\
SELECT concat_ws('.', (SELECT database_id FROM content_version WHERE id = 1), (SELECT system_identifier FROM pg_control_system()), \
'events'::regclass::oid, CASE WHEN pg_is_in_recovery() THEN '' ELSE left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) END) \
AS history";

#[derive(QueryableByName)]
struct History {
    #[diesel(sql_type = Text)]
    history: String,
}

/// The history of the database, in which numbers are given once.
pub fn history(conn: &mut Conn) -> QueryResult<Uuid> {
    let found: History = sql_query(HISTORY).get_result(conn)?;
    Ok(digest_of(&found.history))
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
    #[diesel(sql_type = Bool)]
    is_called: bool,
}

/// What is known of the numbers.
#[derive(Debug, Default)]
pub struct Settled(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The numbers up to this one are settled.
    until: i64,
    /// A last number that was read, and a transaction id that was given afterwards.
    mark: Option<(i64, i64)>,
}

/// What the next look at the numbers has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Nothing: every number that was taken is settled.
    Done(i64),
    /// To take a transaction id, which is then running itself.
    Mark,
    /// To look whether smaller ids are running. The transaction that took the id must have ended.
    Look,
}

impl Settled {
    /// Reads the last number that was taken.
    pub fn next(&self, conn: &mut Conn) -> QueryResult<Next> {
        let state = self.0.lock();
        if state.mark.is_some() {
            return Ok(Next::Look);
        }
        let last: Number = sql_query(LAST).get_result(conn)?;
        let last = if last.is_called { last.number } else { 0 };
        Ok(if last <= state.until { Next::Done(state.until) } else { Next::Mark })
    }

    /// Marks the last number. The transaction must begin after the numbers were found not to be settled.
    pub fn mark(&self, conn: &mut Conn) -> QueryResult<()> {
        let last: Number = sql_query(LAST).get_result(conn)?;
        let id: Number = sql_query(NEW_ID).get_result(conn)?;
        // Two threads may mark at once: the earlier mark is settled first.
        self.0.lock().mark.get_or_insert((last.number, id.number));
        Ok(())
    }

    /// Looks whether the marked numbers are settled. Returns the number up to which all are.
    pub fn look(&self, conn: &mut Conn) -> QueryResult<i64> {
        let mark = self.0.lock().mark;
        let oldest: Number = sql_query(OLDEST).get_result(conn)?;
        let mut state = self.0.lock();
        if let Some((last, id)) = mark.filter(|(_, id)| *id <= oldest.number) {
            state.until = state.until.max(last);
            if state.mark == Some((last, id)) {
                state.mark = None;
            }
        }
        Ok(state.until)
    }
}
