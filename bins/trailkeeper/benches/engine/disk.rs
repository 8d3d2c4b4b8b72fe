//! Disk space per event, by table and index.

use diesel::connection::SimpleConnection as _;
use diesel::sql_types::{BigInt, Text};
use diesel::{Connection as _, QueryableByName, RunQueryDsl as _, SqliteConnection, sql_query};

use crate::dataset::Dataset;

#[derive(QueryableByName)]
struct Part {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = BigInt)]
    bytes: i64,
}

/// Tables and indexes with fewer bytes per event than this are summed up in one row.
const WORTH_A_ROW: f64 = 0.5;

pub fn show(data: &Dataset) {
    let path = data.path();
    let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    conn.batch_execute("PRAGMA busy_timeout = 60000; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let log = path.with_file_name(format!("{}-wal", path.file_name().unwrap().to_str().unwrap()));
    let bytes: u64 = [path, log].iter().filter_map(|file| Some(file.metadata().ok()?.len())).sum();
    let parts: Vec<Part> =
        sql_query("SELECT name, pgsize AS bytes FROM dbstat WHERE aggregate = TRUE ORDER BY pgsize DESC")
            .load(&mut conn)
            .unwrap();
    println!("| on the disk, SQLite | bytes per event | target |\n|---|---|---|");
    println!("| all, checkpointed | {:.1} | 150 |", per_event(data, i64::try_from(bytes).unwrap()));
    let mut rest = 0.0;
    for part in parts {
        let bytes = per_event(data, part.bytes);
        if bytes < WORTH_A_ROW {
            rest += bytes;
        } else {
            println!("| `{}` | {bytes:.1} | |", part.name);
        }
    }
    println!("| everything else | {rest:.1} | |\n");
}

#[expect(clippy::cast_precision_loss, reason = "bytes are shown with four digits")]
fn per_event(data: &Dataset, bytes: i64) -> f64 {
    bytes as f64 / f64::from(data.events)
}
