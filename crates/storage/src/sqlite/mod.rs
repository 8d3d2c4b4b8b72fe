//! The store on SQLite: compiled in, one writer, several readers.

pub mod backup;
mod connection;
mod content;
mod dialect;
mod file;
mod ids;
mod ingest;
mod log;
mod permissions;
mod postings;
#[path = "../queries/mod.rs"]
#[expect(clippy::duplicate_mod, reason = "one set of query files for both databases: docs/adr/0001")]
mod queries;
mod schema_check;
mod sheets;
mod store;
mod vacuum;

pub use file::{DataFile, beside};
pub use permissions::Modes;
pub use store::SqliteStore;

/// The connection type of the queries.
type Conn = diesel::SqliteConnection;
/// diesel's backend of the connection.
type Db = diesel::sqlite::Sqlite;
