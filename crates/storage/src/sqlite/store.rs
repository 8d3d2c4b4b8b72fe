//! The store on SQLite.

use std::path::PathBuf;
use std::sync::Arc;

use diesel::connection::{AnsiTransactionManager, TransactionManager};
use diesel_migrations::MigrationHarness;
use trailkeeper_domain::ports::{ReadTx, Store, Summarizer, WriteTx};
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};

use super::connection::{FileConnection, Purpose};
use super::content::{Content, Seen};
use super::file::DataFile;
use super::queries::{self, Tx, TxFailure};
use super::schema_check;
use crate::error;
use crate::migrations::SQLITE;
use crate::options::StoreOptions;
use crate::pool::Pool;

/// A store on a SQLite file.
pub struct SqliteStore {
    file: DataFile,
    writer: Pool<Opened>,
    readers: Pool<Opened>,
    options: StoreOptions,
    content: Content,
}

/// A connection, and the content at its last transaction.
struct Opened {
    connection: FileConnection,
    seen: Option<Seen>,
}

impl SqliteStore {
    /// Opens the file, and creates it if it is missing. It is created only here: a file that goes missing later is an
    /// error, not an empty database.
    pub fn new(path: PathBuf, options: &StoreOptions, summarizer: Arc<dyn Summarizer>) -> Result<Self> {
        let file = DataFile::new(path);
        file.create_if_missing()?;
        let store = Self {
            file,
            writer: Pool::new(1, options.checkout_timeout),
            readers: Pool::new(options.readers, options.checkout_timeout),
            options: options.clone(),
            content: Content::new(options, summarizer),
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
        let found = schema_check::compared(conn)?;
        found.none_unknown()?;
        conn.run_pending_migrations(SQLITE).map_err(error::of_migration)?;
        queries::rewrite_email_keys(conn).map_err(failed)?;
        AnsiTransactionManager::commit_transaction(conn).map_err(failed)?;
        Ok(found.pending)
    }

    /// Runs `work`, and returns the texts and plans of its queries.
    pub fn plans(&self, work: &mut dyn FnMut(&mut dyn ReadTx) -> Result<()>) -> Result<Vec<(String, String)>> {
        let mut opened = self.connect(Purpose::Read)?;
        let run = |opened: &mut Opened, work: &mut dyn FnMut(&mut Tx<'_>) -> Result<()>| {
            self.transaction(opened, Purpose::Read, work, &|| Ok(())).map_err(TxFailure::into_error)
        };
        // The first transaction of a connection has statements of its own.
        run(&mut opened, &mut |_| Ok(()))?;
        let texts = opened.connection.record();
        run(&mut opened, &mut |tx| work(tx))?;
        let texts: Vec<String> = std::mem::take(&mut *texts.lock());
        texts
            .into_iter()
            .filter(|text| text.starts_with("SELECT"))
            .map(|text| opened.connection.plan(&text).map(|plan| (text, plan)))
            .collect()
    }

    fn connect(&self, purpose: Purpose) -> Result<Opened> {
        let connection = FileConnection::open(&self.file, purpose, self.options.busy_timeout)?;
        Ok(Opened { connection, seen: None })
    }

    fn run(&self, purpose: Purpose, work: &mut dyn FnMut(&mut Tx<'_>) -> Result<()>) -> Result<()> {
        let pool = match purpose {
            Purpose::Read => &self.readers,
            Purpose::Write => &self.writer,
        };
        let mut lease = pool.checkout()?;
        let current = self.file.id()?;
        let mut opened = match lease.take().filter(|idle| idle.connection.file == current) {
            Some(idle) => idle,
            None => self.connect(purpose)?,
        };
        let file = opened.connection.file;
        // The file is checked again before the commit: data that is written to a file that was moved away is lost.
        let is_unchanged = || match self.file.id()? {
            id if id == file => Ok(()),
            _ => Err(Error::unavailable(format!(
                "the data file {} was replaced during a transaction",
                self.file.path().display()
            ))),
        };
        let outcome = self.transaction(&mut opened, purpose, work, &is_unchanged);
        if opened.connection.is_sound() {
            lease.keep(opened);
        }
        outcome.map_err(TxFailure::into_error)
    }

    fn transaction(
        &self,
        opened: &mut Opened,
        purpose: Purpose,
        work: &mut dyn FnMut(&mut Tx<'_>) -> Result<()>,
        before_commit: &dyn Fn() -> Result<()>,
    ) -> Result<(), TxFailure> {
        let before = self.content.before();
        let conn = &mut opened.connection.inner;
        queries::begin(conn, purpose.begin())?;
        match self.content.enter(conn, purpose, &mut opened.seen, &before) {
            Ok(shared) => queries::run(conn, &shared, work, before_commit),
            Err(error) => {
                queries::roll_back(conn);
                Err(TxFailure::Failed(error))
            }
        }
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
        self.run(Purpose::Write, &mut |tx| schema_check::compared(tx.connection())?.none_different())
    }
}
