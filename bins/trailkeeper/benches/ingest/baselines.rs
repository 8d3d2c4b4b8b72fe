//! What a program without Trailkeeper would do.

use std::path::Path;

use diesel::connection::SimpleConnection as _;
use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use diesel::sqlite::Sqlite;
use diesel::{Connection as _, RunQueryDsl as _, SqliteConnection, sql_query};
use trailkeeper_domain::event::Event;

const COLUMNS: &str =
    "tenant_id, id, env_id, occurred_at, received_at, user_id, kind, outcome, page, page_key, session_id";

/// Plain inserts of `batch` rows each, one transaction each, into the migrated file at `path`, as durable as the server.
pub fn multi_row_inserts(path: &Path, events: &[Event], batch: usize) {
    let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    conn.batch_execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000")
        .unwrap();
    for rows in events.chunks(batch) {
        let places = vec!["(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"; rows.len()].join(", ");
        let mut insert = sql_query(format!("INSERT INTO events ({COLUMNS}) VALUES {places}")).into_boxed::<Sqlite>();
        for event in rows {
            insert = insert
                .bind::<Binary, _>(event.tenant_id.0.as_bytes().to_vec())
                .bind::<Binary, _>(event.id.0.as_bytes().to_vec())
                .bind::<BigInt, _>(i64::from(event.env_id.0))
                .bind::<BigInt, _>(event.occurred_at.timestamp_micros())
                .bind::<BigInt, _>(event.received_at.timestamp_micros())
                .bind::<Nullable<Text>, _>(event.user_id.as_ref().map(|user| user.as_str().to_owned()))
                .bind::<Text, _>(event.kind.as_str().to_owned())
                .bind::<Text, _>(event.outcome.as_str())
                .bind::<Nullable<Text>, _>(event.page.as_ref().map(|page| page.sent.clone()))
                .bind::<Nullable<Text>, _>(event.page.as_ref().map(|page| page.key.clone()))
                .bind::<Nullable<Text>, _>(event.session_id.clone());
        }
        conn.immediate_transaction(|conn| insert.execute(conn)).unwrap();
    }
}
