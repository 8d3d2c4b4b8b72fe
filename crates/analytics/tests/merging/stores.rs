//! Databases that do not do what they are told.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::Sender;

use trailkeeper_domain::ports::{ReadTx, Store, WriteTx};
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};

/// What happens at the chosen write.
pub(crate) enum Mishap {
    /// It fails behind its last statement, and is rolled back.
    Fails,
    /// It and all that follow fail, as those of a process that died.
    Dies,
    /// Something else happens in the database just before it.
    Follows(Box<dyn Fn() + Send + Sync>),
}

/// Passes everything on until a chosen write, counted from 0.
pub(crate) struct Unlucky {
    inner: Arc<dyn Store>,
    mishap: Mishap,
    left: AtomicI64,
}

impl Unlucky {
    pub(crate) fn new(inner: &Arc<dyn Store>, nth: i64, mishap: Mishap) -> Self {
        Self { inner: Arc::clone(inner), mishap, left: AtomicI64::new(nth) }
    }

    /// Whether the chosen write came.
    pub(crate) fn struck(&self) -> bool {
        self.left.load(Ordering::SeqCst) < 0
    }
}

impl Store for Unlucky {
    fn read(&self, work: &mut dyn FnMut(&mut dyn ReadTx) -> Result<()>) -> Result<()> {
        self.inner.read(work)
    }

    fn write(&self, work: &mut dyn FnMut(&mut dyn WriteTx) -> Result<()>) -> Result<()> {
        let left = self.left.fetch_sub(1, Ordering::SeqCst);
        let fails = match &self.mishap {
            Mishap::Fails => left == 0,
            Mishap::Dies => left <= 0,
            Mishap::Follows(what) => {
                if left == 0 {
                    what();
                }
                false
            }
        };
        self.inner.write(&mut |tx| {
            work(tx)?;
            if fails { Err(Error::unavailable("a mishap of the test")) } else { Ok(()) }
        })
    }

    fn prepare(&self, now: Timestamp) -> Result<()> {
        self.inner.prepare(now)
    }

    fn ready(&self) -> Result<()> {
        self.inner.ready()
    }
}

/// Tells of each write that is over, and how it ended.
pub(crate) struct Watched {
    pub(crate) inner: Arc<dyn Store>,
    pub(crate) told: Sender<bool>,
}

impl Store for Watched {
    fn read(&self, work: &mut dyn FnMut(&mut dyn ReadTx) -> Result<()>) -> Result<()> {
        self.inner.read(work)
    }

    fn write(&self, work: &mut dyn FnMut(&mut dyn WriteTx) -> Result<()>) -> Result<()> {
        let done = self.inner.write(work);
        // The test may be over.
        let _gone = self.told.send(done.is_ok());
        done
    }

    fn prepare(&self, now: Timestamp) -> Result<()> {
        self.inner.prepare(now)
    }

    fn ready(&self) -> Result<()> {
        self.inner.ready()
    }
}
