//! The store on PostgreSQL.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel_migrations::MigrationHarness;
use parking_lot::Mutex;
use trailkeeper_domain::bucket::Buckets;
use trailkeeper_domain::ports::{Moving, ReadTx, Store, WriteTx};
use trailkeeper_domain::{Error, Result};

use super::buckets;
use super::connection::PgConnection;
use super::connector::Connector;
use super::moving::{self, Step};
use super::queries::{self, MissingReferences, Shared, Tx, TxFailure};
use super::settled::Next;
use super::target::PgTarget;
use crate::content_version::KnownVersion;
use crate::error;
use crate::migrations::{Comparison, POSTGRES};
use crate::options::StoreOptions;
use crate::pool::Pool;

const BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
/// Each statement sees what was committed before it.
const BEGIN_LOOK: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY";
const BEGIN_WRITE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";

/// The largest number of runs of a transaction that conflicts with others.
const MAX_RUNS: u32 = 5;

/// The largest number of runs of a transaction because of missing names. Each run misses other ones: those of its first
/// statements exist when it reaches its last.
const MAX_PROVISIONS: u32 = 100;

/// The writers that store events at once, if there are enough connections: one builds its rows while the server works for the
/// other.
const WRITERS: u32 = 2;

/// The number of connections for each writer beyond the first: most stay for other calls.
const CONNECTIONS_PER_WRITER: u32 = 2;

/// The key of the advisory lock under which migrations run: the letters "tkmi".
const MIGRATION_LOCK: i64 = 0x746b_6d69;

/// How long a comparison of the migrations is valid. A newer server may migrate the database while this one runs.
const SCHEMA_CHECKED_EVERY: Duration = Duration::from_secs(5);

/// A PostgreSQL database.
pub struct PgStore {
    connector: Connector,
    pool: Pool<Connected>,
    options: StoreOptions,
    /// The state that new connections share.
    shared: Mutex<Arc<Shared>>,
    /// The time when the migrations were those of this program.
    schema_checked: Mutex<Option<Instant>>,
}

/// A connection, and the state that it shares with others to the same server.
///
/// A server that goes away may come back as another one that lacks the last commits. Then the cached names would be
/// wrong, so connections to the new server share a new state.
struct Connected {
    conn: PgConnection,
    shared: Arc<Shared>,
}

impl PgStore {
    /// A store that connects at its first call, so that a server can start while its database is down.
    pub fn new(target: PgTarget, options: &StoreOptions) -> Result<Self> {
        Ok(Self {
            connector: Connector::new(target, options)?,
            pool: Pool::new(options.readers, options.checkout_timeout),
            shared: Mutex::new(new_shared(options)),
            schema_checked: Mutex::default(),
            options: options.clone(),
        })
    }

    /// Runs every pending migration, and returns their names. Servers that start together wait for one another.
    pub fn migrate(&self) -> Result<Vec<String>> {
        use diesel::connection::{Connection as _, SimpleConnection as _};

        let mut conn = self.connector.connect()?;
        // Building an index may take any time, and so may waiting for another server that builds one. The lock belongs
        // to the session: it is released with the connection at the end of this function, also after an error.
        conn.disable_timeout();
        conn.batch_execute(&format!("SET statement_timeout = 0; SELECT pg_advisory_lock({MIGRATION_LOCK})"))
            .map_err(|failure| error::of_statement("migrations", failure))?;
        let found = compared(&mut conn)?;
        found.none_unknown()?;
        conn.run_pending_migrations(POSTGRES).map_err(error::of_migration)?;
        let buckets = conn
            .transaction(|conn| {
                queries::emails::rewrite_email_keys(conn)?;
                let buckets = buckets::choose(conn, self.options.buckets.unwrap_or(Buckets::ONE))?;
                // Last, because it limits how long the transaction waits for locks.
                queries::drop_list_indexes_of_no_events(conn)?;
                Ok(buckets)
            })
            .map_err(|failure| error::of_statement("migrations", failure))?;
        self.options.check_buckets(u16::try_from(buckets).map_err(Error::internal)?)?;
        Ok(found.pending)
    }

    /// Runs `work`, and returns the texts and plans of its statements.
    pub fn plans(&self, work: &mut dyn FnMut(&mut dyn ReadTx) -> Result<()>) -> Result<Vec<(String, String)>> {
        let mut conn = self.connector.connect()?;
        conn.record();
        let shared = Arc::clone(&self.shared.lock());
        transaction(&mut conn, &shared, BEGIN_READ, &mut |tx| work(tx)).map_err(TxFailure::into_error)?;
        conn.plans().map_err(|failure| error::of_statement("explain", failure))
    }

