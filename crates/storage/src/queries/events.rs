//! Events: lists with the newest first, lookups, and inserts.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};
use trailkeeper_domain::bucket::Bucket;
use trailkeeper_domain::event::{Event, EventFilter, EventPosition, StoredEvent};
use trailkeeper_domain::id::{EventId, TenantId};
use trailkeeper_domain::indexed_event::IndexedEvent;
use trailkeeper_domain::ports::{BucketReads as _, EventReads, EventWrites, IdFault, MissingName};
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};

use super::event_filter::{Part, ResolvedFilter};
use super::event_query::filtered;
use super::{Tx, count, dialect};
use crate::columns::{DbTime, DbUuid, Instant};
use crate::error;
use crate::rows::{EventRow, Names, NewEventRow};
use crate::schema::events;

const TABLE: &str = "events";

/// The SQL expression for the number of rows.
const COUNT: &str = "count(*)";

impl EventReads for Tx<'_> {
    fn events_by_id(&mut self, id: EventId, tenant: Option<TenantId>) -> Result<Vec<StoredEvent>> {
        let buckets = self.buckets_of(Scope::of(tenant))?;
        let tenant = tenant.map(|tenant| self.asked_tenant(tenant)).transpose()?;
        let (hash, shared) = (self.hash_key()?, self.shared);
        let wanted = (DbUuid(id.0), tenant);
        let rows = self.run(TABLE, |conn| dialect::events_by_id(conn, &shared.ids, &hash, &buckets, wanted))?;
        let mut stored = self.stored(rows)?;
        stored.sort_unstable_by_key(|stored| stored.event.tenant_id);
        Ok(stored)
    }

    fn events(&mut self, filter: &EventFilter, after: Option<EventPosition>, limit: usize) -> Result<Vec<StoredEvent>> {
        if let Some(generations) = self.indexed_generations(Scope::of(filter.visibility.tenant()))? {
            return self.list_by_postings(&generations, filter, after, limit);
        }
        let resolved = self.resolve(filter)?;
        let mut newest = Vec::new();
        for part in resolved.parts() {
            newest.extend(self.newest(&resolved, part, after, limit)?);
            newest.sort_unstable_by_key(|row: &EventRow| std::cmp::Reverse(row.position()));
            newest.truncate(limit);
        }
        self.stored(newest)
    }

    fn events_at_offset(&mut self, filter: &EventFilter, offset: u64, limit: usize) -> Result<Vec<StoredEvent>> {
        if let Some(generations) = self.indexed_generations(Scope::of(filter.visibility.tenant()))? {
            return self.list_at_offset_by_postings(&generations, filter, offset, limit);
        }
        let Ok(offset) = i64::try_from(offset) else { return Ok(Vec::new()) };
        let resolved = self.resolve(filter)?;
        let part = match resolved.parts()[..] {
            [part] => part,
            _ => Part::Whole,
        };
        let query = filtered(&resolved, part)
            .order((events::occurred_at.desc(), events::seq.desc()))
            .limit(count(limit))
            .offset(offset)
            .select(EventRow::as_select());
        let rows: Vec<EventRow> = self.run(TABLE, |conn| query.load(conn))?;
        self.stored(rows)
    }

    fn count_events(&mut self, filter: &EventFilter) -> Result<u64> {
        if let Some(generations) = self.indexed_generations(Scope::of(filter.visibility.tenant()))? {
            return self.count_by_postings(&generations, filter);
        }
        let resolved = self.resolve(filter)?;
        self.counted(&resolved, COUNT)
    }

    fn event_histogram(&mut self, filter: &EventFilter, edges: &[Timestamp]) -> Result<Vec<u64>> {
        if let Some(generations) = self.indexed_generations(Scope::of(filter.visibility.tenant()))? {
            return self.histogram_by_postings(&generations, filter, edges);
        }
        let mut resolved = self.resolve(filter)?;
        let mut counts = Vec::with_capacity(edges.len().saturating_sub(1));
        for (start, end) in edges.iter().zip(edges.iter().skip(1)) {
            let (start, end) = (filter.from.unwrap_or(*start).max(*start), filter.until.unwrap_or(*end).min(*end));
            (resolved.from, resolved.until) = (Some(start), Some(end));
            counts.push(if start < end { self.counted(&resolved, COUNT)? } else { 0 });
        }
        Ok(counts)
    }

    fn distinct_users(&mut self, filter: &EventFilter) -> Result<u64> {
        if let Some(generations) = self.indexed_generations(Scope::of(filter.visibility.tenant()))? {
            return self.distinct_users_by_postings(&generations, filter);
        }
        let resolved = self.resolve(filter)?;
        self.counted(&resolved, "count(DISTINCT user_ref)")
    }

    fn missing_names(&mut self, limit: usize) -> Result<Vec<MissingName>> {
        self.lost_names(limit)
    }

    fn check_ids(&mut self, each: &mut dyn FnMut(IdFault)) -> Result<u64> {
        let hash = self.hash_key()?;
        let (conn, shared) = self.parts();
        dialect::check_ids(conn, &shared.ids, &hash, each).map_err(|failure| error::of_statement("id_runs", failure))
    }
}

impl EventWrites for Tx<'_> {
    fn insert_events(&mut self, events: &[Event]) -> Result<Vec<bool>> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let keys = self.page_keys_of(events)?;
        let refs = self.refs_of(events, &keys)?;
        let buckets = self.buckets()?;
        let rows = events
            .iter()
            .zip(&keys)
            .zip(&refs)
            .map(|((event, key), refs)| NewEventRow::new(buckets.of(event.tenant_id), event, key.as_deref(), refs))
            .collect::<Result<Vec<_>>>()?;
        let (hash, shared) = (self.hash_key()?, self.shared);
        let mut new_ids = std::mem::take(&mut self.new_ids);
        let stored = self.run(TABLE, |conn| dialect::insert_events(conn, &shared.ids, &mut new_ids, &hash, &rows));
        self.new_ids = new_ids;
        let numbers = stored?;
        let mut new: BTreeMap<Bucket, Vec<IndexedEvent>> = BTreeMap::new();
        for ((((event, key), refs), row), seq) in events.iter().zip(&keys).zip(&refs).zip(&rows).zip(&numbers) {
            if let Some(seq) = seq {
                new.entry(row.bucket).or_default().push(refs.indexed(event, key.as_deref(), *seq, hash));
            }
        }
        for (bucket, events) in new {
            self.insert_delta(bucket, &events)?;
        }
        Ok(numbers.iter().map(Option::is_some).collect())
    }
}

impl Tx<'_> {
    /// The newest events of one part, at most `limit`, strictly after `after`.
    fn newest(
        &mut self,
        resolved: &ResolvedFilter<'_>,
        part: Part<'_>,
        after: Option<EventPosition>,
        limit: usize,
    ) -> Result<Vec<EventRow>> {
        let mut query = filtered(resolved, part);
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

    /// The number that the SQL expression `number` counts over all matching events.
    fn counted(&mut self, resolved: &ResolvedFilter<'_>, number: &str) -> Result<u64> {
        let query = filtered(resolved, Part::Whole).select(sql::<BigInt>(number));
        let counted: i64 = self.run(TABLE, |conn| query.get_result(conn))?;
        u64::try_from(counted).map_err(Error::internal)
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
