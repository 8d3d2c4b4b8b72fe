//! The server under test, and one that only reads what it is sent.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use actix_web::rt::System;
use actix_web::web::{self, Bytes};
use actix_web::{App, HttpResponse, HttpServer};
use trailkeeper_auth::{Access, AccessSettings, MasterKey, NewToken, SystemEntropy};
use trailkeeper_domain::account::{Actor, Role};
use trailkeeper_domain::clock::SystemClock;
use trailkeeper_domain::event::EventDraft;
use trailkeeper_domain::ingest::{Ingest, IngestLimits};
use trailkeeper_domain::ports::Store;
use trailkeeper_http::{HttpSettings, Services};

/// As many threads as the machine of the project's targets has cores.
const WORKERS: usize = 2;

/// A server on loopback that runs until the benchmark ends.
pub struct Server {
    pub address: SocketAddr,
    pub token: String,
}

impl Server {
    /// The real one.
    pub fn start(store: Arc<dyn Store>) -> Self {
        let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy::default()));
        let master = MasterKey::generate(entropy.as_ref());
        let access = Access::new(store.clone(), clock.clone(), entropy.clone(), master, AccessSettings::default());
        let actor = Actor { id: "bench".to_owned(), name: "bench".to_owned() };
        let new = NewToken { name: "bench".to_owned(), role: Role::Ingest, tenant_id: None, expires_at: None };
        let token = access.create_token(&actor, new).unwrap().1.expose().to_owned();
        let ingest = Arc::new(Ingest::start(store.clone(), IngestLimits::default()).unwrap());
        let services = Services { store, ingest, access: Arc::new(access), clock, entropy };
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let settings = HttpSettings { listen, workers: WORKERS, ..HttpSettings::default() };
        let address = on_a_thread(move |ready| {
            let serving = trailkeeper_http::serve(services, settings, move |address| ready.send(address).unwrap());
            System::new().block_on(serving).unwrap();
        });
        Self { address, token }
    }

    /// Reads each event as the real one does, stores nothing and answers.
    pub fn start_parsing_only() -> Self {
        let address = on_a_thread(|ready| {
            System::new().block_on(async move {
                let read = |body: Bytes| async move {
                    let draft = EventDraft::from_json(&body).unwrap();
                    HttpResponse::Ok().json(serde_json::json!({"stored": 1, "id": draft.id}))
                };
                let app = move || App::new().route("/v1/events", web::post().to(read));
                let server = HttpServer::new(app).workers(WORKERS).bind(("127.0.0.1", 0)).unwrap();
                ready.send(server.addrs()[0]).unwrap();
                server.run().await.unwrap();
            });
        });
        Self { address, token: String::new() }
    }
}

fn on_a_thread(serve: impl FnOnce(Sender<SocketAddr>) + Send + 'static) -> SocketAddr {
    let (ready, address) = channel();
    thread::spawn(move || serve(ready));
    address.recv().unwrap()
}
