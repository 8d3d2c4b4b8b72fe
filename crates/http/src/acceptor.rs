//! The way in: who may connect, and the TLS handshake.

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

use crate::connection::{ConnectionPermit, DeadlineStream, RawResponse, Sources};
use crate::settings::ConnectionSettings;
use crate::state::AppState;
use crate::tls::Tls;

/// What a connection is handed on as.
pub type Admitted<S> = (DeadlineStream<S>, Protocol, Option<SocketAddr>);

/// Shared by all workers.
#[derive(Clone)]
pub struct Acceptor {
    limits: ConnectionSettings,
    sources: Arc<Sources>,
    raw_response: RawResponse,
    tls: Option<(Arc<Tls>, TlsAcceptor)>,
}

impl Acceptor {
    /// As the settings of `state` have it.
    pub fn new(state: &Data<AppState>) -> io::Result<Self> {
        let settings = &state.settings;
        let tls = settings.tls.as_ref().map(|tls| {
            let config = tls.server_config().map_err(io::Error::other)?;
            Ok::<_, io::Error>((Arc::clone(tls), TlsAcceptor::from(Arc::new(config))))
        });
        Ok(Self {
            limits: settings.connections,
            sources: Sources::new(settings.connections.most_per_source, settings.trusted_proxies.clone()),
            raw_response: RawResponse::new(state.clone()),
            tls: tls.transpose()?,
        })
    }

    /// A connection of plain HTTP.
    pub fn admit(&self, socket: TcpStream) -> io::Result<Admitted<TcpStream>> {
        let (peer, permit) = self.permit_for(&socket)?;
        Ok((self.with_deadlines(socket, permit), Protocol::Http1, Some(peer)))
    }

    /// A connection of HTTPS, after its handshake.
    pub async fn admit_by_tls(&self, mut socket: TcpStream) -> io::Result<Admitted<TlsStream<TcpStream>>> {
        let (peer, permit) = self.permit_for(&socket)?;
        let Some((_, acceptor)) = &self.tls else { return Err(io::ErrorKind::Unsupported.into()) };
        let handshake = async {
            let mut first = [0];
            let read = socket.peek(&mut first).await?;
            // A handshake begins with the byte 22, a request in plain HTTP with the name of its method.
            if read > 0 && first[0].is_ascii_uppercase() {
                self.refuse_plain(&mut socket).await?;
                return Err(io::Error::new(io::ErrorKind::InvalidData, "plain HTTP where TLS is spoken"));
            }
            acceptor.accept(socket).await
        };
        let stream = timeout(self.limits.head_timeout, handshake).await.map_err(io::Error::from)?;
        let stream = stream.inspect_err(|error| tracing::debug!(%peer, "no TLS connection: {error}"))?;
        Ok((self.with_deadlines(stream, permit), Protocol::Http1, Some(peer)))
    }

    async fn refuse_plain(&self, socket: &mut TcpStream) -> io::Result<()> {
        // Closing over unread bytes would reset the connection before the answer is read.
        let mut request = [0; 8192];
        let _read = socket.read(&mut request).await?;
        socket.write_all(&self.raw_response.needs_tls()).await?;
        socket.shutdown().await
    }

    fn permit_for(&self, socket: &TcpStream) -> io::Result<(SocketAddr, Option<ConnectionPermit>)> {
        let peer = socket.peer_addr()?;
        let permit = self.sources.enter(peer.ip()).map_err(|_| {
            tracing::debug!(%peer, "the source has as many connections as it may");
            io::Error::from(io::ErrorKind::ConnectionRefused)
        })?;
        // Answers are written whole, so nothing is gained by waiting for more.
        socket.set_nodelay(true)?;
        Ok((peer, permit))
    }

    fn with_deadlines<S: crate::connection::Transport>(
        &self,
        io: S,
        permit: Option<ConnectionPermit>,
    ) -> DeadlineStream<S> {
        DeadlineStream::new(io, self.limits, self.raw_response.clone(), permit)
    }

    /// Reads the certificate again at each SIGHUP. Where there is none this says so, and the server goes on: without a
    /// handler the signal would end it.
    #[cfg(unix)]
    pub fn reload_on_signal(&self) -> io::Result<()> {
        use actix_web::rt::signal::unix::{SignalKind, signal};

        let tls = self.tls.as_ref().map(|(tls, _)| Arc::clone(tls));
        let mut hangup = signal(SignalKind::hangup())?;
        actix_web::rt::spawn(async move {
            while hangup.recv().await.is_some() {
                match tls.as_ref().map(|tls| tls.reload()) {
                    Some(Ok(())) => tracing::info!("SIGHUP: read the certificate and its key again"),
                    Some(Err(error)) => tracing::error!("SIGHUP: the old certificate stays in use: {error}"),
                    None => tracing::info!("SIGHUP: there is no certificate to read again; everything stays as it was"),
                }
            }
        });
        Ok(())
    }

    /// There is no SIGHUP here: the server must be started again.
    #[cfg(not(unix))]
    pub fn reload_on_signal(&self) -> io::Result<()> {
        Ok(())
    }
}
