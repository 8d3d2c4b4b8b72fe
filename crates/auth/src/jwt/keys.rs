//! Key pairs of access tokens.

use std::fmt;

use jsonwebtoken::{DecodingKey, EncodingKey};
use ring::digest::{SHA256, digest};
use ring::error::KeyRejected;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use trailkeeper_domain::account::TokenKey;
use trailkeeper_domain::clock::Entropy;
use trailkeeper_domain::error::Context;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};
use zeroize::Zeroizing;

use super::provider;
use crate::hex;
use crate::master_keys::MasterKeys;

/// The length of a key id, in hexadecimal digits.
pub(super) const KID_CHARACTERS: usize = 16;

/// PKCS#8 (version 1) of an Ed25519 key, up to the 32 bytes of its seed (RFC 8410, 7).
const PKCS8_FRONT: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// The reason why ring rejects a key. ring's own type is an error only with its feature `std`, which nothing else needs.
#[derive(Debug)]
struct Rejected(KeyRejected);

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Rejected {}

/// An Ed25519 key pair. Its id is the beginning of the SHA-256 of its public key.
pub struct KeyPair {
    kid: String,
    public: Vec<u8>,
    encoding: EncodingKey,
    decoding: DecodingKey,
}

impl KeyPair {
    /// Makes a new key pair.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self> {
        let mut pkcs8 = Zeroizing::new([0_u8; 48]);
        let (front, seed) = pkcs8.split_at_mut(PKCS8_FRONT.len());
        front.copy_from_slice(&PKCS8_FRONT);
        entropy.fill(seed);
        Self::from_pkcs8(pkcs8.as_slice())
    }

    /// Reads PKCS#8, version 1 or 2.
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Self> {
        provider::install();
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8)
            .map_err(|error| Error::internal(Context::new("not an Ed25519 key pair", Rejected(error))))?;
        let public = pair.public_key().as_ref().to_vec();
        let kid = hex::encode(digest(&SHA256, &public).as_ref()).chars().take(KID_CHARACTERS).collect();
        Ok(Self { kid, encoding: EncodingKey::from_ed_der(pkcs8), decoding: DecodingKey::from_ed_der(&public), public })
    }

    /// Opens a stored key pair. The public key is computed from the sealed private key: a row that was written without
    /// the master key is refused.
    ///
    /// [`Error::Internal`] when no master key opens it, or when the row names another key than it holds.
    pub fn open(master: &MasterKeys, row: &TokenKey) -> Result<Self> {
        let pair = Self::from_pkcs8(&master.open(&seal_context(&row.kid), &row.sealed_private)?)?;
        if pair.kid != row.kid || pair.public != row.public {
            return Err(Error::internal(format!(
                "token_keys: the row '{}' does not hold the key that it names",
                row.kid
            )));
        }
        Ok(pair)
    }

    /// The row that stores it, with the private key sealed.
    pub fn seal(&self, master: &MasterKeys, entropy: &dyn Entropy, now: Timestamp) -> Result<TokenKey> {
        Ok(TokenKey {
            kid: self.kid.clone(),
            sealed_private: master.seal(entropy, &seal_context(&self.kid), self.encoding.as_bytes())?,
            public: self.public.clone(),
            created_at: now,
        })
    }

    /// The key's id, 16 hexadecimal digits.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The 32 bytes of the public key.
    pub fn public(&self) -> &[u8] {
        &self.public
    }

    pub(super) fn encoding(&self) -> &EncodingKey {
        &self.encoding
    }

    pub(super) fn decoding(&self) -> &DecodingKey {
        &self.decoding
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPair").field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// The context under which the private key is sealed.
pub(crate) fn seal_context(kid: &str) -> String {
    format!("token_key:{kid}")
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    #[test]
    fn the_error_of_a_wrong_key_has_the_reason_as_its_cause() {
        let error = KeyPair::from_pkcs8(&[0]).unwrap_err();
        let context = error.source().unwrap();
        assert!(context.source().is_some_and(<dyn std::error::Error>::is::<Rejected>));
        assert_eq!(error.chain().to_string(), "internal error: not an Ed25519 key pair: InvalidEncoding");
    }
}
