//! The server under test, on loopback, with all background work of production.

use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::rt::System;
use trailkeeper_analytics::engine::merger::{Merger, MergerSettings};
use trailkeeper_auth::{Access, AccessSettings, AuditContext, MasterKey, NewToken, SystemEntropy};
use trailkeeper_domain::account::{Actor, Role};
use trailkeeper_domain::clock::SystemClock;
use trailkeeper_domain::ingest::{Ingest, IngestLimits};
use trailkeeper_domain::ports::Store;
use trailkeeper_http::{HttpSettings, Services};

use crate::serving::{WORKERS, on_a_thread};

/// A server that listens until the benchmark ends. Dropping it ends its merger.
pub struct Server {
    pub address: SocketAddr,
    /// A token with the requested role.
    pub token: String,
    _merger: Merger,
}

impl Server {
    pub fn start(store: Arc<dyn Store>, role: Role, settings: AccessSettings) -> Self {
        Self::start_as(store, role, settings, HttpSettings::default())
    }

    /// Starts a server with other HTTP settings. The address and the number of workers are fixed.
    pub fn start_as(store: Arc<dyn Store>, role: Role, settings: AccessSettings, http: HttpSettings) -> Self {
        let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy::default()));
        let master = MasterKey::generate(entropy.as_ref());
        let access = Access::new(store.clone(), clock.clone(), entropy.clone(), master, settings);
        let actor = AuditContext::from(Actor { id: "bench".to_owned(), name: "bench".to_owned() });
        let new = NewToken { name: "bench".to_owned(), role, tenant_id: None, expires_at: None };
        let token = access.create_token(&actor, new).unwrap().1.expose().to_owned();
        let merger =
            Merger::start(store.clone(), clock.clone(), entropy.clone(), MergerSettings::default(), &Arc::default())
                .unwrap();
        let ingest = Arc::new(Ingest::start(store.clone(), IngestLimits::default()).unwrap());
        let services = Services { store, ingest, access: Arc::new(access), clock, entropy, stream_tester: None };
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let settings = HttpSettings { listen, workers: WORKERS, ..http };
        let address = on_a_thread(move |ready| {
            let serving = trailkeeper_http::serve(services, settings, move |address| {
                ready.send(address).unwrap();
                Ok(())
            });
            System::new().block_on(serving).unwrap();
        });
        Self { address, token, _merger: merger }
    }
}
