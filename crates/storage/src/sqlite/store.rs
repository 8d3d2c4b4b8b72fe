//! The store on SQLite.

use std::path::PathBuf;
use std::sync::{Arc, Weak};

use diesel::connection::{AnsiTransactionManager, TransactionManager};
use diesel_migrations::MigrationHarness;
use parking_lot::Mutex;
use trailkeeper_domain::ports::{ReadTx, Store, Summarizer, WriteTx};
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};

use super::connection::{FileConnection, Purpose};
use super::file::{DataFile, FileId};
use super::queries::{self, Shared, Tx, TxFailure};
use crate::error;
use crate::migrations::{self, SQLITE};
use crate::options::StoreOptions;
use crate::pool::Pool;

/// A store on a SQLite file.
pub struct SqliteStore {
    file: DataFile,
    writer: Pool<Opened>,
    readers: Pool<Opened>,
    options: StoreOptions,
    summarizer: Arc<dyn Summarizer>,
    /// The state that the connections to one file share. It ends with the last of them, because a later file may get the
    /// inode of a removed one.
    shared: Mutex<(FileId, Weak<Shared>)>,
}

/// A connection, and the state that it shares with others to the same file.
struct Opened {
    connection: FileConnection,
    shared: Arc<Shared>,
}

impl SqliteStore {
    /// Opens the file, and creates it if it is missing. It is created only here: a file that goes missing later is an
    /// error, not an empty database.
    pub fn new(path: PathBuf, options: &StoreOptions, summarizer: Arc<dyn Summarizer>) -> Result<Self> {
        let file = DataFile::new(path);
        file.create_if_missing()?;
        let shared = Mutex::new((file.id()?, Weak::new()));
        let store = Self {
            file,
            writer: Pool::new(1, options.checkout_timeout),
            readers: Pool::new(options.readers, options.checkout_timeout),
            options: options.clone(),
            summarizer,
            shared,
        };
        // Opened now, so that a file that is not a database is an error at start.
        let writer = store.connect(Purpose::Write)?;
        store.writer.checkout()?.keep(writer);
        Ok(store)
    }

    /// Runs every pending migration, and returns their names. Servers that start together wait for one another.
    pub fn migrate(&self) -> Result<Vec<String>> {
        let mut opened = self.connect(Purpose::Write)?;
        let conn = &mut opened.connection.inner;
        let failed = |failure| error::of_statement("migrations", failure);
        // All migrations run in one transaction, which waits for the write lock. Each migration is a savepoint in it.
        AnsiTransactionManager::begin_transaction_sql(conn, Purpose::Write.begin()).map_err(failed)?;
        // An error drops the connection, which ends the transaction.
        let names = pending(conn)?;
        conn.run_pending_migrations(SQLITE).map_err(error::of_migration)?;
        AnsiTransactionManager::commit_transaction(conn).map_err(failed)?;
        Ok(names)
    }

    /// Runs `work`, and returns the texts and plans of its queries.
    pub fn plans(&self, work: &mut dyn FnMut(&mut dyn ReadTx) -> Result<()>) -> Result<Vec<(String, String)>> {
        let Opened { mut connection, shared } = self.connect(Purpose::Read)?;
        let texts = connection.record();
        queries::transaction(&mut connection.inner, &shared, "BEGIN DEFERRED", &mut |tx| work(tx), &|| Ok(()))
            .map_err(TxFailure::into_error)?;
        let texts: Vec<String> = std::mem::take(&mut *texts.lock());
        texts
            .into_iter()
            .filter(|text| text.starts_with("SELECT"))
            .map(|text| connection.plan(&text).map(|plan| (text, plan)))
            .collect()
    }

    fn connect(&self, purpose: Purpose) -> Result<Opened> {
        let connection = FileConnection::open(&self.file, purpose, self.options.busy_timeout)?;
        let mut known = self.shared.lock();
        if known.0 == connection.file
            && let Some(shared) = known.1.upgrade()
        {
            return Ok(Opened { connection, shared });
        }
        let shared = Arc::new(Shared::new(&self.options, &self.summarizer));
        *known = (connection.file, Arc::downgrade(&shared));
        Ok(Opened { connection, shared })
    }

    fn run(&self, purpose: Purpose, work: &mut dyn FnMut(&mut Tx<'_>) -> Result<()>) -> Result<()> {
        let pool = match purpose {
            Purpose::Read => &self.readers,
            Purpose::Write => &self.writer,
        };
        let mut lease = pool.checkout()?;
        let current = self.file.id()?;
        let Opened { mut connection, shared } = match lease.take().filter(|idle| idle.connection.file == current) {
            Some(idle) => idle,
            None => self.connect(purpose)?,
        };
        let opened = connection.file;
        // The file is checked again before the commit: data that is written to a file that was moved away is lost.
        let is_unchanged = || match self.file.id()? {
            id if id == opened => Ok(()),
            _ => Err(Error::unavailable(format!(
                "the data file {} was replaced during a transaction",
                self.file.path().display()
            ))),
        };
        let outcome = queries::transaction(&mut connection.inner, &shared, purpose.begin(), work, &is_unchanged);
        if connection.is_sound() {
            lease.keep(Opened { connection, shared });
        }
        outcome.map_err(TxFailure::into_error)
    }
}

impl Store for SqliteStore {
    fn read(&self, work: &mut dyn FnMut(&mut dyn ReadTx) -> Result<()>) -> Result<()> {
        self.run(Purpose::Read, &mut |tx| work(tx))
    }

    fn write(&self, work: &mut dyn FnMut(&mut dyn WriteTx) -> Result<()>) -> Result<()> {
        self.run(Purpose::Write, &mut |tx| work(tx))
    }

    fn prepare(&self, _now: Timestamp) -> Result<()> {
        // Events are in one table, which exists.
        Ok(())
    }

    fn ready(&self) -> Result<()> {
        // Takes the write lock, which fails on a file that cannot be written.
        self.run(Purpose::Write, &mut |tx| migrations::none_pending(&pending(tx.connection())?))
    }
}

fn pending(conn: &mut diesel::SqliteConnection) -> Result<Vec<String>> {
    let applied = queries::applied_migrations(conn).map_err(|failure| error::of_statement("migrations", failure))?;
    migrations::missing::<diesel::sqlite::Sqlite>(&SQLITE, applied.as_deref().unwrap_or_default())
}
