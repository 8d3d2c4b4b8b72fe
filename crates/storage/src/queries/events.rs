//! Events: lists newest first, lookups, and storing.

use diesel::dsl::{exists, sql};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use trailkeeper_domain::Result;
use trailkeeper_domain::event::{Event, EventFilter, EventKind, EventPosition, LOGIN_FAIL, LOGIN_SUCCESS, Outcome, StoredEvent};
use trailkeeper_domain::id::{EventId, TenantId};
use trailkeeper_domain::ports::{EventReads, EventWrites};

use super::{Db, Tx, count, dialect};
use crate::columns::{Address, DbTime, DbUuid, Instant};
use crate::rows::{EventRow, NewEventRow};
use crate::schema::events;

const TABLE: &str = "events";

/// By how many characters the index finds pages: see the migration.
const INDEXED_PAGE_CHARS: usize = 256;

/// Up to how many types a list is merged of one list per type. More are filtered while walking the index of the time.
const MERGED_KINDS: usize = 16;

impl EventReads for Tx<'_> {
    fn events_by_id(&mut self, id: EventId, tenant: Option<TenantId>) -> Result<Vec<StoredEvent>> {
        let mut query = events::table.into_boxed::<Db>().filter(events::id.eq(DbUuid(id.0)));
        if let Some(tenant) = tenant {
            query = query.filter(events::tenant_id.eq(DbUuid(tenant.0)));
        }
        let query = query.order(events::tenant_id.asc()).limit(2).select(EventRow::as_select());
        let rows: Vec<EventRow> = self.run(TABLE, |conn| query.load(conn))?;
        rows.into_iter().map(StoredEvent::try_from).collect()
    }

    fn events(&mut self, filter: &EventFilter, after: Option<EventPosition>, limit: usize) -> Result<Vec<StoredEvent>> {
        if !is_merged(filter) {
            return self.page(filter, &filter.kinds, after, limit);
        }
        // One walk per type, each in the order of its index, instead of one that sorts every event of all types.
        let mut merged = Vec::new();
        for kind in &filter.kinds {
            merged.extend(self.page(filter, std::slice::from_ref(kind), after, limit)?);
        }
        merged.sort_unstable_by_key(|stored| std::cmp::Reverse((stored.event.occurred_at, stored.seq)));
        merged.dedup_by_key(|stored| stored.seq);
        merged.truncate(limit);
        Ok(merged)
    }

    fn events_at_offset(&mut self, filter: &EventFilter, offset: u64, limit: usize) -> Result<Vec<StoredEvent>> {
        let Ok(offset) = i64::try_from(offset) else { return Ok(Vec::new()) };
        let query = filtered(filter, &filter.kinds)
            .order((events::occurred_at.desc(), events::seq.desc()))
            .limit(count(limit))
            .offset(offset)
            .select(EventRow::as_select());
        let rows: Vec<EventRow> = self.run(TABLE, |conn| query.load(conn))?;
        rows.into_iter().map(StoredEvent::try_from).collect()
    }

    fn has_events(&mut self) -> Result<bool> {
        self.run(TABLE, |conn| diesel::select(exists(events::table.select(events::seq))).get_result(conn))
    }
}

impl EventWrites for Tx<'_> {
    fn insert_events(&mut self, events: &[Event]) -> Result<Vec<bool>> {
        let rows = events.iter().map(NewEventRow::try_from).collect::<Result<Vec<_>>>()?;
        self.run(TABLE, |conn| dialect::insert_events(conn, &rows))
    }
}

impl Tx<'_> {
    fn page(
        &mut self,
        filter: &EventFilter,
        kinds: &[EventKind],
        after: Option<EventPosition>,
        limit: usize,
    ) -> Result<Vec<StoredEvent>> {
        let mut query = filtered(filter, kinds);
        if let Some(after) = after {
            query = query.filter(
                sql::<Bool>("(occurred_at, seq) < (")
                    .bind::<Instant, _>(DbTime(after.occurred_at))
                    .sql(", ")
                    .bind::<BigInt, _>(after.seq)
                    .sql(")"),
            );
        }
        let query = query
            .order((events::occurred_at.desc(), events::seq.desc()))
            .limit(count(limit))
            .select(EventRow::as_select());
        let rows: Vec<EventRow> = self.run(TABLE, |conn| query.load(conn))?;
        rows.into_iter().map(StoredEvent::try_from).collect()
    }
}

/// Whether a list is merged of one per type: several types, and nothing else that finds few events.
fn is_merged(filter: &EventFilter) -> bool {
    let narrow = filter.user_id.is_some() || filter.session_id.is_some() || filter.page_key.is_some();
    !narrow && (2..=MERGED_KINDS).contains(&filter.kinds.len())
}

fn filtered<'a>(filter: &'a EventFilter, kinds: &'a [EventKind]) -> events::BoxedQuery<'a, Db> {
    let mut query = events::table.into_boxed::<Db>();
    if let Some(tenant) = filter.tenant_id {
        query = query.filter(events::tenant_id.eq(DbUuid(tenant.0)));
    }
    if let Some(env) = filter.env_id {
        query = query.filter(events::env_id.eq(i64::from(env.0)));
    }
    if let Some(user) = &filter.user_id {
        query = query.filter(events::user_id.eq(user.as_str()));
    }
    match kinds {
        [] => {}
        [kind] => query = query.filter(events::kind.eq(kind.as_str())),
        kinds => query = query.filter(events::kind.eq_any(kinds.iter().map(EventKind::as_str))),
    }
    if let Some(outcome) = filter.outcome {
        query = query.filter(events::outcome.eq(outcome.as_str()));
    }
    if let Some(failed) = filter.failed {
        // A login by its type, whatever outcome it was given: `EventKind::failed`.
        query = if failed {
            query.filter(
                events::kind
                    .eq(LOGIN_FAIL)
                    .or(events::kind.ne(LOGIN_SUCCESS).and(events::outcome.eq(Outcome::Failure.as_str()))),
            )
        } else {
            query.filter(
                events::kind
                    .ne(LOGIN_FAIL)
                    .and(events::kind.eq(LOGIN_SUCCESS).or(events::outcome.ne(Outcome::Failure.as_str()))),
            )
        };
    }
    if let Some(range) = filter.source {
        let (first, last) = (Address(range.first), Address(range.last));
        query = if first == last {
            query.filter(events::source.eq(first))
        } else {
            query.filter(events::source.between(first, last))
        };
    }
    if let Some(key) = &filter.page_key {
        let prefix: String = key.chars().take(INDEXED_PAGE_CHARS).collect();
        query = query
            .filter(sql::<Bool>("substr(page_key, 1, 256) = ").bind::<Text, _>(prefix))
            .filter(events::page_key.eq(key.as_str()));
    }
    if let Some(session) = &filter.session_id {
        query = query.filter(events::session_id.eq(session.as_str()));
    }
    if let Some(from) = filter.from {
        query = query.filter(events::occurred_at.ge(DbTime(from)));
    }
    if let Some(until) = filter.until {
        query = query.filter(events::occurred_at.lt(DbTime(until)));
    }
    query
}
