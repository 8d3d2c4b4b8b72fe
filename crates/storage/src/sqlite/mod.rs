//! SQLite: compiled in, one writer, several readers.

mod connection;
mod dialect;
mod file;
mod ingest;
#[path = "../queries/mod.rs"]
#[expect(clippy::duplicate_mod, reason = "one set of query files for both databases: docs/adr/0001")]
mod queries;
mod sheets;
mod store;

pub use store::SqliteStore;

/// The connection that the queries run on.
type Conn = diesel::SqliteConnection;
/// diesel's backend of it.
type Db = diesel::sqlite::Sqlite;
