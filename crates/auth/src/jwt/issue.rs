//! Issuing access tokens.

use jsonwebtoken::{Algorithm, Header, encode};
use trailkeeper_domain::error::Context;
use trailkeeper_domain::{Error, Result};

use super::{Claims, KeyPair};

/// The claims as a signed token. Its header names the key, so that keys can change while older tokens are still valid.
pub fn issue(key: &KeyPair, claims: &Claims) -> Result<String> {
    let mut header = Header::new(Algorithm::EdDSA);
    header.kid = Some(key.kid().to_owned());
    encode(&header, claims, key.encoding()).map_err(|error| Error::internal(Context::new("cannot sign a token", error)))
}
