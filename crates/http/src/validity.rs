//! The validity period of the server's own certificate. rustls checks only that of its peers' certificates.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, Error, RootCertStore};

/// The problem with the validity period of `certificate` at `now`; `None` if there is none, or if it cannot be read.
///
/// This verifies the certificate as a client would that trusts it. Such a client checks the period first.
pub fn problem(
    certificate: &CertificateDer<'_>,
    now: UnixTime,
    provider: &Arc<CryptoProvider>,
) -> Option<&'static str> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone().into_owned()).ok()?;
    let client = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build().ok()?;
    let any_name = ServerName::try_from("localhost").ok()?;
    match client.verify_server_cert(certificate, &[], &any_name, &[], now) {
        Err(Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. })) => {
            Some("has expired")
        }
        Err(Error::InvalidCertificate(CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. })) => {
            Some("is not valid yet")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustls::crypto::ring;
    use rustls::pki_types::pem::PemObject as _;

    use super::*;

    /// A certificate that is valid for one day, from second `1_795_347_449` of Unix time on.
    const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----
MIIBczCCARmgAwIBAgIUdz3a5bUXNnfALJibggobg9g5kb4wCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEdGVzdDAeFw0yNjExMjIxMTM3MjlaFw0yNjExMjMxMTM3Mjla
MA8xDTALBgNVBAMMBHRlc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQ1bFt8
tnVDCw3e/DHPxpfiimwGIKdXS7SFFzivgIpd1c9MPFJyRDvcuIAQIULoZEi7Z8RY
elyOULUxKC1uM+Lko1MwUTAdBgNVHQ4EFgQUdeUnTK4gqqCF9dn8Xq3SOExi7dgw
HwYDVR0jBBgwFoAUdeUnTK4gqqCF9dn8Xq3SOExi7dgwDwYDVR0TAQH/BAUwAwEB
/zAKBggqhkjOPQQDAgNIADBFAiAGFEkA0IOthc3j9PxsjmVp2AtZlTB5EFa2vd26
Ea9GnwIhAPX/T+LlUZFjTbAx2bZa3RlJy2N2Kk3x4AUGzc8xN3pN
-----END CERTIFICATE-----";

    #[test]
    fn a_certificate_is_valid_from_its_first_second_to_its_last() {
        let certificate = CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).unwrap();
        let at = |second| {
            let now = UnixTime::since_unix_epoch(Duration::from_secs(second));
            problem(&certificate, now, &Arc::new(ring::default_provider()))
        };
        assert_eq!(at(1_795_347_449 - 1), Some("is not valid yet"));
        assert_eq!((at(1_795_347_449), at(1_795_433_849)), (None, None));
        assert_eq!(at(1_795_433_849 + 1), Some("has expired"));
    }
}
