//! A store over a real one, with a crash that the test plans.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use actix_web::web::Data;
use trailkeeper_domain::ingest::{Ingest, IngestLimits};
use trailkeeper_domain::ports::{ReadTx, Store, WriteTx};
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};
use trailkeeper_http::{AppState, HttpSettings, Services};

use crate::support::TestApp;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It works normally.
    Lives,
    /// It commits one write transaction and is unreachable from then on: the stored data is that after a crash.
    DiesAfterCommit,
    /// It executes the next write transaction, rolls it back, and is unreachable from then on.
    DiesBeforeCommit,
    /// Write transactions wait.
    Waits,
    /// It is unreachable.
    Dead,
}

pub struct FatedStore {
    inner: Arc<dyn Store>,
    fate: Mutex<Fate>,
    changed: Condvar,
    /// Numbers of write transactions that began and that were committed.
    begun: AtomicUsize,
    committed: AtomicUsize,
}

impl FatedStore {
    /// Replaces the store of the server of `app`. Accounts and sessions stay on the real store.
    pub fn under(app: &mut TestApp) -> Arc<Self> {
        let services = app.state.services.clone();
        let store = Arc::new(Self {
            inner: services.store.clone(),
            fate: Mutex::new(Fate::Lives),
            changed: Condvar::new(),
            begun: AtomicUsize::new(0),
            committed: AtomicUsize::new(0),
        });
        let ingest = Arc::new(Ingest::start(store.clone(), IngestLimits::default()).unwrap());
        let services = Services { store: store.clone(), ingest, ..services };
        app.state = Data::new(AppState::new(services, HttpSettings::default()));
        store
    }

    pub fn set(&self, fate: Fate) {
        *self.fate.lock().unwrap() = fate;
        self.changed.notify_all();
    }

    pub fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }

    pub fn committed(&self) -> usize {
        self.committed.load(Ordering::SeqCst)
    }

    /// Waits until `committed` write transactions are committed.
    pub fn wait_for(&self, committed: usize) {
        let waiting = self.fate.lock().unwrap();
        drop(self.changed.wait_while(waiting, |_| self.committed() < committed).unwrap());
    }

    fn fate(&self) -> Fate {
        let fate = self.fate.lock().unwrap();
        *self.changed.wait_while(fate, |fate| *fate == Fate::Waits).unwrap()
    }
}

fn gone() -> Error {
    Error::unavailable("the test took it away")
}

impl Store for FatedStore {
    fn read(&self, work: &mut dyn FnMut(&mut dyn ReadTx) -> Result<()>) -> Result<()> {
        match *self.fate.lock().unwrap() {
            Fate::Dead => return Err(gone()),
            Fate::Lives | Fate::DiesAfterCommit | Fate::DiesBeforeCommit | Fate::Waits => {}
        }
        self.inner.read(work)
    }

    fn write(&self, work: &mut dyn FnMut(&mut dyn WriteTx) -> Result<()>) -> Result<()> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        let fate = self.fate();
        let outcome = match fate {
            Fate::Lives | Fate::Waits | Fate::DiesAfterCommit => self.inner.write(work),
            Fate::DiesBeforeCommit => self.inner.write(&mut |tx| work(tx).and_then(|()| Err(gone()))),
            Fate::Dead => Err(gone()),
        };
        let mut now = self.fate.lock().unwrap();
        if outcome.is_ok() {
            self.committed.fetch_add(1, Ordering::SeqCst);
        }
        if matches!(fate, Fate::DiesAfterCommit | Fate::DiesBeforeCommit) {
            *now = Fate::Dead;
        }
        self.changed.notify_all();
        outcome
    }

    fn prepare(&self, now: Timestamp) -> Result<()> {
        self.inner.prepare(now)
    }

    fn ready(&self) -> Result<()> {
        self.inner.ready()
    }
}
