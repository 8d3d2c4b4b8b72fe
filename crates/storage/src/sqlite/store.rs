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

/// A SQLite file.
pub struct SqliteStore {
    file: DataFile,
    writer: Pool<Opened>,
    readers: Pool<Opened>,
    options: StoreOptions,
    summarizer: Arc<dyn Summarizer>,
    /// What the connections to one file share. It goes with the last of them: a file that comes later may get the
    /// number of one that is gone.
    shared: Mutex<(FileId, Weak<Shared>)>,
}

/// A connection, and what it shares with others to the same file.
struct Opened {
    connection: FileConnection,
    shared: Arc<Shared>,
}

impl SqliteStore {
    /// Opens the file, and makes it where there is none. From here on it is never made again: a file that goes
    /// missing is an error, not an empty database.
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
        // Opened now, so that a file that is no database is told at start.
        let writer = store.connect(Purpose::Write)?;
        store.writer.checkout()?.keep(writer);
        Ok(store)
    }

    /// Runs every pending migration and names them. Servers that start together wait for one another.
    pub fn migrate(&self) -> Result<Vec<String>> {
        let mut opened = self.connect(Purpose::Write)?;
        let conn = &mut opened.connection.inner;
        let failed = |failure| error::of_statement("migrations", failure);
        // All in one transaction that waits for its turn; each migration is a savepoint inside.
        AnsiTransactionManager::begin_transaction_sql(conn, Purpose::Write.begin()).map_err(failed)?;
        // An error on the way drops the connection, and with it the transaction.
        let names = pending(conn)?;
        conn.run_pending_migrations(SQLITE).map_err(error::of_migration)?;
        AnsiTransactionManager::commit_transaction(conn).map_err(failed)?;
        Ok(names)
    }

    /// The plans of the statements that `work` runs.
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
        let there = self.file.id()?;
        let Opened { mut connection, shared } = match lease.take().filter(|idle| idle.connection.file == there) {
            Some(idle) => idle,
            None => self.connect(purpose)?,
        };
        let opened = connection.file;
        // Looked at once more before the commit: what is written into a file that was moved away is not durable.
        let still_there = || match self.file.id()? {
            id if id == opened => Ok(()),
            _ => Err(Error::unavailable(format!(
                "the data file {} was replaced during a transaction",
                self.file.path().display()
            ))),
        };
        let outcome = queries::transaction(&mut connection.inner, &shared, purpose.begin(), work, &still_there);
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
        // Events lie in one table, which is there.
        Ok(())
    }

    fn ready(&self) -> Result<()> {
        // Takes the writer's place, which a file that cannot be written refuses.
        self.run(Purpose::Write, &mut |tx| migrations::none_pending(&pending(tx.connection())?))
    }
}

fn pending(conn: &mut diesel::SqliteConnection) -> Result<Vec<String>> {
    let applied = queries::applied_migrations(conn).map_err(|failure| error::of_statement("migrations", failure))?;
    migrations::missing::<diesel::sqlite::Sqlite>(&SQLITE, applied.as_deref().unwrap_or_default())
}
