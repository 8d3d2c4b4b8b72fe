//! What every handler shares: a small struct of ports.

use std::sync::Arc;

use trailkeeper_auth::Access;
use trailkeeper_domain::clock::{Clock, Entropy};
use trailkeeper_domain::ingest::Ingest;
use trailkeeper_domain::ports::Store;

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
}

impl AppState {
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
