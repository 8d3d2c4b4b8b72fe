//! The statements on the tables of runs and on the ids of events.

use diesel::dsl::{count_star, max};
use diesel::prelude::*;
use diesel::result::Error as DieselError;
use diesel::sql_types::BigInt;
use diesel::{delete, insert_into, sql_query};
use uuid::Uuid;

use super::super::Conn;
use super::page::{Entry, Page, entries_of};
use super::run::{Run, RunKey};
use crate::columns::{DbTenant, DbUuid};
use crate::schema::{events, id_pages, id_runs, retention_rules};

/// The number of pages that a run may have. Pages are numbered through all runs: so many for each.
const PAGES_OF_RUN: i64 = 1 << 24;

/// An event's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventKey {
    pub seq: i64,
    pub tenant: DbTenant,
    pub id: Uuid,
}

/// The visible runs, oldest events first.
pub fn runs(conn: &mut Conn) -> QueryResult<Vec<RunKey>> {
    let rows: Vec<(i64, i64, i64, i64, i64, i64)> = id_runs::table
        .order(id_runs::after_seq.asc())
        .select((id_runs::run, id_runs::after_seq, id_runs::last_seq, id_runs::ids, id_runs::pages, id_runs::checksum))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(run, after_seq, last_seq, ids, pages, checksum)| RunKey {
            run,
            after_seq,
            last_seq,
            ids,
            pages,
            checksum,
        })
        .collect())
}

/// A visible run with its header.
pub fn run(conn: &mut Conn, key: RunKey) -> QueryResult<Run> {
    let header: Vec<u8> = id_runs::table.find(key.run).select(id_runs::header).first(conn)?;
    Run::new(key, &header).map_err(|error| unreadable(&format!("table id_runs, row {}: {error}", key.run)))
}

/// Makes a run visible.
pub fn show(conn: &mut Conn, key: RunKey, header: &[u8]) -> QueryResult<()> {
    insert_into(id_runs::table)
        .values((
            id_runs::run.eq(key.run),
            id_runs::after_seq.eq(key.after_seq),
            id_runs::last_seq.eq(key.last_seq),
            id_runs::ids.eq(key.ids),
            id_runs::pages.eq(key.pages),
            id_runs::checksum.eq(key.checksum),
            id_runs::header.eq(header),
        ))
        .execute(conn)
        .map(drop)
}

/// Makes runs invisible. Returns how many were visible.
pub fn hide(conn: &mut Conn, runs: &[i64]) -> QueryResult<usize> {
    delete(id_runs::table.filter(id_runs::run.eq_any(runs))).execute(conn)
}

/// Makes all runs invisible.
pub fn hide_all(conn: &mut Conn) -> QueryResult<()> {
    delete(id_runs::table).execute(conn).map(drop)
}

/// A number that no visible run and no page has.
pub fn next_run(conn: &mut Conn) -> QueryResult<i64> {
    let visible: Option<i64> = id_runs::table.select(max(id_runs::run)).first(conn)?;
    let page: Option<i64> = id_pages::table.select(max(id_pages::page)).first(conn)?;
    Ok(visible.unwrap_or(0).max(page.map_or(0, |page| page / PAGES_OF_RUN)) + 1)
}

fn page_number(run: i64, page: usize) -> QueryResult<i64> {
    let page = i64::try_from(page).ok().filter(|page| *page < PAGES_OF_RUN);
    page.and_then(|page| run.checked_mul(PAGES_OF_RUN)?.checked_add(page))
        .ok_or_else(|| unreadable(&format!("run {run} has too many pages")))
}

/// Writes a page of an invisible run.
pub fn insert_page(conn: &mut Conn, run: i64, at: usize, page: &Page) -> QueryResult<()> {
    insert_into(id_pages::table)
        .values((id_pages::page.eq(page_number(run, at)?), id_pages::payload.eq(page.payload.as_slice())))
        .execute(conn)
        .map(drop)
}

/// The entries of a page.
pub fn page(conn: &mut Conn, run: i64, at: usize) -> QueryResult<Vec<Entry>> {
    let number = page_number(run, at)?;
    let payload: Vec<u8> = id_pages::table.find(number).select(id_pages::payload).first(conn)?;
    entries_of(&payload).map_err(|error| unreadable(&format!("table id_pages, row {number}: {error}")))
}

