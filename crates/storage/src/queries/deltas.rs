//! Stores deltas with new events, and reads them in batches of bounded size.

use std::collections::{BTreeSet, HashSet};

use diesel::dsl::{count_star, sql, sum};
use diesel::prelude::*;
use diesel::sql_types::Integer;
use trailkeeper_domain::bucket::Bucket;
use trailkeeper_domain::indexed_event::IndexedEvent;
use trailkeeper_domain::ports::{Backlog, DeltaSize, OldDeltaKey, WaitingDelta};
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::{Error, Result};
use trailkeeper_postings::delta;

use super::merge_passes::Claims;
use super::sheets::{FIRST_BATCH, next_limit, scope_in};
use super::{Db, Tx, count};
use crate::columns::DbTenant;
use crate::rows::DeltaRow;
use crate::schema::{deltas, old_deltas};

const DELTAS: &str = "deltas";

/// The largest number of deltas that one statement names.
const NUMBERS_AT_ONCE: usize = 1_000;

impl Tx<'_> {
    /// Stores the delta of the new events of a bucket. Its number is that of the last one: no other delta has it.
    pub fn insert_delta(&mut self, bucket: Bucket, events: &[IndexedEvent]) -> Result<()> {
        let Some(last) = events.iter().map(|event| event.seq).max() else { return Ok(()) };
        let row = (
            deltas::bucket.eq(bucket.code()),
            deltas::seq.eq(last),
            deltas::events.eq(i32::try_from(events.len()).map_err(Error::internal)?),
            deltas::payload.eq(delta::encode(events)),
        );
        self.run(DELTAS, |conn| diesel::insert_into(deltas::table).values(row).execute(conn)).map(drop)
    }

    /// See `SheetReads::deltas`.
    pub fn deltas_of(&mut self, scope: Scope, each: &mut dyn FnMut(WaitingDelta<'_>) -> Result<()>) -> Result<()> {
        for bucket in self.buckets_of(scope)? {
            self.deltas_of_bucket(bucket, scope, each)?;
        }
        Ok(())
    }

    fn deltas_of_bucket(
        &mut self,
        bucket: Bucket,
        scope: Scope,
        each: &mut dyn FnMut(WaitingDelta<'_>) -> Result<()>,
    ) -> Result<()> {
        let merged = self.merged_deltas(bucket, scope)?;
        let none = BTreeSet::new();
        // A pass may have claimed megabytes: they are not read for nothing.
        let mut first = i64::MIN;
        if !merged.is_empty() {
            let numbers = of_bucket(bucket).order(deltas::seq.asc()).select(deltas::seq);
            let numbers: Vec<i64> = self.run(DELTAS, |conn| numbers.load(conn))?;
            match numbers.into_iter().find(|number| !merged.contains(number)) {
                Some(number) => first = number,
                None => return Ok(()),
            }
        }
        self.walk_deltas(bucket, first, &mut |row| {
            if merged.contains(&row.seq) {
                return Ok(());
            }
            each(WaitingDelta { number: row.seq, payload: &row.payload, merged: &none })
        })
    }

    /// See `SheetReads::all_deltas`.
    pub fn every_delta(&mut self, each: &mut dyn FnMut(WaitingDelta<'_>) -> Result<()>) -> Result<()> {
        for bucket in self.buckets_of(Scope::Everyone)? {
            let claims = Claims::of(self.open_passes(bucket)?);
            self.walk_deltas(bucket, i64::MIN, &mut |row| {
                each(WaitingDelta { number: row.seq, payload: &row.payload, merged: claims.merged(row.seq) })
            })?;
        }
        Ok(())
    }

    fn walk_deltas(&mut self, bucket: Bucket, first: i64, each: &mut dyn FnMut(&DeltaRow) -> Result<()>) -> Result<()> {
        let mut batch = of_bucket(bucket).filter(deltas::seq.ge(first));
        let mut limit = FIRST_BATCH;
        loop {
            let query = batch.order(deltas::seq.asc()).limit(count(limit)).select(DeltaRow::as_select());
            let rows: Vec<DeltaRow> = self.run(DELTAS, |conn| query.load(conn))?;
            rows.iter().try_for_each(&mut *each)?;
            let Some(last) = rows.last().filter(|_| rows.len() == limit) else { return Ok(()) };
            batch = of_bucket(bucket).filter(deltas::seq.gt(last.seq));
            limit = next_limit(rows.len(), rows.iter().map(|row| row.payload.len()).sum());
        }
    }

    /// See `SheetReads::backlog`.
    pub fn unclaimed_backlog(&mut self) -> Result<Backlog> {
        let mut backlog = Backlog::default();
        for bucket in self.buckets_of(Scope::Everyone)? {
            let claimed = self.claimed_deltas(bucket)?;
            if claimed.is_empty() {
                let all = of_bucket(bucket).select((count_star(), sum(deltas::events)));
                let (deltas, events): (i64, Option<i64>) = self.run(DELTAS, |conn| all.first(conn))?;
                backlog.deltas += unsigned(deltas)?;
                backlog.events += unsigned(events.unwrap_or_default())?;
                continue;
            }
            let rows = of_bucket(bucket).select((deltas::seq, deltas::events));
            let rows: Vec<(i64, i32)> = self.run(DELTAS, |conn| rows.load(conn))?;
            for (_, events) in rows.into_iter().filter(|(number, _)| !claimed.contains(number)) {
                backlog.deltas += 1;
                backlog.events += unsigned(events.into())?;
            }
        }
        Ok(backlog)
    }

    /// See `SheetReads::unclaimed_deltas`.
    pub fn unclaimed_after(&mut self, after: i64, limit: usize) -> Result<Vec<DeltaSize>> {
        let bucket = self.bucket()?;
        let claimed = self.claimed_deltas(bucket)?;
        let query = of_bucket(bucket)
            .filter(deltas::seq.gt(after))
            .order(deltas::seq.asc())
            .limit(count(limit.saturating_add(claimed.len())))
            .select((deltas::seq, deltas::events, sql::<Integer>("length(payload)")));
        let rows: Vec<(i64, i32, i32)> = self.run(DELTAS, |conn| query.load(conn))?;
        rows.into_iter()
            .filter(|(number, ..)| !claimed.contains(number))
            .take(limit)
            .map(|(number, events, bytes)| {
                Ok(DeltaSize { number, events: unsigned(events.into())?, bytes: unsigned(bytes.into())? })
            })
            .collect()
    }

    /// See `SheetReads::deltas_by_number`.
    pub fn payloads_of_deltas(&mut self, numbers: &[i64]) -> Result<Vec<(i64, Vec<u8>)>> {
        let numbers: Vec<i64> = numbers.iter().copied().collect::<BTreeSet<i64>>().into_iter().collect();
        let (bucket, mut found) = (self.bucket()?, Vec::with_capacity(numbers.len()));
        for some in numbers.chunks(NUMBERS_AT_ONCE) {
            let query = of_bucket(bucket)
                .filter(deltas::seq.eq_any(some))
                .order(deltas::seq.asc())
                .select(DeltaRow::as_select());
            let rows: Vec<DeltaRow> = self.run(DELTAS, |conn| query.load(conn))?;
            found.extend(rows.into_iter().map(|row| (row.seq, row.payload)));
        }
        Ok(found)
    }

    /// See `SheetWrites::delete_deltas`.
    pub fn remove_deltas(&mut self, numbers: &[i64]) -> Result<()> {
        self.check_runs_have(numbers)?;
        let bucket = self.bucket()?;
        for some in numbers.chunks(NUMBERS_AT_ONCE) {
            let these = deltas::table.filter(deltas::bucket.eq(bucket.code())).filter(deltas::seq.eq_any(some));
            self.run(DELTAS, |conn| diesel::delete(these).execute(conn))?;
        }
        Ok(())
    }

    /// See `SheetReads::old_deltas`.
    pub fn oldest_old_deltas(&mut self, limit: usize) -> Result<Vec<(OldDeltaKey, Vec<u8>)>> {
        let query = old_deltas::table
            .order((old_deltas::scope.asc(), old_deltas::seq.asc()))
            .limit(count(limit))
            .select((old_deltas::scope, old_deltas::seq, old_deltas::payload));
        let rows: Vec<(DbTenant, i64, Vec<u8>)> = self.run("old_deltas", |conn| query.load(conn))?;
        let scopes = self.scopes_of(rows.iter().map(|(scope, ..)| *scope).collect::<HashSet<_>>())?;
        rows.into_iter()
            .map(|(scope, seq, payload)| Ok((OldDeltaKey { scope: scope_in(&scopes, scope)?, seq }, payload)))
            .collect()
    }

    /// See `SheetWrites::delete_old_deltas`.
    pub fn remove_old_deltas(&mut self, keys: &[OldDeltaKey]) -> Result<()> {
        let scopes = self.tenant_keys(keys.iter().map(|key| key.scope.key()))?;
        for key in keys {
            let Some(scope) = scopes.get(&key.scope.key()) else { continue };
            let one = old_deltas::table.find((*scope, key.seq));
            self.run("old_deltas", |conn| diesel::delete(one).execute(conn))?;
        }
        Ok(())
    }
}

fn of_bucket(bucket: Bucket) -> deltas::BoxedQuery<'static, Db> {
    deltas::table.into_boxed::<Db>().filter(deltas::bucket.eq(bucket.code()))
}

fn unsigned(number: i64) -> Result<u64> {
    u64::try_from(number).map_err(Error::internal)
}
