//! The store on PostgreSQL.

use std::sync::Arc;

use diesel_migrations::MigrationHarness;
use parking_lot::Mutex;
use trailkeeper_domain::Result;
use trailkeeper_domain::ports::{ReadTx, Store, Summarizer, WriteTx};
use trailkeeper_domain::time::{self, Timestamp};

use super::connection::PgConnection;
use super::connector::Connector;
use super::queries::{self, MissingReferences, Shared, Tx, TxFailure};
use super::target::PgTarget;
use crate::error;
use crate::migrations::{self, POSTGRES};
use crate::options::StoreOptions;
use crate::pool::Pool;

const BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
const BEGIN_WRITE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";

/// How often a transaction is run before a conflict with others is given up.
const MAX_RUNS: u32 = 5;

/// How often a transaction is run because it lacks names or partitions. Each time it lacks others than before: what
/// its first statements need is there when it comes to its last.
const MAX_PROVISIONS: u32 = 100;

/// For how many months partitions are made ahead, the current one included.
const MONTHS_AHEAD: usize = 3;

/// From how many connections on two of them may store events at once.
const CONNECTIONS_FOR_TWO_WRITERS: u32 = 4;

/// The key of the advisory lock under which migrations run: the letters "tkmi".
const MIGRATION_LOCK: i64 = 0x746b_6d69;

/// A PostgreSQL database.
pub struct PgStore {
    connector: Connector,
    pool: Pool<Connected>,
    options: StoreOptions,
    summarizer: Arc<dyn Summarizer>,
    /// What new connections share.
    shared: Mutex<Arc<Shared>>,
}

/// A connection, and what it shares with others to the same server.
///
/// A server that goes may come back as another, to which not all was copied that this one had committed. So its names
/// go with it.
struct Connected {
    conn: PgConnection,
    shared: Arc<Shared>,
}

impl PgStore {
    /// Prepares; connects when first asked for something, so that a server starts beside a database that is down.
    pub fn new(target: PgTarget, options: &StoreOptions, summarizer: Arc<dyn Summarizer>) -> Result<Self> {
        Ok(Self {
            connector: Connector::new(target, options)?,
            pool: Pool::new(options.readers, options.checkout_timeout),
            shared: Mutex::new(fresh(options, &summarizer)),
            options: options.clone(),
            summarizer,
        })
    }

    /// Runs every pending migration and names them. Servers that start together wait for one another.
    pub fn migrate(&self) -> Result<Vec<String>> {
        use diesel::connection::SimpleConnection as _;

        let mut conn = self.connector.connect()?;
        // Building an index takes as long as it takes, and so does waiting for another server that builds one. The
        // lock is the session's: it goes with the connection at the end of this function, whatever happens.
        conn.wait_without_end();
        conn.batch_execute(&format!("SET statement_timeout = 0; SELECT pg_advisory_lock({MIGRATION_LOCK})"))
            .map_err(|failure| error::of_statement("migrations", failure))?;
        let names = pending(&mut conn)?;
        conn.run_pending_migrations(POSTGRES).map_err(error::of_migration)?;
        Ok(names)
    }

    /// The plans of the statements that `work` runs.
    pub fn plans(&self, work: &mut dyn FnMut(&mut dyn ReadTx) -> Result<()>) -> Result<Vec<(String, String)>> {
        let mut conn = self.connector.connect()?;
        conn.record();
        let shared = Arc::clone(&self.shared.lock());
        queries::transaction(&mut conn, &shared, BEGIN_READ, &mut |tx| work(tx), &|| Ok(()))
            .map_err(TxFailure::into_error)?;
        conn.plans().map_err(|failure| error::of_statement("explain", failure))
    }

