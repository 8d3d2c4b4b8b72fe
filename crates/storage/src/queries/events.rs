//! Events: lists newest first, lookups, and storing.

use diesel::dsl::{exists, sql};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};
use trailkeeper_domain::Result;
use trailkeeper_domain::event::{Event, EventFilter, EventKind, EventPosition, StoredEvent};
use trailkeeper_domain::id::{EventId, TenantId};
use trailkeeper_domain::ports::{EventReads, EventWrites};

use super::event_filter::{filtered, is_made_of_kinds};
use super::{Db, Tx, count, dialect};
use crate::columns::{DbTime, DbUuid, Instant};
use crate::rows::{EventRow, NewEventRow};
use crate::schema::events;

const TABLE: &str = "events";

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
        if !is_made_of_kinds(filter) || filter.kinds.len() > MERGED_KINDS {
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
