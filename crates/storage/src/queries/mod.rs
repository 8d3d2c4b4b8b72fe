//! The ports, written once for both databases.
//!
//! This folder is mounted as a module twice: inside `sqlite` and inside `postgres`. Each of them names its connection
//! `Conn` and its diesel backend `Db`, so every query is a plain function over one concrete type, without bounds and
//! without macros. SQL that differs between the databases is in their `dialect` modules.
//! `docs/adr/0001-one-set-of-query-files.md` gives the reasons.

mod access;
mod access_writes;
mod activity;
mod buckets;
mod by_postings;
mod content_version;
mod deltas;
mod directory;
mod directory_writes;
pub mod emails;
mod event_filter;
mod event_names;
mod event_query;
mod events;
mod facts;
mod feed;
mod hash_key;
mod list_indexes;
mod long_sheets;
mod merge_passes;
mod missing_names;
mod missing_references;
mod names;
mod pages;
mod postings;
mod postings_writes;
mod retention;
mod sheet_keys;
mod sheets;
mod sheets_writes;
mod streams;
mod tenant_counts;
mod text_query;
mod throttle;

use std::sync::OnceLock;

use diesel::connection::{AnsiTransactionManager, TransactionManager};
use diesel::result::{Error as DieselError, QueryResult};
use trailkeeper_domain::bucket::{Bucket, Buckets};
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::page::PageRuleState;
use trailkeeper_domain::ports::{ReadTx, WriteTx};
use trailkeeper_domain::{Error, Result};

pub use list_indexes::{drop_list_indexes_of_no_events, drop_unneeded_list_index};
pub use missing_references::MissingReferences;

use super::{Conn, Db, dialect};
use crate::columns::DbTenant;
use crate::content_version::KnownVersion;
use crate::epoch;
use crate::error;
use crate::hash_key::HashKey;
use crate::names::{NameCache, NewNames};
use crate::options::StoreOptions;
use crate::run_cache::RunCache;

/// State that all connections to one database share.
pub struct Shared {
    /// Committed names and their numbers.
    pub names: NameCache,
    /// Parts of the index of events.
    pub runs: RunCache,
    /// The number of new pages that a tenant may add to the dictionary on one UTC day.
    pub new_pages_per_day: u32,
    /// The epoch of everything that is cached here, see `SheetReads::epoch`.
    pub epoch: u64,
    /// The content version of everything that is cached here.
    pub version: KnownVersion,
    /// The buckets of the database, once a transaction has read their number.
    pub buckets: OnceLock<Buckets>,
    /// The key of hashes, once a transaction has read it.
    pub hash_key: OnceLock<HashKey>,
    /// What is known of the ids and numbers of events.
    pub ids: dialect::Ids,
}

impl Shared {
    /// Empty caches, and so a new epoch.
    pub fn new(options: &StoreOptions, version: KnownVersion) -> Self {
        Self {
            names: NameCache::new(options.cached_names),
            runs: RunCache::new(options.cached_run_bytes),
            new_pages_per_day: options.new_pages_per_day,
            epoch: epoch::next(),
            version,
            buckets: OnceLock::new(),
            hash_key: OnceLock::new(),
            ids: dialect::Ids::new(options),
        }
    }
}

/// An open transaction. It implements every port.
pub struct Tx<'a> {
    conn: &'a mut Conn,
    shared: &'a Shared,
    /// The bucket that was entered.
    bucket: Option<Bucket>,
    broken: Option<Broken>,
    /// Names that got their numbers in this transaction. No other transaction may use them before the commit.
    new_names: NewNames,
    /// Events that this transaction stored.
    new_ids: dialect::NewIds,
    /// Names that must be committed before this transaction can run.
    missing: MissingReferences,
    /// Whether this transaction wrote or deleted sheets.
    changed_sheets: bool,
    /// The number of changes in the content version, if this transaction counted itself.
    changes: Option<i64>,
    /// The rule of pages, once this transaction has read it.
    page_rule: Option<PageRuleState>,
    /// The tenant that was asked for last, as a value of conditions.
    asked_tenant: Option<(TenantId, DbTenant)>,
}

impl ReadTx for Tx<'_> {}
impl WriteTx for Tx<'_> {}

/// The consequence of a failed statement: the transaction cannot be committed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Broken {
    /// Another run would fail too.
    Permanently,
    /// Another run may succeed.
    Temporarily,
}

