//! The master key: seals the secrets that must be readable again. It lies outside the database, so that a stolen backup
//! of the database opens none of them.

use std::fmt;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use trailkeeper_domain::clock::Entropy;
use trailkeeper_domain::{Error, Result};
use zeroize::Zeroizing;

use crate::hex;

/// The first byte of every sealed value: names the algorithm and the layout of the rest.
const VERSION: u8 = 1;

/// 32 random bytes, wiped from memory when dropped.
///
/// Without the key, signing keys are unusable, all logins end, and tenant-scoped readers of the feed must begin again. A
/// thief of both the key and the database can sign requests and access tokens, and read the numbers in sealed cursors.
///
/// ```
/// use trailkeeper_auth::{MasterKey, SystemEntropy};
///
/// let entropy = SystemEntropy::new();
/// let key = MasterKey::generate(&entropy);
/// let sealed = key.seal(&entropy, "signing_key:7", b"sk_secret")?;
/// assert_eq!(key.open("signing_key:7", &sealed)?.as_slice(), b"sk_secret");
///
/// assert!(key.open("signing_key:8", &sealed).is_err(), "a copy in another row does not open");
/// assert!(MasterKey::generate(&entropy).open("signing_key:7", &sealed).is_err());
///
/// let same = MasterKey::from_hex(&key.to_hex())?;
/// assert_eq!(same, key);
/// # Ok::<(), trailkeeper_domain::Error>(())
/// ```
#[derive(PartialEq, Eq)]
pub struct MasterKey(Zeroizing<[u8; 32]>);

impl MasterKey {
    /// Reads 64 hexadecimal digits. Ignores surrounding white space, as files end with a newline.
    ///
    /// [`Error::Invalid`] for any other text; the message does not show it.
    pub fn from_hex(text: &str) -> Result<Self> {
        hex::decode(text.trim()).map(|bytes| Self(Zeroizing::new(bytes))).ok_or_else(|| {
            // The message does not show the value: a key with one wrong digit is still a secret.
            Error::invalid(
                "master_key",
                format!(
                    "has {} characters or other ones than 0-9 and a-f; give the 64 hexadecimal digits that were written when it was made",
                    text.trim().chars().count()
                ),
            )
        })
    }

    /// Makes a new key.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        entropy.fill(bytes.as_mut_slice());
        Self(bytes)
    }

    /// The key as [`Self::from_hex`] reads it: only for the key file, never for a log.
    pub fn to_hex(&self) -> String {
        hex::encode(self.0.as_slice())
    }

    /// Encrypts `plain` with ChaCha20-Poly1305. The result opens only with this key and this `context`, the kind and the
    /// id of the record: a sealed value copied into another row does not open there.
    ///
    /// Layout: version, nonce, ciphertext and tag. The nonce is random; 96 bits are ample for the few thousand values
    /// that one installation ever seals.
    ///
    /// [`Error::Internal`] when `plain` is too long for the algorithm.
    pub fn seal(&self, entropy: &dyn Entropy, context: &str, plain: &[u8]) -> Result<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        entropy.fill(&mut nonce);
        let mut body = plain.to_vec();
        self.cipher()?
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(context.as_bytes()), &mut body)
            .map_err(|_| Error::internal(format!("cannot seal '{context}': {} bytes are too many", plain.len())))?;
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + body.len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&nonce);
        sealed.append(&mut body);
        Ok(sealed)
    }

    /// Decrypts a value that [`Self::seal`] made under the same `context`.
    ///
    /// [`Error::Internal`] when it does not open: it was sealed with another master key or for another row, or is damaged.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let refused = || {
            Error::internal(format!(
                "cannot open the sealed value '{context}': the master key is not the one it was sealed with, \
                 or the value is damaged; start the server with the key file that belongs to this database"
            ))
        };
        let (version, rest) = sealed.split_first().ok_or_else(refused)?;
        let (nonce, body) = rest.split_at_checked(NONCE_LEN).ok_or_else(refused)?;
        if *version != VERSION {
            return Err(refused());
        }
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| refused())?;
        let mut body = Zeroizing::new(body.to_vec());
        let length =
            self.cipher()?.open_in_place(nonce, Aad::from(context.as_bytes()), &mut body).map_err(|_| refused())?.len();
        body.truncate(length);
        Ok(body)
    }

    /// A key for HMAC-SHA256 that is derived from this key for one purpose. This key cannot be computed from it.
    pub(crate) fn derived(&self, purpose: &str) -> hmac::Key {
        let root = hmac::Key::new(hmac::HMAC_SHA256, self.0.as_slice());
        hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&root, purpose.as_bytes()).as_ref())
    }

    fn cipher(&self) -> Result<LessSafeKey> {
        UnboundKey::new(&CHACHA20_POLY1305, self.0.as_slice())
            .map(LessSafeKey::new)
            .map_err(|_| Error::internal("the master key does not have 32 bytes"))
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}
