//! Putting the parts together: settings in, services out.

use std::sync::Arc;

use trailkeeper_analytics::engine::{Summary, merger};
use trailkeeper_auth::{AuditContext, SystemEntropy};
use trailkeeper_domain::account::Actor;
use trailkeeper_domain::clock::{Clock, Entropy, SystemClock};
use trailkeeper_domain::cursor::{Paged, PlainCursor};
use trailkeeper_domain::ports::Store;
use trailkeeper_domain::{Error, Result as DomainResult};
use trailkeeper_storage::{DatabaseUrl, StoreOptions};

use crate::config::{DatabaseArgs, PageArgs};
use crate::failure::Failure;

/// How many rows a list fetches at a time.
const PAGE: usize = 500;

/// The database, the time and randomness.
pub struct Ports {
    /// Where the data is; shown without the password.
    pub url: DatabaseUrl,
    /// The database.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
}

impl Ports {
    /// Names the database in an error that it caused.
    pub fn failed(&self, error: Error) -> Failure {
        Failure::of_database(&self.url, error)
    }
}

/// Brings the database's tables up to date; gives the names of what was applied.
pub fn migrate(database: &DatabaseArgs) -> Result<Vec<String>, Failure> {
    let url = database.url()?;
    if database.named().is_none() {
        database.create_data_dir()?;
    }
    trailkeeper_storage::migrate(&url).map_err(|error| Failure::of_database(&url, error))
}

/// Opens the database, up to date. A command on a fresh machine works as it does later.
pub fn open(database: &DatabaseArgs) -> Result<Ports, Failure> {
    open_with(database, &StoreOptions::default())
}

/// Opens it as [`open`] does, for those that record events with pages.
pub fn open_to_record(database: &DatabaseArgs, pages: &PageArgs) -> Result<Ports, Failure> {
    open_with(database, &pages.store_options())
}

fn open_with(database: &DatabaseArgs, options: &StoreOptions) -> Result<Ports, Failure> {
    let applied = migrate(database)?;
    if !applied.is_empty() {
        tracing::info!(migrations = applied.len(), "brought the database up to date");
    }
    let url = database.url()?;
    let store = trailkeeper_storage::open(&url, options, Arc::new(Summary))
        .map_err(|error| Failure::of_database(&url, error))?;
    Ok(Ports { url, store, clock: Arc::new(SystemClock), entropy: Arc::new(SystemEntropy::new()) })
}

/// Merges what a command recorded, so that the next questions find it in sheets. Where a server runs, it does so anyway.
/// The events are stored: what goes wrong here is no failure of the command.
pub fn merge(ports: &Ports) {
    match merger::run_once(ports.store.as_ref(), ports.clock.as_ref(), ports.entropy.as_ref()) {
        Ok(Some(merged)) => {
            for (_, row) in merged.unreadable {
                tracing::warn!(
                    "what was recorded waits unmerged: {row}; run `trailkeeper verify`, then `trailkeeper rebuild`"
                );
            }
        }
        Ok(None) => tracing::debug!("a server has the lease on the sheets and merges what was recorded"),
        Err(error) => tracing::warn!("what was recorded waits unmerged: {}", error.chain()),
    }
}

/// Who acts when a command changes something, for the trail.
pub fn actor() -> Actor {
    Actor { id: "command-line".to_owned(), name: "command line".to_owned() }
}

/// The same for what is changed of accounts and credentials: it comes from no address.
pub fn context() -> AuditContext {
    AuditContext::from(actor())
}

/// Every item of a paged list.
pub fn all<T>(mut page: impl FnMut(Option<&str>, usize) -> DomainResult<Paged<T>>) -> DomainResult<Vec<T>> {
    let mut items = Vec::new();
    let mut cursor: Option<PlainCursor> = None;
    loop {
        let Paged { items: more, next } = page(cursor.as_deref(), PAGE)?;
        items.extend(more);
        match next {
            Some(next) => cursor = Some(next),
            None => return Ok(items),
        }
    }
}
