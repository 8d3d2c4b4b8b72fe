//! A baseline server with the same framework that only parses the request bodies.

use std::net::SocketAddr;

use actix_web::rt::System;
use actix_web::web::{self, Bytes};
use actix_web::{App, HttpResponse, HttpServer};
use trailkeeper_domain::event::EventDraft;

use crate::serving::{WORKERS, on_a_thread};

/// Starts it. It parses each event like the real server, stores nothing and responds.
pub fn start() -> SocketAddr {
    on_a_thread(|ready| {
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
    })
}
