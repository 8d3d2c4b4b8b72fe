//! Counts changes in the row of the table `content_version`.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use trailkeeper_domain::{Error, Result};

use super::Tx;
use crate::columns::{DbUuid, Uuid128};

const TABLE: &str = "content_version";

#[derive(QueryableByName)]
struct Changes {
    #[diesel(sql_type = BigInt)]
    changes: i64,
}

impl Tx<'_> {
    /// Counts this transaction as a change, so that other processes see that dictionaries or sheets are not as they know
    /// them. The row is small and always there, so this also shows that the database takes a write.
    pub fn count_change(&mut self) -> Result<()> {
        let count = diesel::sql_query(
            "UPDATE content_version SET changes = changes + 1, writer = $1 WHERE id = 1 RETURNING changes",
        )
        .bind::<Uuid128, _>(DbUuid(self.shared.version.writer()));
        let found: Option<Changes> = self.run(TABLE, |conn| count.get_result(conn).optional())?;
        self.changes = Some(found.ok_or_else(|| Error::internal("table content_version has no row 1"))?.changes);
        Ok(())
    }
}
