//! Opens connections to PostgreSQL on a runtime of this crate.

use std::sync::OnceLock;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::time::timeout;
use tokio_postgres_rustls::MakeRustlsConnect;
use trailkeeper_domain::error::{Chain, Context};
use trailkeeper_domain::{Error, Result, deadline};

use super::connection::PgConnection;
use super::handshake;
use super::target::PgTarget;
use super::tls;
use crate::options::StoreOptions;

/// Opens connections to one database.
pub struct Connector {
    target: PgTarget,
    tls: MakeRustlsConnect,
    runtime: Handle,
    statement_timeout: Duration,
}

impl Connector {
    /// Sets up TLS and the runtime. Nothing is connected yet.
    pub fn new(target: PgTarget, options: &StoreOptions) -> Result<Self> {
        let tls = tls::connector(target.verification())?;
        Ok(Self { target, tls, runtime: runtime()?, statement_timeout: options.statement_timeout })
    }

    /// Opens one connection.
    pub fn connect(&self) -> Result<PgConnection> {
        let config = self.target.config(self.statement_timeout);
        let limit = self.target.connect_timeout();
        let opening = handshake::connect(&config, &self.tls, limit);
        let opened = match deadline::remaining() {
            // A name may have several addresses, each with the whole limit. All of them have to fit into what is left.
            Some(remaining) => self
                .runtime
                .block_on(async { timeout(remaining, opening).await })
                .unwrap_or_else(|_elapsed| Err("no connection before the request's time was used up".into())),
            None => self.runtime.block_on(opening),
        };
        let (client, driver) = opened.map_err(|error| {
            Error::unavailable(Context::new(format!("cannot connect to {}", self.target), tls::explained(error)))
        })?;
        self.runtime.spawn(async move {
            if let Err(error) = driver.await {
                // A connection in use fails its statement. Only the log shows the end of an idle one.
                tracing::debug!(error = %Chain(&error), "a connection to PostgreSQL ended");
            }
        });
        Ok(PgConnection::new(client, self.runtime.clone(), self.tls.clone(), self.statement_timeout))
    }
}

/// The runtime that drives the sockets of all connections. It starts with the first PostgreSQL store.
fn runtime() -> Result<Handle> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime.handle().clone());
    }
    let new = Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("trailkeeper-postgres")
        .enable_all()
        .build()
        .map_err(|error| Error::unavailable(Context::new("cannot start threads for PostgreSQL", error)))?;
    Ok(RUNTIME.get_or_init(|| new).handle().clone())
}
