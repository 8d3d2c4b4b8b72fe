//! The ports, once for both databases.
//!
//! This folder is mounted as a module twice: inside `sqlite` and inside `postgres`, each of which names its connection
//! `Conn` and its diesel backend `Db`. So every query is a plain function over one concrete type, without bounds and
//! without macros; what the two databases do not share stands in their `dialect`.
//! `docs/adr/0001-one-set-of-query-files.md` tells why.

mod access;
mod access_writes;
mod activity;
mod directory;
mod directory_writes;
mod event_filter;
mod event_names;
mod events;
mod facts;
mod names;
mod question;
mod sheet_keys;
mod sheets;
mod sheets_writes;
mod throttle;

use std::sync::Arc;

use chrono::NaiveDate;
use diesel::connection::{AnsiTransactionManager, TransactionManager};
use diesel::result::{Error as DieselError, QueryResult};
use trailkeeper_domain::ports::{ReadTx, Summarizer, WriteTx};
use trailkeeper_domain::{Error, Result};

pub use event_names::MissingReferences;

use super::{Conn, Db, dialect};
use crate::epoch;
use crate::error;
use crate::names::{Fresh, NameCache};
use crate::options::StoreOptions;

/// What transactions of one connection share with all others of its database.
pub struct Shared {
    /// Turns new events into deltas.
    pub summarizer: Arc<dyn Summarizer>,
    /// Names and numbers that are committed.
    pub names: NameCache,
    /// How many new pages a tenant may bring on one UTC day.
    pub new_pages_per_day: u32,
    /// The line of commits that they are in.
    pub epoch: u64,
}

impl Shared {
    /// Knows nothing yet, and so is the beginning of a line of its own.
    pub fn new(options: &StoreOptions, summarizer: &Arc<dyn Summarizer>) -> Self {
        Self {
            summarizer: Arc::clone(summarizer),
            names: NameCache::new(options.cached_names),
            new_pages_per_day: options.new_pages_per_day,
            epoch: epoch::next(),
        }
    }
}

/// An open transaction: every port is reached from it.
pub struct Tx<'a> {
    conn: &'a mut Conn,
    shared: &'a Shared,
    broken: Option<Broken>,
    /// Names that got their numbers in this transaction.
    fresh: Fresh,
    /// What must be there before this transaction can be run.
    missing: MissingReferences,
    /// Months whose partitions it made.
    made: Vec<NaiveDate>,
}

impl ReadTx for Tx<'_> {}
impl WriteTx for Tx<'_> {}

/// What a failed statement means for its transaction.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Broken {
    /// It cannot be committed.
    ForGood,
    /// It cannot be committed, and running it again may work.
    ForNow,
}

impl Tx<'_> {
    /// Runs one statement on a table, or a few; an error ends the transaction.
    fn run<T>(&mut self, table: &'static str, statement: impl FnOnce(&mut Conn) -> QueryResult<T>) -> Result<T> {
        self.attempt(statement).map_err(|error| error::of_statement(table, error))
    }

    /// The connection itself, for questions about the database rather than its rows.
    pub fn connection(&mut self) -> &mut Conn {
        self.conn
    }

    /// Like [`Self::run`], for callers that tell one error of the database from another.
    fn attempt<T>(&mut self, statement: impl FnOnce(&mut Conn) -> QueryResult<T>) -> QueryResult<T> {
        statement(self.conn).inspect_err(|error| {
            self.broken = Some(if error::asks_for_retry(error) { Broken::ForNow } else { Broken::ForGood });
        })
    }
}

/// How a transaction came to nothing.
pub enum TxFailure {
    /// It did not even begin, so that it may be tried on another connection.
    NotBegun(Error),
    /// The database asks to run it again.
    Again(Error),
    /// It was rolled back, and can be run once this is there.
    Lacks(MissingReferences),
    /// It was rolled back.
    Failed(Error),
}

impl TxFailure {
    /// What the caller is told.
    pub fn into_error(self) -> Error {
        match self {
            Self::NotBegun(error) | Self::Again(error) | Self::Failed(error) => error,
            Self::Lacks(missing) => missing.to_error(),
        }
    }
}

/// Runs `work` in one transaction that `begin` opens, and commits it when `work` and then `last_look` agree.
pub fn transaction(
    conn: &mut Conn,
    shared: &Shared,
    begin: &str,
    work: &mut dyn FnMut(&mut Tx<'_>) -> Result<()>,
    last_look: &dyn Fn() -> Result<()>,
) -> Result<(), TxFailure> {
    AnsiTransactionManager::begin_transaction_sql(conn, begin)
        .map_err(|error| TxFailure::NotBegun(error::of_statement("begin", error)))?;
    let mut tx = Tx {
        conn,
        shared,
        broken: None,
        fresh: Fresh::default(),
        missing: MissingReferences::default(),
        made: Vec::new(),
    };
    let outcome = work(&mut tx).and_then(|()| last_look());
    let Tx { broken, fresh, missing, made, .. } = tx;
    let failure = match (outcome, broken) {
        (Ok(()), None) if missing.is_empty() => {
            AnsiTransactionManager::commit_transaction(conn).map_err(|error| {
                let again = error::asks_for_retry(&error);
                let error = error::of_statement("commit", error);
                if again { TxFailure::Again(error) } else { TxFailure::Failed(error) }
            })?;
            // Not a moment earlier: numbers of a transaction that is rolled back are given to other names.
            shared.names.put(fresh.into_pairs());
            shared.names.put_months(made);
            return Ok(());
        }
        // PostgreSQL answers COMMIT of a failed transaction with success and a rollback.
        (Ok(()), _) => Error::internal("a statement failed and the transaction went on as if it had not"),
        (Err(error), _) => error,
    };
    if let Err(error) = AnsiTransactionManager::rollback_transaction(conn) {
        // The connection is not kept then, and with it goes what it held.
        tracing::debug!(error = %error, "rollback failed");
    }
    Err(match broken {
        Some(Broken::ForNow) => TxFailure::Again(failure),
        None if !missing.is_empty() => TxFailure::Lacks(missing),
        _ => TxFailure::Failed(failure),
    })
}

/// Names of the migrations that the database has. `None` where it never had any.
pub fn applied_migrations(conn: &mut Conn) -> Result<Option<Vec<String>>, DieselError> {
    use diesel::prelude::*;
    use diesel::sql_types::{BigInt, Text};

    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        tables: i64,
    }
    #[derive(QueryableByName)]
    struct Version {
        #[diesel(sql_type = Text)]
        version: String,
    }
    let found: Count = diesel::sql_query(dialect::COUNT_MIGRATION_TABLES).get_result(conn)?;
    if found.tables == 0 {
        return Ok(None);
    }
    let versions: Vec<Version> =
        diesel::sql_query("SELECT version FROM __diesel_schema_migrations ORDER BY version").load(conn)?;
    Ok(Some(versions.into_iter().map(|row| row.version).collect()))
}

/// How many rows a list fetches, as the databases count.
fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
