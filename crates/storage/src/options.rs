//! The limits of a store.

use std::num::NonZeroUsize;
use std::time::Duration;

use trailkeeper_domain::bucket::Buckets;
use trailkeeper_domain::{Error, Result};

/// Limits of a store. The defaults suit one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreOptions {
    /// SQLite: the largest number of transactions that read at once; one more may write. PostgreSQL: the largest number
    /// of connections, for reading and writing together.
    pub readers: u32,
    /// SQLite: how long a write waits for the write of another process.
    pub busy_timeout: Duration,
    /// PostgreSQL: the longest duration of a statement; then the server ends it.
    pub statement_timeout: Duration,
    /// How long a transaction waits for a connection before it fails as unavailable.
    pub checkout_timeout: Duration,
    /// The largest number of cached names (of users, pages, user agents and so on). A name of more than 64 bytes counts
    /// as several, so the cache takes at most about 300 bytes per name: 60 MB with the default.
    pub cached_names: usize,
    /// The largest number of bytes of the index of events that are cached for questions: headers and pages of its runs.
    pub cached_run_bytes: usize,
    /// The number of new pages that a tenant may add to the dictionary on one UTC day. Events of further pages are
    /// stored in full and found by their page, but analytics count them as `(other)`.
    pub new_pages_per_day: u32,
    /// SQLite: the number of ids of recent events that are held in memory before they are written as a run, and that one
    /// step of merging runs takes. Each takes about 25 bytes. A smaller number makes more and smaller runs.
    pub ids_in_memory: usize,
    /// PostgreSQL: the number of buckets of a database that these options make. A database that exists must have this number;
    /// with `None`, it may have any, and a new one has one bucket.
    pub buckets: Option<Buckets>,
    /// PostgreSQL with several buckets: the number of waiting events of one bucket that get a transaction of their own. Fewer
    /// share one with events of other buckets; with `None`, events of all buckets always do.
    pub bucket_events: Option<NonZeroUsize>,
    /// SQLite: whether the group of the data file may read it. Otherwise only its owner may.
    pub allow_group_read: bool,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            readers: 8,
            busy_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(30),
            checkout_timeout: Duration::from_secs(5),
            cached_names: 200_000,
            cached_run_bytes: 32 << 20,
            new_pages_per_day: 10_000,
            ids_in_memory: 32_768,
            buckets: None,
            bucket_events: None,
            allow_group_read: false,
        }
    }
}

impl StoreOptions {
    /// Checks that a database has the wanted number of buckets.
    pub(crate) fn check_buckets(&self, count: u16) -> Result<()> {
        match self.buckets {
            Some(wanted) if wanted.count() != count => Err(Error::invalid(
                "buckets",
                format!(
                    "{} is not the number of this database, which was made with {count} and keeps it; leave the setting out, or make a new database and import the events there",
                    wanted.count()
                ),
            )),
            _ => Ok(()),
        }
    }
}
