//! Connections to destinations: resolve the name, check the addresses, connect to one that was checked, TLS.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use trailkeeper_domain::error::Chain;
use trailkeeper_domain::stream::Destination;
use trailkeeper_domain::{Error, Result};

use crate::networks::AllowedNetworks;

/// The most addresses of one name that are tried.
const MAX_ADDRESSES: usize = 8;

/// How connections are made.
#[derive(Debug, Clone)]
pub struct ConnectorSettings {
    /// Where they may lead.
    pub networks: AllowedNetworks,
    /// How long it may take to resolve a name, to connect and to negotiate TLS, all together.
    pub timeout: Duration,
}

impl Default for ConnectorSettings {
    fn default() -> Self {
        Self { networks: AllowedNetworks::default(), timeout: Duration::from_secs(10) }
    }
}

/// Makes connections to destinations, with the certificate authorities of the system.
pub struct Connector {
    settings: ConnectorSettings,
    tls: TlsConnector,
}

impl Connector {
    /// Loads the certificate authorities of the system: those in the file that `SSL_CERT_FILE` names, if it is set.
    pub fn new(settings: ConnectorSettings) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(Error::internal)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { settings, tls: TlsConnector::from(Arc::new(config)) })
    }

    /// Checks the address of a destination whose host is one. [`Error::Invalid`] if streams may not connect to it.
    pub fn check(&self, destination: &Destination) -> Result<()> {
        match destination.address() {
            Some(address) if !self.settings.networks.allow(address) => Err(Error::invalid(
                "destination",
                format!(
                    "is at {address}, which is no global unicast address; the operator can allow its network with --stream-networks"
                ),
            )),
            _ => Ok(()),
        }
    }

    /// Connects. The name is resolved for each connection, and the connection goes to one of the very addresses that were
    /// checked: a name that changes its address in between gains nothing. The error is a text for administrators.
    pub async fn connect(&self, destination: &Destination) -> std::result::Result<TlsStream<TcpStream>, String> {
        let host = destination.host();
        let connected = timeout(self.settings.timeout, self.connect_at_last(destination)).await;
        connected.unwrap_or_else(|_elapsed| {
            Err(format!("no connection to {host} within {} s", self.settings.timeout.as_secs()))
        })
    }

    async fn connect_at_last(&self, destination: &Destination) -> std::result::Result<TlsStream<TcpStream>, String> {
        let host = destination.host();
        let socket = self.socket(destination).await?;
        // The answer of one request is small; nothing is gained by waiting for more to send.
        socket.set_nodelay(true).map_err(|error| format!("cannot connect to {host}: {error}"))?;
        let name = match destination.address() {
            Some(address) => ServerName::IpAddress(address.into()),
            None => ServerName::try_from(host.trim_end_matches('.').to_owned())
                .map_err(|_| format!("{host} is no name that a certificate can have"))?,
        };
        self.tls.connect(name, socket).await.map_err(|error| format!("TLS with {host} failed: {}", Chain(&error)))
    }

    async fn socket(&self, destination: &Destination) -> std::result::Result<TcpStream, String> {
        let host = destination.host();
        let addresses: Vec<IpAddr> = match destination.address() {
            Some(address) => vec![address],
            None => lookup_host((host, destination.port()))
                .await
                .map_err(|error| format!("the name {host} cannot be resolved: {error}"))?
                .map(|found| found.ip())
                .collect(),
        };
        let allowed = addresses.into_iter().filter(|address| self.settings.networks.allow(*address));
        let mut failed = None;
        for address in allowed.take(MAX_ADDRESSES) {
            match TcpStream::connect(SocketAddr::new(address, destination.port())).await {
                Ok(socket) => return Ok(socket),
                Err(error) => failed = Some(error),
            }
        }
        Err(match failed {
            Some(error) => format!("cannot connect to {host}: {error}"),
            None => format!(
                "{host} has no address to which streams may connect: only global unicast is allowed, and what the operator names with --stream-networks"
            ),
        })
    }
}
