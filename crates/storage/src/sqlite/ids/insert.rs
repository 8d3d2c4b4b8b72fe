//! Stores events that are not stored yet.

use std::collections::HashSet;

use diesel::prelude::*;

use super::super::Conn;
use super::super::ingest::{InsertEvent, last_number};
use super::key::key_of;
use super::load::{load, number_of};
use super::lookup;
use super::page::Entry;
use super::rows;
use super::state::{Ids, Known};
use crate::columns::{DbTenant, DbUuid};
use crate::hash_key::HashKey;
use crate::rows::NewEventRow;

/// The events that a transaction stored. They count for others after the commit.
#[derive(Debug, Default)]
pub struct NewIds {
    entries: Vec<Entry>,
    events: HashSet<(DbTenant, DbUuid)>,
    last: Option<i64>,
    /// Whether the transaction wrote runs.
    wrote_runs: bool,
}

impl NewIds {
    /// The transaction was committed. Returns the number of new ids.
    pub fn committed(self, ids: &Ids) -> usize {
        if self.entries.is_empty() {
            return 0;
        }
        ids.committed(&self.entries);
        ids.earn(self.entries.len());
        self.entries.len()
    }

    /// The transaction was rolled back.
    pub fn rolled_back(self, ids: &Ids) {
        if self.wrote_runs {
            ids.forget();
        }
    }
}

/// Stores the events that are not stored yet. Returns the number of each new one in the order of storage; `None` for the
/// others.
///
/// It runs one prepared statement per event. Inside one transaction this is faster than statements with many rows, which
/// SQLite parses again for every number of rows. Numbers of events are never those of events that were removed: a
/// reader of the feed may be behind them.
pub fn insert_events(
    conn: &mut Conn,
    ids: &Ids,
    new: &mut NewIds,
    hash: &HashKey,
    rows: &[NewEventRow<'_>],
) -> QueryResult<Vec<Option<i64>>> {
    new.wrote_runs |= load(conn, ids, hash)?;
    let known = ids.known.read();
    let known = known.as_ref().ok_or_else(|| rows::unreadable("ids that were read are gone"))?;
    let mut last = if let Some(last) = new.last { last } else { known.recent.last().max(last_number(conn)?) };
    let mut outcomes = Vec::with_capacity(rows.len());
    if known.indexed {
        for row in rows {
            let is_new = InsertEvent::<true> { seq: last + 1, row }.execute(conn)? > 0;
            last += i64::from(is_new);
            outcomes.push(is_new.then_some(last));
        }
    } else {
        let keys = rows
            .iter()
            .map(|row| Ok(key_of(hash, &row.id.0, number_of(row.tenant_id)?)))
            .collect::<QueryResult<Vec<u64>>>()?;
        let stored = stored(conn, known, rows, &keys)?;
        for ((row, key), stored) in rows.iter().zip(keys).zip(stored) {
            // The first of those that a transaction brings twice is new.
            let is_new = !stored && new.events.insert((row.tenant_id, row.id));
            if is_new {
                last += 1;
                InsertEvent::<false> { seq: last, row }.execute(conn)?;
                new.entries.push(Entry { key, seq: last });
            }
            outcomes.push(is_new.then_some(last));
        }
    }
    new.last = Some(last);
    Ok(outcomes)
}

/// Which of these events committed transactions have stored.
fn stored(conn: &mut Conn, known: &Known, rows: &[NewEventRow<'_>], keys: &[u64]) -> QueryResult<Vec<bool>> {
    let mut sorted = keys.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let in_runs = lookup::in_runs(conn, &known.runs, &sorted)?;
    let mut stored = Vec::with_capacity(rows.len());
    for (row, key) in rows.iter().zip(keys) {
        let first = in_runs.partition_point(|entry| entry.key < *key);
        let candidates = in_runs.iter().skip(first).take_while(|entry| entry.key == *key).map(|entry| entry.seq);
        let mut is_stored = false;
        for seq in known.recent.find(&(*key..=*key)).chain(candidates) {
            let found = rows::id_of(conn, seq)?;
            is_stored |= found.is_some_and(|found| found.tenant == row.tenant_id && found.id == row.id.0);
        }
        stored.push(is_stored);
    }
    Ok(stored)
}
