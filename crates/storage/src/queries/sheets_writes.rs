//! Writes sheets, deltas and leases.

use chrono::TimeDelta;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, SmallInt, Text};
use trailkeeper_domain::ports::{OldDeltaKey, SheetKey, SheetReads, SheetWrites};
use trailkeeper_domain::scope::{Level, Scope};
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};
use uuid::Uuid;

use super::sheet_keys::{KEYS_AT_ONCE, key_rows};
use super::{Tx, count, dialect};
use crate::columns::{DbTime, DbUuid, Instant, Uuid128};
use crate::rows::SheetKeyRow;
use crate::schema::{leases, sheet_generation};

/// The approximate number of payload bytes in one statement.
const SENT_BYTES: usize = 4 << 20;

/// A lease that ends later than the requested one by more than this was taken by a wrong clock. The clocks of servers
/// differ by less.
const LEASE_TOLERANCE: TimeDelta = TimeDelta::minutes(10);

impl SheetWrites for Tx<'_> {
    fn take_lease(&mut self, name: &str, holder: Uuid, now: Timestamp, until: Timestamp) -> Result<bool> {
        let bucket = self.bucket()?;
        let take = sql_query(
            "INSERT INTO leases (bucket, name, holder, until) VALUES ($1, $2, $3, $4) ON CONFLICT (bucket, name) DO UPDATE \
             SET holder = excluded.holder, until = excluded.until \
             WHERE leases.holder = excluded.holder OR leases.until <= $5 OR leases.until > $6",
        )
        .bind::<SmallInt, _>(bucket.code())
        .bind::<Text, _>(name)
        .bind::<Uuid128, _>(DbUuid(holder))
        .bind::<Instant, _>(DbTime(until))
        .bind::<Instant, _>(DbTime(now))
        .bind::<Instant, _>(DbTime(until + LEASE_TOLERANCE));
        Ok(self.run("leases", |conn| take.execute(conn))? > 0)
    }

    fn keep_lease(&mut self, name: &str, holder: Uuid, until: Timestamp) -> Result<bool> {
        let bucket = self.bucket()?;
        let mine = leases::table.find((bucket.code(), name)).filter(leases::holder.eq(DbUuid(holder)));
        let kept =
            self.run("leases", |conn| diesel::update(mine).set(leases::until.eq(DbTime(until))).execute(conn))?;
        Ok(kept > 0)
    }

    fn release_lease(&mut self, name: &str, holder: Uuid) -> Result<()> {
        let bucket = self.bucket()?;
        let mine = leases::table.find((bucket.code(), name)).filter(leases::holder.eq(DbUuid(holder)));
        self.run("leases", |conn| diesel::delete(mine).execute(conn)).map(drop)
    }

    fn put_sheets(&mut self, generation: i64, sheets: &[(SheetKey, Vec<u8>)]) -> Result<()> {
        self.changed_sheets = true;
        self.forget_counts(generation, sheets.iter().map(|(key, _)| *key))?;
        self.forget_long_sheets(generation, sheets.iter().map(|(key, _)| *key))?;
        let scopes = self.tenant_keys(sheets.iter().map(|(key, _)| key.scope.key()))?;
        let mut rows = Vec::with_capacity(sheets.len());
        for (key, payload) in sheets {
            let scope = match scopes.get(&key.scope.key()) {
                Some(scope) => *scope,
                None => self.tenant_key_assigned(key.scope.key())?,
            };
            rows.push((SheetKeyRow::new(scope, *key)?, payload.as_slice()));
        }
        let (bucket, mut rest) = (self.bucket()?, rows.as_slice());
        while !rest.is_empty() {
            let (some, others) = rest.split_at(sent_at_once(rest));
            self.run("sheets", |conn| dialect::insert_sheets(conn, bucket, generation, some))?;
            rest = others;
        }
        Ok(())
    }

    fn delete_sheets(&mut self, generation: i64, keys: &[SheetKey]) -> Result<()> {
        self.changed_sheets = true;
        self.forget_counts(generation, keys.iter().copied())?;
        self.forget_long_sheets(generation, keys.iter().copied())?;
        let scopes = self.tenant_keys(keys.iter().map(|key| key.scope.key()))?;
        let bucket = self.bucket()?;
        for some in keys.chunks(KEYS_AT_ONCE) {
            let (_, rows) = key_rows(&scopes, some.iter().copied())?;
            self.run("sheets", |conn| dialect::delete_sheets(conn, bucket, generation, &rows))?;
        }
        Ok(())
    }

    fn put_tenant_counts(&mut self, generation: i64, level: Level, start: Timestamp, payload: &[u8]) -> Result<()> {
        self.insert_counts(generation, level, start, payload)
    }

    fn begin_merge_pass(&mut self, deltas: &[i64]) -> Result<i64> {
        self.begin_pass(deltas)
    }

    fn mark_merged(&mut self, pass: i64, scopes: &[Scope]) -> Result<()> {
        self.mark_scopes(pass, scopes)
    }

    fn end_merge_passes(&mut self, passes: &[i64]) -> Result<()> {
        self.end_passes(passes)
    }

    fn delete_deltas(&mut self, numbers: &[i64]) -> Result<()> {
        self.remove_deltas(numbers)
    }

    fn delete_old_deltas(&mut self, keys: &[OldDeltaKey]) -> Result<()> {
        self.remove_old_deltas(keys)
    }

    fn set_generation(&mut self, generation: i64, has_postings: bool) -> Result<()> {
        self.changed_sheets = true;
        let bucket = self.bucket()?;
        let set = diesel::update(sheet_generation::table.find(bucket.code()))
            .set((sheet_generation::generation.eq(generation), sheet_generation::has_postings.eq(has_postings)));
        self.run("sheet_generation", |conn| set.execute(conn))?;
        self.run("sheets", dialect::analyze_sheets)
    }

    fn delete_other_generations(&mut self, keep: Option<i64>, limit: usize) -> Result<u64> {
        let (bucket, current) = (self.bucket()?, self.generation()?);
        let keep = keep.unwrap_or(current);
        let (low, high) = (current.min(keep), current.max(keep));
        self.changed_sheets = true;
        let mut deleted = 0;
        // The generations below, between and above those that stay. The index finds these ranges without reading the rows
        // that stay. Generations below 0 have the sheets of removed events.
        for (above, below) in [(-1, low), (low, high), (high, i64::MAX)] {
            let some = sql_query(
                "DELETE FROM sheets WHERE bucket = $1 AND (generation, scope, level, part, start, run) IN \
                 (SELECT generation, scope, level, part, start, run FROM sheets \
                 WHERE bucket = $1 AND generation > $2 AND generation < $3 LIMIT $4)",
            )
            .bind::<SmallInt, _>(bucket.code())
            .bind::<BigInt, _>(above)
            .bind::<BigInt, _>(below)
            .bind::<BigInt, _>(count(limit.saturating_sub(deleted)));
            deleted += self.run("sheets", |conn| some.execute(conn))?;
            deleted += self.delete_postings_between(above, below, limit.saturating_sub(deleted))?;
            deleted += self.delete_counts_between(above, below, limit.saturating_sub(deleted))?;
        }
        u64::try_from(deleted).map_err(Error::internal)
    }
}

/// The number of sheets that the next statement writes, at least one.
fn sent_at_once(sheets: &[(SheetKeyRow, &[u8])]) -> usize {
    let mut bytes = 0_usize;
    let fitting = sheets.iter().take(KEYS_AT_ONCE).take_while(|(_, payload)| {
        bytes = bytes.saturating_add(payload.len());
        bytes <= SENT_BYTES
    });
    fitting.count().max(1)
}
