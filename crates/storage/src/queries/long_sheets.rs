//! The sheets of everyone's quarters and years. A row is there only while the sheets of its months are those that it is
//! made of.

use std::collections::BTreeSet;

use diesel::prelude::*;
use trailkeeper_domain::Result;
use trailkeeper_domain::ports::SheetKey;
use trailkeeper_domain::scope::{Level, Scope};
use trailkeeper_domain::time::Timestamp;

use super::Tx;
use crate::columns::DbTime;
use crate::schema::sheets;

impl Tx<'_> {
    /// Removes the sheets of the quarters and years in which sheets of everyone change.
    pub(super) fn forget_long_sheets(
        &mut self,
        generation: i64,
        changed: impl Iterator<Item = SheetKey>,
    ) -> Result<()> {
        let months: BTreeSet<Timestamp> = changed
            .filter(|key| key.scope == Scope::Everyone && Level::MERGED.contains(&key.level))
            .map(|key| Level::Month.floor(key.start))
            .collect();
        let periods: BTreeSet<(Level, Timestamp)> =
            months.iter().flat_map(|month| Level::LONG.map(|level| (level, level.floor(*month)))).collect();
        if periods.is_empty() {
            return Ok(());
        }
        let (bucket, everyone) = (self.bucket()?, self.asked_tenant(Scope::Everyone.key())?);
        for (level, start) in periods {
            let of_period = sheets::table
                .filter(sheets::bucket.eq(bucket.code()))
                .filter(sheets::generation.eq(generation))
                .filter(sheets::scope.eq(everyone))
                .filter(sheets::level.eq(i16::from(level.code())))
                .filter(sheets::start.eq(DbTime(start)));
            self.run("sheets", |conn| diesel::delete(of_period).execute(conn))?;
        }
        Ok(())
    }
}
