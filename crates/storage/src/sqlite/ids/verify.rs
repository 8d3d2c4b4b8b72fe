//! Compares runs with the events, and makes them again.

use std::sync::Arc;

use diesel::prelude::*;
use diesel::result::Error as DieselError;
use trailkeeper_domain::ports::IdFault;

use super::super::Conn;
use super::build;
use super::load::entries;
use super::lookup::in_runs;
use super::rows;
use super::run::{Run, RunKey};
use super::state::Ids;
use crate::hash_key::HashKey;

/// The events whose ids are looked up together. Each page is read once for so many.
const CHUNK: usize = 100_000;

/// Compares the runs with the events of the snapshot: each event up to the last one of the runs is found by its id, and
/// the runs have no other entries but those of removed events. Returns the number of events.
pub fn verify(conn: &mut Conn, ids: &Ids, hash: &HashKey, each: &mut dyn FnMut(IdFault)) -> QueryResult<u64> {
    match verify_all(conn, ids, hash, each) {
        Err(DieselError::DeserializationError(row)) => {
            each(IdFault::Unreadable(row.to_string()));
            Ok(0)
        }
        other => other,
    }
}

fn verify_all(conn: &mut Conn, ids: &Ids, hash: &HashKey, each: &mut dyn FnMut(IdFault)) -> QueryResult<u64> {
    let keys = rows::runs(conn)?;
    let mut after = 0;
    for key in &keys {
        if key.after_seq != after {
            each(IdFault::Gap { after: after.min(key.after_seq), until: after.max(key.after_seq) });
        }
        after = after.max(key.last_seq);
    }
    let end = after;
    let mut entries_of_runs: i64 = keys.iter().map(|key| key.ids).sum();
    let runs = keys.into_iter().map(|key| ids.run(conn, key)).collect::<QueryResult<Vec<_>>>()?;
    let (mut seq, mut events) = (0, 0_u64);
    while seq < end {
        let mut chunk = rows::ids_after(conn, seq, CHUNK)?;
        chunk.retain(|event| event.seq <= end);
        let Some(last) = chunk.last() else { break };
        seq = last.seq;
        let expected = entries(hash, &chunk)?;
        let mut keys: Vec<u64> = expected.iter().map(|entry| entry.key).collect();
        keys.sort_unstable();
        keys.dedup();
        let found = in_runs(conn, &runs, &keys)?;
        for (entry, event) in expected.iter().zip(&chunk) {
            events += 1;
            if found.binary_search(entry).is_ok() {
                entries_of_runs -= 1;
            } else {
                each(IdFault::Lost { seq: event.seq, id: trailkeeper_domain::id::EventId(event.id) });
            }
        }
    }
    if entries_of_runs > 0 {
        entries_of_runs -= without_event(conn, &runs)?;
    }
    if entries_of_runs != 0 {
        each(IdFault::Extra { entries: entries_of_runs });
    }
    Ok(events)
}

/// The number of entries whose events were removed. Whatever is found by an entry is compared with its row, so they do no
/// harm, and leave when the runs are made again.
fn without_event(conn: &mut Conn, runs: &[Arc<Run>]) -> QueryResult<i64> {
    if !rows::has_removed_events(conn)? {
        return Ok(0);
    }
    let mut without = 0;
    for run in runs {
        let mut at = 0;
        while i64::try_from(at).is_ok_and(|at| at < run.key.pages) {
            for entry in rows::page(conn, run.key.run, at)? {
                without += i64::from(rows::id_of(conn, entry.seq)?.is_none());
            }
            at += 1;
        }
    }
    Ok(without)
}

/// Runs that are made again. They are invisible until they replace all others in one transaction.
#[derive(Debug, Default)]
pub struct Rebuild {
    after: i64,
    made: Vec<(RunKey, Vec<u8>)>,
}

impl Rebuild {
    /// Makes the next run. Returns whether there may be more events.
    pub fn step(&mut self, conn: &mut Conn, ids: &Ids, hash: &HashKey) -> QueryResult<bool> {
        let next = rows::ids_after(conn, self.after, ids.in_memory)?;
        let Some(last) = next.last().filter(|_| next.len() == ids.in_memory).map(|last| last.seq) else {
            return Ok(false);
        };
        let run = ids.next_run(conn)?;
        let written = build::write(conn, run, entries(hash, &next)?, self.after, last, 0)?;
        self.made.push((written.run.key, written.header));
        self.after = last;
        Ok(true)
    }

    /// Shows the runs in place of all others. Returns the number of their ids, or `None` if another process removed
    /// pages of them: then all begins again.
    pub fn finish(mut self, conn: &mut Conn, ids: &Ids, hash: &HashKey) -> QueryResult<Option<i64>> {
        // Events of the runs that are replaced must be in the new ones or follow them.
        while self.step(conn, ids, hash)? {}
        for (key, _) in &self.made {
            if rows::count_pages(conn, key.run)? != key.pages {
                return Ok(None);
            }
        }
        rows::hide_all(conn)?;
        for (key, header) in &self.made {
            rows::show(conn, *key, header)?;
        }
        Ok(Some(self.made.iter().map(|(key, _)| key.ids).sum()))
    }
}
