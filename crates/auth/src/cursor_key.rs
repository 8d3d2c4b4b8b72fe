//! The key of the cursors of the feed: 32 random bytes, sealed with the master key in the database.
//!
//! It is not derived from the master key, because a reader of the feed keeps its cursor for as long as it likes: a rotation
//! of the master key seals this key again and does not replace it.

use chrono::TimeDelta;
use parking_lot::RwLock;
use ring::hmac;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};
use zeroize::Zeroizing;

use crate::jwt::KeySource;

/// The context under which the key is sealed.
pub(crate) const CURSOR_KEY_SEAL_CONTEXT: &str = "cursor_key:feed";

/// The longest time for which the key is used without a look at the database. An operator who removes the key, or replaces
/// the database by one with another key, need not restart the servers.
const MAX_AGE: TimeDelta = TimeDelta::seconds(2);

/// The key, as this process read it last.
#[derive(Default)]
pub(crate) struct CursorKey(RwLock<Option<Known>>);

#[derive(Clone)]
struct Known {
    key: hmac::Key,
    /// The row from which it was opened.
    sealed: Vec<u8>,
    read_at: Timestamp,
}

impl Known {
    /// A clock that was set back makes no key fresh.
    fn is_fresh(&self, now: Timestamp) -> bool {
        self.read_at <= now && now - self.read_at < MAX_AGE
    }
}

impl CursorKey {
    /// The key. Makes the key of a database that has none.
    ///
    /// [`Error::Internal`] when no master key opens it, unless this process has opened it before.
    pub(crate) fn current(&self, source: KeySource<'_>) -> Result<hmac::Key> {
        // Taken before the query: a key that is removed during the query must not be used for longer than `MAX_AGE`.
        let now = source.clock.now();
        let known = self.0.read().clone();
        if let Some(known) = known.as_ref().filter(|known| known.is_fresh(now)) {
            return Ok(known.key.clone());
        }
        let read = match (read(source, known.as_ref()), known) {
            (Ok((key, sealed)), _) => Known { key, sealed, read_at: now },
            // No failure: the database may come back, and a new master key that sealed the key on another machine may come
            // to this one.
            (Err(_), Some(known)) => Known { read_at: now, ..known },
            (Err(error), None) => return Err(error),
        };
        let key = read.key.clone();
        *self.0.write() = Some(read);
        Ok(key)
    }
}

/// Checks that a master key opens the key of the database. Makes none if there is none.
pub(crate) fn check(source: KeySource<'_>) -> Result<()> {
    let sealed = source.store.reading(|tx| tx.cursor_key())?;
    sealed.map_or(Ok(()), |sealed| open(source, &sealed).map(drop))
}

/// The key of the database, made if there is none, and its row. A key that is open already is not opened again: that would
/// fail where the master key was replaced and the new one is not on this machine yet.
fn read(source: KeySource<'_>, known: Option<&Known>) -> Result<(hmac::Key, Vec<u8>)> {
    let sealed = match source.store.reading(|tx| tx.cursor_key())? {
        Some(sealed) => sealed,
        None => make(source)?,
    };
    let key = match known.filter(|known| known.sealed == sealed) {
        Some(known) => known.key.clone(),
        None => open(source, &sealed)?,
    };
    Ok((key, sealed))
}

fn open(source: KeySource<'_>, sealed: &[u8]) -> Result<hmac::Key> {
    let key = source.master.open(CURSOR_KEY_SEAL_CONTEXT, sealed)?;
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &key))
}

/// Makes the key of the database, unless another server was faster. Returns the stored row.
fn make(source: KeySource<'_>) -> Result<Vec<u8>> {
    let mut key = Zeroizing::new([0_u8; 32]);
    source.entropy.fill(key.as_mut_slice());
    let stored = source.store.writing(|tx| {
        tx.lock_directory()?;
        // Sealed under the lock, for the reason given at `Access::reseal`.
        let sealed = source.master.seal(source.entropy, CURSOR_KEY_SEAL_CONTEXT, key.as_slice())?;
        tx.insert_cursor_key(&sealed)?;
        tx.cursor_key()
    })?;
    stored.ok_or_else(|| Error::internal("cursor_keys: no key was found after one was made"))
}
