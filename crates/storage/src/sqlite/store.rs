//! The store on SQLite.

use std::path::PathBuf;

use diesel::connection::{AnsiTransactionManager, TransactionManager};
use diesel_migrations::MigrationHarness;
use parking_lot::RwLock;
use trailkeeper_domain::bucket::Buckets;
use trailkeeper_domain::ports::{ReadTx, Space, Store, WriteTx};
use trailkeeper_domain::{Error, Result};

use super::connection::{FileConnection, Purpose};
use super::content::{Content, Seen};
use super::file::DataFile;
use super::ids::{self, Pace, Rebuild, Step};
use super::ingest::last_number;
use super::permissions::Modes;
use super::queries::{self, Tx, TxFailure};
use super::schema_check;
use super::vacuum;
use crate::error;
use crate::migrations::SQLITE;
use crate::options::StoreOptions;
use crate::pool::Pool;

/// How often a rebuild of ids is begun, if another process that starts removes its pages.
const REBUILDS: usize = 3;

/// A store on a SQLite file.
pub struct SqliteStore {
    file: DataFile,
    writer: Pool<Opened>,
    readers: Pool<Opened>,
    options: StoreOptions,
    content: Content,
    /// Held for reading by every transaction, and for writing while no connection may be open.
    running: RwLock<()>,
}

/// A connection, and the content at its last transaction.
struct Opened {
    connection: FileConnection,
    seen: Option<Seen>,
}

impl SqliteStore {
    /// Opens the file, and creates it if it is missing. It is created only here: a file that goes missing later is an
    /// error, not an empty database.
    pub fn new(path: PathBuf, options: &StoreOptions) -> Result<Self> {
        let file = DataFile::new(path);
        file.create_if_missing(Modes::new(options.allow_group_read))?;
        let store = Self {
            file,
            writer: Pool::new(1, options.checkout_timeout),
            readers: Pool::new(options.readers, options.checkout_timeout),
            options: options.clone(),
            content: Content::new(options),
            running: RwLock::default(),
        };
        // Opened now, so that a file that is not a database is an error at start.
        let writer = store.connect(Purpose::Write)?;
        store.writer.checkout()?.keep(writer);
        Ok(store)
    }

    /// Runs every pending migration, and returns their names. Servers that start together wait for one another.
    pub fn migrate(&self) -> Result<Vec<String>> {
        self.options.check_buckets(Buckets::ONE.count())?;
        let mut opened = self.connect(Purpose::Write)?;
        let conn = &mut opened.connection.inner;
        let failed = |failure| error::of_statement("migrations", failure);
        // All migrations run in one transaction, which waits for the write lock. Each migration is a savepoint in it.
        AnsiTransactionManager::begin_transaction_sql(conn, Purpose::Write.begin()).map_err(failed)?;
        // An error drops the connection, which ends the transaction.
        let found = schema_check::compared(conn)?;
        found.none_unknown()?;
        conn.run_pending_migrations(SQLITE).map_err(error::of_migration)?;
        queries::emails::rewrite_email_keys(conn).map_err(failed)?;
        ids::drop_index_of_no_events(conn).map_err(failed)?;
        queries::drop_list_indexes_of_no_events(conn).map_err(failed)?;
        AnsiTransactionManager::commit_transaction(conn).map_err(failed)?;
        Ok(found.pending)
    }

