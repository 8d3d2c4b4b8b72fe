//! SQL over the same file, on a separate connection with more cache than those of the server.

use std::path::Path;
use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use diesel::sql_types::BigInt;
use diesel::{Connection as _, QueryableByName, RunQueryDsl as _, SqliteConnection, sql_query};

use crate::watch;

pub struct Sql(SqliteConnection);

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    b: i64,
}

impl Sql {
    pub fn open(path: &Path) -> Self {
        let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        conn.batch_execute("PRAGMA query_only = ON; PRAGMA cache_size = -64000; PRAGMA temp_store = MEMORY").unwrap();
        Self(conn)
    }

    /// The time of the fastest statement, and the total of its rows.
    pub fn best(&mut self, statements: &[String]) -> (Duration, i64) {
        let mut best: Option<(Duration, i64)> = None;
        for statement in statements {
            let mut total = 0;
            let time = watch::shortest(|| total = self.total(statement));
            best = Some(best.map_or((time, total), |best| best.min((time, total))));
        }
        best.unwrap()
    }

    fn total(&mut self, statement: &str) -> i64 {
        let rows: Vec<Row> = sql_query(statement).load(&mut self.0).unwrap();
        rows.iter().map(|row| row.b).sum()
    }
}
