//! Makes runs of the events of an older version, and then drops the unique index that this version does not need.

use diesel::prelude::*;
use diesel::result::QueryResult;

use super::super::Conn;
use super::build;
use super::load::entries;
use super::rows;
use super::state::Ids;
use crate::hash_key::HashKey;
use crate::schema::events;

/// Drops the unique index of ids if there are no events: later ones are found through runs from the first on.
pub fn drop_index_of_no_events(conn: &mut Conn) -> QueryResult<()> {
    let first: Option<i64> = events::table.select(events::seq).first(conn).optional()?;
    if first.is_none() && rows::is_indexed(conn)? { rows::drop_index(conn) } else { Ok(()) }
}

/// Makes a run of the next events, or drops the index if there are few of them: these fit into memory. The caller has
/// everything read again.
///
/// Until the index is dropped it decides which events are new, so that the runs may lack some.
pub fn backfill(conn: &mut Conn, ids: &Ids, hash: &HashKey) -> QueryResult<()> {
    let after = rows::runs(conn)?.iter().map(|key| key.last_seq).max().unwrap_or(0);
    let next = rows::ids_after(conn, after, ids.in_memory)?;
    match next.last() {
        Some(last) if next.len() == ids.in_memory => {
            let run = ids.next_run(conn)?;
            let written = build::write(conn, run, entries(hash, &next)?, after, last.seq, 0)?;
            rows::show(conn, written.run.key, &written.header)
        }
        _ => {
            rows::drop_index(conn)?;
            tracing::info!("all ids of events are in runs; the unique index of ids was dropped");
            Ok(())
        }
    }
}
