//! A database that fails at a chosen write.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use trailkeeper_domain::ports::{ReadTx, Store, WriteTx};
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};

/// How a write fails.
#[derive(Debug, Clone, Copy)]
pub(crate) enum InjectedFailure {
    /// Before anything was done.
    Before,
    /// Behind its last statement: everything is rolled back.
    BeforeCommit,
    /// It was committed, but nobody heard of it.
    CommitLost,
}

impl InjectedFailure {
    pub(crate) const ALL: [Self; 3] = [Self::Before, Self::BeforeCommit, Self::CommitLost];
}

/// Passes everything on, but fails one write; `dead`: and all that follow, as for a process that died then.
pub(crate) struct Faulty {
    inner: Arc<dyn Store>,
    fault: InjectedFailure,
    dead: bool,
    left: AtomicI64,
}

impl Faulty {
    pub(crate) fn new(inner: Arc<dyn Store>, fault: InjectedFailure, dead: bool, nth: i64) -> Self {
        Self { inner, fault, dead, left: AtomicI64::new(nth) }
    }

    /// Whether the chosen write came.
    pub(crate) fn struck(&self) -> bool {
        self.left.load(Ordering::SeqCst) < 0
    }
}

fn failure() -> Error {
    Error::unavailable("a fault of the test")
}

impl Store for Faulty {
    fn read(&self, work: &mut dyn FnMut(&mut dyn ReadTx) -> Result<()>) -> Result<()> {
        if self.dead && self.struck() { Err(failure()) } else { self.inner.read(work) }
    }

    fn write(&self, work: &mut dyn FnMut(&mut dyn WriteTx) -> Result<()>) -> Result<()> {
        let left = self.left.fetch_sub(1, Ordering::SeqCst);
        if left < 0 && self.dead {
            return Err(failure());
        }
        if left != 0 {
            return self.inner.write(work);
        }
        match self.fault {
            InjectedFailure::Before => {}
            InjectedFailure::BeforeCommit => self.inner.write(&mut |tx| work(tx).and(Err(failure())))?,
            InjectedFailure::CommitLost => self.inner.write(work)?,
        }
        Err(failure())
    }

    fn prepare(&self, now: Timestamp) -> Result<()> {
        self.inner.prepare(now)
    }

    fn ready(&self) -> Result<()> {
        self.inner.ready()
    }
}
