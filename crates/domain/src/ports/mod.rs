//! What the domain asks of a database. `trailkeeper-storage` answers, for SQLite and PostgreSQL.
//!
//! Ports are synchronous and a transaction is one closure on a blocking thread, so that no `.await`
//! can happen while a transaction is open. All ports are reached from the transaction.

mod access;
mod activity;
mod directory;
mod events;
mod sheets;
mod throttle;

// Everything public in a port's file belongs to the port.
pub use access::*;
pub use activity::*;
pub use directory::*;
pub use events::*;
pub use sheets::*;
pub use throttle::*;

use crate::error::Result;
use crate::time::Timestamp;

/// A database.
pub trait Store: Send + Sync {
    /// Runs `work` in one read-only transaction that sees one snapshot.
    ///
    /// `work` may run more than once (where the database asks for a retry), so it must not keep
    /// anything of a run that failed.
    fn read(&self, work: &mut dyn FnMut(&mut dyn ReadTx) -> Result<()>) -> Result<()>;

    /// Runs `work` in one write transaction: committed when it returns `Ok`, rolled back else.
    ///
    /// When this returns `Ok`, the transaction is durable. `work` may run more than once.
    fn write(&self, work: &mut dyn FnMut(&mut dyn WriteTx) -> Result<()>) -> Result<()>;

    /// Does ahead of time what writes will need around `now`: on PostgreSQL the partitions of the months to
    /// come. Cheap when there is nothing to do; a server calls it now and then.
    fn prepare(&self, now: Timestamp) -> Result<()>;

    /// Whether the database is reachable, writable and has every migration.
    fn ready(&self) -> Result<()>;

    /// How many transactions that store events gain from running at once, here in this process. One, where each
    /// waits for the others anyway.
    fn writers(&self) -> usize {
        1
    }
}

impl dyn Store + '_ {
    /// [`Store::read`] with a result.
    pub fn reading<T>(&self, mut work: impl FnMut(&mut dyn ReadTx) -> Result<T>) -> Result<T> {
        let mut answer = None;
        self.read(&mut |tx| work(tx).map(|value| answer = Some(value)))?;
        answer.ok_or_else(|| crate::Error::internal("the store returned without running its work"))
    }

    /// [`Store::write`] with a result.
    pub fn writing<T>(&self, mut work: impl FnMut(&mut dyn WriteTx) -> Result<T>) -> Result<T> {
        let mut answer = None;
        self.write(&mut |tx| work(tx).map(|value| answer = Some(value)))?;
        answer.ok_or_else(|| crate::Error::internal("the store returned without running its work"))
    }
}

/// Everything that can be asked inside a transaction.
pub trait ReadTx: EventReads + DirectoryReads + AccessReads + ActivityReads + SheetReads + ThrottleReads {}

/// Everything that can be asked and changed inside a write transaction.
pub trait WriteTx:
    ReadTx + EventWrites + DirectoryWrites + AccessWrites + ActivityWrites + SheetWrites + ThrottleWrites
{
}
