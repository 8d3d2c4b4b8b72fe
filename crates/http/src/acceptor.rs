//! Accepting connections: the limit per source, and the TLS handshake.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use actix_http::Protocol;
use actix_web::rt::net::TcpStream;
use actix_web::web::Data;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use trailkeeper_domain::error::Chain;

use crate::connection::{ConnectionPermit, DeadlineStream, RawResponses, Sources, Transport};
use crate::settings::ConnectionSettings;
use crate::state::AppState;
use crate::tls::Tls;

/// An accepted connection, as actix-http takes it.
pub type Accepted<S> = (DeadlineStream<S>, Protocol, Option<SocketAddr>);

/// Accepts the connections of all workers.
#[derive(Clone)]
pub struct Acceptor {
    limits: ConnectionSettings,
    sources: Arc<Sources>,
    raw_responses: RawResponses,
    tls: Option<(Arc<Tls>, TlsAcceptor)>,
}

impl Acceptor {
    /// Applies the connection settings of `state`. Fails if its certificate cannot be used.
    pub fn new(state: &Data<AppState>) -> io::Result<Self> {
        let settings = &state.settings;
        let tls = settings.tls.as_ref().map(|tls| {
            let config = tls.server_config().map_err(io::Error::other)?;
            Ok::<_, io::Error>((Arc::clone(tls), TlsAcceptor::from(Arc::new(config))))
        });
        Ok(Self {
            limits: settings.connections,
            sources: Sources::new(settings.connections.max_per_source, settings.trusted_proxies.clone()),
            raw_responses: RawResponses::new(state.clone()),
            tls: tls.transpose()?,
        })
    }

    /// Accepts a connection of plain HTTP.
    pub fn accept(&self, socket: TcpStream) -> io::Result<Accepted<TcpStream>> {
        let (peer, permit) = self.permit_for(&socket)?;
        Ok((self.with_deadlines(socket, permit), Protocol::Http1, Some(peer)))
    }

    /// Accepts a connection of HTTPS, after its handshake.
    pub async fn accept_tls(&self, mut socket: TcpStream) -> io::Result<Accepted<TlsStream<TcpStream>>> {
        let (peer, permit) = self.permit_for(&socket)?;
        let Some((_, acceptor)) = &self.tls else { return Err(io::ErrorKind::Unsupported.into()) };
        let handshake = async {
            let mut first = [0];
            let read = socket.peek(&mut first).await?;
            // A handshake begins with the byte 22, a request of plain HTTP with the name of its method.
            if read > 0 && first[0].is_ascii_uppercase() {
                self.reject_plain_http(&mut socket).await?;
                return Err(io::Error::new(io::ErrorKind::InvalidData, "plain HTTP on a port for TLS"));
            }
            acceptor.accept(socket).await
        };
        let stream = timeout(self.limits.head_timeout, handshake).await.map_err(io::Error::from)?;
        let stream = stream.inspect_err(|error| tracing::debug!(%peer, "the TLS handshake failed: {error}"))?;
        Ok((self.with_deadlines(stream, permit), Protocol::Http1, Some(peer)))
    }

    async fn reject_plain_http(&self, socket: &mut TcpStream) -> io::Result<()> {
        // Closing a socket with unread bytes would reset the connection before the client reads the response.
        let mut request = [0; 8192];
        let _read = socket.read(&mut request).await?;
        socket.write_all(&self.raw_responses.needs_tls()).await?;
        socket.shutdown().await
    }

    fn permit_for(&self, socket: &TcpStream) -> io::Result<(SocketAddr, Option<ConnectionPermit>)> {
        let peer = socket.peer_addr()?;
        let permit = self.sources.permit(peer.ip()).map_err(|_| {
            tracing::debug!(%peer, "the source has reached its limit of connections");
            io::Error::from(io::ErrorKind::ConnectionRefused)
        })?;
        // Responses are written whole, so waiting for more bytes would only delay them.
        socket.set_nodelay(true)?;
        Ok((peer, permit))
    }

    fn with_deadlines<S: Transport>(&self, io: S, permit: Option<ConnectionPermit>) -> DeadlineStream<S> {
        DeadlineStream::new(io, self.limits, self.raw_responses.clone(), permit)
    }

    /// Reads the certificate again at each SIGHUP. Without TLS it logs that nothing was reloaded: if there were no handler,
    /// the signal would end the server.
    #[cfg(unix)]
    pub fn reload_on_signal(&self) -> io::Result<()> {
        use actix_web::rt::signal::unix::{SignalKind, signal};

        let tls = self.tls.as_ref().map(|(tls, _)| Arc::clone(tls));
        let mut hangup = signal(SignalKind::hangup())?;
        actix_web::rt::spawn(async move {
            while hangup.recv().await.is_some() {
                match tls.as_ref().map(|tls| tls.reload()) {
                    Some(Ok(())) => tracing::info!("SIGHUP: read the certificate and its key again"),
                    Some(Err(error)) => {
                        tracing::error!("SIGHUP: the old certificate stays in use: {}", Chain(&error));
                    }
                    None => tracing::info!("SIGHUP: TLS is off, so there is no certificate to read again"),
                }
            }
        });
        Ok(())
    }

    /// Does nothing: this system has no SIGHUP, and a new certificate needs a restart.
    #[cfg(not(unix))]
    pub fn reload_on_signal(&self) -> io::Result<()> {
        Ok(())
    }
}
