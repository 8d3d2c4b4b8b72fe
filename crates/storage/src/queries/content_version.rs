//! Counts changes in the row of the table `content_version`.

use diesel::prelude::*;
use trailkeeper_domain::{Error, Result};

use super::Tx;
use crate::columns::DbUuid;
use crate::schema::content_version;

const TABLE: &str = "content_version";

impl Tx<'_> {
    /// Counts this transaction as a change, so that other processes see that dictionaries or sheets are not as they know
    /// them. The row is small and always there, so this also shows that the database takes a write.
    ///
    /// Two statements that stay prepared: nearly every group of events has a new name, and SQLite makes a temporary table
    /// for the answer of one statement that does both.
    pub fn count_change(&mut self) -> Result<()> {
        let row = content_version::table.find(1_i16);
        let change = (
            content_version::changes.eq(content_version::changes + 1),
            content_version::writer.eq(DbUuid(self.shared.version.writer())),
        );
        self.run(TABLE, |conn| diesel::update(row).set(change).execute(conn))?;
        let changes = row.select(content_version::changes);
        let found: Option<i64> = self.run(TABLE, |conn| changes.first(conn).optional())?;
        self.changes = Some(found.ok_or_else(|| Error::internal("table content_version has no row 1"))?);
        Ok(())
    }
}
