//! Opens the database that the settings name, and provides what every command needs with it.

use std::sync::Arc;
use std::time::Duration;

use trailkeeper_analytics::engine::{OwnLeases, merger, old_deltas};
use trailkeeper_auth::{AuditContext, SystemEntropy};
use trailkeeper_domain::account::Actor;
use trailkeeper_domain::clock::{Clock, Entropy, SystemClock};
use trailkeeper_domain::cursor::{Paged, PlainCursor};
use trailkeeper_domain::page::PageRule;
use trailkeeper_domain::ports::Store;
use trailkeeper_domain::usecase::settle_page_rule;
use trailkeeper_domain::{Error, Result as DomainResult};
use trailkeeper_storage::{DatabaseUrl, StoreOptions};

use crate::config::{DatabaseArgs, PageArgs, pages};
use crate::failure::Failure;

/// How long a command waits for another process that merges. A dead one loses its lease after three seconds, and a long
/// merge under heavy load gives it back within this time.
pub const LEASE_TIMEOUT: Duration = Duration::from_mins(1);

/// Rows that a list fetches at a time.
const PAGE: usize = 500;

/// The database, the clock and the source of randomness.
#[derive(Clone)]
pub struct Ports {
    /// Address of the database. It is displayed without the password.
    pub url: DatabaseUrl,
    /// Store of the database.
    pub store: Arc<dyn Store>,
    /// Clock.
    pub clock: Arc<dyn Clock>,
    /// Source of randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The leases that threads of this process hold.
    pub leases: Arc<OwnLeases>,
}

impl Ports {
    /// The failure for an error; names the database if the database caused it.
    pub fn failed(&self, error: Error) -> Failure {
        Failure::of_database(&self.url, error)
    }
}

/// Brings the tables of the database up to date. Returns the names of the applied migrations.
pub fn migrate(database: &DatabaseArgs) -> Result<Vec<String>, Failure> {
    let url = database.url()?;
    if database.database_url.is_none() {
        database.create_data_dir()?;
    }
    let options = database.store_options(&StoreOptions::default());
    trailkeeper_storage::migrate_with(&url, &options).map_err(|error| Failure::of_database(&url, error))
}

/// Opens the database after bringing it up to date, so that every command also works on a new machine.
pub fn open(database: &DatabaseArgs) -> Result<Ports, Failure> {
    settled(open_with(database, &StoreOptions::default())?)
}

/// Opens the database as [`open`] does, for the command that makes all sheets again: it also replaces what an older
/// version left, so that nothing unreadable keeps it from starting.
pub fn open_to_rebuild(database: &DatabaseArgs) -> Result<Ports, Failure> {
    open_with(database, &StoreOptions::default())
}

/// The same database, after the deltas of an older version were merged: no question counts them.
fn settled(ports: Ports) -> Result<Ports, Failure> {
    let merged = old_deltas::settle(ports.store.as_ref(), ports.clock.as_ref(), ports.entropy.as_ref(), LEASE_TIMEOUT);
    match merged {
        Ok(0) => Ok(ports),
        Ok(deltas) => {
            tracing::info!(deltas, "merged the deltas of an older version");
            Ok(ports)
        }
        Err(error @ Error::Internal { .. }) => Err(Failure::Refused(format!(
            "events of an older version cannot be merged: {}; run `trailkeeper rebuild`",
            error.chain()
        ))),
        Err(error) => Err(ports.failed(error)),
    }
}

/// Opens the database as [`open`] does, for commands that record events with pages. Fails if the settings of pages are
/// not those of the database.
pub fn open_to_record(database: &DatabaseArgs, args: &PageArgs) -> Result<Ports, Failure> {
    let ports = settled(open_with(database, &args.store_options())?)?;
    let (state, differences) =
        settle_page_rule(ports.store.as_ref(), &args.rule.settings()).map_err(|error| ports.failed(error))?;
    if !differences.is_empty() {
        return Err(Failure::Refused(pages::refusal(&differences)));
    }
    if state.rewriting {
        tracing::warn!(
            "`trailkeeper rebuild` is giving the pages of events other keys, or was interrupted: page statistics answer 503 until it is done; run it again if it is not running"
        );
    } else if state.rule.version < PageRule::VERSION {
        tracing::warn!(
            "the pages of this database are compared as they were sent, by the rule of an older version: `/caf%C3%A9` and `/café` are two pages; `trailkeeper rebuild` makes them one, while servers run"
        );
    }
    Ok(ports)
}

fn open_with(database: &DatabaseArgs, options: &StoreOptions) -> Result<Ports, Failure> {
    let applied = migrate(database)?;
    if !applied.is_empty() {
        tracing::info!(migrations = applied.len(), "brought the database up to date");
    }
    let url = database.url()?;
    let options = database.store_options(options);
    let store = trailkeeper_storage::open(&url, &options).map_err(|error| Failure::of_database(&url, error))?;
    Ok(Ports {
        url,
        store,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy::new()),
        leases: Arc::default(),
    })
}

/// Merges recorded events into sheets, so that the next questions need not. A running server merges them anyway. The
/// events are stored already, so an error here is logged and does not fail the command.
pub fn merge(ports: &Ports) {
    match merger::run_once(ports.store.as_ref(), ports.clock.as_ref(), ports.entropy.as_ref()) {
        Ok(Some(merged)) => {
            for (_, row) in merged.unreadable {
                tracing::warn!(
                    "recorded events stay unmerged: {row}; run `trailkeeper verify`, then `trailkeeper rebuild`"
                );
            }
        }
        Ok(None) => tracing::debug!("a server holds the lease on the sheets and merges the recorded events"),
        Err(error) => tracing::warn!("recorded events stay unmerged: {}", error.chain()),
    }
}

/// The actor of changes by commands, in audit events.
pub fn actor() -> Actor {
    Actor { id: "command-line".to_owned(), name: "command line".to_owned() }
}

/// The audit context of changes to accounts and credentials by commands. It has no source address.
pub fn context() -> AuditContext {
    AuditContext::from(actor())
}

/// All items of a paged list.
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
