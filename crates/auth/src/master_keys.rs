//! The master keys in use: the current one, which seals, and the previous one, which still opens.
//!
//! While the master key is being replaced, some secrets are sealed with the new key and some with the old one. A server
//! that holds both opens all of them, so it works during a rotation, and after one that was interrupted.

use std::fmt;
use std::sync::Arc;

use parking_lot::RwLock;
use trailkeeper_domain::Result;
use trailkeeper_domain::clock::Entropy;
use trailkeeper_domain::id::{CredentialId, StreamId};
use zeroize::Zeroizing;

use crate::master::MasterKey;

/// The context under which the secret of a signing key is sealed.
pub(crate) fn secret_seal_context(id: CredentialId) -> String {
    format!("signing_key:{id}")
}

/// The context under which the secrets of a stream are sealed.
pub(crate) fn stream_seal_context(id: StreamId) -> String {
    format!("stream:{id}")
}

/// The master keys at one moment.
#[derive(Debug, PartialEq, Eq)]
pub struct MasterKeyPair {
    /// Seals and opens.
    pub current: MasterKey,
    /// Opens secrets that were sealed before the last rotation.
    pub previous: Option<MasterKey>,
}

impl MasterKeyPair {
    /// Both keys, the current one first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &MasterKey> {
        std::iter::once(&self.current).chain(&self.previous)
    }
}

/// The source of keys that may change while the server runs: the key files.
pub trait MasterKeySource: Send + Sync {
    /// Reads the keys as they are now.
    ///
    /// [`trailkeeper_domain::Error::Internal`] when they cannot be read; the error names the file, never a key.
    fn read(&self) -> Result<MasterKeyPair>;
}

/// The master keys of a server.
///
/// Keys of a [`MasterKeySource`] are read again on two occasions:
///
/// - before something is sealed, so that nothing is sealed with a replaced key that is about to be deleted;
/// - when something does not open, since another process may have replaced the key and resealed all secrets. A running
///   server learns of a rotation this way, without a restart.
pub struct MasterKeys {
    keys: RwLock<Arc<MasterKeyPair>>,
    source: Option<Box<dyn MasterKeySource>>,
}

impl MasterKeys {
    /// Keys that never change.
    pub fn fixed(keys: MasterKeyPair) -> Self {
        Self { keys: RwLock::new(Arc::new(keys)), source: None }
    }

    /// Keys that may change. Reads them for the first time.
    pub fn from_source(source: impl MasterKeySource + 'static) -> Result<Self> {
        let keys = RwLock::new(Arc::new(source.read()?));
        Ok(Self { keys, source: Some(Box::new(source)) })
    }

    /// Seals with the current key, as [`MasterKey::seal`] does.
    pub fn seal(&self, entropy: &dyn Entropy, context: &str, plain: &[u8]) -> Result<Vec<u8>> {
        self.reload()?;
        self.get().current.seal(entropy, context, plain)
    }

    /// Opens with either key, as [`MasterKey::open`] does.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        opened(&self.get(), context, sealed)
            .or_else(|error| if self.reload()? { opened(&self.get(), context, sealed) } else { Err(error) })
    }

    /// The secret sealed with the current key; `None` if it is already sealed with it.
    pub(crate) fn resealed(&self, entropy: &dyn Entropy, context: &str, sealed: &[u8]) -> Result<Option<Vec<u8>>> {
        if self.get().current.open(context, sealed).is_ok() {
            return Ok(None);
        }
        let plain = self.open(context, sealed)?;
        self.get().current.seal(entropy, context, &plain).map(Some)
    }

    /// The keys as this process read them last.
    pub(crate) fn get(&self) -> Arc<MasterKeyPair> {
        Arc::clone(&self.keys.read())
    }

    /// Reads the keys again; returns whether they changed.
    pub(crate) fn reload(&self) -> Result<bool> {
        let Some(source) = &self.source else { return Ok(false) };
        let fresh = source.read()?;
        if *self.get() == fresh {
            return Ok(false);
        }
        *self.keys.write() = Arc::new(fresh);
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

/// Opens with the current key, else with the previous one. The error is that of the current key.
fn opened(keys: &MasterKeyPair, context: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    keys.current
        .open(context, sealed)
        .or_else(|error| keys.previous.as_ref().and_then(|key| key.open(context, sealed).ok()).ok_or(error))
}
