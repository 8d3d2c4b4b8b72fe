//! Opens connections to the data file.

use std::sync::Arc;
use std::time::Duration;

use diesel::connection::{
    AnsiTransactionManager, Connection, InstrumentationEvent, SimpleConnection, TransactionManager,
};
use diesel::{QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use parking_lot::Mutex;
use trailkeeper_domain::{Error, Result};

use super::file::{DataFile, FileId};
use super::log::OpenLog;
use crate::error;

/// The purpose of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Reading: any number of connections at once, each with a snapshot.
    Read,
    /// Writing: one connection at a time.
    Write,
}

impl Purpose {
    /// The statement that begins its transactions. A writer takes the write lock at once: a transaction that reads first and
    /// then writes fails without waiting if another one has written in between.
    pub fn begin(self) -> &'static str {
        match self {
            Self::Read => "BEGIN DEFERRED",
            Self::Write => "BEGIN IMMEDIATE",
        }
    }

    /// Settings of the connection. Caches are small, because the operating system also caches the file.
    fn settings(self) -> &'static str {
        match self {
            Self::Read => "PRAGMA query_only = ON; PRAGMA cache_size = -4000;",
            // Acknowledged means durable: FULL syncs the log at every commit. The log grows to 16 MiB before its pages are
            // written to the file, because the pages of indexes change often and are then written once.
            Self::Write => {
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000; \
                 PRAGMA cache_size = -8000;"
            }
        }
    }
}

/// A connection and the identity of its file.
pub struct FileConnection {
    /// diesel's connection.
    pub inner: SqliteConnection,
    /// The file that it has open, even if the file was moved since.
    pub file: FileId,
    /// The log that it has open.
    pub log: OpenLog,
}

impl FileConnection {
    /// Opens an existing file.
    pub fn open(file: &DataFile, purpose: Purpose, busy_timeout: Duration) -> Result<Self> {
        let id = file.id()?;
        let mut inner = SqliteConnection::establish(&file.uri()).map_err(error::of_connection)?;
        let settings = format!(
            "PRAGMA busy_timeout = {}; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; {}",
            busy_timeout.as_millis(),
            purpose.settings()
        );
        inner.batch_execute(&settings).map_err(|failure| error::of_statement("settings", failure))?;
        Ok(Self { inner, file: id, log: OpenLog::of(file.path()) })
    }

    /// Moves everything that is in the log into the data file, and empties the log.
    ///
    /// # Errors
    /// The data file cannot be written, or another connection reads the log.
    pub fn empty_log(&mut self) -> Result<()> {
        #[derive(QueryableByName)]
        struct Outcome {
            #[diesel(sql_type = diesel::sql_types::Integer)]
            busy: i32,
        }
        let outcome: Outcome = sql_query("PRAGMA wal_checkpoint(TRUNCATE)")
            .get_result(&mut self.inner)
            .map_err(|failure| error::of_statement("log", failure))?;
        match outcome.busy {
            0 => Ok(()),
            _ => Err(Error::unavailable("another connection uses the log")),
        }
    }

    /// Whether the connection can be used again: it is not inside a broken transaction.
    pub fn is_sound(&mut self) -> bool {
        !AnsiTransactionManager::is_broken_transaction_manager(&mut self.inner)
    }

    /// Records the text of every statement from now on.
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

    /// The plan of one statement. It needs no values: SQLite plans without them.
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
