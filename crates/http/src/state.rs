//! What every handler shares: a small struct of ports.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use trailkeeper_analytics::FoldCache;
use trailkeeper_auth::Access;
use trailkeeper_domain::clock::{Clock, Entropy};
use trailkeeper_domain::ingest::Ingest;
use trailkeeper_domain::ports::Store;
use trailkeeper_domain::{Error, Result};

use crate::keyed_locks::KeyedLocks;
use crate::limits::Limits;
use crate::ops::Readiness;
use crate::settings::HttpSettings;

/// How many analytic questions are answered at once for each thread that serves connections.
const ANALYTICS_PER_WORKER: usize = 4;

/// How long an analytic question waits for its turn.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// The services behind the routes, chosen by the program that embeds the server.
#[derive(Clone)]
pub struct Services {
    /// The database.
    pub store: Arc<dyn Store>,
    /// The way in for events: they are committed in groups.
    pub ingest: Arc<Ingest>,
    /// Logins, tokens, signatures.
    pub access: Arc<Access>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
}

/// Services and settings, shared by all workers.
pub struct AppState {
    /// The services.
    pub services: Services,
    /// The settings.
    pub settings: HttpSettings,
    /// Places for password checks, which take a core each for a good part of a second. Who waits for one
    /// holds no thread, so that a storm of logins leaves threads and cores to everybody else.
    password_checks: Arc<Semaphore>,
    /// Places for analytic questions, which may each fold megabytes.
    analytics: Arc<Semaphore>,
    folds: Arc<FoldCache>,
    /// Of logins.
    turns: Arc<KeyedLocks>,
    limits: Limits,
    readiness: Arc<Readiness>,
}

impl AppState {
    /// Puts them together.
    pub fn new(services: Services, settings: HttpSettings) -> Self {
        let password_checks = Arc::new(Semaphore::new((settings.workers / 2).max(1)));
        let analytics = Arc::new(Semaphore::new(settings.workers.max(1) * ANALYTICS_PER_WORKER));
        let folds = Arc::new(FoldCache::new(settings.fold_cache_bytes));
        let limits = Limits::new(settings.limits);
        Self {
            services,
            settings,
            password_checks,
            analytics,
            folds,
            turns: Arc::default(),
            limits,
            readiness: Arc::default(),
        }
    }

    /// Waits for a place to hash a password; it is free again when the permit is dropped.
    pub(crate) async fn hashing_permit(&self) -> Result<OwnedSemaphorePermit> {
        Arc::clone(&self.password_checks).acquire_owned().await.map_err(Error::internal)
    }

    /// Waits for a place to answer an analytic question; it is free again when the permit is dropped.
    ///
    /// [`Error::Unavailable`] when there is none within some seconds.
    pub(crate) async fn analytics_permit(&self) -> Result<OwnedSemaphorePermit> {
        let waiting = timeout(LONGEST_WAIT, Arc::clone(&self.analytics).acquire_owned());
        let busy = |_| Error::unavailable("more analytic questions are asked at once than are answered in time");
        waiting.await.map_err(busy)?.map_err(Error::internal)
    }

    /// Whose turn it is to log in.
    pub(crate) fn logins(&self) -> &Arc<KeyedLocks> {
        &self.turns
    }

    /// How often each credential and each source asked.
    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Whether the server can serve, as it was found last.
    pub(crate) fn readiness(&self) -> &Arc<Readiness> {
        &self.readiness
    }

    /// Shares the request counts of this server with those of others on the same database. A server does so each
    /// second.
    pub fn share_limits(&self) -> Result<()> {
        self.limits.share(self.store(), self.clock().now())
    }

    /// The database.
    pub fn store(&self) -> &dyn Store {
        self.services.store.as_ref()
    }

    /// The cache of folds of the database's sheets.
    pub(crate) fn folds(&self) -> &Arc<FoldCache> {
        &self.folds
    }

    /// The time.
    pub fn clock(&self) -> &dyn Clock {
        self.services.clock.as_ref()
    }

    /// Randomness.
    pub fn entropy(&self) -> &dyn Entropy {
        self.services.entropy.as_ref()
    }

    /// Logins, tokens, signatures.
    pub fn access(&self) -> &Access {
        self.services.access.as_ref()
    }
}
