//! Events: lists with the newest first, lookups, and inserts.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};
use trailkeeper_domain::event::{Event, EventFilter, EventPosition, StoredEvent};
use trailkeeper_domain::fact::EventFact;
use trailkeeper_domain::id::{EventId, TenantId};
use trailkeeper_domain::ports::{EventReads, EventWrites, MissingName};
use trailkeeper_domain::time::TimeRange;
use trailkeeper_domain::{Error, Result};

use super::event_filter::{ResolvedFilter, filtered};
use super::{Tx, count, dialect};
use crate::columns::{DbTime, DbUuid, Instant};
use crate::rows::{EventRow, Names, NewEventRow};
use crate::schema::events;

const TABLE: &str = "events";

/// The largest number of types for which a list is merged from one list per type. A list of more types reads the index
/// of times and filters.
const MERGED_KINDS: usize = 16;

impl EventReads for Tx<'_> {
    fn events_by_id(&mut self, id: EventId, tenant: Option<TenantId>) -> Result<Vec<StoredEvent>> {
        let tenant = match tenant {
            None => None,
            Some(tenant) => match self.tenant_key(tenant)? {
                None => return Ok(Vec::new()),
                key => key,
            },
        };
        let rows = self.run(TABLE, |conn| dialect::events_by_id(conn, DbUuid(id.0), tenant))?;
        let mut stored = self.stored(rows)?;
        stored.sort_unstable_by_key(|stored| stored.event.tenant_id);
        Ok(stored)
    }

    fn events(&mut self, filter: &EventFilter, after: Option<EventPosition>, limit: usize) -> Result<Vec<StoredEvent>> {
        let Some(resolved) = self.resolve(filter)? else { return Ok(Vec::new()) };
        let rows = self.merged(&resolved, after, limit)?;
        self.stored(rows)
    }

    fn events_at_offset(&mut self, filter: &EventFilter, offset: u64, limit: usize) -> Result<Vec<StoredEvent>> {
        let Ok(skipped) = usize::try_from(offset) else { return Ok(Vec::new()) };
        let Ok(offset) = i64::try_from(offset) else { return Ok(Vec::new()) };
        let Some(resolved) = self.resolve(filter)? else { return Ok(Vec::new()) };
        if resolved.parts_by_page().is_some() {
            let mut rows = self.merged(&resolved, None, skipped.saturating_add(limit))?;
            return self.stored(rows.split_off(skipped.min(rows.len())));
        }
        let query = filtered(&resolved, &resolved.kinds)
            .order((events::occurred_at.desc(), events::seq.desc()))
            .limit(count(limit))
            .offset(offset)
            .select(EventRow::as_select());
        let rows: Vec<EventRow> = self.run(TABLE, |conn| query.load(conn))?;
        self.stored(rows)
    }

    fn missing_names(&mut self, range: TimeRange, limit: usize) -> Result<Vec<MissingName>> {
        self.missing_names_in(range, limit)
    }
}

impl EventWrites for Tx<'_> {
    fn insert_events(&mut self, events: &[Event]) -> Result<Vec<bool>> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let keys = self.page_keys_of(events)?;
        let refs = self.refs_of(events, &keys)?;
        let rows = events
            .iter()
            .zip(&keys)
            .zip(&refs)
            .map(|((event, key), refs)| NewEventRow::new(event, key.as_deref(), refs))
            .collect::<Result<Vec<_>>>()?;
        let (new, last) = self.run(TABLE, |conn| dialect::insert_events(conn, &rows))?;
        let facts: Vec<EventFact> = events
            .iter()
            .zip(&refs)
            .zip(&new)
            .filter(|((event, _), new)| **new && event.tenant_id != TenantId::SYSTEM)
            .map(|((event, refs), _)| refs.fact(event))
            .collect();
        if let (Some(last), false) = (last, facts.is_empty()) {
            let deltas = self.shared.summarizer.deltas(&facts);
            self.insert_deltas(&deltas, last)?;
        }
        Ok(new)
    }
}

impl Tx<'_> {
    /// Merges one query per type, or per way of matching a page. Each of them reads its index in order, while a single
    /// query would sort all matching events.
    fn merged(
        &mut self,
        resolved: &ResolvedFilter<'_>,
        after: Option<EventPosition>,
        limit: usize,
    ) -> Result<Vec<EventRow>> {
        let mut merged = Vec::new();
        if let Some(parts) = resolved.parts_by_page() {
            for part in parts {
                merged.extend(self.page(&part, &part.kinds, after, limit)?);
            }
        } else if resolved.is_made_of_kinds() && resolved.kinds.len() <= MERGED_KINDS {
            for kind in &resolved.kinds {
                merged.extend(self.page(resolved, std::slice::from_ref(kind), after, limit)?);
            }
        } else {
            return self.page(resolved, &resolved.kinds, after, limit);
        }
        merged.sort_unstable_by_key(|row| std::cmp::Reverse(row.position()));
        merged.truncate(limit);
        Ok(merged)
    }

    fn page(
        &mut self,
        resolved: &ResolvedFilter<'_>,
        kinds: &[i32],
        after: Option<EventPosition>,
        limit: usize,
    ) -> Result<Vec<EventRow>> {
        let mut query = filtered(resolved, kinds);
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
        self.run(TABLE, |conn| query.load(conn))
    }

    /// The events of these rows. Their names are looked up by one query per dictionary.
    pub(super) fn stored(&mut self, rows: Vec<EventRow>) -> Result<Vec<StoredEvent>> {
        let mut numbers = BTreeMap::new();
        let mut tenants = HashSet::new();
        for row in &rows {
            row.add_numbers(&mut numbers);
            tenants.insert(row.tenant());
        }
        let mut names = Names::new();
        for (dictionary, numbers) in numbers {
            let numbers: Vec<i32> = BTreeSet::into_iter(numbers).collect();
            names.insert(dictionary, self.shared_names(dictionary, &numbers)?);
        }
        let tenants = self.tenants_of(&tenants.into_iter().collect::<Vec<_>>())?;
        rows.into_iter()
            .map(|row| {
                let tenant = tenants.get(&row.tenant()).copied();
                row.into_stored(tenant.ok_or_else(|| Error::internal("the tenant of a row was not looked up"))?, &names)
            })
            .collect()
    }
}
