//! Stores events and names on PostgreSQL.

use std::collections::{BTreeMap, HashMap};

use diesel::deserialize::QueryableByName;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, SmallInt, Text};
use trailkeeper_domain::bucket::Bucket;
use trailkeeper_domain::id::TenantId;
use uuid::Uuid;

use super::advisory_lock::lock;
use super::{Conn, Db, copying, moving};
use crate::columns::{Address, DbTenant, DbTime, DbUuid, Host, Instant, Json, TenantKey, Uuid128};
use crate::names::{Dictionary, digest_of};
use crate::rows::{EventRow, NewEventRow, PageUpdate};
use crate::schema::events;

/// Whether names get their numbers inside the transaction that needs them. No: they get them in a transaction of their
/// own, so that no writer waits until another one has stored its batch.
pub const NUMBERS_IN_PLACE: bool = false;
/// The largest number of names that one statement looks up. All of them are one value, an array.
pub const NAMES_AT_ONCE: usize = 10_000;
/// Whether each statement looks up the number of one name. No: each statement is a message to the server and back.
pub const ONE_NAME_PER_STATEMENT: bool = false;

/// The key of the advisory lock under which names get their numbers: the letters "tkna".
const NAMES_LOCK: i64 = 0x746b_6e61;

/// The key of the advisory lock of the rule of pages: the letters "tkpr".
const PAGE_RULE_LOCK: i64 = 0x746b_7072;

/// It takes one array per column, so any number of events is one statement.
///
/// The inner query numbers the events in the order in which they were sent. The outer query stores them in the order of
/// their keys, so that one of two batches with common events waits at the first common event, and no deadlock is
/// possible. Of events of the batch with the same key, the first that was sent is stored.
///
/// The transaction gets its id before the first number: see `settled`. The planner evaluates that condition once, before the
/// first row.
///
/// This is its beginning for events of one bucket.
const INTO_BUCKET: &str = "\
INSERT INTO events (bucket, seq, tenant_id, id, env_id, occurred_at, received_at, user_ref, user_name_ref, kind_ref, \
outcome, source_ref, user_agent_ref, page_ref, page, page_key, session_id, trace_id, target_type, target_id, \
target_name, metadata, original) SELECT $1, numbered.* FROM (SELECT nextval('events_seq_seq') AS seq, sent.* \
FROM UNNEST($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22) \
AS sent (tenant_id, id) WHERE pg_current_xact_id() IS NOT NULL) AS numbered";

/// Like [`INTO_BUCKET`], for events of several buckets. Their buckets are one more array.
const INTO_BUCKETS: &str = "\
INSERT INTO events (seq, bucket, tenant_id, id, env_id, occurred_at, received_at, user_ref, user_name_ref, kind_ref, \
outcome, source_ref, user_agent_ref, page_ref, page, page_key, session_id, trace_id, target_type, target_id, \
target_name, metadata, original) SELECT numbered.* FROM (SELECT nextval('events_seq_seq') AS seq, sent.* \
FROM UNNEST($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22) \
AS sent (bucket, tenant_id, id) WHERE pg_current_xact_id() IS NOT NULL) AS numbered";

/// The end of both.
const IN_ORDER: &str =
    " ORDER BY id, tenant_id, seq ON CONFLICT (bucket, tenant_id, id) DO NOTHING RETURNING tenant_id, id, seq";

/// The condition of an insertion while events of an older version are still to be moved: their keys are in a table of
/// their own.
const NOT_YET_MOVED: &str = " WHERE NOT EXISTS (SELECT FROM event_ids AS old \
    WHERE old.id = numbered.id AND old.tenant_id = numbered.tenant_id)";

/// It finds the rows by the order of storage; those of an older version by their index of tenants.
const UPDATE_PAGES: &str = "\
UPDATE events SET page_ref = made.page_ref, page = made.page, page_key = made.page_key \
FROM UNNEST($3, $4, $5, $6, $7) AS made (occurred_at, seq, page_ref, page, page_key) \
WHERE events.bucket = $1 AND events.tenant_id = $2 AND events.occurred_at = made.occurred_at AND events.seq = made.seq";

/// The events with an id while events of an older version are still to be moved. Those are found by the table of their
/// keys, and are in a month or already in the table of events; `ONLY` leaves out the months.
const LOCATE: &str = "\
SELECT tenant_id, seq, occurred_at FROM event_ids WHERE id = $1 \
UNION SELECT tenant_id, seq, occurred_at FROM ONLY events WHERE bucket = $2 AND id = $1 ORDER BY tenant_id";

#[derive(QueryableByName)]
struct Stored {
    #[diesel(sql_type = TenantKey)]
    tenant_id: DbTenant,
    #[diesel(sql_type = Uuid128)]
    id: DbUuid,
    #[diesel(sql_type = BigInt)]
    seq: i64,
}

