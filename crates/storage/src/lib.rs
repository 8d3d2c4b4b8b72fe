//! Trailkeeper's ports on SQLite and PostgreSQL. No other crate uses diesel.
//!
//! [`migrate`] creates or updates the tables of the database that a [`DatabaseUrl`] names, and [`open`] returns a
//! [`Store`] on it. All calls block: call them from plain threads or blocking tasks, never from an async task.
//!
//! ```
//! use trailkeeper_storage::{DatabaseUrl, StoreOptions, migrate, open};
//!
//! # let database = trailkeeper_testkit::TempDatabase::sqlite();
//! # let path = database.path();
//! let url = DatabaseUrl::parse(&format!("sqlite:{}", path.display()))?;
//! let applied = migrate(&url)?;
//! assert!(!applied.is_empty(), "a new database needs every migration");
//!
//! let store = open(&url, &StoreOptions::default())?;
//! store.ready()?;
//! let tenants = store.reading(|tx| tx.tenants(None, 10))?;
//! assert!(tenants.is_empty());
//! # Ok::<(), trailkeeper_domain::Error>(())
//! ```
//!
//! One set of query files (`queries/`) serves both databases. `docs/adr/0001-one-set-of-query-files.md` describes how
//! and gives the reasons.

mod backup;
mod columns;
mod content_version;
mod email_key;
mod epoch;
mod error;
mod generation;
mod hash_key;
mod migrations;
mod names;
mod options;
mod pool;
mod postgres;
mod rows;
mod run_cache;
mod schema;
mod sqlite;
mod unindexed;
mod url;

use std::path::Path;
use std::sync::Arc;

use trailkeeper_domain::Result;
use trailkeeper_domain::ports::{ReadTx, Store};

pub use backup::{StagedBackup, WrittenBackup, partial_backup, stage_backup, write_backup};
pub use options::StoreOptions;
pub use url::DatabaseUrl;

use postgres::{PgStore, PgTarget};
use sqlite::SqliteStore;
use url::Target;

/// Opens a store on a database. Nothing is migrated.
///
/// A SQLite file and its folder are created if they are missing, for their owner only. Files that other users can read
/// are closed to them, with a warning. A PostgreSQL server is not contacted yet; calls of the
/// store fail with [`Error::Unavailable`](trailkeeper_domain::Error::Unavailable) while it is down.
///
/// # Errors
/// The SQLite file is not a database, cannot be opened or cannot be closed to other users, or the PostgreSQL client cannot be set up.
pub fn open(url: &DatabaseUrl, options: &StoreOptions) -> Result<Arc<dyn Store>> {
    Ok(match &url.0 {
        Target::Sqlite(path) => Arc::new(SqliteStore::new(path.clone(), options)?),
        Target::Postgres(target) => Arc::new(PgStore::new(PgTarget::clone(target), options)?),
    })
}

fn sqlite_store(path: &Path, options: &StoreOptions) -> Result<SqliteStore> {
    SqliteStore::new(path.to_owned(), options)
}

fn postgres_store(target: &PgTarget, options: &StoreOptions) -> Result<PgStore> {
    PgStore::new(target.clone(), options)
}

/// Runs the migrations that the database lacks, and returns their names, oldest first.
///
/// Several servers may start at once: one of them runs the migrations, and the others wait for it.
///
/// # Errors
/// The database cannot be reached, a newer version has migrated it, or a migration fails.
pub fn migrate(url: &DatabaseUrl) -> Result<Vec<String>> {
    migrate_with(url, &StoreOptions::default())
}

/// Like [`migrate`], with options other than the defaults.
///
/// # Errors
/// Those of [`migrate`].
pub fn migrate_with(url: &DatabaseUrl, options: &StoreOptions) -> Result<Vec<String>> {
    match &url.0 {
        Target::Sqlite(path) => sqlite_store(path, options)?.migrate(),
        Target::Postgres(target) => postgres_store(target, options)?.migrate(),
    }
}

/// The text of a statement, and the plan of the database for it.
pub type Plan = (String, String);

/// Runs `work` and returns the plans of its statements. Tests find missing indexes by them.
#[doc(hidden)]
pub fn plans(url: &DatabaseUrl, work: &mut dyn FnMut(&mut dyn ReadTx) -> Result<()>) -> Result<Vec<Plan>> {
    match &url.0 {
        Target::Sqlite(path) => sqlite_store(path, &StoreOptions::default())?.plans(work),
        Target::Postgres(target) => postgres_store(target, &StoreOptions::default())?.plans(work),
    }
}