    /// Removes the empty table of a month of an older version, unless it is in use.
    fn removed(&self, month: &str) -> Result<bool> {
        use diesel::connection::SimpleConnection as _;

        let mut conn = self.connector.connect()?;
        conn.disable_timeout();
        conn.batch_execute("SET statement_timeout = 0")
            .and_then(|()| moving::remove(&mut conn, month))
            .map_err(|failure| error::of_statement(month, failure))
    }

    fn run(&self, begin: &str, work: &mut dyn FnMut(&mut Tx<'_>) -> Result<()>) -> Result<()> {
        let mut conflicts = 0;
        let mut provisions = 0;
        loop {
            match self.run_once(begin, work) {
                Err(TxFailure::Retry(error)) if conflicts + 1 < MAX_RUNS => {
                    conflicts += 1;
                    tracing::debug!(error = %error.chain(), conflicts, "running a transaction again");
                }
                Err(TxFailure::Missing(missing)) if provisions < MAX_PROVISIONS => {
                    provisions += 1;
                    self.provide(&missing)?;
                }
                outcome => return outcome.map_err(TxFailure::into_error),
            }
        }
    }

    /// Commits the names that a transaction needs, before it runs again. Uncommitted ones could be rolled back while others
    /// use them.
    fn provide(&self, missing: &MissingReferences) -> Result<()> {
        self.run(BEGIN_WRITE, &mut |tx| tx.provide(missing))
    }

    fn run_once(&self, begin: &str, work: &mut dyn FnMut(&mut Tx<'_>) -> Result<()>) -> Result<(), TxFailure> {
        let mut lease = self.pool.checkout().map_err(TxFailure::Failed)?;
        let mut outcome = None;
        // The server of an idle connection may be gone, and then all connections in the pool are dead.
        if let Some(mut idle) = lease.take() {
            if idle.conn.is_lost() {
                self.forget(&idle.shared);
            } else {
                match transaction(&mut idle.conn, &idle.shared, begin, work) {
                    Err(TxFailure::NotBegun(_)) if idle.conn.is_lost() => {
                        self.forget(&idle.shared);
                        self.pool.forget_idle();
                    }
                    other => outcome = Some((idle, other)),
                }
            }
        }
        let (mut used, outcome) = if let Some(done) = outcome {
            done
        } else {
            let mut new = self.connect().map_err(TxFailure::Failed)?;
            let outcome = transaction(&mut new.conn, &new.shared, begin, work);
            (new, outcome)
        };
        if used.conn.is_lost() {
            self.forget(&used.shared);
        } else if used.conn.is_sound() {
            lease.keep(used);
        }
        outcome
    }

    /// A new connection with the shared state of its server.
    ///
    /// Connecting may take until the server is back, and meanwhile another call may find the old server gone. Then it is
    /// unknown to which of the two servers this connection leads, so the next one is taken.
    fn connect(&self) -> Result<Connected> {
        loop {
            let shared = Arc::clone(&self.shared.lock());
            let conn = self.connector.connect()?;
            if Arc::ptr_eq(&shared, &self.shared.lock()) {
                return Ok(Connected { conn, shared });
            }
        }
    }

    /// Gives new connections a new shared state, unless another call has done so already.
    fn forget(&self, lost: &Arc<Shared>) {
        let mut shared = self.shared.lock();
        if Arc::ptr_eq(&shared, lost) {
            *shared = new_shared(&self.options);
            *self.schema_checked.lock() = None;
        }
    }

    /// Compares the migrations with those of this program.
    fn check_schema(&self, conn: &mut PgConnection) -> Result<()> {
        let outcome = compared(conn)?.none_different();
        *self.schema_checked.lock() = outcome.is_ok().then(Instant::now);
        outcome
    }

    /// Like [`Self::check_schema`], unless the last comparison is still valid.
    fn check_schema_if_due(&self, conn: &mut PgConnection) -> Result<()> {
        let last = *self.schema_checked.lock();
        if last.is_some_and(|at| at.elapsed() < SCHEMA_CHECKED_EVERY) { Ok(()) } else { self.check_schema(conn) }
    }
}

/// Runs `work` in a transaction that the statement `begin` opens.
fn transaction(
    conn: &mut PgConnection,
    shared: &Shared,
    begin: &str,
    work: &mut dyn FnMut(&mut Tx<'_>) -> Result<()>,
) -> Result<(), TxFailure> {
    queries::begin(conn, begin)?;
    queries::run(conn, shared, work, &|| Ok(()))
}

fn new_shared(options: &StoreOptions) -> Arc<Shared> {
    Arc::new(Shared::new(options, KnownVersion::none()))
}

impl Store for PgStore {
    fn read(&self, work: &mut dyn FnMut(&mut dyn ReadTx) -> Result<()>) -> Result<()> {
        self.run(BEGIN_READ, &mut |tx| work(tx))
    }

    fn write(&self, work: &mut dyn FnMut(&mut dyn WriteTx) -> Result<()>) -> Result<()> {
        self.run(BEGIN_WRITE, &mut |tx| {
            self.check_schema_if_due(tx.connection())?;
            work(tx)
        })
    }

    fn move_rows(&self, limit: usize) -> Result<Moving> {
        let mut step = Step::Busy;
        self.run(BEGIN_WRITE, &mut |tx| {
            self.check_schema_if_due(tx.connection())?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            step = moving::step(tx.connection(), limit).map_err(|failure| error::of_statement("events", failure))?;
            Ok(())
        })?;
        let outcome = match step {
            Step::Done => Ok(Moving::Done),
            Step::Moved(events) => Ok(Moving::Moved(events)),
            Step::Busy => Ok(Moving::Waiting),
            Step::Empty(month) => {
                self.removed(&month).map(|removed| if removed { Moving::Moved(0) } else { Moving::Waiting })
            }
            Step::NoMonths => self
                .run(BEGIN_WRITE, &mut |tx| {
                    moving::drop_old_ids(tx.connection()).map_err(|failure| error::of_statement("event_ids", failure))
                })
                .map(|()| Moving::Done),
        };
        match outcome {
            // Someone uses the table for longer than its removal waits.
            Err(Error::Overloaded { .. }) => Ok(Moving::Waiting),
            other => other,
        }
    }

    fn maintain(&self) -> Result<bool> {
        queries::drop_unneeded_list_index(
            |work| self.run(BEGIN_READ, work),
            |work| {
                let outcome = self.run(BEGIN_WRITE, &mut |tx| {
                    self.check_schema_if_due(tx.connection())?;
                    work(tx)
                });
                match outcome {
                    // Someone reads events for longer than this waits. The next call tries it again.
                    Err(Error::Overloaded { .. }) => Ok(false),
                    outcome => outcome.map(|()| true),
                }
            },
        )
    }

    fn settled(&self) -> Result<i64> {
        let failed = |failure| error::of_statement("events_seq_seq", failure);
        let mut next = Next::Look;
        self.run(BEGIN_LOOK, &mut |tx| {
            let (conn, shared) = tx.parts();
            next = shared.ids.settled.next(conn).map_err(failed)?;
            Ok(())
        })?;
        if let Next::Done(until) = next {
            return Ok(until);
        }
        if next == Next::Mark {
            // It takes an id and writes nothing.
            self.run(BEGIN_WRITE, &mut |tx| {
                let (conn, shared) = tx.parts();
                shared.ids.settled.mark(conn).map_err(failed)
            })?;
        }
        let mut until = 0;
        self.run(BEGIN_LOOK, &mut |tx| {
            let (conn, shared) = tx.parts();
            until = shared.ids.settled.look(conn).map_err(failed)?;
            Ok(())
        })?;
        Ok(until)
    }

    fn ready(&self) -> Result<()> {
        // A write fails on a standby server and on a full disk.
        self.run(BEGIN_WRITE, &mut |tx| {
            self.check_schema(tx.connection())?;
            tx.count_change()
        })
    }

    fn writers(&self, buckets: Buckets) -> usize {
        // Buckets are stored side by side by several machines, or by several cores of one.
        let useful = if self.options.bucket_events.is_some() { WRITERS.max(buckets.count().into()) } else { WRITERS };
        let affordable = (self.options.readers / CONNECTIONS_PER_WRITER).max(1);
        usize::try_from(useful.min(affordable)).unwrap_or(1)
    }

    fn bucket_events(&self) -> Option<usize> {
        self.options.bucket_events.map(NonZeroUsize::get)
    }
}

fn compared(conn: &mut PgConnection) -> Result<Comparison> {
    let applied = queries::applied_migrations(conn).map_err(|failure| error::of_statement("migrations", failure))?;
    Comparison::of::<diesel::pg::Pg>(&POSTGRES, applied.as_deref().unwrap_or_default())
}
