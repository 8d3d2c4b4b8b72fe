//! Sheets, deltas and leases, written.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text};
use trailkeeper_domain::ports::{DeltaKey, NewDelta, SheetKey, SheetReads, SheetWrites};
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};
use uuid::Uuid;

use super::{Tx, count, dialect};
use crate::columns::{DbTime, DbUuid, Instant, Uuid128};
use crate::rows::NewSheetRow;
use crate::schema::{deltas, leases, sheet_generation, sheets};

/// How many deltas one statement removes.
const DELETED_AT_ONCE: usize = 1_000;

impl SheetWrites for Tx<'_> {
    fn take_lease(&mut self, name: &str, holder: Uuid, now: Timestamp, until: Timestamp) -> Result<bool> {
        let take = sql_query(
            "INSERT INTO leases (name, holder, until) VALUES ($1, $2, $3) ON CONFLICT (name) DO UPDATE \
             SET holder = excluded.holder, until = excluded.until \
             WHERE leases.holder = excluded.holder OR leases.until <= $4",
        )
        .bind::<Text, _>(name)
        .bind::<Uuid128, _>(DbUuid(holder))
        .bind::<Instant, _>(DbTime(until))
        .bind::<Instant, _>(DbTime(now));
        Ok(self.run("leases", |conn| take.execute(conn))? > 0)
    }

    fn keep_lease(&mut self, name: &str, holder: Uuid, until: Timestamp) -> Result<bool> {
        let mine = leases::table.filter(leases::name.eq(name)).filter(leases::holder.eq(DbUuid(holder)));
        let kept =
            self.run("leases", |conn| diesel::update(mine).set(leases::until.eq(DbTime(until))).execute(conn))?;
        Ok(kept > 0)
    }

    fn release_lease(&mut self, name: &str, holder: Uuid) -> Result<()> {
        let mine = leases::table.filter(leases::name.eq(name)).filter(leases::holder.eq(DbUuid(holder)));
        self.run("leases", |conn| diesel::delete(mine).execute(conn)).map(drop)
    }

    fn put_sheet(&mut self, generation: i64, key: SheetKey, payload: &[u8]) -> Result<()> {
        let scope = self.tenant_key_assigned(key.scope.key())?;
        let row = NewSheetRow::new(generation, scope, key, payload)?;
        self.run("sheets", |conn| diesel::insert_into(sheets::table).values(&row).execute(conn)).map(drop)
    }

    fn delete_sheet(&mut self, generation: i64, key: SheetKey) -> Result<()> {
        let Some(scope) = self.tenant_key(key.scope.key())? else { return Ok(()) };
        let one = sheets::table
            .filter(sheets::generation.eq(generation))
            .filter(sheets::scope.eq(scope))
            .filter(sheets::level.eq(i16::from(key.level.code())))
            .filter(sheets::part.eq(i16::from(key.part.code())))
            .filter(sheets::start.eq(DbTime(key.start)))
            .filter(sheets::run.eq(i32::try_from(key.run).map_err(Error::internal)?));
        self.run("sheets", |conn| diesel::delete(one).execute(conn)).map(drop)
    }

    fn delete_deltas(&mut self, keys: &[DeltaKey]) -> Result<()> {
        let mut by_scope: BTreeMap<Scope, Vec<i64>> = BTreeMap::new();
        for key in keys {
            by_scope.entry(key.scope).or_default().push(key.seq);
        }
        for (scope, seqs) in by_scope {
            let Some(scope) = self.tenant_key(scope.key())? else { continue };
            for some in seqs.chunks(DELETED_AT_ONCE) {
                let merged = deltas::table.filter(deltas::scope.eq(scope)).filter(deltas::seq.eq_any(some));
                self.run("deltas", |conn| diesel::delete(merged).execute(conn))?;
            }
        }
        Ok(())
    }

    fn set_generation(&mut self, generation: i64) -> Result<()> {
        let set = diesel::update(sheet_generation::table).set(sheet_generation::generation.eq(generation));
        self.run("sheet_generation", |conn| set.execute(conn)).map(drop)
    }

    fn delete_other_generations(&mut self, keep: Option<i64>, limit: usize) -> Result<u64> {
        let current = self.generation()?;
        let keep = keep.unwrap_or(current);
        let (low, high) = (current.min(keep), current.max(keep));
        let mut deleted = 0;
        // Below, between and above: by ranges an index finds them without passing over those that stay.
        for (above, below) in [(i64::MIN, low), (low, high), (high, i64::MAX)] {
            let some = sql_query(
                "DELETE FROM sheets WHERE (generation, scope, level, part, start, run) IN \
                 (SELECT generation, scope, level, part, start, run FROM sheets \
                 WHERE generation > $1 AND generation < $2 LIMIT $3)",
            )
            .bind::<BigInt, _>(above)
            .bind::<BigInt, _>(below)
            .bind::<BigInt, _>(count(limit.saturating_sub(deleted)));
            deleted += self.run("sheets", |conn| some.execute(conn))?;
        }
        u64::try_from(deleted).map_err(Error::internal)
    }
}

impl Tx<'_> {
    /// Stores the deltas of one batch of new events, whose last has the number `batch_seq`.
    pub fn insert_deltas(&mut self, deltas: &[NewDelta], batch_seq: i64) -> Result<()> {
        let rows = deltas
            .iter()
            .map(|delta| Ok((self.tenant_key_assigned(delta.scope.key())?, delta.payload.as_slice())))
            .collect::<Result<Vec<_>>>()?;
        self.run("deltas", |conn| dialect::insert_deltas(conn, &rows, batch_seq))
    }
}
