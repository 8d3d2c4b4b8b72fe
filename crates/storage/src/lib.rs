//! Trailkeeper's ports on SQLite and PostgreSQL. The only crate that knows diesel.
//!
//! [`open`] gives the [`Store`](trailkeeper_domain::ports::Store) that a [`DatabaseUrl`] names; [`migrate`] brings its
//! tables up to date first. Everything blocks: call it from plain threads or from blocking ones, never from inside an
//! async task.
//!
//! One set of query files serves both databases (`queries/`); how, and why so, is told in
//! `docs/adr/0001-one-set-of-query-files.md`.

mod columns;
mod epoch;
mod error;
mod migrations;
mod names;
mod options;
mod pool;
mod postgres;
mod rows;
mod schema;
mod sqlite;
mod unindexed;
mod url;

use std::path::Path;
use std::sync::Arc;

use trailkeeper_domain::Result;
use trailkeeper_domain::fact::EventFact;
use trailkeeper_domain::ports::{NewDelta, ReadTx, Store, Summarizer};

pub use options::StoreOptions;
pub use url::DatabaseUrl;

use postgres::{PgStore, PgTarget};
use sqlite::SqliteStore;
use url::Target;

/// Opens a database. A SQLite file is made, with its folder, where there is none; nothing is migrated. The summaries
/// of new events come from `summarizer`.
///
/// A PostgreSQL server need not be up yet: whoever asks it for something then is told that it cannot serve right now.
pub fn open(url: &DatabaseUrl, options: &StoreOptions, summarizer: Arc<dyn Summarizer>) -> Result<Arc<dyn Store>> {
    Ok(match &url.0 {
        Target::Sqlite(path) => Arc::new(SqliteStore::new(path.clone(), options, summarizer)?),
        Target::Postgres(target) => Arc::new(PgStore::new(PgTarget::clone(target), options, summarizer)?),
    })
}

/// For stores that live as long as one function of this crate, and in which no event is ever stored.
struct NoEvents;

impl Summarizer for NoEvents {
    fn deltas(&self, _facts: &[EventFact]) -> Vec<NewDelta> {
        Vec::new()
    }
}

fn sqlite_store(path: &Path) -> Result<SqliteStore> {
    SqliteStore::new(path.to_owned(), &StoreOptions::default(), Arc::new(NoEvents))
}

fn postgres_store(target: &PgTarget) -> Result<PgStore> {
    PgStore::new(target.clone(), &StoreOptions::default(), Arc::new(NoEvents))
}

/// Runs the migrations that the database lacks, and names them. Safe when several servers start at once: one of them
/// does it, the others wait for it.
pub fn migrate(url: &DatabaseUrl) -> Result<Vec<String>> {
    match &url.0 {
        Target::Sqlite(path) => sqlite_store(path)?.migrate(),
        Target::Postgres(target) => postgres_store(target)?.migrate(),
    }
}

/// A statement's text and the plan that the database has for it.
pub type Plan = (String, String);

/// The plans of the statements that `work` runs: for tests, which find a missing index by it.
#[doc(hidden)]
pub fn plans(url: &DatabaseUrl, work: &mut dyn FnMut(&mut dyn ReadTx) -> Result<()>) -> Result<Vec<Plan>> {
    match &url.0 {
        Target::Sqlite(path) => sqlite_store(path)?.plans(work),
        Target::Postgres(target) => postgres_store(target)?.plans(work),
    }
}
