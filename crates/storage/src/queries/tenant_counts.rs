//! The counts of all tenants per period. A row is there only while the sheets of its period are those that it counts.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, SmallInt};
use trailkeeper_domain::Result;
use trailkeeper_domain::bucket::Bucket;
use trailkeeper_domain::ports::{SheetKey, SheetReads};
use trailkeeper_domain::scope::{Level, Part, Scope};
use trailkeeper_domain::time::{TimeRange, Timestamp};

use super::sheets::{FIRST_BATCH, next_limit};
use super::{Db, Tx, count, dialect};
use crate::columns::DbTime;
use crate::schema::tenant_counts;

const COUNTS: &str = "tenant_counts";

impl Tx<'_> {
    pub(super) fn counts_of_tenants(
        &mut self,
        level: Level,
        starts: TimeRange,
        each: &mut dyn FnMut(Timestamp, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let generation = (self.bucket()?, self.generation()?);
        let (mut start, mut limit) = (starts.start, FIRST_BATCH);
        let mut first = true;
        loop {
            let mut batch = of_level(generation, level).filter(tenant_counts::start.lt(DbTime(starts.end)));
            batch = if first {
                batch.filter(tenant_counts::start.ge(DbTime(start)))
            } else {
                batch.filter(tenant_counts::start.gt(DbTime(start)))
            };
            let batch = batch
                .order(tenant_counts::start.asc())
                .limit(count(limit))
                .select((tenant_counts::start, tenant_counts::payload));
            let rows: Vec<(DbTime, Vec<u8>)> = self.run(COUNTS, |conn| batch.load(conn))?;
            for (start, payload) in &rows {
                each(start.0, payload)?;
            }
            match rows.last().filter(|_| rows.len() == limit) {
                Some((last, _)) => (start, first) = (last.0, false),
                None => return Ok(()),
            }
            limit = next_limit(rows.len(), rows.iter().map(|(_, payload)| payload.len()).sum());
        }
    }

    pub(super) fn starts_of_counts(&mut self, level: Level) -> Result<Vec<Timestamp>> {
        let generation = (self.bucket()?, self.generation()?);
        let starts = of_level(generation, level).order(tenant_counts::start.asc()).select(tenant_counts::start);
        let starts: Vec<DbTime> = self.run(COUNTS, |conn| starts.load(conn))?;
        Ok(starts.into_iter().map(|start| start.0).collect())
    }

    pub(super) fn insert_counts(
        &mut self,
        generation: i64,
        level: Level,
        start: Timestamp,
        payload: &[u8],
    ) -> Result<()> {
        let bucket = self.bucket()?;
        let row = (
            tenant_counts::bucket.eq(bucket.code()),
            tenant_counts::generation.eq(generation),
            tenant_counts::level.eq(i16::from(level.code())),
            tenant_counts::start.eq(DbTime(start)),
            tenant_counts::payload.eq(payload),
        );
        self.run(COUNTS, |conn| diesel::insert_into(tenant_counts::table).values(row).execute(conn)).map(drop)
    }

    /// Removes the counts of the periods of which sheets change.
    pub(super) fn forget_counts(&mut self, generation: i64, changed: impl Iterator<Item = SheetKey>) -> Result<()> {
        let counted = |key: &SheetKey| matches!(key.scope, Scope::Tenant(_)) && key.part == Part::Totals;
        let periods: BTreeSet<(Level, Timestamp)> = changed.filter(counted).map(|key| (key.level, key.start)).collect();
        let bucket = self.bucket()?;
        for (level, start) in periods {
            let of_period =
                tenant_counts::table.find((bucket.code(), generation, i16::from(level.code()), DbTime(start)));
            self.run(COUNTS, |conn| diesel::delete(of_period).execute(conn))?;
        }
        Ok(())
    }

    /// Deletes at most `limit` rows of the generations between two others.
    pub(super) fn delete_counts_between(&mut self, above: i64, below: i64, limit: usize) -> Result<usize> {
        let bucket = self.bucket()?;
        let some = sql_query(dialect::delete_some(COUNTS, "bucket = $1 AND generation > $2 AND generation < $3", "$4"))
            .bind::<SmallInt, _>(bucket.code())
            .bind::<BigInt, _>(above)
            .bind::<BigInt, _>(below)
            .bind::<BigInt, _>(count(limit));
        self.run(COUNTS, |conn| some.execute(conn))
    }
}

fn of_level((bucket, generation): (Bucket, i64), level: Level) -> tenant_counts::BoxedQuery<'static, Db> {
    tenant_counts::table
        .into_boxed::<Db>()
        .filter(tenant_counts::bucket.eq(bucket.code()))
        .filter(tenant_counts::generation.eq(generation))
        .filter(tenant_counts::level.eq(i16::from(level.code())))
}
