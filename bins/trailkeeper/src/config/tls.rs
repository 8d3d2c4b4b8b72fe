//! Settings of TLS.

use std::path::Path;
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
    pub tls_cert: Option<String>,

    /// PEM file with the unencrypted private key of that certificate.
    #[arg(long, env = "TRAILKEEPER_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<String>,
}

impl TlsArgs {
    /// The given certificate file. An empty variable counts as not given.
    pub fn certificate(&self) -> Option<&Path> {
        named(self.tls_cert.as_deref())
    }

    /// The given key file. An empty variable counts as not given.
    pub fn key(&self) -> Option<&Path> {
        named(self.tls_key.as_deref())
    }

    /// Loads both files. `None` if neither is given; an error if only one is.
    pub fn load(&self) -> Result<Option<Arc<Tls>>, Failure> {
        match (self.certificate(), self.key()) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => Ok(Some(Tls::load(certificate.to_owned(), key.to_owned())?)),
            (Some(_), None) => Err(one_of_two("tls-cert", "tls-key", "TLS_KEY")),
            (None, Some(_)) => Err(one_of_two("tls-key", "tls-cert", "TLS_CERT")),
        }
    }
}

fn named(file: Option<&str>) -> Option<&Path> {
    file.filter(|file| !file.is_empty()).map(Path::new)
}

fn one_of_two(given: &str, missing: &str, variable: &str) -> Failure {
    Failure::Refused(format!(
        "{given}: is set without {missing}; set both, or neither: --{missing} FILE or TRAILKEEPER_{variable}"
    ))
}
