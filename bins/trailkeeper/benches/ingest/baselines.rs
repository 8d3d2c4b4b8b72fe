//! Baselines: a program without Trailkeeper, with plain inserts of the same rows into the same tables. It stores nothing
//! for analytics, and does not check for known events.

use std::path::Path;

use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::{BigInt, Binary, Integer, Nullable, SmallInt};
use diesel::sqlite::Sqlite;
use diesel::{Connection as _, RunQueryDsl as _, SqliteConnection, sql_query};
use tokio_postgres::NoTls;
use uuid::Uuid;

use crate::rows::Row;

const SQLITE_COLUMNS: &str =
    "tenant_id, id, env_id, occurred_at, received_at, user_ref, kind_ref, outcome, source_ref, page_ref";

/// Inserts `batch` rows per statement and transaction into the migrated file at `path`, with the durability of the
/// server.
pub fn multi_row_inserts(path: &Path, rows: &[Row], batch: usize) {
    let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    conn.batch_execute(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -8000",
    )
    .unwrap();
    for rows in rows.chunks(batch) {
        let values = vec!["(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"; rows.len()].join(", ");
        let mut insert =
            sql_query(format!("INSERT INTO events ({SQLITE_COLUMNS}) VALUES {values}")).into_boxed::<Sqlite>();
        for row in rows {
            insert = insert
                .bind::<Integer, _>(row.tenant_number)
                .bind::<Binary, _>(row.id.as_bytes().to_vec())
                .bind::<BigInt, _>(row.env_id)
                .bind::<BigInt, _>(row.occurred_at)
                .bind::<BigInt, _>(row.received_at)
                .bind::<Nullable<Integer>, _>(row.user_ref)
                .bind::<Integer, _>(row.kind_ref)
                .bind::<SmallInt, _>(row.outcome)
                .bind::<Nullable<Integer>, _>(row.source_ref)
                .bind::<Nullable<Integer>, _>(row.page_ref);
        }
        conn.immediate_transaction(|conn| insert.execute(conn)).unwrap();
    }
}

const UNNEST_EVENTS: &str = "\
INSERT INTO events (bucket, tenant_id, id, seq, occurred_at, received_at, env_id, user_ref, kind_ref, outcome, source_ref, \
page_ref) SELECT 0, sent.* FROM UNNEST($1::uuid[], $2::uuid[], $3::bigint[], $4::timestamptz[], $5::timestamptz[], \
$6::bigint[], $7::integer[], $8::integer[], $9::smallint[], $10::integer[], $11::integer[]) AS sent";

/// Inserts `batch` rows per transaction by `INSERT … SELECT FROM UNNEST` into the migrated database at `url`.
pub fn unnest_inserts(url: &str, rows: &[Row], batch: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (mut client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        tokio::spawn(connection);
        let events = client.prepare(UNNEST_EVENTS).await.unwrap();
        let mut seq = 0;
        for rows in rows.chunks(batch) {
            let tenants: Vec<Uuid> = column(rows, |row| row.tenant_id);
            let keys: Vec<Uuid> = column(rows, |row| row.id);
            let seqs: Vec<i64> = (seq..).take(rows.len()).collect();
            seq += i64::try_from(rows.len()).unwrap();
            let times = column(rows, |row| time(row.occurred_at));
            let transaction = client.transaction().await.unwrap();
            transaction
                .execute(
                    &events,
                    &[
                        &tenants,
                        &keys,
                        &seqs,
                        &times,
                        &column(rows, |row| time(row.received_at)),
                        &column(rows, |row| row.env_id),
                        &column(rows, |row| row.user_ref),
                        &column(rows, |row| row.kind_ref),
                        &column(rows, |row| row.outcome),
                        &column(rows, |row| row.source_ref),
                        &column(rows, |row| row.page_ref),
                    ],
                )
                .await
                .unwrap();
            transaction.commit().await.unwrap();
        }
    });
}

fn column<T>(rows: &[Row], of: impl Fn(&Row) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}

fn time(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap()
}
