//! How a database is used.

use std::time::Duration;

/// Limits of a store. The defaults suit one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreOptions {
    /// SQLite: how many transactions may read at once, beside the one that writes. PostgreSQL: how many connections
    /// the server holds at most, readers and writers together.
    pub readers: u32,
    /// SQLite: how long to wait for another process that writes.
    pub busy_timeout: Duration,
    /// PostgreSQL: after how long a statement is ended.
    pub statement_timeout: Duration,
    /// How long a transaction waits for a connection before it is told that the database cannot serve right now.
    pub checkout_timeout: Duration,
    /// How many names (of users, pages, programs and so on) are kept in memory with their numbers. Fewer, where they
    /// are long: together they take some 300 bytes per name at most, 60 MB with the default.
    pub cached_names: usize,
    /// How many pages that were never seen before a tenant may bring on one UTC day. What goes beyond is stored in
    /// full and found by its page, and analytics count it as `(other)`.
    pub new_pages_per_day: u32,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            readers: 8,
            busy_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(30),
            checkout_timeout: Duration::from_secs(5),
            cached_names: 200_000,
            new_pages_per_day: 10_000,
        }
    }
}
