//! Putting the routes together, and serving them.

use std::net::SocketAddr;
use std::time::Duration;

use actix_web::middleware::from_fn;
use actix_web::web::{Data, ServiceConfig};
use actix_web::{App, HttpServer};

use crate::endpoint::fallback;
use crate::settings::HttpSettings;
use crate::shapes::Native;
use crate::state::{AppState, Services};
use crate::{cripsa, native, octopai, ops, saasus, trace};

/// How long requests in hand may take after the server was told to stop.
const SHUTDOWN_S: u64 = 20;

/// Adds every route. More specific prefixes come first: `/v1/analysis` lies inside `/v1`.
pub fn configure(config: &mut ServiceConfig) {
    saasus::configure(config);
    cripsa::configure(config);
    octopai::configure(config);
    native::configure(config);
    ops::configure(config);
    config.default_service(fallback::<Native>("/openapi.json"));
}

/// Serves until SIGINT or SIGTERM, then lets the requests in hand finish.
///
/// `on_ready` learns the address once it is bound (with its real port where port 0 was asked for).
pub async fn serve(
    services: Services,
    settings: HttpSettings,
    on_ready: impl FnOnce(SocketAddr),
) -> std::io::Result<()> {
    let (listen, workers) = (settings.listen, settings.workers.max(1));
    let state = Data::new(AppState::new(services, settings));
    let server =
        HttpServer::new(move || App::new().app_data(state.clone()).wrap(from_fn(trace::traced)).configure(configure))
            .workers(workers)
            // A thread per worker waits for the disk at a time; more would only wait for one another.
            .worker_max_blocking_threads(32)
            .client_request_timeout(Duration::from_secs(10))
            .shutdown_timeout(SHUTDOWN_S)
            .bind(listen)?;
    if let Some(address) = server.addrs().first() {
        on_ready(*address);
    }
    server.run().await
}
