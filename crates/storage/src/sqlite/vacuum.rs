//! Gives the free pages of the data file back to the file system.

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::BigInt;
use trailkeeper_domain::Result;
use trailkeeper_domain::ports::Space;

use super::connection::FileConnection;
use crate::error;

/// The size of the file and of its free pages.
pub fn space(connection: &mut FileConnection) -> Result<Space> {
    #[derive(QueryableByName)]
    struct Pages {
        #[diesel(sql_type = BigInt)]
        all: i64,
        #[diesel(sql_type = BigInt)]
        free: i64,
        #[diesel(sql_type = BigInt)]
        size: i64,
    }
    let pages: Pages = sql_query(
        "SELECT page_count AS \"all\", freelist_count AS free, page_size AS size \
         FROM pragma_page_count, pragma_freelist_count, pragma_page_size",
    )
    .get_result(&mut connection.inner)
    .map_err(|failure| error::of_statement("pages", failure))?;
    let bytes = |pages: i64, size: i64| pages.saturating_mul(size).max(0).cast_unsigned();
    Ok(Space { bytes: bytes(pages.all, pages.size), free: bytes(pages.free, pages.size) })
}

/// Writes the file again without free pages. No other connection can write meanwhile; readers keep their snapshots.
pub fn vacuum(connection: &mut FileConnection) -> Result<()> {
    // The copy of a large file does not fit into memory. The checkpoint makes the file shorter; if a reader prevents it, the
    // next one does.
    let statements = "PRAGMA temp_store = FILE; VACUUM; PRAGMA wal_checkpoint(TRUNCATE);";
    connection.inner.batch_execute(statements).map_err(|failure| error::of_statement("vacuum", failure))
}
