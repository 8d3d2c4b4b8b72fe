//! Reads what a store has to know of ids.

use diesel::result::QueryResult;

use super::super::Conn;
use super::build;
use super::key::key_of;
use super::page::Entry;
use super::recent::Recent;
use super::rows::{self, EventKey};
use super::state::{Ids, Known};
use crate::columns::DbTenant;
use crate::hash_key::HashKey;

/// Reads the runs, and the ids of the events after them, unless they are known. Returns whether it wrote runs: then a
/// transaction that is rolled back must forget them.
///
/// It is called by the writer, in its transaction.
pub fn load(conn: &mut Conn, ids: &Ids, hash: &HashKey) -> QueryResult<bool> {
    if ids.known.read().is_some() {
        return Ok(false);
    }
    let indexed = rows::is_indexed(conn)?;
    let mut runs = rows::runs(conn)?.into_iter().map(|key| ids.run(conn, key)).collect::<QueryResult<Vec<_>>>()?;
    let mut after = runs.iter().map(|run| run.key.last_seq).max().unwrap_or(0);
    ids.keep(&runs);
    let mut recent = Vec::new();
    let mut wrote = false;
    let mut is_complete = indexed;
    // Another program, which makes no runs, may have stored many events. They become runs at once, as memory is limited.
    while !is_complete {
        let from = recent.last().map_or(after, |entry: &Entry| entry.seq);
        let next = entries(hash, &rows::ids_after(conn, from, ids.in_memory)?)?;
        is_complete = next.len() < ids.in_memory;
        let last = next.last().map_or(from, |last| last.seq);
        recent.extend(next);
        if recent.len() >= 2 * ids.in_memory {
            let run = ids.next_run(conn)?;
            let written = build::write(conn, run, std::mem::take(&mut recent), after, last, ids.filter_budget())?;
            rows::show(conn, written.run.key, &written.header)?;
            after = last;
            runs.push(written.run.into());
            ids.keep(&runs);
            wrote = true;
        }
    }
    *ids.known.write() = Some(Known { indexed, runs, recent: Recent::new(after, recent) });
    Ok(wrote)
}

/// The entries of these events.
pub fn entries(hash: &HashKey, events: &[EventKey]) -> QueryResult<Vec<Entry>> {
    events
        .iter()
        .map(|event| Ok(Entry { key: key_of(hash, &event.id, number_of(event.tenant)?), seq: event.seq }))
        .collect()
}

/// The number of a tenant.
pub fn number_of(tenant: DbTenant) -> QueryResult<i64> {
    match tenant {
        DbTenant::Number(number) => Ok(number),
        DbTenant::Id(_) => Err(rows::unreadable("a tenant without a number")),
    }
}
