//! The database whose plans are tested.

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use trailkeeper_domain::hex;
use trailkeeper_postings::delta;
use trailkeeper_storage::{DatabaseUrl, migrate};
use trailkeeper_testkit::{DatabaseKind, TempDatabase, open_store, run_on_postgres};

const SQLITE_ROWS: &str = include_str!("sqlite.sql");
const POSTGRES_ROWS: &str = include_str!("postgres.sql");

/// The indexes of lists in a database of an older version: their names, their columns, and which rows they have.
const LIST_INDEXES: [(&str, &str, &str); 7] = [
    ("events_by_time", "", ""),
    ("events_by_tenant", "tenant_id, ", ""),
    ("events_by_user", "user_ref, ", " WHERE user_ref IS NOT NULL"),
    ("events_by_kind", "kind_ref, ", ""),
    ("events_by_source", "source_ref, ", " WHERE source_ref IS NOT NULL"),
    ("events_by_page", "page_ref, ", " WHERE page_ref IS NOT NULL"),
    ("events_by_session", "session_id, ", " WHERE session_id IS NOT NULL"),
];

/// A million events and other rows, with the indexes of lists and without an index of events.
pub(crate) fn with_rows(kind: DatabaseKind) -> TempDatabase {
    let database = TempDatabase::new(kind);
    migrate(&DatabaseUrl::parse(database.url()).unwrap()).unwrap();
    // Rows are inserted first, and then the indexes are built: faster than letting them grow row by row.
    run(kind, &database, &drop_list_indexes());
    let (rows, last_column) = match kind {
        DatabaseKind::Sqlite => (SQLITE_ROWS, ""),
        DatabaseKind::Postgres => (POSTGRES_ROWS, ", seq"),
    };
    run(kind, &database, rows);
    for (name, columns, rows) in LIST_INDEXES {
        run(kind, &database, &format!("CREATE INDEX {name} ON events ({columns}occurred_at{last_column}){rows}"));
    }
    database
}

/// Drops the indexes of lists, and lets the index of events answer. It has no runs, and some events wait in a delta.
pub(crate) fn index_events(kind: DatabaseKind, database: &TempDatabase) {
    run(kind, database, &drop_list_indexes());
    let mut events = Vec::new();
    let store = open_store!(database);
    store
        .reading(|tx| {
            tx.indexed_events(500_000, 2_000, &mut |event| {
                events.push(*event);
                Ok(())
            })
        })
        .unwrap();
    let (payload, yes) = match kind {
        DatabaseKind::Sqlite => (format!("x'{}'", hex::encode(&delta::encode(&events))), "1"),
        DatabaseKind::Postgres => (format!("decode('{}', 'hex')", hex::encode(&delta::encode(&events))), "true"),
    };
    run(
        kind,
        database,
        &format!(
            "DELETE FROM deltas; DELETE FROM merge_passes; INSERT INTO deltas VALUES (0, 1, 2000, {payload}); \
             UPDATE sheet_generation SET generation = 99, has_postings = {yes}"
        ),
    );
}

fn drop_list_indexes() -> String {
    LIST_INDEXES.map(|(name, ..)| format!("DROP INDEX IF EXISTS {name}; ")).concat()
}

fn run(kind: DatabaseKind, database: &TempDatabase, sql: &str) {
    match kind {
        DatabaseKind::Sqlite => {
            let mut conn = SqliteConnection::establish(database.path().to_str().unwrap()).unwrap();
            conn.batch_execute(sql).unwrap();
        }
        DatabaseKind::Postgres => drop(run_on_postgres(database.url(), sql)),
    }
}
