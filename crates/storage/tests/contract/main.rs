//! The contract of the ports. Every case runs on both databases.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on should say where")]

mod access;
mod activity;
mod buckets;
mod by_postings;
mod deltas;
mod directory;
mod event_filters;
mod events;
mod exactly_once;
mod facts;
mod feed;
mod ids;
mod indexed_events;
mod ingest;
mod leases;
mod list_indexes;
mod long_sheets;
mod lost_names;
mod names;
mod pages;
mod posting_sweeps;
mod postings;
mod random;
mod retention;
mod sessions;
mod settled;
mod sheet_keys;
mod sheets;
mod streams;
mod tenant_counts;
mod throttle;
mod transactions;
mod writers;

use std::ops::Deref;
use std::sync::Arc;

use trailkeeper_domain::ports::Store;
use trailkeeper_storage::StoreOptions;
use trailkeeper_testkit::{DatabaseKind, TempDatabase, World, open_store, run_on_postgres};

/// A migrated, empty database with a store on it.
pub(crate) struct TestStore {
    world: World,
    /// Where the events of a test lie.
    pub(crate) events_in: EventsIn,
}

/// What answers questions about events.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventsIn {
    /// Waiting deltas, if nothing merges them.
    Deltas,
    /// Runs, and waiting deltas.
    Runs,
    /// Rows: the database has no index of events.
    Rows,
}

impl Deref for TestStore {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

impl TestStore {
    pub(crate) fn new(kind: DatabaseKind) -> Self {
        Self { world: World::new(kind, |database| open_store!(database)), events_in: EventsIn::Deltas }
    }

    /// Another store on the same database, as another server has one.
    pub(crate) fn another(&self, options: &StoreOptions) -> Arc<dyn Store> {
        open_store!(self.database, options)
    }

    /// The rows of a query that bypasses the code under test, as texts. Null is an empty text.
    pub(crate) fn ask(&self, sql: &str) -> Vec<Vec<String>> {
        match self.kind {
            DatabaseKind::Sqlite => ask_sqlite(&self.database, sql),
            DatabaseKind::Postgres => run_on_postgres(self.database.url(), sql)
                .into_iter()
                .map(|row| row.into_iter().map(Option::unwrap_or_default).collect())
                .collect(),
        }
    }
}

fn ask_sqlite(database: &TempDatabase, sql: &str) -> Vec<Vec<String>> {
    use diesel::connection::LoadConnection;
    use diesel::row::{Field, Row};
    use diesel::sqlite::Sqlite;
    use diesel::{Connection, SqliteConnection};

    let mut conn = SqliteConnection::establish(database.path().to_str().unwrap()).unwrap();
    let rows = conn.load(diesel::sql_query(sql).into_boxed::<Sqlite>()).unwrap();
    rows.map(|row| {
        let row = row.unwrap();
        let text = |at| row.get(at).and_then(|field: _| Field::value(&field).map(|mut v| v.read_text().to_owned()));
        (0..row.field_count()).map(|at| text(at).unwrap_or_default()).collect()
    })
    .collect()
}

/// A method that no case calls is untested.
#[test]
fn every_method_of_every_port_has_a_case() {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read_all = |folder: std::path::PathBuf| -> String {
        std::fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
            // Their own tests are no methods.
            .map(|text| text.split("#[cfg(test)]").next().unwrap_or_default().to_owned())
            .collect()
    };
    let ports = read_all(here.join("../domain/src/ports"));
    let cases = read_all(here.join("tests/contract"));
    let methods: Vec<&str> = ports
        .lines()
        .filter_map(|line| line.trim().strip_prefix("fn "))
        .filter_map(|rest| rest.split_once('(').map(|(name, _)| name))
        .collect();
    assert!(methods.len() > 40, "the ports were not read: {methods:?}");
    let missing: Vec<_> = methods.into_iter().filter(|name| !cases.contains(&format!(".{name}("))).collect();
    assert!(missing.is_empty(), "no case calls {missing:?}");
}
