//! The indexes of the table of events by which rows answer lists. Nothing needs them once the index of events answers.

use diesel::prelude::*;
use diesel::result::QueryResult;
use diesel::sql_query;
use diesel::sql_types::Text;
use trailkeeper_domain::Result;
use trailkeeper_domain::bucket::{Bucket, Buckets};
use trailkeeper_domain::scope::Scope;

use super::{Conn, Tx, dialect};
use crate::schema::events;

const TABLE: &str = "events";

/// Their names. An index that an operator has added has another one, and stays.
const LIST_INDEXES: [&str; 7] = [
    "events_by_tenant",
    "events_by_time",
    "events_by_user",
    "events_by_kind",
    "events_by_source",
    "events_by_page",
    "events_by_session",
];

/// Drops them if there are no events: the index of events has all later ones.
///
/// # Errors
/// Those of the database.
pub fn drop_list_indexes_of_no_events(conn: &mut Conn) -> QueryResult<()> {
    // Without a number, the database is new.
    let buckets = dialect::bucket_count(conn)?.and_then(|count| Buckets::new(u16::try_from(count).ok()?).ok());
    let buckets: Vec<Bucket> = buckets.unwrap_or(Buckets::ONE).all().collect();
    let first: Option<i64> = dialect::events(&buckets).select(events::seq).first(conn).optional()?;
    if first.is_some() {
        return Ok(());
    }
    for name in existing(conn)? {
        drop_index(conn, name)?;
    }
    Ok(())
}

/// The work of a transaction.
type Work<'w> = dyn FnMut(&mut Tx<'_>) -> Result<()> + 'w;

/// Drops the next of them if nothing needs it any more: rows answer no list while the index of events does. `read` and
/// `write` run a transaction each; `write` returns whether it was possible now. Returns whether an index was dropped.
///
/// With five million events it takes SQLite about a second if the system does not cache the file, and no event can be
/// stored meanwhile.
///
/// # Errors
/// Those of the transactions.
pub fn drop_unneeded_list_index(
    read: impl FnOnce(&mut Work<'_>) -> Result<()>,
    write: impl FnOnce(&mut Work<'_>) -> Result<bool>,
) -> Result<bool> {
    let mut next = None;
    // A transaction that only reads comes first: nearly always there is nothing to drop, and an idle server must not write.
    read(&mut |tx| {
        next = tx.unneeded_list_index()?;
        Ok(())
    })?;
    if next.is_none() {
        return Ok(false);
    }
    let written = write(&mut |tx| {
        next = tx.unneeded_list_index()?;
        next.map_or(Ok(()), |name| tx.run(TABLE, |conn| drop_index(conn, name)))
    })?;
    let dropped = next.filter(|_| written);
    if let Some(name) = dropped {
        tracing::info!("all events are in the index of events; dropped {name}, by which rows answered lists");
    }
    Ok(dropped.is_some())
}

impl Tx<'_> {
    fn unneeded_list_index(&mut self) -> Result<Option<&'static str>> {
        if self.indexed_generations(Scope::Everyone)?.is_none() {
            return Ok(None);
        }
        Ok(self.run(TABLE, existing)?.into_iter().next())
    }
}

fn existing(conn: &mut Conn) -> QueryResult<Vec<&'static str>> {
    #[derive(QueryableByName)]
    struct Index {
        #[diesel(sql_type = Text)]
        name: String,
    }
    let found: Vec<Index> = sql_query(dialect::INDEXES_OF_EVENTS).load(conn)?;
    Ok(LIST_INDEXES.into_iter().filter(|known| found.iter().any(|index| index.name == *known)).collect())
}

fn drop_index(conn: &mut Conn, name: &'static str) -> QueryResult<()> {
    dialect::wait_shortly_for_locks(conn)?;
    sql_query(format!("DROP INDEX {name}")).execute(conn).map(drop)
}
