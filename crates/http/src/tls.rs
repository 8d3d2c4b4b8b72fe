//! The server's certificate and its key, which can be changed while the server runs.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::RwLock;
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{Error as PemError, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use trailkeeper_domain::error::BoxedError;

use crate::validity;

/// A certificate with its key, from two PEM files.
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    provider: Arc<CryptoProvider>,
    current: RwLock<Arc<CertifiedKey>>,
}

/// The reason why certificate and key cannot be used: a sentence that names the flag and the file, and its cause.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct TlsError {
    message: String,
    source: Option<BoxedError>,
}

impl TlsError {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), source: None }
    }

    fn because(message: impl Into<String>, source: impl Into<BoxedError>) -> Self {
        Self { message: message.into(), source: Some(source.into()) }
    }
}

impl Tls {
    /// Reads the certificate chain and the private key from two PEM files.
    pub fn load(certificate: PathBuf, key: PathBuf) -> Result<Arc<Self>, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let current = RwLock::new(Arc::new(read(&certificate, &key, &provider)?));
        Ok(Arc::new(Self { certificate, key, provider, current }))
    }

    /// Reads both files again, for new connections; open ones are not affected. If the files cannot be used, the old
    /// certificate stays in use.
    pub fn reload(&self) -> Result<(), TlsError> {
        let fresh = Arc::new(read(&self.certificate, &self.key, &self.provider)?);
        *self.current.write() = fresh;
        Ok(())
    }

    /// TLS 1.2 and 1.3 with the current certificate, for HTTP/1.1.
    pub(crate) fn server_config(self: &Arc<Self>) -> Result<ServerConfig, TlsError> {
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(|error| TlsError::because("tls", error))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

impl ResolvesServerCert for Tls {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read()))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("certificate", &self.certificate).field("key", &self.key).finish_non_exhaustive()
    }
}

fn read(certificate: &Path, key: &Path, provider: &Arc<CryptoProvider>) -> Result<CertifiedKey, TlsError> {
    let (cert_file, key_file) = (certificate.display(), key.display());
    let pem = bytes("tls-cert", certificate)?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|error| TlsError::because(format!("tls-cert: {cert_file} is no PEM file"), pem_message(&error)))?;
    if chain.is_empty() {
        return Err(TlsError::new(format!(
            "tls-cert: {cert_file} holds no certificate; put the server's own first, then those that vouch for it, each from -----BEGIN CERTIFICATE----- on"
        )));
    }
    let pem = bytes("tls-key", key)?;
    warn_if_readable_by_others(key);
    let private = PrivateKeyDer::from_pem_slice(&pem).map_err(|error| match error {
        PemError::NoItemsFound => TlsError::new(format!(
            "tls-key: {key_file} holds no private key that can be read; put one that is not encrypted there, from -----BEGIN PRIVATE KEY----- on"
        )),
        error => TlsError::because(format!("tls-key: {key_file} is no PEM file"), pem_message(&error)),
    })?;
    // Not an error: some clients may accept it, and a server that does not start helps nobody. No test depends on this
    // time, so it is the system's and not that of the `Clock`.
    if let Some(problem) = chain.first().and_then(|first| validity::problem(first, UnixTime::now(), provider)) {
        tracing::warn!("tls-cert: the certificate in {cert_file} {problem}; clients will reject it");
    }
    let signing = provider
        .key_provider
        .load_private_key(private)
        .map_err(|error| TlsError::because(format!("tls-key: {key_file} holds a key that cannot be used"), error))?;
    let certified = CertifiedKey::new(chain, signing);
    match certified.keys_match() {
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => Ok(certified),
        Err(rustls::Error::InconsistentKeys(_)) => Err(TlsError::new(format!(
            "tls-key: {key_file} is not the key of the first certificate in {cert_file} (tls-cert); name two files that belong together"
        ))),
        Err(error) => {
            Err(TlsError::because(format!("tls-cert: {cert_file} holds a certificate that cannot be used"), error))
        }
    }
}

fn bytes(flag: &str, file: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(file).map_err(|error| TlsError::because(format!("{flag}: {} cannot be read", file.display()), error))
}

/// The defect of a PEM file, without any of its bytes, because it may be a key.
fn pem_message(error: &PemError) -> &'static str {
    match error {
        PemError::MissingSectionEnd { .. } => "a section has no end",
        PemError::IllegalSectionStart { .. } => "a section has a malformed first line",
        PemError::Base64Decode(_) => "a section is not base64",
        _ => "it cannot be read",
    }
}

/// Logs a warning if other users can read the key. It is used nevertheless: some systems mount keys with a fixed mode.
#[cfg(unix)]
fn warn_if_readable_by_others(key: &Path) {
    use std::os::unix::fs::PermissionsExt as _;

    let Ok(metadata) = fs::metadata(key) else { return };
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        tracing::warn!(
            "tls-key: other users of this machine may reach {} (mode {mode:04o}); chmod 600 it",
            key.display()
        );
    }
}

#[cfg(not(unix))]
fn warn_if_readable_by_others(_: &Path) {}

#[cfg(test)]
mod tests {
    use std::error::Error as _;
    use std::io;

    use trailkeeper_domain::error::Chain;

    use super::*;

    #[test]
    fn the_error_of_the_system_stays_the_cause() {
        let error = Tls::load("/no/such/cert.pem".into(), "/no/such/key.pem".into()).unwrap_err();
        assert_eq!(error.to_string(), "tls-cert: /no/such/cert.pem cannot be read");
        let cause = error.source().and_then(|source| source.downcast_ref::<io::Error>()).unwrap();
        assert_eq!(cause.kind(), io::ErrorKind::NotFound);
        assert_eq!(Chain(&error).to_string(), format!("{error}: {cause}"));
    }
}
