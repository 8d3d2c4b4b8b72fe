//! Key pairs of access tokens: made at first use, sealed in the database, shared by all its servers.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use chrono::Duration;
use jsonwebtoken::{DecodingKey, EncodingKey};
use ring::digest::{SHA256, digest};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use trailkeeper_domain::account::TokenKey;
use trailkeeper_domain::clock::{Clock, Entropy};
use trailkeeper_domain::ports::Store;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};
use zeroize::Zeroizing;

use super::provider;
use crate::hex;
use crate::master::MasterKey;

/// How many hexadecimal digits a key id has.
pub(super) const KID_CHARACTERS: usize = 16;

/// PKCS#8 (version 1) of an Ed25519 key, up to the 32 bytes of its seed (RFC 8410, 7).
const PKCS8_FRONT: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// At most so often does an unknown key id make us look into the database.
const RELOAD_AT_MOST_EVERY: Duration = Duration::seconds(5);

/// An Ed25519 key pair. Its id is the beginning of its public key's SHA-256.
pub struct KeyPair {
    kid: String,
    public: Vec<u8>,
    encoding: EncodingKey,
    decoding: DecodingKey,
}

impl KeyPair {
    /// A new one.
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
            .map_err(|error| Error::internal(format!("not an Ed25519 key pair: {error}")))?;
        let public = pair.public_key().as_ref().to_vec();
        let kid = hex::encode(digest(&SHA256, &public).as_ref()).chars().take(KID_CHARACTERS).collect();
        Ok(Self { kid, encoding: EncodingKey::from_ed_der(pkcs8), decoding: DecodingKey::from_ed_der(&public), public })
    }

    /// Opens a stored one. The public key is computed from the sealed private one: a row that someone
    /// without the master key wrote into the table opens nothing.
    pub fn open(master: &MasterKey, row: &TokenKey) -> Result<Self> {
        let pair = Self::from_pkcs8(&master.open(&context(&row.kid), &row.sealed_private)?)?;
        if pair.kid != row.kid || pair.public != row.public {
            return Err(Error::internal(format!(
                "token_keys: the row '{}' does not hold the key that it names",
                row.kid
            )));
        }
        Ok(pair)
    }

    /// The row that keeps it.
    pub fn seal(&self, master: &MasterKey, entropy: &dyn Entropy, now: Timestamp) -> Result<TokenKey> {
        Ok(TokenKey {
            kid: self.kid.clone(),
            sealed_private: master.seal(entropy, &context(&self.kid), self.encoding.as_bytes())?,
            public: self.public.clone(),
            created_at: now,
        })
    }

    /// Its id, 16 hexadecimal digits.
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

fn context(kid: &str) -> String {
    format!("token_key:{kid}")
}

/// What the ring needs to read and make keys.
#[derive(Clone, Copy)]
pub(crate) struct KeySource<'a> {
    pub store: &'a dyn Store,
    pub clock: &'a dyn Clock,
    pub entropy: &'a dyn Entropy,
    pub master: &'a MasterKey,
}

/// The keys of this database, as far as this process has seen them; newest first.
#[derive(Default)]
pub(crate) struct KeyRing {
    keys: RwLock<Vec<Arc<KeyPair>>>,
    /// When the table was last read on behalf of an unknown key id. Held while reading, so that of many
    /// requests with unknown ids one asks the database and the others wait for its answer.
    searched_at: Mutex<Option<Timestamp>>,
}

impl KeyRing {
    /// The key that signs: the newest. Where the database has none yet, it is made.
    pub(crate) fn signing(&self, source: KeySource<'_>) -> Result<Arc<KeyPair>> {
        if let Some(key) = self.newest() {
            return Ok(key);
        }
        let mut rows = source.store.reading(|tx| tx.token_keys())?;
        if rows.is_empty() {
            let fresh = KeyPair::generate(source.entropy)?.seal(source.master, source.entropy, source.clock.now())?;
            // Another server may have made one meanwhile; should both have, both keys stay valid.
            rows = source.store.writing(|tx| {
                let found = tx.token_keys()?;
                if !found.is_empty() {
                    return Ok(found);
                }
                tx.insert_token_key(&fresh)?;
                Ok(vec![fresh.clone()])
            })?;
        }
        self.replace(source.master, &rows)?;
        self.newest().ok_or_else(|| Error::internal("token_keys: no key was found after one was made"))
    }

    /// The key with this id. An unknown one is looked up, at most every five seconds whatever the number
    /// of requests: another server may have made it, but most likely it is junk.
    pub(crate) fn by_kid(&self, source: KeySource<'_>, kid: &str) -> Result<Option<Arc<KeyPair>>> {
        if let Some(key) = self.known(kid) {
            return Ok(Some(key));
        }
        let mut searched_at = self.searched_at.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = self.known(kid) {
            return Ok(Some(key));
        }
        let now = source.clock.now();
        if searched_at.is_some_and(|at| (now - at).abs() < RELOAD_AT_MOST_EVERY) {
            return Ok(None);
        }
        // Noted only when it worked: while the database is away, callers learn that and not "wrong token".
        let rows = source.store.reading(|tx| tx.token_keys())?;
        self.replace(source.master, &rows)?;
        *searched_at = Some(now);
        Ok(self.known(kid))
    }

    fn newest(&self) -> Option<Arc<KeyPair>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).first().cloned()
    }

    fn known(&self, kid: &str) -> Option<Arc<KeyPair>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).iter().find(|key| key.kid == kid).cloned()
    }

    fn replace(&self, master: &MasterKey, rows: &[TokenKey]) -> Result<()> {
        let keys = rows.iter().map(|row| KeyPair::open(master, row).map(Arc::new)).collect::<Result<Vec<_>>>()?;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }
}
