//! Putting the routes together, and serving them.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{HttpService, KeepAlive, Protocol, Request};
use actix_server::{GracefulShutdownSignal, Server};
use actix_service::{ServiceFactory, ServiceFactoryExt as _, fn_service, map_config};
use actix_web::App;
use actix_web::dev::AppConfig;
use actix_web::middleware::from_fn;
use actix_web::rt::net::TcpStream;
use actix_web::web::{Data, ServiceConfig};
use tokio::net::TcpSocket;

use crate::acceptor::Acceptor;
use crate::connection::{DeadlineStream, Transport};
use crate::endpoint::fallback;
use crate::error_formats::Native;
use crate::limits::Sharing;
use crate::settings::HttpSettings;
use crate::state::{AppState, Services};
use crate::{cripsa, native, octopai, ops, saasus, trace};

/// How long requests in hand may take after the server was told to stop.
const SHUTDOWN_S: u64 = 20;

/// How long the end of a connection may take, and the rest of a body that was refused.
const DISCONNECT: Duration = Duration::from_secs(1);

/// How many connections may wait to be accepted, as with `actix_web::HttpServer`.
const BACKLOG: u32 = 2048;

/// Bytes of an answer that the system may hold of a connection; it doubles them for its own use. Left to itself it takes
/// megabytes, and room in them is told only by the third: a slow but steady reader would seem to take nothing.
const SEND_BUFFER: u32 = 256 * 1024;

/// Adds every route. More specific prefixes come first: `/v1/analysis` lies inside `/v1`.
pub fn configure(config: &mut ServiceConfig) {
    saasus::configure(config);
    cripsa::configure(config);
    octopai::configure(config);
    native::configure(config);
    ops::configure(config);
    config.default_service(fallback::<Native>("/openapi.json"));
}

/// Serves until SIGTERM, then lets the requests in hand finish, or until SIGINT, which cuts them off. SIGHUP reads the
/// certificate again.
///
/// `on_ready` learns the address once it is bound (with its real port where port 0 was asked for), before anybody is
/// answered. When it fails, nobody is, and its error is this one's.
pub async fn serve(
    services: Services,
    settings: HttpSettings,
    on_ready: impl FnOnce(SocketAddr) -> io::Result<()>,
) -> io::Result<()> {
    let listener = bound(settings.listen)?;
    let address = listener.local_addr()?;
    let workers = settings.workers.max(1);
    let state = Data::new(AppState::new(services, settings));
    // Ends with this function: by then every request is answered.
    let _sharing = Sharing::start(state.clone()).map_err(io::Error::other)?;
    let acceptor = Acceptor::new(&state)?;
    acceptor.reload_on_signal()?;
    let builder = Server::build()
        .workers(workers)
        // A thread per worker waits for the disk at a time; more would only wait for one another.
        .worker_max_blocking_threads(32)
        .max_concurrent_connections(state.settings.connections.most.div_ceil(workers))
        .shutdown_timeout(SHUTDOWN_S);
    let stopping = builder.graceful_shutdown_signal();
    let builder = if state.settings.tls.is_some() {
        builder.listen("trailkeeper", listener, move || {
            let (state, stopping, acceptor) = (state.clone(), stopping.clone(), acceptor.clone());
            fn_service(move |socket: TcpStream| {
                let acceptor = acceptor.clone();
                async move { acceptor.admit_by_tls(socket).await.map_err(DispatchError::Io) }
            })
            .and_then(http(state, stopping))
        })?
    } else {
        builder.listen("trailkeeper", listener, move || {
            let (state, stopping, acceptor) = (state.clone(), stopping.clone(), acceptor.clone());
            fn_service(move |socket: TcpStream| {
                let admitted = acceptor.admit(socket).map_err(DispatchError::Io);
                async move { admitted }
            })
            .and_then(http(state, stopping))
        })?
    };
    on_ready(address)?;
    builder.run().await
}

/// A socket that listens at `address`. Its connections have its send buffer.
fn bound(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A server that is started again may have the port of the one before it. On Windows this would mean another thing.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

/// The application on a guarded connection, as `actix_web::HttpServer` has it on a bare one.
fn http<S: Transport>(
    state: Data<AppState>,
    stopping: GracefulShutdownSignal,
) -> impl ServiceFactory<
    (DeadlineStream<S>, Protocol, Option<SocketAddr>),
    Config = (),
    Response = (),
    Error = DispatchError,
    InitError = (),
> {
    let app = App::new().app_data(state).wrap(from_fn(trace::traced)).configure(configure);
    HttpService::build()
        // The time of heads and of idle connections is kept by `DeadlineStream`.
        .keep_alive(KeepAlive::Os)
        .client_request_timeout(Duration::ZERO)
        .client_disconnect_timeout(DISCONNECT)
        .graceful_shutdown_signal(move || {
            let stopping = stopping.clone();
            async move { stopping.notified().await }
        })
        .on_connect_ext(|connection: &DeadlineStream<S>, data| {
            data.insert(connection.tracker());
        })
        .finish(map_config::<_, _, Request, _, ()>(app, |()| AppConfig::default()))
}
