//! Stores events and names on SQLite.

use diesel::dsl::max;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::Error as DieselError;
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, HasSqlType, Integer, Nullable, SmallInt, Text};
use trailkeeper_domain::bucket::Bucket;
use trailkeeper_domain::id::TenantId;
use uuid::Uuid;

use super::{Conn, Db};
use crate::columns::{Address, DbTenant, DbUuid, Instant, Json, TenantKey, Uuid128};
use crate::names::{Dictionary, digest_of};
use crate::rows::{NewEventRow, PageUpdate};
use crate::schema::{
    dict_kinds, dict_pages, dict_sources, dict_tenants, dict_user_agents, dict_user_names, dict_users, events,
    removed_events,
};

/// Whether names get their numbers inside the transaction that needs them. Yes: SQLite has one writer at a time.
pub const NUMBERS_IN_PLACE: bool = true;
/// The largest number of names that one statement looks up. Each of them is a value.
pub const NAMES_AT_ONCE: usize = 500;
/// Whether each statement looks up the number of one name. Yes: it stays prepared, while SQLite would parse a list of any
/// number of names each time, and make a table of it.
pub const ONE_NAME_PER_STATEMENT: bool = true;

/// The text is the same for every row. diesel's own insert with `ON CONFLICT` builds its text again for every row, which a
/// profile of batches showed.
const INSERT_EVENT: &str = "\
INSERT INTO events (seq, tenant_id, id, env_id, occurred_at, received_at, user_ref, user_name_ref, kind_ref, outcome, \
source_ref, user_agent_ref, page_ref, page, page_key, session_id, trace_id, target_type, target_id, target_name, \
metadata, original) VALUES (";

/// Inserts one event. `INDEXED`: unless the unique index shows that it is stored already.
pub struct InsertEvent<'a, const INDEXED: bool> {
    pub seq: i64,
    pub row: &'a NewEventRow<'a>,
}

impl<const INDEXED: bool> QueryId for InsertEvent<'_, INDEXED> {
    type QueryId = InsertEvent<'static, INDEXED>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<const INDEXED: bool> RunQueryDsl<Conn> for InsertEvent<'_, INDEXED> {}

impl<const INDEXED: bool> QueryFragment<Db> for InsertEvent<'_, INDEXED> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Db>) -> QueryResult<()> {
        let row = self.row;
        out.push_sql(INSERT_EVENT);
        out.push_bind_param::<BigInt, _>(&self.seq)?;
        let mut next = Values(&mut out);
        next.add::<TenantKey, _>(&row.tenant_id)?;
        next.add::<Uuid128, _>(&row.id)?;
        next.add::<BigInt, _>(&row.env_id)?;
        next.add::<Instant, _>(&row.occurred_at)?;
        next.add::<Instant, _>(&row.received_at)?;
        next.add::<Nullable<Integer>, _>(&row.user_ref)?;
        next.add::<Nullable<Integer>, _>(&row.user_name_ref)?;
        next.add::<Integer, _>(&row.kind_ref)?;
        next.add::<SmallInt, _>(&row.outcome)?;
        next.add::<Nullable<Integer>, _>(&row.source_ref)?;
        next.add::<Nullable<Integer>, _>(&row.user_agent_ref)?;
        next.add::<Nullable<Integer>, _>(&row.page_ref)?;
        next.add::<Nullable<Text>, _>(&row.page)?;
        next.add::<Nullable<Text>, _>(&row.page_key)?;
        next.add::<Nullable<Text>, _>(&row.session_id)?;
        next.add::<Nullable<Text>, _>(&row.trace_id)?;
        next.add::<Nullable<Text>, _>(&row.target_type)?;
        next.add::<Nullable<Text>, _>(&row.target_id)?;
        next.add::<Nullable<Text>, _>(&row.target_name)?;
        next.add::<Nullable<Json>, _>(&row.metadata)?;
        next.add::<Nullable<Json>, _>(&row.original)?;
        out.push_sql(if INDEXED { ") ON CONFLICT (id, tenant_id) DO NOTHING" } else { ")" });
        Ok(())
    }
}

/// Appends the values after the first one.
struct Values<'p, 'q, 'b>(&'p mut AstPass<'q, 'b, Db>);

