//! Events in the order of storage, and what was removed of it.

use std::collections::HashMap;

use diesel::prelude::*;
use trailkeeper_domain::Result;
use trailkeeper_domain::bucket::Bucket;
use trailkeeper_domain::event::{EventFilter, StoredEvent};
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::ports::{FeedReads, FeedState, NumberRange};
use trailkeeper_domain::scope::Scope;

use super::event_filter::Part;
use super::event_query::filtered;
use super::postings::{EVENTS, EVENTS_AT_ONCE};
use super::{Db, Tx, count, dialect};
use crate::columns::DbTenant;
use crate::rows::EventRow;
use crate::schema::{events, removed_events};

const REMOVED: &str = "removed_events";

impl FeedReads for Tx<'_> {
    fn events_by_number(&mut self, filter: &EventFilter, range: NumberRange, limit: usize) -> Result<Vec<StoredEvent>> {
        let scope = Scope::of(filter.visibility.tenant());
        let generations =
            if self.reads_rows_in_order(filter, scope)? { None } else { self.indexed_generations(scope)? };
        if let Some(generations) = generations {
            return self.first_stored_by_postings(&generations, filter, range, limit);
        }
        let resolved = self.resolve(filter)?;
        let query = filtered(&resolved, Part::Whole)
            .filter(events::seq.gt(range.after))
            .filter(events::seq.le(range.until))
            .order(events::seq.asc())
            .limit(count(limit))
            .select(EventRow::as_select());
        let rows: Vec<EventRow> = self.run(EVENTS, |conn| query.load(conn))?;
        self.stored(rows)
    }

    fn feed_state(&mut self, tenant: Option<TenantId>) -> Result<FeedState> {
        let history = self.run("content_version", dialect::history)?;
        let buckets = self.buckets_of(Scope::of(tenant))?;
        let removed = removed_events::table.into_boxed::<Db>();
        let mut removed = if let [bucket] = buckets[..] {
            removed.filter(removed_events::bucket.eq(bucket.code()))
        } else {
            removed
                .filter(removed_events::bucket.eq_any(buckets.iter().map(|bucket| bucket.code()).collect::<Vec<_>>()))
        };
        if let Some(tenant) = tenant {
            removed = removed.filter(removed_events::tenant_id.eq(self.asked_tenant(tenant)?));
        }
        let removed = removed.select((removed_events::events, removed_events::until_seq));
        let rows: Vec<(i64, i64)> = self.run(REMOVED, |conn| removed.load(conn))?;
        Ok(FeedState {
            history,
            removed: rows.iter().map(|(events, _)| events.unsigned_abs()).sum(),
            removed_until: rows.iter().map(|(_, until)| *until).max().unwrap_or_default(),
        })
    }
}

impl Tx<'_> {
    /// Whether the rows themselves are walked by number: all events of a database with one bucket are asked for, whose key is
    /// the number. The index is in the order of times, so it would read the keys of a run again for each page, if events were
    /// stored in the order of random times.
    fn reads_rows_in_order(&mut self, filter: &EventFilter, scope: Scope) -> Result<bool> {
        let is_everything = scope == Scope::Everyone && *filter == EventFilter::within(filter.visibility);
        Ok(is_everything && self.buckets_of(scope)?.len() == 1)
    }

    /// Records that the events with these numbers are about to be removed.
    pub(super) fn record_removal(&mut self, bucket: Bucket, seqs: &[i64]) -> Result<()> {
        let mut removed: HashMap<DbTenant, (i64, i64)> = HashMap::new();
        for some in seqs.chunks(EVENTS_AT_ONCE) {
            let found = dialect::events(&[bucket]).filter(events::seq.eq_any(some));
            let found = found.select((events::tenant_id, events::seq));
            let rows: Vec<(DbTenant, i64)> = self.run(EVENTS, |conn| found.load(conn))?;
            for (tenant, seq) in rows {
                let (events, until) = removed.entry(tenant).or_default();
                *events += 1;
                *until = seq.max(*until);
            }
        }
        for (tenant, (events, until)) in removed {
            self.add_removal(bucket, tenant, events, until)?;
        }
        Ok(())
    }

    fn add_removal(&mut self, bucket: Bucket, tenant: DbTenant, events: i64, until: i64) -> Result<()> {
        let row = removed_events::table.find((bucket.code(), tenant));
        let before = row.select((removed_events::events, removed_events::until_seq));
        let before: Option<(i64, i64)> = self.run(REMOVED, |conn| before.first(conn).optional())?;
        let (all, last) = before.unwrap_or_default();
        let values = (removed_events::events.eq(all + events), removed_events::until_seq.eq(last.max(until)));
        if before.is_some() {
            let update = diesel::update(row).set(values);
            return self.run(REMOVED, |conn| update.execute(conn)).map(drop);
        }
        let key = (removed_events::bucket.eq(bucket.code()), removed_events::tenant_id.eq(tenant));
        let insert = diesel::insert_into(removed_events::table).values((key, values));
        self.run(REMOVED, |conn| insert.execute(conn)).map(drop)
    }
}
