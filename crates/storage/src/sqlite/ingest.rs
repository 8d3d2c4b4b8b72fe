//! Storing events and names: what only SQLite does so.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::Error as DieselError;
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, HasSqlType, Integer, Nullable, SmallInt, Text};
use trailkeeper_domain::id::TenantId;
use uuid::Uuid;

use super::{Conn, Db};
use crate::columns::{Address, DbTenant, DbUuid, Instant, Json, TenantKey, Uuid128};
use crate::names::{Space, digest_of};
use crate::rows::{EventRow, NewEventRow};
use crate::schema::{
    dict_kinds, dict_pages, dict_sources, dict_tenants, dict_user_agents, dict_user_names, dict_users, events,
};

/// Names get their numbers inside the transaction that needs them: there is one writer at a time.
pub const NUMBERS_IN_PLACE: bool = true;
/// Events lie in one table.
pub const PARTITIONED: bool = false;
/// How many names one statement looks up: each is a value of its own.
pub const NAMES_AT_ONCE: usize = 500;

/// Its text is the same for every row and is not put together again for each: a profile of batches showed diesel
/// building the text of its own insert with `ON CONFLICT` for every row.
const INSERT_EVENT: &str = "\
INSERT INTO events (tenant_id, id, env_id, occurred_at, received_at, user_ref, user_name_ref, kind_ref, outcome, \
source_ref, user_agent_ref, page_ref, page, page_key, session_id, trace_id, target_type, target_id, target_name, \
metadata) VALUES (";

/// Inserts one event unless it is known.
struct InsertEvent<'a>(&'a NewEventRow<'a>);

impl QueryId for InsertEvent<'_> {
    type QueryId = InsertEvent<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl RunQueryDsl<Conn> for InsertEvent<'_> {}

impl QueryFragment<Db> for InsertEvent<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Db>) -> QueryResult<()> {
        let row = self.0;
        out.push_sql(INSERT_EVENT);
        out.push_bind_param::<TenantKey, _>(&row.tenant_id)?;
        let mut next = Values(&mut out);
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
        out.push_sql(") ON CONFLICT (id, tenant_id) DO NOTHING");
        Ok(())
    }
}

/// The values behind the first.
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

/// Stores events that are not known yet. Tells which were new, and the last number in the order of storage.
///
/// One prepared statement per event: inside one transaction this is faster than statements of many rows, which have
/// to be parsed anew for every size, and the count of changed rows tells what became of each.
pub fn insert_events(conn: &mut Conn, rows: &[NewEventRow<'_>]) -> QueryResult<(Vec<bool>, Option<i64>)> {
    let new = rows
        .iter()
        .map(|row| InsertEvent(row).execute(conn).map(|stored| stored > 0))
        .collect::<QueryResult<Vec<bool>>>()?;
    let last = if new.contains(&true) {
        Some(diesel::select(sql::<BigInt>("last_insert_rowid()")).get_result(conn)?)
    } else {
        None
    };
    Ok((new, last))
}

/// The events with this id, at most three.
pub fn events_by_id(conn: &mut Conn, id: DbUuid, tenant: Option<DbTenant>) -> QueryResult<Vec<EventRow>> {
    let mut query = events::table.into_boxed::<Db>().filter(events::id.eq(id));
    if let Some(tenant) = tenant {
        query = query.filter(events::tenant_id.eq(tenant));
    }
    query.order(events::tenant_id.asc()).limit(3).select(EventRow::as_select()).load(conn)
}

/// The tenant as a value where it needs no entry in the dictionary: the two whose numbers the migration gave.
pub fn key_without_number(tenant: TenantId) -> Option<DbTenant> {
    match tenant {
        TenantId::SYSTEM => Some(DbTenant::Number(0)),
        TenantId::NONE => Some(DbTenant::Number(1)),
        _ => None,
    }
}

/// Writes names and their numbers.
pub fn insert_names(conn: &mut Conn, space: Space, names: &[(i32, &str)]) -> QueryResult<()> {
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
    match space {
        Space::Users => into!(dict_users),
        Space::Pages => into!(dict_pages),
        Space::Kinds => into!(dict_kinds),
        Space::UserAgents => into!(dict_user_agents),
        Space::UserNames => into!(dict_user_names),
        Space::Sources => Err(DieselError::QueryBuilderError("dict_sources holds addresses, not texts".into())),
        Space::Tenants => names.iter().try_for_each(|(id, name)| {
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

/// Nothing to do: events lie in one table.
#[expect(clippy::unnecessary_wraps, reason = "the same signature on both databases")]
pub fn make_partitions(_conn: &mut Conn, _months: &BTreeSet<NaiveDate>) -> QueryResult<()> {
    Ok(())
}

/// Nothing to do: there is one writer at a time.
#[expect(clippy::unnecessary_wraps, reason = "the same signature on both databases")]
pub fn lock_names(_conn: &mut Conn) -> QueryResult<()> {
    Ok(())
}
