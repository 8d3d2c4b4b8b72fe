//! Stores events and names on PostgreSQL.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{Datelike, NaiveDate};
use diesel::connection::SimpleConnection;
use diesel::deserialize::QueryableByName;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, SmallInt, Text};
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::time;
use uuid::Uuid;

use super::Conn;
use crate::columns::{Address, DbTenant, DbTime, DbUuid, Host, Instant, Json, TenantKey, Uuid128};
use crate::names::{Dictionary, digest_of};
use crate::rows::{EventRow, NewEventRow, PageUpdate};
use crate::schema::events;

/// Whether names get their numbers inside the transaction that needs them. No: they get them in a transaction of their
/// own, so that no writer waits until another one has stored its batch.
pub const NUMBERS_IN_PLACE: bool = false;
/// Whether events are partitioned. Yes: each month has a table of its own.
pub const PARTITIONED: bool = true;
/// The largest number of names that one statement looks up. All of them are one value, an array.
pub const NAMES_AT_ONCE: usize = 10_000;

/// The key of the advisory lock under which names get their numbers: the letters "tkna".
const NAMES_LOCK: i64 = 0x746b_6e61;

/// The key of the advisory lock of the rule of pages: the letters "tkpr".
const PAGE_RULE_LOCK: i64 = 0x746b_7072;

/// The key of the advisory lock under which partitions are created: the letters "tkpa".
const PARTITIONS_LOCK: i64 = 0x746b_7061;

/// The inner query numbers the events in the order in which they were sent. The outer query stores their ids in the order
/// of their keys, so that one of two batches with common events waits at the first common event, and no deadlock is
/// possible. Of events of the batch with the same key, the first that was sent is stored.
const INSERT_IDS: &str = "\
INSERT INTO event_ids (tenant_id, id, seq, occurred_at) \
SELECT tenant_id, id, seq, occurred_at FROM (SELECT nextval('events_seq_seq') AS seq, sent.* \
FROM UNNEST($1, $2, $3) AS sent (tenant_id, id, occurred_at)) AS numbered ORDER BY id, tenant_id, seq \
ON CONFLICT (id, tenant_id) DO NOTHING RETURNING tenant_id, id, seq";

/// It takes one array per column, so any number of events is one statement with twenty-two values.
const INSERT_EVENTS: &str = "\
INSERT INTO events (seq, tenant_id, id, env_id, occurred_at, received_at, user_ref, user_name_ref, kind_ref, outcome, \
source_ref, user_agent_ref, page_ref, page, page_key, session_id, trace_id, target_type, target_id, target_name, \
metadata, original) SELECT * FROM UNNEST($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, \
$20, $21, $22)";

/// It finds the rows by their primary key.
const UPDATE_PAGES: &str = "\
UPDATE events SET page_ref = made.page_ref, page = made.page, page_key = made.page_key \
FROM UNNEST($2, $3, $4, $5, $6) AS made (occurred_at, seq, page_ref, page, page_key) \
WHERE events.tenant_id = $1 AND events.occurred_at = made.occurred_at AND events.seq = made.seq";

#[derive(QueryableByName)]
struct Stored {
    #[diesel(sql_type = TenantKey)]
    tenant_id: DbTenant,
    #[diesel(sql_type = Uuid128)]
    id: DbUuid,
    #[diesel(sql_type = BigInt)]
    seq: i64,
}