impl Tx<'_> {
    /// Runs statements on a table. After an error the transaction cannot be committed.
    fn run<T>(&mut self, table: &'static str, statement: impl FnOnce(&mut Conn) -> QueryResult<T>) -> Result<T> {
        self.attempt(statement).map_err(|error| error::of_statement(table, error))
    }

    /// The connection, for queries about the database instead of its rows.
    pub fn connection(&mut self) -> &mut Conn {
        self.conn
    }

    /// The connection and the state that it shares with others.
    pub fn parts(&mut self) -> (&mut Conn, &Shared) {
        (self.conn, self.shared)
    }

    /// Like [`Self::run`], but returns the error of the database, for callers that distinguish errors.
    fn attempt<T>(&mut self, statement: impl FnOnce(&mut Conn) -> QueryResult<T>) -> QueryResult<T> {
        statement(self.conn).inspect_err(|error| {
            self.broken = Some(if error::asks_for_retry(error) { Broken::Temporarily } else { Broken::Permanently });
        })
    }
}

/// The reason why a transaction was not committed.
pub enum TxFailure {
    /// It did not begin. It may be run on another connection.
    NotBegun(Error),
    /// It was rolled back, and the database asks to run it again.
    Retry(Error),
    /// It was rolled back, and can run once these references are committed.
    Missing(MissingReferences),
    /// It was rolled back.
    Failed(Error),
}

impl TxFailure {
    /// The error for the caller.
    pub fn into_error(self) -> Error {
        match self {
            Self::NotBegun(error) | Self::Retry(error) | Self::Failed(error) => error,
            Self::Missing(missing) => missing.to_error(),
        }
    }
}

/// Opens a transaction by the statement `begin`.
pub fn begin(conn: &mut Conn, begin: &str) -> Result<(), TxFailure> {
    dialect::begin(conn, begin).map_err(|error| TxFailure::NotBegun(error::of_begin(error)))
}

/// Rolls an open transaction back.
pub fn roll_back(conn: &mut Conn) {
    if let Err(error) = AnsiTransactionManager::rollback_transaction(conn) {
        // The connection is then dropped, which ends the transaction.
        tracing::debug!(error = %error, "rollback failed");
    }
}

/// Runs `work` in the transaction that is open, and commits it if `work` and then `before_commit` return `Ok`; otherwise
/// rolls it back.
pub fn run(
    conn: &mut Conn,
    shared: &Shared,
    work: &mut dyn FnMut(&mut Tx<'_>) -> Result<()>,
    before_commit: &dyn Fn() -> Result<()>,
) -> Result<(), TxFailure> {
    let mut tx = Tx {
        conn,
        shared,
        bucket: None,
        broken: None,
        new_names: NewNames::default(),
        new_ids: dialect::NewIds::default(),
        missing: MissingReferences::default(),
        changed_sheets: false,
        changes: None,
        page_rule: None,
        asked_tenant: None,
    };
    let outcome = work(&mut tx).and_then(|()| {
        if dialect::HAS_CONTENT_VERSION && (tx.changed_sheets || !tx.new_names.is_empty()) {
            tx.count_change()?;
        }
        before_commit()
    });
    let Tx { broken, new_names, new_ids, missing, changes, .. } = tx;
    let failure = match (outcome, broken) {
        (Ok(()), None) if missing.is_empty() => {
            AnsiTransactionManager::commit_transaction(conn).map_err(|error| {
                // It may be committed all the same.
                shared.ids.forget();
                let again = error::asks_for_retry(&error);
                let error = error::of_commit(error);
                if again { TxFailure::Retry(error) } else { TxFailure::Failed(error) }
            })?;
            if let Some(changes) = changes {
                shared.version.committed(changes);
            }
            // Only after the commit: the numbers of a transaction that is rolled back are given to other names.
            shared.names.put(new_names.into_pairs());
            new_ids.committed(&shared.ids);
            return Ok(());
        }
        // PostgreSQL answers COMMIT of a failed transaction with success, and rolls it back.
        (Ok(()), _) => Error::internal("a statement failed, and the transaction continued"),
        (Err(error), _) => error,
    };
    roll_back(conn);
    new_ids.rolled_back(&shared.ids);
    Err(match broken {
        Some(Broken::Temporarily) => TxFailure::Retry(failure),
        None if !missing.is_empty() => TxFailure::Missing(missing),
        _ => TxFailure::Failed(failure),
    })
}

/// Versions of the applied migrations in ascending order; `None` if the database never had any.
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

/// A number of rows as the type that the databases use.
fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
