//! Settings of TLS.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use trailkeeper_http::Tls;

use crate::failure::Failure;

/// Settings of TLS.
#[derive(Args)]
#[command(next_help_heading = "TLS")]
pub struct TlsArgs {
    /// PEM file with the server's certificate and its chain. With it the server speaks HTTPS. SIGHUP reloads it.
    #[arg(long, env = "TRAILKEEPER_TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,

    /// PEM file with the unencrypted private key of that certificate.
    #[arg(long, env = "TRAILKEEPER_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
}

impl TlsArgs {
    /// Loads both files. `None` if neither is given; an error if only one is.
    pub fn load(&self) -> Result<Option<Arc<Tls>>, Failure> {
        match (&self.tls_cert, &self.tls_key) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => Ok(Some(Tls::load(certificate.clone(), key.clone())?)),
            (Some(_), None) => Err(one_of_two("tls-cert", "tls-key", "TLS_KEY")),
            (None, Some(_)) => Err(one_of_two("tls-key", "tls-cert", "TLS_CERT")),
        }
    }
}

fn one_of_two(given: &str, missing: &str, variable: &str) -> Failure {
    Failure::Refused(format!(
        "{given}: is set without {missing}; set both, or neither: --{missing} FILE or TRAILKEEPER_{variable}"
    ))
}
