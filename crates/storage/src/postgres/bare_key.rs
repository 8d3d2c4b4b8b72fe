//! Signatures by the key of a certificate of X.509 version 1. rustls reads version 3 only, but `openssl req -x509` of old
//! releases and many guides make version 1, and where the certificate is not verified, only its key counts.

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use rustls::{CertificateError, DigitallySignedStruct, Error as TlsError};
use x509_cert::Certificate;
use x509_cert::certificate::Version;
use x509_cert::der::{Decode, Encode};
use x509_cert::spki::SubjectPublicKeyInfoOwned;

/// Length of the tag and the length before the contents of an algorithm's identifier, which has less than 128 bytes.
const SHORT_HEADER: usize = 2;

type Verified = Result<HandshakeSignatureValid, TlsError>;

/// Verifies a signature of TLS 1.2. `None` if the certificate has another version.
pub fn verify_tls12(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
    supported: &WebPkiSupportedAlgorithms,
) -> Option<Verified> {
    let key = key_of_version_1(certificate)?;
    let identifier = key.algorithm.to_der().ok()?;
    let (identifier, bits) = (identifier.get(SHORT_HEADER..)?, key.subject_public_key.as_bytes()?);
    let (_, algorithms) = supported.mapping.iter().find(|(scheme, _)| *scheme == signed.scheme)?;
    let is_valid = algorithms
        .iter()
        .filter(|algorithm| algorithm.public_key_alg_id().as_ref() == identifier)
        .any(|algorithm| algorithm.verify_signature(bits, message, signed.signature()).is_ok());
    Some(if is_valid { Ok(HandshakeSignatureValid::assertion()) } else { Err(CertificateError::BadSignature.into()) })
}

/// Verifies a signature of TLS 1.3. `None` if the certificate has another version.
pub fn verify_tls13(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
    supported: &WebPkiSupportedAlgorithms,
) -> Option<Verified> {
    let key = SubjectPublicKeyInfoDer::from(key_of_version_1(certificate)?.to_der().ok()?);
    Some(verify_tls13_signature_with_raw_key(message, &key, signed, supported))
}

fn key_of_version_1(certificate: &CertificateDer<'_>) -> Option<SubjectPublicKeyInfoOwned> {
    let parsed = Certificate::from_der(certificate).ok()?.tbs_certificate;
    (parsed.version == Version::V1).then_some(parsed.subject_public_key_info)
}