/// Stores the events that are not stored yet. Returns which were new, and the number of the last new event in the order
/// of storage; `None` if none was new.
pub fn insert_events(conn: &mut Conn, rows: &[NewEventRow<'_>]) -> QueryResult<(Vec<bool>, Option<i64>)> {
    let all: Vec<&NewEventRow<'_>> = rows.iter().collect();
    let stored: Vec<Stored> = sql_query(INSERT_IDS)
        .bind::<Array<TenantKey>, _>(column(&all, |row| row.tenant_id))
        .bind::<Array<Uuid128>, _>(column(&all, |row| row.id))
        .bind::<Array<Instant>, _>(column(&all, |row| row.occurred_at))
        .load(conn)?;
    let last = stored.iter().map(|row| row.seq).max();
    if last.is_none() {
        return Ok((vec![false; rows.len()], None));
    }
    let mut numbers: HashMap<(DbTenant, DbUuid), i64> =
        stored.into_iter().map(|row| ((row.tenant_id, row.id), row.seq)).collect();
    // Removed at the first event with this key: others that share it are not new.
    let seqs: Vec<Option<i64>> = rows.iter().map(|row| numbers.remove(&(row.tenant_id, row.id))).collect();
    let new: Vec<&NewEventRow<'_>> =
        rows.iter().zip(&seqs).filter_map(|(row, seq)| seq.is_some().then_some(row)).collect();
    sql_query(INSERT_EVENTS)
        .bind::<Array<BigInt>, _>(seqs.iter().copied().flatten().collect::<Vec<i64>>())
        .bind::<Array<TenantKey>, _>(column(&new, |row| row.tenant_id))
        .bind::<Array<Uuid128>, _>(column(&new, |row| row.id))
        .bind::<Array<BigInt>, _>(column(&new, |row| row.env_id))
        .bind::<Array<Instant>, _>(column(&new, |row| row.occurred_at))
        .bind::<Array<Instant>, _>(column(&new, |row| row.received_at))
        .bind::<Array<Nullable<Integer>>, _>(column(&new, |row| row.user_ref))
        .bind::<Array<Nullable<Integer>>, _>(column(&new, |row| row.user_name_ref))
        .bind::<Array<Integer>, _>(column(&new, |row| row.kind_ref))
        .bind::<Array<SmallInt>, _>(column(&new, |row| row.outcome))
        .bind::<Array<Nullable<Integer>>, _>(column(&new, |row| row.source_ref))
        .bind::<Array<Nullable<Integer>>, _>(column(&new, |row| row.user_agent_ref))
        .bind::<Array<Nullable<Integer>>, _>(column(&new, |row| row.page_ref))
        .bind::<Array<Nullable<Text>>, _>(column(&new, |row| row.page))
        .bind::<Array<Nullable<Text>>, _>(column(&new, |row| row.page_key))
        .bind::<Array<Nullable<Text>>, _>(column(&new, |row| row.session_id))
        .bind::<Array<Nullable<Text>>, _>(column(&new, |row| row.trace_id))
        .bind::<Array<Nullable<Text>>, _>(column(&new, |row| row.target_type))
        .bind::<Array<Nullable<Text>>, _>(column(&new, |row| row.target_id))
        .bind::<Array<Nullable<Text>>, _>(column(&new, |row| row.target_name))
        .bind::<Array<Nullable<Json>>, _>(column(&new, |row| row.metadata.as_ref()))
        .bind::<Array<Nullable<Json>>, _>(column(&new, |row| row.original.as_ref()))
        .execute(conn)?;
    Ok((seqs.iter().map(Option::is_some).collect(), last))
}

fn column<'r, 'a, T>(rows: &[&'r NewEventRow<'a>], of: impl Fn(&'r NewEventRow<'a>) -> T) -> Vec<T> {
    rows.iter().map(|row| of(row)).collect()
}

/// The key of an event's row. The time determines the partition.
#[derive(QueryableByName)]
struct EventLocation {
    #[diesel(sql_type = TenantKey)]
    tenant_id: DbTenant,
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = Instant)]
    occurred_at: DbTime,
}

/// The events with this id, at most three. The table of ids gives their partitions.
pub fn events_by_id(conn: &mut Conn, id: DbUuid, tenant: Option<DbTenant>) -> QueryResult<Vec<EventRow>> {
    let text = "SELECT tenant_id, seq, occurred_at FROM event_ids WHERE id = $1";
    let locations: Vec<EventLocation> = match tenant {
        None => sql_query(format!("{text} ORDER BY tenant_id LIMIT 3")).bind::<Uuid128, _>(id).load(conn)?,
        Some(tenant) => sql_query(format!("{text} AND tenant_id = $2"))
            .bind::<Uuid128, _>(id)
            .bind::<TenantKey, _>(tenant)
            .load(conn)?,
    };
    let mut rows = Vec::new();
    for location in locations {
        let query = events::table
            .filter(events::tenant_id.eq(location.tenant_id))
            .filter(events::occurred_at.eq(location.occurred_at))
            .filter(events::seq.eq(location.seq));
        rows.extend(query.select(EventRow::as_select()).load(conn)?);
    }
    Ok(rows)
}

/// The tenant as a value. PostgreSQL stores the UUIDs of tenants, so every tenant has a value without a number.
#[expect(clippy::unnecessary_wraps, reason = "the same signature on both databases")]
pub fn key_without_number(tenant: TenantId) -> Option<DbTenant> {
    Some(DbTenant::Id(tenant.0))
}