/// Stores the events that are not stored yet. Returns the number of each new one in the order of storage; `None` for the
/// others.
pub fn insert_events(conn: &mut Conn, rows: &[NewEventRow<'_>]) -> QueryResult<Vec<Option<i64>>> {
    let has_old_events = moving::has_old_events(conn)?;
    if rows.len() >= copying::FEWEST && !has_old_events {
        return copying::insert_events(conn, rows);
    }
    let one = NewEventRow::only_bucket(rows);
    let into = if one.is_some() { INTO_BUCKET } else { INTO_BUCKETS };
    let condition = if has_old_events { NOT_YET_MOVED } else { "" };
    let insert = sql_query([into, condition, IN_ORDER].concat()).into_boxed();
    let insert = match one {
        Some(bucket) => insert.bind::<SmallInt, _>(bucket.code()),
        None => insert.bind::<Array<SmallInt>, _>(column(rows, |row| row.bucket.code())),
    };
    let stored: Vec<Stored> = insert
        .bind::<Array<TenantKey>, _>(column(rows, |row| row.tenant_id))
        .bind::<Array<Uuid128>, _>(column(rows, |row| row.id))
        .bind::<Array<BigInt>, _>(column(rows, |row| row.env_id))
        .bind::<Array<Instant>, _>(column(rows, |row| row.occurred_at))
        .bind::<Array<Instant>, _>(column(rows, |row| row.received_at))
        .bind::<Array<Nullable<Integer>>, _>(column(rows, |row| row.user_ref))
        .bind::<Array<Nullable<Integer>>, _>(column(rows, |row| row.user_name_ref))
        .bind::<Array<Integer>, _>(column(rows, |row| row.kind_ref))
        .bind::<Array<SmallInt>, _>(column(rows, |row| row.outcome))
        .bind::<Array<Nullable<Integer>>, _>(column(rows, |row| row.source_ref))
        .bind::<Array<Nullable<Integer>>, _>(column(rows, |row| row.user_agent_ref))
        .bind::<Array<Nullable<Integer>>, _>(column(rows, |row| row.page_ref))
        .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.page))
        .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.page_key))
        .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.session_id))
        .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.trace_id))
        .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.target_type))
        .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.target_id))
        .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.target_name))
        .bind::<Array<Nullable<Json>>, _>(column(rows, |row| row.metadata.as_ref()))
        .bind::<Array<Nullable<Json>>, _>(column(rows, |row| row.original.as_ref()))
        .load(conn)
        .map_err(moving::again_if_dropped)?;
    let mut numbers: HashMap<(DbTenant, DbUuid), i64> =
        stored.into_iter().map(|row| ((row.tenant_id, row.id), row.seq)).collect();
    // Removed at the first event with this key: others that share it are not new.
    Ok(rows.iter().map(|row| numbers.remove(&(row.tenant_id, row.id))).collect())
}

fn column<'r, 'a, T>(rows: &'r [NewEventRow<'a>], of: impl Fn(&'r NewEventRow<'a>) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}

/// The events of some buckets, as the beginning of a query.
pub fn events<'a>(buckets: &[Bucket]) -> events::BoxedQuery<'a, Db> {
    let all = events::table.into_boxed();
    match buckets {
        [bucket] => all.filter(events::bucket.eq(bucket.code())),
        _ => all.filter(events::bucket.eq_any(buckets.iter().map(|bucket| bucket.code()).collect::<Vec<_>>())),
    }
}

/// Deletes the events with these numbers. Returns the number of deleted ones.
pub fn delete_events(conn: &mut Conn, bucket: Bucket, seqs: &[i64]) -> QueryResult<usize> {
    sql_query("DELETE FROM events WHERE bucket = $1 AND seq = ANY($2)")
        .bind::<SmallInt, _>(bucket.code())
        .bind::<Array<BigInt>, _>(seqs)
        .execute(conn)
}

/// The key of an event's row in every table that may have it.
#[derive(QueryableByName)]
struct EventLocation {
    #[diesel(sql_type = TenantKey)]
    tenant_id: DbTenant,
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = Instant)]
    occurred_at: DbTime,
}

/// The events with this id, at most three.
pub fn events_by_id(
    conn: &mut Conn,
    buckets: &[Bucket],
    (id, tenant): (DbUuid, Option<DbTenant>),
) -> QueryResult<Vec<EventRow>> {
    if moving::has_old_events(conn)? {
        return old_and_new_by_id(conn, buckets, id, tenant);
    }
    let mut query = events(buckets).filter(events::id.eq(id));
    if let Some(tenant) = tenant {
        query = query.filter(events::tenant_id.eq(tenant));
    }
    query.order(events::tenant_id.asc()).limit(3).select(EventRow::as_select()).load(conn)
}

/// A database with events of an older version has one bucket.
fn old_and_new_by_id(
    conn: &mut Conn,
    buckets: &[Bucket],
    id: DbUuid,
    tenant: Option<DbTenant>,
) -> QueryResult<Vec<EventRow>> {
    let locations = sql_query(LOCATE).bind::<Uuid128, _>(id).bind::<SmallInt, _>(Bucket::FIRST.code()).load(conn);
    let mut locations: Vec<EventLocation> = locations.map_err(moving::again_if_dropped)?;
    locations.retain(|location| tenant.is_none_or(|tenant| tenant == location.tenant_id));
    let mut rows = Vec::new();
    for location in locations.into_iter().take(3) {
        let query = events(buckets)
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
pub fn update_pages(conn: &mut Conn, bucket: Bucket, rows: &[PageUpdate<'_>]) -> QueryResult<()> {
    let mut by_tenant: BTreeMap<Uuid, Vec<&PageUpdate<'_>>> = BTreeMap::new();
    for row in rows {
        if let DbTenant::Id(tenant) = row.tenant_id {
            by_tenant.entry(tenant).or_default().push(row);
        }
    }
    for (tenant, rows) in by_tenant {
        sql_query(UPDATE_PAGES)
            .bind::<SmallInt, _>(bucket.code())
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
