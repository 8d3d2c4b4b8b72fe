//! The store on PostgreSQL: over tokio-postgres, with native column types.

mod advisory_lock;
mod bare_key;
mod buckets;
mod connection;
mod connector;
mod copying;
mod dialect;
mod failure;
mod handshake;
mod ids;
mod ingest;
mod moving;
mod postings;
#[path = "../queries/mod.rs"]
#[expect(clippy::duplicate_mod, reason = "one set of query files for both databases: docs/adr/0001")]
mod queries;
mod row;
mod settled;
mod sheets;
mod store;
mod target;
mod tls;

pub use store::PgStore;
pub use target::PgTarget;

/// The connection type of the queries.
type Conn = connection::PgConnection;
/// diesel's backend of the connection.
type Db = diesel::pg::Pg;
