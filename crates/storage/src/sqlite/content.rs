//! Notices that others changed the content of the file, and then forgets what was remembered of it.
//!
//! SQLite lets other processes change a file under open connections: `.restore` of its shell replaces the whole content
//! inside the same file. Numbers of names are cached, so a server that went on with them would store and show events
//! under the names of others.
//!
//! Each connection compares its data version at the beginning of a transaction. It differs if another connection has
//! committed since. A reader then compares the row of `content_version`, because nearly always the writer of this process has
//! committed. For the writer, all other connections are foreign. docs/adr/0025 gives the reasons.

use std::sync::Arc;

use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::BigInt;
use diesel::sqlite::Sqlite;
use parking_lot::Mutex;
use trailkeeper_domain::Result;

use super::connection::Purpose;
use super::ids::Ids;
use super::queries::Shared;
use super::schema_check;
use crate::columns::DbUuid;
use crate::content_version::{ContentVersion, KnownVersion};
use crate::error;
use crate::options::StoreOptions;
use crate::schema::content_version;

/// The state that the connections to one content share.
pub struct Content {
    options: StoreOptions,
    current: Mutex<Option<Arc<Shared>>>,
}

/// The content at the last transaction of a connection.
pub struct Seen {
    shared: Arc<Shared>,
    version: i64,
}

impl Seen {
    /// What is known of the ids of events.
    pub fn ids(&self) -> &Ids {
        &self.shared.ids
    }
}

/// The knowledge of the content before a transaction began.
pub struct Before {
    shared: Option<Arc<Shared>>,
    changes: i64,
}

impl Content {
    /// Nothing is known yet.
    pub fn new(options: &StoreOptions) -> Self {
        Self { options: options.clone(), current: Mutex::default() }
    }

    /// The present knowledge. Call it before a transaction begins: its snapshot then has at least this.
    pub fn before(&self) -> Before {
        let shared = self.current.lock().clone();
        let changes = shared.as_ref().map_or(0, |shared| shared.version.changes());
        Before { shared, changes }
    }

    /// The state that fits the snapshot of the transaction that is open on `conn`. `seen` is that of the connection's
    /// last transaction, and is replaced.
    ///
    /// # Errors
    /// Those of the database; for a writer also that the schema is not that of this program.
    pub fn enter(
        &self,
        conn: &mut SqliteConnection,
        purpose: Purpose,
        seen: &mut Option<Seen>,
        before: &Before,
    ) -> Result<Arc<Shared>> {
        let version = data_version(conn)?;
        let last = seen.take();
        let is_last = last.as_ref().is_some_and(|last| {
            last.version == version && before.shared.as_ref().is_some_and(|known| Arc::ptr_eq(known, &last.shared))
        });
        let shared = match &last {
            Some(last) if is_last => Arc::clone(&last.shared),
            _ => self.compare(conn, purpose, last.as_ref(), version, before)?,
        };
        if purpose == Purpose::Write && !is_last {
            // Others may have stored events, also without a change of the content version.
            shared.ids.forget();
        }
        *seen = Some(Seen { shared: Arc::clone(&shared), version });
        Ok(shared)
    }

    /// Another connection has committed since the last transaction of this one, or this is its first.
    fn compare(
        &self,
        conn: &mut SqliteConnection,
        purpose: Purpose,
        last: Option<&Seen>,
        version: i64,
        before: &Before,
    ) -> Result<Arc<Shared>> {
        if purpose == Purpose::Write {
            schema_check::compared(conn)?.none_different()?;
        }
        let found = content_version_of(conn)?;
        let known = before.shared.as_ref();
        // The commits of the writer do not change its own data version. If another connection has noticed the change
        // already, the state is a newer one.
        let is_foreign = purpose == Purpose::Write
            && last.is_some_and(|last| {
                last.version != version && known.is_some_and(|known| Arc::ptr_eq(known, &last.shared))
            });
        if let Some(known) = known.filter(|known| !is_foreign && known.version.includes(found, before.changes)) {
            return Ok(Arc::clone(known));
        }
        let mut current = self.current.lock();
        // Another transaction may have found the same since this one began.
        if let Some(newer) = current.as_ref().filter(|newer| !known.is_some_and(|known| Arc::ptr_eq(known, newer)))
            && newer.version.includes(found, newer.version.first().changes)
        {
            return Ok(Arc::clone(newer));
        }
        let new = Arc::new(Shared::new(&self.options, KnownVersion::new(found)?));
        *current = Some(Arc::clone(&new));
        drop(current);
        if let Some(known) = known {
            report(known.version.first(), found, before.changes);
        }
        Ok(new)
    }
}

/// Logs that the content was changed by another process.
fn report(first: ContentVersion, found: ContentVersion, changes: i64) {
    if found.database != first.database {
        tracing::error!(
            "the database file was replaced by another database while this server runs; everything remembered of the \
             old one is forgotten, and requests are answered from the new content. Check that the right backup was \
             restored, run `trailkeeper verify`, and stop the server before the next restore"
        );
    } else if found.changes < changes {
        tracing::error!(
            changes_lost = changes - found.changes,
            "the content of the database file went back while this server runs: an older copy was restored into it; \
             everything remembered is forgotten, and requests are answered from the restored content. Events that were \
             recorded after the copy are gone: check with their senders, run `trailkeeper verify`, and stop the server \
             before the next restore"
        );
    } else {
        tracing::debug!("another process has written to the database file; names are looked up again");
    }
}

fn content_version_of(conn: &mut SqliteConnection) -> Result<ContentVersion> {
    let row = content_version::table.find(1_i16).select((
        content_version::database_id,
        content_version::changes,
        content_version::writer,
    ));
    let found: QueryResult<(DbUuid, i64, DbUuid)> = row.first(conn);
    let (database, changes, writer) = found.or_else(|failure| {
        // A database without this table lacks the migration that creates it, which says more.
        schema_check::compared(conn)?.none_different()?;
        Err(error::of_statement("content_version", failure))
    })?;
    Ok(ContentVersion { database: database.0, changes, writer: writer.0 })
}

/// A number that differs from that of the last transaction if another connection has committed in between.
fn data_version(conn: &mut SqliteConnection) -> Result<i64> {
    DataVersion.get_result(conn).map_err(|failure| error::of_statement("data version", failure))
}

/// The statement for [`data_version`]. It stays prepared: diesel prepares a query that is text at each run.
struct DataVersion;

impl QueryId for DataVersion {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for DataVersion {
    type SqlType = BigInt;
}

impl RunQueryDsl<SqliteConnection> for DataVersion {}

impl QueryFragment<Sqlite> for DataVersion {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("PRAGMA data_version");
        Ok(())
    }
}
