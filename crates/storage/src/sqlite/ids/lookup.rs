//! Finds events by their ids.

use std::ops::RangeInclusive;
use std::sync::Arc;
use trailkeeper_domain::bucket::Bucket;

use diesel::prelude::*;

use super::super::{Conn, Db};
use super::key::{key_of, keys_of};
use super::load::number_of;
use super::page::Entry;
use super::rows;
use super::run::{Run, RunKey};
use super::state::Ids;
use crate::columns::{DbTenant, DbUuid};
use crate::hash_key::HashKey;
use crate::rows::EventRow;
use crate::schema::events;

/// The most events with one id that are looked for.
const MOST: usize = 3;

/// The events with this id, at most three.
pub fn events_by_id(
    conn: &mut Conn,
    ids: &Ids,
    hash: &HashKey,
    _buckets: &[Bucket],
    (id, tenant): (DbUuid, Option<DbTenant>),
) -> QueryResult<Vec<EventRow>> {
    if rows::is_indexed(conn)? {
        let mut query = events::table.into_boxed::<Db>().filter(events::id.eq(id));
        if let Some(tenant) = tenant {
            query = query.filter(events::tenant_id.eq(tenant));
        }
        return query.order(events::tenant_id.asc()).limit(3).select(EventRow::as_select()).load(conn);
    }
    let keys = match tenant {
        Some(tenant) => {
            let key = key_of(hash, &id.0, number_of(tenant)?);
            key..=key
        }
        None => keys_of(hash, &id.0),
    };
    let mut found = Vec::new();
    for seq in seqs(conn, ids, hash, id, &keys)? {
        let row = events::table.filter(events::seq.eq(seq)).filter(events::id.eq(id)).select(EventRow::as_select());
        let row: Option<EventRow> = row.first(conn).optional()?;
        found.extend(row.filter(|row| tenant.is_none_or(|tenant| row.tenant() == tenant)));
        if found.len() == MOST {
            break;
        }
    }
    Ok(found)
}

/// The numbers of the events that may have this id, as this snapshot has them.
fn seqs(conn: &mut Conn, ids: &Ids, hash: &HashKey, id: DbUuid, keys: &RangeInclusive<u64>) -> QueryResult<Vec<i64>> {
    let runs = rows::runs(conn)?;
    let mut found = Vec::new();
    for key in &runs {
        let run = ids.run(conn, *key)?;
        for at in run.pages_of(keys) {
            let entries = rows::page(conn, key.run, at)?;
            found.extend(entries.iter().filter(|entry| keys.contains(&entry.key)).map(|entry| entry.seq));
        }
    }
    let after = runs.iter().map(|run: &RunKey| run.last_seq).max().unwrap_or(0);
    let (from, until) = recent(conn, ids, hash, after, keys, &mut found)?;
    // The rows of the snapshot that memory does not have: nearly always none.
    for (first, last) in [(after, from), (until, i64::MAX)] {
        let rows = events::table
            .filter(events::seq.gt(first).and(events::seq.le(last)))
            .filter(events::id.eq(id))
            .select(events::seq);
        found.extend(rows.load::<i64>(conn)?);
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// Adds the events in memory with these keys. Returns the events after and up to which memory has all ids of this
/// snapshot.
fn recent(
    conn: &mut Conn,
    ids: &Ids,
    hash: &HashKey,
    after: i64,
    keys: &RangeInclusive<u64>,
    found: &mut Vec<i64>,
) -> QueryResult<(i64, i64)> {
    let nothing = (after, after);
    let last = match ids.known.read().as_ref() {
        Some(known) if !known.indexed => known.recent.last(),
        _ => return Ok(nothing),
    };
    // Memory may be that of another content: of a copy that was restored meanwhile, or of a newer snapshot.
    let Some(newest) = rows::last_up_to(conn, last)?.filter(|newest| newest.seq > after) else { return Ok(nothing) };
    let entry = Entry { key: key_of(hash, &newest.id, number_of(newest.tenant)?), seq: newest.seq };
    let known = ids.known.read();
    let Some(recent) = known.as_ref().map(|known| &known.recent).filter(|recent| recent.contains(entry)) else {
        return Ok(nothing);
    };
    found.extend(recent.find(keys));
    Ok((recent.after().max(after), newest.seq))
}

/// The entries with these keys in runs. `keys` ascend. Each page is read once.
pub fn in_runs(conn: &mut Conn, runs: &[Arc<Run>], keys: &[u64]) -> QueryResult<Vec<Entry>> {
    let mut found = Vec::new();
    for run in runs {
        let mut page: Option<(usize, Vec<Entry>)> = None;
        for key in keys.iter().filter(|key| run.may_contain(**key)) {
            for at in run.pages_of(&(*key..=*key)) {
                let read = match page.take() {
                    Some((known, entries)) if known == at => (known, entries),
                    _ => (at, rows::page(conn, run.key.run, at)?),
                };
                let (_, entries) = page.insert(read);
                let first = entries.partition_point(|entry| entry.key < *key);
                found.extend(entries.iter().skip(first).take_while(|entry| entry.key == *key));
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}
