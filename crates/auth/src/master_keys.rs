//! The master keys in use: one that seals, and the one before it, which still opens.
//!
//! While the master key is being replaced, some secrets are sealed with the new key and some with the old one.
//! Whoever has both opens all of them, so a server goes on through a rotation, and through one that was broken off.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use trailkeeper_domain::Result;
use trailkeeper_domain::clock::Entropy;
use zeroize::Zeroizing;

use crate::master::MasterKey;

/// The keys as they are at one moment.
#[derive(Debug, PartialEq, Eq)]
pub struct MasterKeyPair {
    /// Seals and opens.
    pub current: MasterKey,
    /// Opens what was sealed before `current` took its place.
    pub previous: Option<MasterKey>,
}

impl MasterKeyPair {
    /// Both, the current one first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &MasterKey> {
        std::iter::once(&self.current).chain(&self.previous)
    }
}

/// Where the keys come from, when they may change while we run: the key files.
pub trait MasterKeySource: Send + Sync {
    /// The keys as they are now.
    ///
    /// [`trailkeeper_domain::Error::Internal`] when they cannot be read; it names the place, never a key.
    fn read(&self) -> Result<MasterKeyPair>;
}

/// The master keys of a server.
///
/// Those of a [`MasterKeySource`] are read again at two moments:
///
/// - before something is sealed, so that nothing is sealed with a key that was replaced, and soon will be forgotten;
/// - when something does not open, since another process may have replaced the key and sealed all anew. A running
///   server learns of a rotation this way, without a restart.
pub struct MasterKeys {
    held: RwLock<Arc<MasterKeyPair>>,
    source: Option<Box<dyn MasterKeySource>>,
}

impl MasterKeys {
    /// Keys that stay as they are.
    pub fn fixed(keys: MasterKeyPair) -> Self {
        Self { held: RwLock::new(Arc::new(keys)), source: None }
    }

    /// Keys that may change. They are read once now.
    pub fn from_source(source: impl MasterKeySource + 'static) -> Result<Self> {
        let held = RwLock::new(Arc::new(source.read()?));
        Ok(Self { held, source: Some(Box::new(source)) })
    }

    /// Seals with the current key, as [`MasterKey::seal`] does.
    pub fn seal(&self, entropy: &dyn Entropy, context: &str, plain: &[u8]) -> Result<Vec<u8>> {
        self.reload()?;
        self.held().current.seal(entropy, context, plain)
    }

    /// Opens with either key, as [`MasterKey::open`] does.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        opened(&self.held(), context, sealed)
            .or_else(|error| if self.reload()? { opened(&self.held(), context, sealed) } else { Err(error) })
    }

    /// The value sealed with the current key; `None` when it is already.
    pub(crate) fn resealed(&self, entropy: &dyn Entropy, context: &str, sealed: &[u8]) -> Result<Option<Vec<u8>>> {
        if self.held().current.open(context, sealed).is_ok() {
            return Ok(None);
        }
        let plain = self.open(context, sealed)?;
        self.held().current.seal(entropy, context, &plain).map(Some)
    }

    /// The keys as this process knows them.
    pub(crate) fn held(&self) -> Arc<MasterKeyPair> {
        Arc::clone(&self.held.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the keys again; whether they are others now.
    pub(crate) fn reload(&self) -> Result<bool> {
        let Some(source) = &self.source else { return Ok(false) };
        let fresh = source.read()?;
        if *self.held() == fresh {
            return Ok(false);
        }
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
        Ok(true)
    }
}

impl From<MasterKey> for MasterKeys {
    fn from(key: MasterKey) -> Self {
        Self::fixed(MasterKeyPair { current: key, previous: None })
    }
}

impl fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKeys(…)")
    }
}

/// Opens with the previous key what the current one does not open. The error is the current key's.
fn opened(keys: &MasterKeyPair, context: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    keys.current
        .open(context, sealed)
        .or_else(|error| keys.previous.as_ref().and_then(|key| key.open(context, sealed).ok()).ok_or(error))
}