    /// Runs `work`, and returns the texts and plans of its queries.
    pub fn plans(&self, work: &mut dyn FnMut(&mut dyn ReadTx) -> Result<()>) -> Result<Vec<(String, String)>> {
        let mut opened = self.connect(Purpose::Read)?;
        let run = |opened: &mut Opened, work: &mut dyn FnMut(&mut Tx<'_>) -> Result<()>| {
            self.transaction(opened, Purpose::Read, work).map_err(TxFailure::into_error)
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
        let running = self.running.read();
        let mut lease = pool.checkout()?;
        let current = self.file.id()?;
        let mut opened = match lease.take().filter(|idle| idle.connection.file == current) {
            Some(idle) => idle,
            None => self.connect(purpose)?,
        };
        let outcome = self.transaction(&mut opened, purpose, work);
        if outcome.is_ok() && purpose == Purpose::Write {
            self.tend_ids(&mut opened);
        }
        let log_is_lost = outcome.is_err() && opened.connection.log.is_lost().unwrap_or(false);
        if opened.connection.is_sound() {
            lease.keep(opened);
        }
        drop(running);
        if log_is_lost {
            self.rescue_log();
        }
        outcome.map_err(TxFailure::into_error)
    }

    /// Takes the steps of the work on ids that became due by a commit. An error is not that of the commit.
    fn tend_ids(&self, opened: &mut Opened) {
        while let Some(step) = opened.seen.as_ref().and_then(|seen| seen.ids().due(Pace::AfterCommit)) {
            if let Err(error) = self.take_step(opened, step) {
                tracing::warn!(
                    error = %error.chain(),
                    "the runs of ids of events could not be written or merged; this is tried again with later events"
                );
                return;
            }
        }
    }

    /// Takes one step of the work on ids.
    fn take_step(&self, opened: &mut Opened, step: Step) -> Result<()> {
        let mut done = None;
        let outcome = self.transaction(opened, Purpose::Write, &mut |tx| {
            let hash = tx.hash_key()?;
            let (conn, shared) = tx.parts();
            done = Some(shared.ids.take(conn, &hash, step).map_err(|failure| error::of_statement("id_runs", failure))?);
            Ok(())
        });
        if let Some(seen) = &opened.seen {
            match (&outcome, done) {
                (Ok(()), Some(done)) => seen.ids().done(done),
                _ => seen.ids().failed(),
            }
        }
        outcome.map_err(TxFailure::into_error)
    }

    /// Runs `work` with the writer's connection, outside of a transaction.
    fn with_writer<T>(&self, work: impl FnOnce(&mut Opened) -> Result<T>) -> Result<T> {
        let _running = self.running.read();
        let mut lease = self.writer.checkout()?;
        let current = self.file.id()?;
        let mut opened = match lease.take().filter(|idle| idle.connection.file == current) {
            Some(idle) => idle,
            None => self.connect(Purpose::Write)?,
        };
        let outcome = work(&mut opened);
        if opened.connection.is_sound() {
            lease.keep(opened);
        }
        outcome
    }

    fn transaction(
        &self,
        opened: &mut Opened,
        purpose: Purpose,
        work: &mut dyn FnMut(&mut Tx<'_>) -> Result<()>,
    ) -> Result<(), TxFailure> {
        let before = self.content.before();
        let Opened { connection: FileConnection { inner: conn, file, log }, seen } = opened;
        queries::begin(conn, purpose.begin())?;
        let entered = self.content.enter(conn, purpose, seen, &before).and_then(|shared| {
            if purpose == Purpose::Write {
                log.note()?;
            }
            Ok(shared)
        });
        // The files are checked before the commit: data that is written to a file that was moved away is lost.
        let in_place = || {
            if self.file.id()? != *file {
                return Err(Error::unavailable(format!(
                    "the data file {} was replaced during a transaction",
                    self.file.path().display()
                )));
            }
            log.in_place()
        };
        match entered {
            Ok(shared) => queries::run(conn, &shared, work, &in_place),
            Err(error) => {
                queries::roll_back(conn);
                Err(TxFailure::Failed(error))
            }
        }
    }

    /// Saves what a lost log holds into the data file, and closes all connections, so that the next one begins a new
    /// log. Acknowledged events would be lost with the process otherwise.
    fn rescue_log(&self) {
        // Without other transactions: a connection to the new log must not meet one to the old.
        let Some(_none_running) = self.running.try_write_for(self.options.checkout_timeout) else { return };
        let Ok(mut lease) = self.writer.checkout() else { return };
        // Another call may have saved it meanwhile.
        let Some(mut opened) = lease.take() else { return };
        if !opened.connection.log.is_lost().unwrap_or(false) {
            return lease.keep(opened);
        }
        let log = opened.connection.log.path().display().to_string();
        if let Err(error) = opened.connection.empty_log() {
            tracing::error!(
                log,
                error = %error.chain(),
                "the log of the database was removed or replaced while this server runs, and what it holds cannot be \
                 saved into the database file yet; do not stop the server, and free the disk if it is full: it tries \
                 again at the next write"
            );
            return lease.keep(opened);
        }
        // The connections to the old log end before the first one to the new log begins.
        self.readers.forget_idle();
        drop(opened);
        tracing::error!(
            log,
            "the log of the database was removed or replaced while this server runs; what it held was saved into the \
             database file, and a new log begins. Nothing that was acknowledged is lost, unless another program wrote to \
             the file meanwhile: run `trailkeeper verify`, and never remove this file while a server runs"
        );
    }
}

impl Store for SqliteStore {
    fn settled(&self) -> Result<i64> {
        // One transaction writes at a time, so numbers become visible in their order.
        let mut last = 0;
        self.run(Purpose::Read, &mut |tx| {
            last = last_number(tx.connection()).map_err(|failure| error::of_statement("events", failure))?;
            Ok(())
        })?;
        Ok(last)
    }

    fn read(&self, work: &mut dyn FnMut(&mut dyn ReadTx) -> Result<()>) -> Result<()> {
        self.run(Purpose::Read, &mut |tx| work(tx))
    }

    fn write(&self, work: &mut dyn FnMut(&mut dyn WriteTx) -> Result<()>) -> Result<()> {
        self.run(Purpose::Write, &mut |tx| work(tx))
    }

    fn maintain(&self) -> Result<bool> {
        let filters = self.run(Purpose::Read, &mut |tx| {
            let (conn, shared) = tx.parts();
            shared.ids.make_filters(conn).map_err(|failure| error::of_statement("id_runs", failure))
        });
        let more = self.with_writer(|opened| {
            let due = |opened: &Opened| match &opened.seen {
                Some(seen) => seen.ids().due(Pace::Idle),
                None => Some(Step::Load),
            };
            let Some(step) = due(opened) else { return Ok(false) };
            self.take_step(opened, step)?;
            Ok(due(opened).is_some())
        })?;
        // A damaged page must not keep other work from being done.
        filters?;
        if more {
            return Ok(true);
        }
        queries::drop_unneeded_list_index(
            |work| self.run(Purpose::Read, work),
            |work| self.run(Purpose::Write, work).map(|()| true),
        )
    }

    fn space(&self) -> Result<Option<Space>> {
        vacuum::space(&mut self.connect(Purpose::Write)?.connection).map(Some)
    }

    fn vacuum(&self) -> Result<()> {
        // Its own connection: it changes settings, and the cached statements of others stay as they are.
        vacuum::vacuum(&mut self.connect(Purpose::Write)?.connection)
    }

    fn rebuild_ids(&self) -> Result<Option<u64>> {
        let failed = |failure| error::of_statement("id_runs", failure);
        for _ in 0..REBUILDS {
            let mut rebuild = Rebuild::default();
            let mut more = true;
            while more {
                self.run(Purpose::Write, &mut |tx| {
                    let hash = tx.hash_key()?;
                    let (conn, shared) = tx.parts();
                    more = rebuild.step(conn, &shared.ids, &hash).map_err(failed)?;
                    Ok(())
                })?;
            }
            let mut ids = None;
            self.run(Purpose::Write, &mut |tx| {
                let hash = tx.hash_key()?;
                let (conn, shared) = tx.parts();
                ids = std::mem::take(&mut rebuild).finish(conn, &shared.ids, &hash).map_err(failed)?;
                if ids.is_some() {
                    shared.ids.failed();
                }
                Ok(())
            })?;
            if let Some(ids) = ids {
                return Ok(Some(ids.cast_unsigned()));
            }
        }
        Err(Error::unavailable(
            "other processes removed the new runs of ids while they were made; stop them, and run it again",
        ))
    }

    fn ready(&self) -> Result<()> {
        // A full disk and a lost log fail only a transaction that writes.
        self.run(Purpose::Write, &mut |tx| {
            schema_check::compared(tx.connection())?.none_different()?;
            tx.count_change()
        })
    }
}
