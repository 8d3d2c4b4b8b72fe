//! Bytes of each table and index of a SQLite file, by the `dbstat` of the SQLite that is compiled in.

use diesel::connection::SimpleConnection as _;
use diesel::sql_types::{BigInt, Text};
use diesel::{Connection as _, QueryableByName, RunQueryDsl as _, SqliteConnection, sql_query};
use serde_json::{Value, json};

#[derive(QueryableByName)]
struct Part {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    of_table: String,
    #[diesel(sql_type = BigInt)]
    bytes: i64,
}

#[derive(QueryableByName)]
struct Free {
    #[diesel(sql_type = BigInt)]
    bytes: i64,
}

/// Moves the log into the file. Returns `[[table, table or index, bytes], …]` with a last entry for the free pages.
pub fn sizes(file: &str) -> Value {
    let mut conn = SqliteConnection::establish(file).unwrap();
    conn.batch_execute("PRAGMA busy_timeout = 60000; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let parts: Vec<Part> = sql_query(
        "SELECT stat.name, coalesce(schema.tbl_name, stat.name) AS of_table, stat.pgsize AS bytes FROM dbstat AS stat \
         LEFT JOIN sqlite_schema AS schema ON schema.name = stat.name WHERE stat.aggregate = TRUE ORDER BY bytes DESC",
    )
    .load(&mut conn)
    .unwrap();
    let free: Free =
        sql_query("SELECT freelist_count * page_size AS bytes FROM pragma_freelist_count, pragma_page_size")
            .get_result(&mut conn)
            .unwrap();
    let parts = parts.into_iter().map(|part| json!([part.of_table, part.name, part.bytes]));
    parts.chain([json!(["free pages", "free pages", free.bytes])]).collect()
}