    fn run(&self, begin: &str, work: &mut dyn FnMut(&mut Tx<'_>) -> Result<()>) -> Result<()> {
        let mut conflicts = 0;
        let mut provisions = 0;
        loop {
            match self.run_once(begin, work) {
                Err(TxFailure::Again(error)) if conflicts + 1 < MAX_RUNS => {
                    conflicts += 1;
                    tracing::debug!(error = %error.chain(), conflicts, "running a transaction again");
                }
                Err(TxFailure::Lacks(missing)) if provisions < MAX_PROVISIONS => {
                    provisions += 1;
                    self.provide(&missing)?;
                }
                outcome => return outcome.map_err(TxFailure::into_error),
            }
        }
    }

    /// Commits names and partitions that a transaction lacks, before it runs again: nobody may use what could still
    /// be rolled back.
    fn provide(&self, missing: &MissingReferences) -> Result<()> {
        self.run(BEGIN_WRITE, &mut |tx| tx.provide(missing))
    }

    fn run_once(&self, begin: &str, work: &mut dyn FnMut(&mut Tx<'_>) -> Result<()>) -> Result<(), TxFailure> {
        let mut lease = self.pool.checkout().map_err(TxFailure::Failed)?;
        let mut outcome = None;
        // An idle connection may have died with the server that it led to, and with it all others in the pool.
        if let Some(mut idle) = lease.take() {
            if idle.conn.is_lost() {
                self.forget(&idle.shared);
            } else {
                match queries::transaction(&mut idle.conn, &idle.shared, begin, work, &|| Ok(())) {
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
            // Taken before it connects: what is shared must not be older than the server.
            let shared = Arc::clone(&self.shared.lock());
            let mut new = Connected { conn: self.connector.connect().map_err(TxFailure::Failed)?, shared };
            let outcome = queries::transaction(&mut new.conn, &new.shared, begin, work, &|| Ok(()));
            (new, outcome)
        };
        if used.conn.is_lost() {
            self.forget(&used.shared);
        } else if used.conn.is_sound() {
            lease.keep(used);
        }
        outcome
    }

    /// Lets connections that are made from here on begin without names.
    fn forget(&self, lost: &Arc<Shared>) {
        let mut shared = self.shared.lock();
        if Arc::ptr_eq(&shared, lost) {
            *shared = fresh(&self.options, &self.summarizer);
        }
    }
}

fn fresh(options: &StoreOptions, summarizer: &Arc<dyn Summarizer>) -> Arc<Shared> {
    Arc::new(Shared::new(options, summarizer))
}

impl Store for PgStore {
    fn read(&self, work: &mut dyn FnMut(&mut dyn ReadTx) -> Result<()>) -> Result<()> {
        self.run(BEGIN_READ, &mut |tx| work(tx))
    }

    fn write(&self, work: &mut dyn FnMut(&mut dyn WriteTx) -> Result<()>) -> Result<()> {
        self.run(BEGIN_WRITE, &mut |tx| work(tx))
    }

    fn prepare(&self, now: Timestamp) -> Result<()> {
        let first = time::month_of(now.date_naive());
        let months = std::iter::successors(Some(first), |month| Some(time::next_month(*month))).take(MONTHS_AHEAD);
        let shared = Arc::clone(&self.shared.lock());
        let mut missing = MissingReferences::default();
        missing.months.extend(months.filter(|month| !shared.names.has_month(*month)));
        if missing.is_empty() { Ok(()) } else { self.provide(&missing) }
    }

    fn ready(&self) -> Result<()> {
        // A standby refuses to begin a transaction that may write.
        self.run(BEGIN_WRITE, &mut |tx| migrations::none_pending(&pending(tx.connection())?))
    }

    fn writers(&self) -> usize {
        // One makes its rows while the server works for the other. Where connections are few, most stay for others.
        if self.options.readers < CONNECTIONS_FOR_TWO_WRITERS { 1 } else { 2 }
    }
}

fn pending(conn: &mut PgConnection) -> Result<Vec<String>> {
    let applied = queries::applied_migrations(conn).map_err(|failure| error::of_statement("migrations", failure))?;
    migrations::missing::<diesel::pg::Pg>(&POSTGRES, applied.as_deref().unwrap_or_default())
}
