//! The indexes of the table of events by which rows answer lists. Nothing needs them once the index of events answers.

use diesel::prelude::*;
use diesel::result::QueryResult;
use diesel::sql_query;
use diesel::sql_types::Text;
use trailkeeper_domain::Result;

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
    let first: Option<i64> = events::table.select(events::seq).first(conn).optional()?;
    if first.is_some() {
        return Ok(());
    }
    for name in existing(conn)? {
        drop_index(conn, name)?;
    }
    Ok(())
}

impl Tx<'_> {
    /// The next index that nothing needs any more: rows answer no list while the index of events does.
    pub fn unneeded_list_index(&mut self) -> Result<Option<&'static str>> {
        if self.indexed_generation()?.is_none() {
            return Ok(None);
        }
        Ok(self.run(TABLE, existing)?.into_iter().next())
    }

    /// Drops the next index that nothing needs any more. Returns its name; `None` if there was none.
    pub fn drop_list_index(&mut self) -> Result<Option<&'static str>> {
        let Some(name) = self.unneeded_list_index()? else { return Ok(None) };
        self.run(TABLE, |conn| drop_index(conn, name))?;
        Ok(Some(name))
    }
}

/// Logs that an index was dropped. Returns whether one was.
pub fn report_dropped(name: Option<&str>) -> bool {
    if let Some(name) = name {
        tracing::info!("all events are in the index of events; dropped {name}, by which rows answered lists");
    }
    name.is_some()
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
