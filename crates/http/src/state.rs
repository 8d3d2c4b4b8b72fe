//! What every handler shares: a small struct of ports.

use std::sync::Arc;

use tokio::sync::{Semaphore, SemaphorePermit};
use trailkeeper_auth::Access;
use trailkeeper_domain::clock::{Clock, Entropy};
use trailkeeper_domain::ingest::Ingest;
use trailkeeper_domain::ports::Store;
use trailkeeper_domain::{Error, Result};

use crate::settings::HttpSettings;

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
    password_checks: Semaphore,
}

impl AppState {
    /// Puts them together.
    pub fn new(services: Services, settings: HttpSettings) -> Self {
        let password_checks = Semaphore::new((settings.workers / 2).max(1));
        Self { services, settings, password_checks }
    }

    /// Waits for a place to check a password; it is free again when the permit is dropped.
    pub async fn password_check(&self) -> Result<SemaphorePermit<'_>> {
        self.password_checks.acquire().await.map_err(Error::internal)
    }

    /// The database.
    pub fn store(&self) -> &dyn Store {
        self.services.store.as_ref()
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
