//! Opens connections to the data file.

use std::sync::Arc;
use std::time::Duration;

use diesel::connection::{
    AnsiTransactionManager, Connection, InstrumentationEvent, SimpleConnection, TransactionManager,
};
use diesel::{QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use parking_lot::Mutex;
use trailkeeper_domain::Result;

use super::file::{DataFile, FileId};
use crate::error;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Any number at once, each with a snapshot.
    Read,
    /// One at a time.
    Write,
}

impl Purpose {
    /// How its transactions begin. A writer takes its place in the queue at once: one that read first and then
    /// wanted to write would be refused without waiting if another had written in between.
    pub fn begin(self) -> &'static str {
        match self {
            Self::Read => "BEGIN DEFERRED",
            Self::Write => "BEGIN IMMEDIATE",
        }
    }

    /// Settings of the connection. Caches are small: the operating system caches the file as well.
    fn settings(self) -> &'static str {
        match self {
            Self::Read => "PRAGMA query_only = ON; PRAGMA cache_size = -4000;",
            // Acknowledged means durable: FULL syncs the log at every commit. The log grows to 16 MiB before its pages
            // go to the file: the pages of the indexes change again and again, and are then written once.
            Self::Write => {
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000; \
                 PRAGMA cache_size = -8000;"
            }
        }
    }
}

/// A connection, and which file it has open.
pub struct FileConnection {
    /// diesel's connection.
    pub inner: SqliteConnection,
    /// The file that it has open, wherever that is by now.
    pub file: FileId,
}

impl FileConnection {
    /// Opens the file that is there; never makes one.
    pub fn open(file: &DataFile, purpose: Purpose, busy_timeout: Duration) -> Result<Self> {
        let id = file.id()?;
        let mut inner = SqliteConnection::establish(&file.uri()).map_err(error::of_connection)?;
        let settings = format!(
            "PRAGMA busy_timeout = {}; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; {}",
            busy_timeout.as_millis(),
            purpose.settings()
        );
        inner.batch_execute(&settings).map_err(|failure| error::of_statement("settings", failure))?;
        Ok(Self { inner, file: id })
    }

    /// Whether it may serve again: not stuck inside a transaction.
    pub fn is_sound(&mut self) -> bool {
        !AnsiTransactionManager::is_broken_transaction_manager(&mut self.inner)
    }

    /// Remembers the text of every statement from here on.
    pub fn record(&mut self) -> Arc<Mutex<Vec<String>>> {
        let texts = Arc::new(Mutex::new(Vec::new()));
        let recorder = Arc::clone(&texts);
        self.inner.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event {
                let shown = query.to_string();
                let text = shown.split_once(" -- binds: ").map_or(shown.as_str(), |(text, _)| text).to_owned();
                recorder.lock().push(text);
            }
        });
        texts
    }

    /// The plan of one statement. Values do not matter to it: SQLite plans without looking at them.
    pub fn plan(&mut self, statement: &str) -> Result<String> {
        #[derive(QueryableByName)]
        struct Step {
            #[diesel(sql_type = diesel::sql_types::Text)]
            detail: String,
        }
        let steps: Vec<Step> = sql_query(format!("EXPLAIN QUERY PLAN {statement}"))
            .load(&mut self.inner)
            .map_err(|failure| error::of_statement("explain", failure))?;
        Ok(steps.into_iter().map(|step| step.detail).collect::<Vec<_>>().join("\n"))
    }
}
