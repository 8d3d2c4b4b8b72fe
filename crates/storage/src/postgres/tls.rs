//! TLS to PostgreSQL by rustls, with or without verification of the server's certificate.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;
use trailkeeper_domain::error::{BoxedError, Chain, Context};
use trailkeeper_domain::{Error, Result};

use super::bare_key;

/// How the certificate of the server is verified.
#[derive(Clone)]
pub enum Verification {
    /// Not at all, like libpq's `prefer` and `require`. Encryption then protects against listeners, but not against a false
    /// server.
    None,
    /// The certificate must be for the host name and from one of these authorities.
    Full(Arc<RootCertStore>),
}

/// Verification by the authorities in the file `root`, or by those of the system.
pub fn verified(field: &str, root: Option<&Path>) -> Result<Verification> {
    let mut store = RootCertStore::empty();
    if let Some(path) = root {
        let wrong = |reason: String| Error::invalid(field, format!("has sslrootcert '{}': {reason}", path.display()));
        let certificates = CertificateDer::pem_file_iter(path).map_err(|error| wrong(error.to_string()))?;
        for certificate in certificates {
            let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
            store.add(certificate).map_err(|error| wrong(error.to_string()))?;
        }
    } else {
        let found = rustls_native_certs::load_native_certs();
        store.add_parsable_certificates(found.certs);
    }
    if store.is_empty() {
        return Err(Error::invalid(
            field,
            "has sslmode verify-full, but no certificate of an authority was found; name a file with sslrootcert=FILE",
        ));
    }
    Ok(Verification::Full(Arc::new(store)))
}

/// The connector for this verification.
pub fn connector(verification: &Verification) -> Result<MakeRustlsConnect> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(Error::internal)?;
    let config = match verification {
        Verification::Full(roots) => builder.with_root_certificates(Arc::clone(roots)).with_no_client_auth(),
        Verification::None => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
            .with_no_client_auth(),
    };
    Ok(MakeRustlsConnect::new(config))
}

/// The error of a connection; says what to do about a certificate that cannot be verified because of its version.
pub fn explained(error: BoxedError) -> BoxedError {
    if !Chain(error.as_ref()).to_string().contains("UnsupportedCertVersion") {
        return error;
    }
    let explanation = "the certificate of the server, or of an authority between it and sslrootcert, is not of X.509 version 3, \
                       so sslmode=verify-full cannot verify it; give the server a certificate of version 3, or write \
                       sslmode=require, which encrypts and verifies nothing";
    Context::new(explanation, error).into()
}

/// Accepts every certificate, but checks that the server holds its key.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
            .or_else(|error| bare_key::verify_tls12(message, cert, dss, algorithms).ok_or(error)?)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
            .or_else(|error| bare_key::verify_tls13(message, cert, dss, algorithms).ok_or(error)?)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