/// Writes names and their numbers.
pub fn insert_names(conn: &mut Conn, dictionary: Dictionary, names: &[(i32, &str)]) -> QueryResult<()> {
    sql_query(format!("INSERT INTO {} (id, digest, name) SELECT * FROM UNNEST($1, $2, $3)", dictionary.table()))
        .bind::<Array<Integer>, _>(names.iter().map(|(id, _)| *id).collect::<Vec<_>>())
        .bind::<Array<Uuid128>, _>(names.iter().map(|(_, name)| DbUuid(digest_of(name))).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(names.iter().map(|(_, name)| *name).collect::<Vec<_>>())
        .execute(conn)
        .map(drop)
}

/// Writes addresses and their numbers.
pub fn insert_sources(conn: &mut Conn, sources: &[(i32, Address)]) -> QueryResult<()> {
    sql_query("INSERT INTO dict_sources (id, address) SELECT * FROM UNNEST($1, $2)")
        .bind::<Array<Integer>, _>(sources.iter().map(|(id, _)| *id).collect::<Vec<_>>())
        .bind::<Array<Host>, _>(sources.iter().map(|(_, address)| *address).collect::<Vec<_>>())
        .execute(conn)
        .map(drop)
}

/// Creates the missing partitions of the months that begin on these days.
///
/// It attaches a complete table, which takes no lock that readers or writers of events wait for.
pub fn make_partitions(conn: &mut Conn, months: &BTreeSet<NaiveDate>) -> QueryResult<()> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = Bool)]
        found: bool,
    }
    lock(conn, PARTITIONS_LOCK)?;
    for month in months {
        let table = format!("events_{:04}_{:02}", month.year(), month.month());
        let there: Found =
            sql_query("SELECT to_regclass($1) IS NOT NULL AS found").bind::<Text, _>(&table).get_result(conn)?;
        if there.found {
            continue;
        }
        let start = |month: NaiveDate| format!("'{:04}-{:02}-01 00:00:00+00'", month.year(), month.month());
        conn.batch_execute(&format!(
            "CREATE TABLE {table} (LIKE events INCLUDING ALL); \
             ALTER TABLE events ATTACH PARTITION {table} FOR VALUES FROM ({}) TO ({})",
            start(*month),
            start(time::next_month(*month))
        ))?;
    }
    Ok(())
}

/// Waits until no other transaction numbers names, and blocks others until this one ends.
pub fn lock_names(conn: &mut Conn) -> QueryResult<()> {
    lock(conn, NAMES_LOCK)
}

/// Waits until no other transaction stores events with pages, and blocks others until this one ends.
pub fn lock_page_rule(conn: &mut Conn) -> QueryResult<()> {
    lock(conn, PAGE_RULE_LOCK)
}

/// Keeps the rule of pages as it is until this transaction ends. Others may do so at the same time.
pub fn share_page_rule(conn: &mut Conn) -> QueryResult<()> {
    sql_query("SELECT pg_advisory_xact_lock_shared($1)").bind::<BigInt, _>(PAGE_RULE_LOCK).execute(conn).map(drop)
}

/// Writes new keys of pages, one statement per tenant.
pub fn update_pages(conn: &mut Conn, rows: &[PageUpdate<'_>]) -> QueryResult<()> {
    let mut by_tenant: BTreeMap<Uuid, Vec<&PageUpdate<'_>>> = BTreeMap::new();
    for row in rows {
        if let DbTenant::Id(tenant) = row.tenant_id {
            by_tenant.entry(tenant).or_default().push(row);
        }
    }
    for (tenant, rows) in by_tenant {
        sql_query(UPDATE_PAGES)
            .bind::<TenantKey, _>(DbTenant::Id(tenant))
            .bind::<Array<Instant>, _>(rows.iter().map(|row| row.occurred_at).collect::<Vec<_>>())
            .bind::<Array<BigInt>, _>(rows.iter().map(|row| row.seq).collect::<Vec<_>>())
            .bind::<Array<Integer>, _>(rows.iter().map(|row| row.page_ref).collect::<Vec<_>>())
            .bind::<Array<Nullable<Text>>, _>(rows.iter().map(|row| row.page).collect::<Vec<_>>())
            .bind::<Array<Nullable<Text>>, _>(rows.iter().map(|row| row.page_key).collect::<Vec<_>>())
            .execute(conn)?;
    }
    Ok(())
}

/// Waits for an advisory lock, and holds it until this transaction ends.
pub fn lock(conn: &mut Conn, key: i64) -> QueryResult<()> {
    sql_query("SELECT pg_advisory_xact_lock($1)").bind::<BigInt, _>(key).execute(conn).map(drop)
}
