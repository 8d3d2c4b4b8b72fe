//! The public keys as a JSON Web Key Set (RFC 7517, with the key type of RFC 8037), for services that verify access
//! tokens themselves.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::KeyPair;

/// The public keys that verify access tokens now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jwks {
    /// The keys, newest first.
    pub keys: Vec<Jwk>,
}

/// One public key: `kty` is `OKP`, `crv` is `Ed25519`, `use` is `sig`, `alg` is `EdDSA`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jwk {
    /// The key's id, as tokens name it in their header.
    pub kid: String,
    /// The 32 bytes of the public key in base64url without padding.
    pub x: String,
}

impl Jwk {
    pub(crate) fn of(pair: &KeyPair) -> Self {
        Self { kid: pair.kid().to_owned(), x: URL_SAFE_NO_PAD.encode(pair.public()) }
    }
}
