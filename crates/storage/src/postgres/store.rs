//! The store on PostgreSQL.

use diesel_migrations::MigrationHarness;
use trailkeeper_domain::Result;
use trailkeeper_domain::ports::{ReadTx, Store, WriteTx};

use super::connection::PgConnection;
use super::connector::Connector;
use super::queries::{self, Tx, Undone};
use super::target::PgTarget;
use crate::error;
use crate::migrations::{self, POSTGRES};
use crate::options::StoreOptions;
use crate::pool::Pool;

const BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
const BEGIN_WRITE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";

/// How often a transaction is run before a conflict with others is given up.
const MAX_RUNS: u32 = 5;

/// The key of the advisory lock under which migrations run: the letters "tkmi".
const MIGRATION_LOCK: i64 = 0x746b_6d69;

/// A PostgreSQL database.
pub struct PgStore {
    connector: Connector,
    pool: Pool<PgConnection>,
}

impl PgStore {
    /// Prepares; connects when first asked for something, so that a server starts beside a database that is down.
    pub fn new(target: PgTarget, options: &StoreOptions) -> Result<Self> {
        Ok(Self {
            connector: Connector::new(target, options)?,
            pool: Pool::new(options.readers, options.checkout_timeout),
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
            .map_err(|failure| error::of_statement("migrations", &failure))?;
        let names = pending(&mut conn)?;
        conn.run_pending_migrations(POSTGRES).map_err(|failure| error::of_migration(&*failure))?;
        Ok(names)
    }

    /// Names of the migrations that the database does not have.
    pub fn pending(&self) -> Result<Vec<String>> {
        let mut conn = self.connector.connect()?;
        pending(&mut conn)
    }

    /// The plans of the statements that `work` runs.
    pub fn plans(&self, work: &mut dyn FnMut(&mut dyn ReadTx) -> Result<()>) -> Result<Vec<(String, String)>> {
        let mut conn = self.connector.connect()?;
        conn.record();
        queries::transaction(&mut conn, BEGIN_READ, &mut |tx| work(tx), &|| Ok(())).map_err(Undone::into_error)?;
        conn.plans().map_err(|failure| error::of_statement("explain", &failure))
    }

    fn run(&self, begin: &str, work: &mut dyn FnMut(&mut Tx<'_>) -> Result<()>) -> Result<()> {
        let mut runs = 0;
        loop {
            runs += 1;
            match self.run_once(begin, work) {
                Err(Undone::Again(error)) if runs < MAX_RUNS => {
                    tracing::debug!(error = %error, runs, "running a transaction again");
                }
                outcome => return outcome.map_err(Undone::into_error),
            }
        }
    }

    fn run_once(&self, begin: &str, work: &mut dyn FnMut(&mut Tx<'_>) -> Result<()>) -> Result<(), Undone> {
        let mut lease = self.pool.checkout().map_err(Undone::Failed)?;
        let mut outcome = None;
        // An idle connection may have died with the server that it led to, and with it all others in the pool.
        if let Some(mut idle) = lease.take().filter(|idle| !idle.is_lost()) {
            match queries::transaction(&mut idle, begin, work, &|| Ok(())) {
                Err(Undone::NotBegun(_)) if idle.is_lost() => self.pool.forget_idle(),
                other => outcome = Some((idle, other)),
            }
        }
        let (mut conn, outcome) = if let Some(done) = outcome {
            done
        } else {
            let mut fresh = self.connector.connect().map_err(Undone::Failed)?;
            let outcome = queries::transaction(&mut fresh, begin, work, &|| Ok(()));
            (fresh, outcome)
        };
        if conn.is_sound() {
            lease.keep(conn);
        }
        outcome
    }
}

impl Store for PgStore {
    fn read(&self, work: &mut dyn FnMut(&mut dyn ReadTx) -> Result<()>) -> Result<()> {
        self.run(BEGIN_READ, &mut |tx| work(tx))
    }

    fn write(&self, work: &mut dyn FnMut(&mut dyn WriteTx) -> Result<()>) -> Result<()> {
        self.run(BEGIN_WRITE, &mut |tx| work(tx))
    }

    fn ready(&self) -> Result<()> {
        // A standby refuses to begin a transaction that may write.
        self.run(BEGIN_WRITE, &mut |tx| migrations::none_pending(&pending(tx.connection())?))
    }
}

fn pending(conn: &mut PgConnection) -> Result<Vec<String>> {
    let applied = queries::applied_migrations(conn).map_err(|failure| error::of_statement("migrations", &failure))?;
    migrations::missing::<diesel::pg::Pg>(&POSTGRES, applied.as_deref().unwrap_or_default())
}
