//! The certificate of the server.

use std::path::Path;
use std::sync::Arc;

use clap::Args;
use trailkeeper_http::Tls;

use crate::failure::Failure;

/// The certificate of the server.
#[derive(Args)]
pub struct TlsArgs {
    /// PEM file with the server's certificate and those that vouch for it: HTTPS is spoken instead of HTTP. SIGHUP reads it again.
    #[arg(long, env = "TRAILKEEPER_TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<String>,

    /// PEM file with the private key of that certificate, not encrypted.
    #[arg(long, env = "TRAILKEEPER_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<String>,
}

impl TlsArgs {
    /// The certificate's file where one was named. An empty variable is the same as none.
    pub fn certificate(&self) -> Option<&Path> {
        named(self.tls_cert.as_deref())
    }

    /// The key's file where one was named.
    pub fn key(&self) -> Option<&Path> {
        named(self.tls_key.as_deref())
    }

    /// Reads both files: both are named, or none.
    pub fn load(&self) -> Result<Option<Arc<Tls>>, Failure> {
        match (self.certificate(), self.key()) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => {
                let tls = Tls::load(certificate.to_owned(), key.to_owned());
                tls.map(Some).map_err(|error| Failure::Refused(error.to_string()))
            }
            (Some(_), None) => Err(alone("tls-cert", "tls-key", "TLS_KEY")),
            (None, Some(_)) => Err(alone("tls-key", "tls-cert", "TLS_CERT")),
        }
    }
}

fn named(file: Option<&str>) -> Option<&Path> {
    file.filter(|file| !file.is_empty()).map(Path::new)
}

fn alone(given: &str, missing: &str, variable: &str) -> Failure {
    Failure::Refused(format!(
        "{given} was given without {missing}; name both files, or none: --{missing} FILE or TRAILKEEPER_{variable}"
    ))
}