/// The number of pages of a run.
pub fn count_pages(conn: &mut Conn, run: i64) -> QueryResult<i64> {
    let (first, next) = (page_number(run, 0)?, page_number(run + 1, 0)?);
    id_pages::table.filter(id_pages::page.ge(first).and(id_pages::page.lt(next))).select(count_star()).first(conn)
}

/// Removes at most `limit` pages of a run. Returns how many it removed.
pub fn delete_pages(conn: &mut Conn, run: i64, limit: usize) -> QueryResult<usize> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    sql_query("DELETE FROM id_pages WHERE page IN (SELECT page FROM id_pages WHERE page >= ? AND page < ? LIMIT ?)")
        .bind::<BigInt, _>(page_number(run, 0)?)
        .bind::<BigInt, _>(page_number(run + 1, 0)?)
        .bind::<BigInt, _>(limit)
        .execute(conn)
}

/// The runs that have pages. It jumps from run to run, and does not read all pages.
pub fn runs_with_pages(conn: &mut Conn) -> QueryResult<Vec<i64>> {
    let mut runs = Vec::new();
    let mut from = 0;
    while let Some(page) = id_pages::table
        .filter(id_pages::page.ge(from))
        .order(id_pages::page.asc())
        .select(id_pages::page)
        .first::<i64>(conn)
        .optional()?
    {
        let run = page / PAGES_OF_RUN;
        runs.push(run);
        from = page_number(run + 1, 0)?;
    }
    Ok(runs)
}

/// The ids of the events after this one, in the order of storage.
pub fn ids_after(conn: &mut Conn, after: i64, limit: usize) -> QueryResult<Vec<EventKey>> {
    let rows: Vec<(i64, DbTenant, DbUuid)> = events::table
        .filter(events::seq.gt(after))
        .order(events::seq.asc())
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select((events::seq, events::tenant_id, events::id))
        .load(conn)?;
    Ok(rows.into_iter().map(|(seq, tenant, id)| EventKey { seq, tenant, id: id.0 }).collect())
}

/// The id of an event; `None` if there is no such event.
pub fn id_of(conn: &mut Conn, seq: i64) -> QueryResult<Option<EventKey>> {
    let row: Option<(DbTenant, DbUuid)> =
        events::table.filter(events::seq.eq(seq)).select((events::tenant_id, events::id)).first(conn).optional()?;
    Ok(row.map(|(tenant, id)| EventKey { seq, tenant, id: id.0 }))
}

/// The last event up to this one.
pub fn last_up_to(conn: &mut Conn, seq: i64) -> QueryResult<Option<EventKey>> {
    let row: Option<(i64, DbTenant, DbUuid)> = events::table
        .filter(events::seq.le(seq))
        .order(events::seq.desc())
        .select((events::seq, events::tenant_id, events::id))
        .first(conn)
        .optional()?;
    Ok(row.map(|(seq, tenant, id)| EventKey { seq, tenant, id: id.0 }))
}

/// Whether a rule of retention has removed events.
pub fn has_removed_events(conn: &mut Conn) -> QueryResult<bool> {
    let some = retention_rules::table.filter(retention_rules::removed_before.is_not_null()).select(retention_rules::id);
    Ok(some.first::<DbUuid>(conn).optional()?.is_some())
}

/// Whether the unique index of ids is still there.
pub fn is_indexed(conn: &mut Conn) -> QueryResult<bool> {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        indexes: i64,
    }
    let found: Count =
        sql_query("SELECT count(*) AS indexes FROM sqlite_schema WHERE type = 'index' AND name = 'events_by_id'")
            .get_result(conn)?;
    Ok(found.indexes > 0)
}

/// Drops the unique index of ids.
pub fn drop_index(conn: &mut Conn) -> QueryResult<()> {
    sql_query("DROP INDEX events_by_id").execute(conn).map(drop)
}

/// The error of bytes that are not as this program wrote them.
pub fn unreadable(what: &str) -> DieselError {
    DieselError::DeserializationError(
        format!("{what}; `trailkeeper rebuild` makes the runs of ids from the events again").into(),
    )
}
