//! The limits of a store.

use std::time::Duration;

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
            allow_group_read: false,
        }
    }
}
