//! Opens a connection within a time limit.
//!
//! The driver's own timeout ends with the TCP connection. A server that accepts it and then says nothing would hold the
//! caller for ever, so here the limit covers TLS and the login, too.

use std::time::Duration;

use tokio::net::lookup_host;
use tokio::time::timeout;
use tokio_postgres::config::Host;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Config, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;
use trailkeeper_domain::error::BoxedError;

/// A client and the driver of its socket.
type Opened = (tokio_postgres::Client, tokio_postgres::Connection<Socket, TlsStream>);
type TlsStream = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;

/// The port of a URL without one.
const DEFAULT_PORT: u16 = 5432;

/// Opens a connection to the first address that answers, each within `limit`.
///
/// # Errors
/// Those of the last address.
pub async fn connect(config: &Config, tls: &MakeRustlsConnect, limit: Duration) -> Result<Opened, BoxedError> {
    let (hosts, addresses) = (config.get_hosts(), config.get_hostaddrs());
    let [Host::Tcp(name)] = hosts else {
        // The driver tries several hosts itself.
        let places = u32::try_from(hosts.len().max(addresses.len()).max(1)).unwrap_or(u32::MAX);
        return within(config, tls, limit.saturating_mul(places)).await;
    };
    if !addresses.is_empty() {
        return within(config, tls, limit).await;
    }
    // A name may have several addresses, of which the first one may be dead.
    let port = config.get_ports().first().copied().unwrap_or(DEFAULT_PORT);
    let found = timeout(limit, lookup_host((name.as_str(), port)))
        .await
        .map_err(|_elapsed| format!("the address of {name} was not found within {} s", limit.as_secs()))??;
    let mut last = BoxedError::from(format!("{name} has no address"));
    for address in found {
        let mut config = config.clone();
        config.hostaddr(address.ip());
        match within(&config, tls, limit).await {
            Ok(opened) => return Ok(opened),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn within(config: &Config, tls: &MakeRustlsConnect, limit: Duration) -> Result<Opened, BoxedError> {
    match timeout(limit, config.connect(tls.clone())).await {
        Ok(outcome) => Ok(outcome?),
        Err(_elapsed) => Err(format!("the server did not finish the handshake within {} s", limit.as_secs()).into()),
    }
}
