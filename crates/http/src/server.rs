//! The routes of all contracts, and the server that serves them.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
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
use crate::error_formats::Native;
use crate::limits::{LimitSettings, LimitSharing};
use crate::operation::routes::fallback;
use crate::settings::HttpSettings;
use crate::state::{AppState, Services};
use crate::{cripsa, documents, native, octopai, saasus, trace};

/// How long active requests may take after SIGTERM, in seconds.
const SHUTDOWN_S: u64 = 20;

/// How long the end of a connection may take, or the unread rest of a rejected body.
const DISCONNECT: Duration = Duration::from_secs(1);

/// The most connections that wait to be accepted, as with `actix_web::HttpServer`.
const BACKLOG: u32 = 2048;

/// Bytes of a response that the system may buffer per connection; it doubles the number for its own use. By default it
/// buffers megabytes and reports free space only by the third, so that a slow but steady reader would seem to be stuck.
const SEND_BUFFER: u32 = 256 * 1024;

/// Adds every route of every contract to an actix-web application, which must have `Data<AppState>`.
///
/// More specific prefixes come first, because `/v1/analysis` lies inside `/v1`.
pub fn configure(config: &mut ServiceConfig) {
    saasus::configure(config);
    cripsa::configure(config);
    octopai::configure(config);
    native::configure(config);
    documents::configure(config);
    config.default_service(fallback::<Native>("/openapi.json"));
}

/// Serves until SIGTERM, after which active requests may finish, or until SIGINT, which aborts them. SIGHUP reads the
/// certificate again.
///
/// `on_ready` gets the bound address, with the real port if the settings ask for port 0, before any request is served. If
/// it fails, the server does not start and returns its error.
///
/// # Errors
/// If the address cannot be bound, or the certificate cannot be used.
pub async fn serve(
    services: Services,
    settings: HttpSettings,
    on_ready: impl FnOnce(SocketAddr) -> io::Result<()>,
) -> io::Result<()> {
    let listener = bound(settings.listen)?;
    let address = listener.local_addr()?;
    let workers = settings.workers.max(1);
    let state = Data::new(AppState::new(services, settings));
    // Stops when this function returns, after the last request.
    let _sharing = limit_sharing(&state).map_err(io::Error::other)?;
    let acceptor = Acceptor::new(&state)?;
    acceptor.reload_on_signal()?;
    let builder = Server::build()
        .workers(workers)
        // Most of them wait for the database, one at a time; more threads would only wait for one another.
        .worker_max_blocking_threads(32)
        .max_concurrent_connections(state.settings.connections.max.div_ceil(workers))
        .shutdown_timeout(SHUTDOWN_S);
    let stopping = builder.graceful_shutdown_signal();
    let stopper = actix_web::rt::spawn(stop_listeners(state.clone(), stopping.clone()));
    let builder = if state.settings.tls.is_some() {
        builder.listen("trailkeeper", listener, move || {
            let (state, stopping, acceptor) = (state.clone(), stopping.clone(), acceptor.clone());
            fn_service(move |socket: TcpStream| {
                let acceptor = acceptor.clone();
                async move { acceptor.accept_tls(socket).await.map_err(DispatchError::Io) }
            })
            .and_then(http(state, stopping))
        })?
    } else {
        builder.listen("trailkeeper", listener, move || {
            let (state, stopping, acceptor) = (state.clone(), stopping.clone(), acceptor.clone());
            fn_service(move |socket: TcpStream| {
                let accepted = acceptor.accept(socket).map_err(DispatchError::Io);
                async move { accepted }
            })
            .and_then(http(state, stopping))
        })?
    };
    on_ready(address)?;
    let served = builder.run().await;
    // After SIGINT it would wait on.
    stopper.abort();
    served
}

/// Ends streams and waiting requests when the server begins to stop: it waits for the end of its requests.
async fn stop_listeners(state: Data<AppState>, stopping: GracefulShutdownSignal) {
    stopping.notified().await;
    state.stop_listeners();
}

/// The thread that shares request counts; `None` if no group has a limit.
fn limit_sharing(state: &AppState) -> trailkeeper_domain::Result<Option<LimitSharing>> {
    if state.settings.limits == LimitSettings::NONE {
        return Ok(None);
    }
    let Services { store, clock, entropy, .. } = &state.services;
    LimitSharing::start(Arc::clone(state.limits()), Arc::clone(store), Arc::clone(clock), Arc::clone(entropy)).map(Some)
}

/// A socket that listens at `address`. Its connections inherit the size of its send buffer.
fn bound(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A restarted server may take the port of its predecessor at once. On Windows the option means something else.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

/// The application on a connection with deadlines, set up as `actix_web::HttpServer` sets it up on a plain one.
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
        // `DeadlineStream` limits the time of heads and of idle connections.
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
