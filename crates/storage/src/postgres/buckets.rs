//! The number of buckets of a database.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::SmallInt;
use trailkeeper_domain::bucket::Buckets;

use super::Conn;
use crate::schema::buckets;

/// The generations of the buckets after the first one, which the migrations made.
const GENERATIONS: &str = "INSERT INTO sheet_generation (bucket, generation, has_postings) \
    SELECT bucket, 1, true FROM generate_series(1, $1 - 1) AS bucket";

/// The number of buckets; `None` while it is not chosen.
pub fn bucket_count(conn: &mut Conn) -> QueryResult<Option<i16>> {
    buckets::table.find(1_i16).select(buckets::count).first(conn)
}

/// Chooses the number of buckets of a new database. Returns the number that the database has.
pub fn choose(conn: &mut Conn, wanted: Buckets) -> QueryResult<i16> {
    let stored: Option<i16> = buckets::table.find(1_i16).select(buckets::count).for_update().first(conn)?;
    if let Some(count) = stored {
        return Ok(count);
    }
    let count = i16::try_from(wanted.count()).unwrap_or(i16::MAX);
    sql_query(GENERATIONS).bind::<SmallInt, _>(count).execute(conn)?;
    diesel::update(buckets::table.find(1_i16)).set(buckets::count.eq(Some(count))).execute(conn)?;
    Ok(count)
}
