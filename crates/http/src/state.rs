//! The state that all handlers share: services, settings, permits and caches.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use trailkeeper_analytics::FoldCache;
use trailkeeper_auth::Access;
use trailkeeper_domain::clock::{Clock, Entropy};
use trailkeeper_domain::error::{Cause, Context};
use trailkeeper_domain::ingest::Ingest;
use trailkeeper_domain::ports::Store;
use trailkeeper_domain::stream::StreamTester;
use trailkeeper_domain::{Error, ErrorDetail, Result};

use crate::body_budget::{BodyBudget, BodyShare, Sender};
use crate::follow::Listeners;
use crate::keyed_locks::KeyedLocks;
use crate::limits::Limits;
use crate::readiness::Readiness;
use crate::settings::HttpSettings;

/// The number of analytic questions that may run at once, for each thread that serves connections.
const ANALYTICS_PER_WORKER: usize = 4;

/// The longest time that an analytic question waits for a permit.
const MAX_WAIT: Duration = Duration::from_secs(10);

/// The services that the handlers use. The program that embeds the server chooses them.
#[derive(Clone)]
pub struct Services {
    /// The database.
    pub store: Arc<dyn Store>,
    /// The queue of new events. It commits them in groups.
    pub ingest: Arc<Ingest>,
    /// Checks and issues logins, tokens and signatures.
    pub access: Arc<Access>,
    /// The source of the current time.
    pub clock: Arc<dyn Clock>,
    /// The source of randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Sends the test messages of forwarding streams; `None`: this server forwards nothing.
    pub stream_tester: Option<Arc<dyn StreamTester>>,
}

/// Services and settings, shared by all workers. [`serve`](crate::serve) makes one. An actix-web application that serves
/// Trailkeeper beside its own routes makes its own:
///
/// ```
/// use std::sync::Arc;
///
/// use actix_web::test::{TestRequest, call_service, init_service};
/// use actix_web::{App, web::Data};
/// use trailkeeper_auth::{Access, AccessSettings, MasterKey};
/// use trailkeeper_domain::clock::SystemClock;
/// use trailkeeper_domain::ingest::{Ingest, IngestLimits};
/// use trailkeeper_http::{AppState, HttpSettings, Services};
/// use trailkeeper_storage::{DatabaseUrl, StoreOptions};
/// use trailkeeper_testkit::{TempDatabase, TestEntropy};
///
/// # actix_web::rt::System::new().block_on(async {
/// let database = TempDatabase::sqlite();
/// let url = DatabaseUrl::parse(database.url())?;
/// trailkeeper_storage::migrate(&url)?;
/// let store = trailkeeper_storage::open(&url, &StoreOptions::default())?;
/// // A program takes its randomness from the operating system, and keeps its master key.
/// let (clock, entropy) = (Arc::new(SystemClock), Arc::new(TestEntropy::default()));
/// let key = MasterKey::generate(entropy.as_ref());
/// let access = Access::new(store.clone(), clock.clone(), entropy.clone(), key, AccessSettings::default());
/// let ingest = Arc::new(Ingest::start(store.clone(), IngestLimits::default())?);
///
/// let services = Services { store, ingest, access: Arc::new(access), clock, entropy, stream_tester: None };
/// let state = Data::new(AppState::new(services, HttpSettings::default()));
/// let app = init_service(App::new().app_data(state).configure(trailkeeper_http::configure)).await;
/// let response = call_service(&app, TestRequest::with_uri("/readyz").to_request()).await;
/// assert!(response.status().is_success());
/// # Ok::<(), trailkeeper_domain::Error>(())
/// # })?;
/// # Ok::<(), trailkeeper_domain::Error>(())
/// ```
pub struct AppState {
    /// The services.
    pub services: Services,
    /// The settings.
    pub settings: HttpSettings,
    /// Permits to hash a password, which occupies a core for a large part of a second. A login that waits for a permit
    /// occupies no thread, so that a storm of logins leaves threads and cores to other requests.
    hashing_permits: Arc<Semaphore>,
    /// Permits to answer an analytic question, which may fold megabytes of data.
    analytics_permits: Arc<Semaphore>,
    folds: Arc<FoldCache>,
    bodies: Arc<BodyBudget>,
    login_locks: Arc<KeyedLocks>,
    limits: Arc<Limits>,
    readiness: Readiness,
    listeners: Listeners,
    /// Places for exports.
    exports: Arc<Semaphore>,
}