impl<'b> Values<'_, '_, 'b> {
    fn add<T, V>(&mut self, value: &'b V) -> QueryResult<()>
    where
        Db: HasSqlType<T>,
        V: ToSql<T, Db>,
    {
        self.0.push_sql(", ");
        self.0.push_bind_param::<T, V>(value)
    }
}

/// The events, as the beginning of a query. A file has one bucket.
pub fn events<'a>(_buckets: &[Bucket]) -> events::BoxedQuery<'a, Db> {
    events::table.into_boxed()
}

/// The greatest number that an event has, or had before it was removed; 0 if there was none.
pub fn last_number(conn: &mut Conn) -> QueryResult<i64> {
    let stored: Option<i64> = events::table.select(max(events::seq)).first(conn)?;
    let removed: Option<i64> = removed_events::table.select(max(removed_events::until_seq)).first(conn)?;
    Ok(stored.max(removed).unwrap_or(0))
}

/// Deletes the events with these numbers. Returns the number of deleted ones.
pub fn delete_events(conn: &mut Conn, _bucket: Bucket, seqs: &[i64]) -> QueryResult<usize> {
    seqs.iter().map(|seq| diesel::delete(events::table.filter(events::seq.eq(seq))).execute(conn)).sum()
}

/// The tenant as a value, if the migration gave it its number; `None` if the dictionary has to be asked.
pub fn key_without_number(tenant: TenantId) -> Option<DbTenant> {
    match tenant {
        TenantId::SYSTEM => Some(DbTenant::Number(0)),
        TenantId::NONE => Some(DbTenant::Number(1)),
        // A tenant whose row is missing keeps its number.
        _ => tenant.missing_number().map(|number| DbTenant::Number(number.into())),
    }
}

/// Writes names and their numbers.
pub fn insert_names(conn: &mut Conn, dictionary: Dictionary, names: &[(i32, &str)]) -> QueryResult<()> {
    macro_rules! into {
        ($dict:ident) => {
            names.iter().try_for_each(|(id, name)| {
                diesel::insert_into($dict::table)
                    .values(($dict::id.eq(*id), $dict::digest.eq(DbUuid(digest_of(name))), $dict::name.eq(*name)))
                    .execute(conn)
                    .map(drop)
            })
        };
    }
    match dictionary {
        Dictionary::Users => into!(dict_users),
        Dictionary::Pages => into!(dict_pages),
        Dictionary::Kinds => into!(dict_kinds),
        Dictionary::UserAgents => into!(dict_user_agents),
        Dictionary::UserNames => into!(dict_user_names),
        Dictionary::Sources => Err(DieselError::QueryBuilderError("dict_sources holds addresses, not texts".into())),
        Dictionary::Tenants => names.iter().try_for_each(|(id, name)| {
            let tenant = name.parse::<Uuid>().map_err(|error| DieselError::SerializationError(Box::new(error)))?;
            diesel::insert_into(dict_tenants::table)
                .values((dict_tenants::id.eq(*id), dict_tenants::tenant_id.eq(DbUuid(tenant))))
                .execute(conn)
                .map(drop)
        }),
    }
}

/// Writes addresses and their numbers.
pub fn insert_sources(conn: &mut Conn, sources: &[(i32, Address)]) -> QueryResult<()> {
    sources.iter().try_for_each(|(id, address)| {
        diesel::insert_into(dict_sources::table)
            .values((dict_sources::id.eq(*id), dict_sources::address.eq(*address)))
            .execute(conn)
            .map(drop)
    })
}

/// Writes new keys of pages.
pub fn update_pages(conn: &mut Conn, _bucket: Bucket, rows: &[PageUpdate<'_>]) -> QueryResult<()> {
    rows.iter().try_for_each(|row| {
        diesel::update(events::table.filter(events::seq.eq(row.seq)))
            .set((events::page_ref.eq(row.page_ref), events::page.eq(row.page), events::page_key.eq(row.page_key)))
            .execute(conn)
            .map(drop)
    })
}

/// Does nothing: SQLite has one writer at a time.
#[expect(clippy::unnecessary_wraps, reason = "the same signature on both databases")]
pub fn lock_page_rule(_conn: &mut Conn) -> QueryResult<()> {
    Ok(())
}

/// Does nothing: SQLite has one writer at a time.
#[expect(clippy::unnecessary_wraps, reason = "the same signature on both databases")]
pub fn share_page_rule(_conn: &mut Conn) -> QueryResult<()> {
    Ok(())
}

/// Does nothing: no event is ever moved.
#[expect(clippy::unnecessary_wraps, reason = "the same signature on both databases")]
pub fn keep_in_place(_conn: &mut Conn) -> QueryResult<()> {
    Ok(())
}

/// Does nothing: SQLite has one writer at a time.
#[expect(clippy::unnecessary_wraps, reason = "the same signature on both databases")]
pub fn lock_names(_conn: &mut Conn) -> QueryResult<()> {
    Ok(())
}