impl AppState {
    /// The state of a server that has just started.
    pub fn new(services: Services, settings: HttpSettings) -> Self {
        let hashing_permits = Arc::new(Semaphore::new((settings.workers / 2).max(1)));
        let analytics_permits = Arc::new(Semaphore::new(settings.workers.max(1) * ANALYTICS_PER_WORKER));
        let folds = Arc::new(FoldCache::new(settings.fold_cache_bytes));
        let bodies = Arc::new(BodyBudget::new(settings.body_budget_bytes));
        let limits = Arc::new(Limits::new(settings.limits));
        let listeners = Listeners::new(Arc::clone(&services.store), settings.max_listeners);
        let exports = Arc::new(Semaphore::new(settings.max_exports.min(Semaphore::MAX_PERMITS)));
        Self {
            services,
            settings,
            hashing_permits,
            analytics_permits,
            folds,
            bodies,
            login_locks: Arc::default(),
            limits,
            readiness: Readiness::default(),
            listeners,
            exports,
        }
    }

    /// Waits for a permit to hash a password.
    pub(crate) async fn hashing_permit(&self) -> Result<OwnedSemaphorePermit> {
        Arc::clone(&self.hashing_permits).acquire_owned().await.map_err(Error::internal)
    }

    /// Waits for a permit to answer an analytic question.
    ///
    /// [`Error::Overloaded`] if no permit gets free within `MAX_WAIT`.
    pub(crate) async fn analytics_permit(&self) -> Result<OwnedSemaphorePermit> {
        let waiting = timeout(MAX_WAIT, Arc::clone(&self.analytics_permits).acquire_owned());
        let busy = |elapsed| {
            Error::overloaded(
                format!(
                    "the server is busy with other analytic questions and did not start this one within {} seconds",
                    MAX_WAIT.as_secs()
                ),
                Context::new("waiting for an analytics permit", elapsed),
            )
        };
        waiting.await.map_err(busy)?.map_err(Error::internal)
    }

    /// The share that one request has in the memory for bodies.
    pub(crate) fn body_share(&self, sender: Sender) -> BodyShare {
        self.bodies.share(sender)
    }

    /// The locks of logins, by name and source.
    pub(crate) fn login_locks(&self) -> &Arc<KeyedLocks> {
        &self.login_locks
    }

    /// The request counts of each credential and each source.
    pub(crate) fn limits(&self) -> &Arc<Limits> {
        &self.limits
    }

    /// The cached answer to the question whether the database can serve.
    pub(crate) fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    /// The requests that wait for events of the feed.
    pub(crate) fn listeners(&self) -> &Listeners {
        &self.listeners
    }

    /// A place for an export.
    ///
    /// [`Error::Overloaded`] with the code `too_many_exports` if there is none.
    pub(crate) fn export_place(&self) -> Result<OwnedSemaphorePermit> {
        Arc::clone(&self.exports).try_acquire_owned().map_err(|taken| {
            let text = format!("exports take all {} places (--max-exports)", self.settings.max_exports);
            Error::Overloaded { busy: ErrorDetail::new("too_many_exports", text), cause: Cause::new(taken) }
        })
    }

    /// The number of requests that wait for events or stream them now.
    pub fn listener_count(&self) -> usize {
        self.listeners.count()
    }

    /// Ends the streams of events, and answers the requests that wait for some: the present ones and later ones.
    /// [`serve`](crate::serve) does this when it stops. An application with a server of its own should do it then, because
    /// its graceful shutdown would wait for them.
    pub fn stop_listeners(&self) {
        self.listeners.stop();
    }

    /// Exchanges request counts with the other servers of the same database. [`serve`](crate::serve) does this every
    /// second.
    pub fn share_limits(&self) -> Result<()> {
        self.limits.share(self.store(), self.clock(), self.services.entropy.as_ref())
    }

    /// The database.
    pub fn store(&self) -> &dyn Store {
        self.services.store.as_ref()
    }

    /// The cache of folds of the database's sheets.
    pub(crate) fn folds(&self) -> &Arc<FoldCache> {
        &self.folds
    }

    /// The source of the current time.
    pub fn clock(&self) -> &dyn Clock {
        self.services.clock.as_ref()
    }

    /// The source of randomness.
    pub fn entropy(&self) -> &dyn Entropy {
        self.services.entropy.as_ref()
    }

    /// The service for logins, tokens and signatures.
    pub fn access(&self) -> &Access {
        self.services.access.as_ref()
    }
}
