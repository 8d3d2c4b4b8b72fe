//! The keys of the database, as one server knows them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, TryLockError};

use chrono::TimeDelta;
use trailkeeper_domain::account::TokenKey;
use trailkeeper_domain::clock::{Clock, Entropy};
use trailkeeper_domain::ports::Store;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};

use super::{KeyPair, ends_of, signing_index};
use crate::master_keys::MasterKeys;

/// For how long what was read is used. With what a rotation itself takes, every server knows of it, and of keys that
/// were revoked, within five seconds.
const HOLDS: TimeDelta = TimeDelta::seconds(4);

/// From this age on one request reads the keys again, and the others go on with the copy meanwhile: on a busy server
/// nobody waits for it.
const REREAD_FROM: TimeDelta = TimeDelta::seconds(2);

/// At most so often does an unknown key id make us look into the database.
const SEARCH_AT_MOST_EVERY: TimeDelta = TimeDelta::seconds(1);

/// What the ring needs to read and make keys.
#[derive(Clone, Copy)]
pub(crate) struct KeySource<'a> {
    pub store: &'a dyn Store,
    pub clock: &'a dyn Clock,
    pub entropy: &'a dyn Entropy,
    pub master: &'a MasterKeys,
    /// How long an access token holds.
    pub access_ttl: TimeDelta,
}

/// A key as it was read.
struct Kept {
    kid: String,
    /// The pair, or why it could not be opened: one bad row must not take the others' tokens along.
    pair: Result<Arc<KeyPair>>,
    made_at: Timestamp,
    /// When it verifies no longer.
    ends_at: Option<Timestamp>,
}

impl Kept {
    fn pair(&self) -> Result<Arc<KeyPair>> {
        self.pair.clone()
    }

    fn verifies(&self, now: Timestamp) -> bool {
        self.ends_at.is_none_or(|end| now < end)
    }
}

/// All keys at one moment, newest first.
#[derive(Clone)]
struct Snapshot {
    keys: Arc<[Kept]>,
    read_at: Timestamp,
}

impl Snapshot {
    /// Younger than `age`. A clock that was set back makes nothing younger.
    fn is_younger(&self, age: TimeDelta, now: Timestamp) -> bool {
        self.read_at <= now && now - self.read_at < age
    }
}

/// The keys of this database, as far as this process has seen them.
#[derive(Default)]
pub(crate) struct KeyRing {
    copy: RwLock<Option<Snapshot>>,
    /// Held while reading: of many requests that need the keys one asks the database, and the others wait for its
    /// answer. Inside, when an unknown key id last was searched for.
    reading: Mutex<Option<Timestamp>>,
}

impl KeyRing {
    /// The key that signs. Where the database has none yet, it is made.
    pub(crate) fn signing(&self, source: KeySource<'_>) -> Result<Arc<KeyPair>> {
        let mut keys = self.current(source)?;
        if keys.is_empty() {
            make_first(source)?;
            keys = self.reread(source)?;
        }
        let made_at: Vec<_> = keys.iter().map(|key| key.made_at).collect();
        signing_index(&made_at, source.clock.now())
            .and_then(|index| keys.get(index))
            .ok_or_else(|| Error::internal("token_keys: no key was found after one was made"))?
            .pair()
    }

    /// The key with this id, if it still verifies. An unknown one is searched for, at most once a second whatever the
    /// number of requests: another server may have made it this very moment, but most likely it is junk.
    pub(crate) fn by_kid(&self, source: KeySource<'_>, kid: &str) -> Result<Option<Arc<KeyPair>>> {
        let now = source.clock.now();
        let stale = !self.copy().is_some_and(|copy| copy.is_younger(HOLDS, now));
        let mut keys = self.current(source)?;
        if stale {
            // What had to be read for this request is as fresh as a search would make it.
            *self.lock() = Some(now);
        }
        if let Some(found) = known(&keys, kid, now) {
            return found;
        }
        let mut searched_at = self.lock();
        if searched_at.is_some_and(|at| (now - at).abs() < SEARCH_AT_MOST_EVERY) {
            // By another request, perhaps while this one waited.
            keys = self.copy().map_or(keys, |copy| copy.keys);
        } else {
            keys = self.read(source)?;
            // Only when it worked: while the database is away, callers learn that and not "wrong token".
            *searched_at = Some(now);
        }
        known(&keys, kid, now).unwrap_or(Ok(None))
    }

    /// The pairs that verify now, newest first. One that cannot be opened is left out.
    pub(crate) fn verifying(&self, source: KeySource<'_>) -> Result<Vec<Arc<KeyPair>>> {
        let now = source.clock.now();
        let keys = self.current(source)?;
        Ok(keys.iter().filter(|key| key.verifies(now)).filter_map(|key| key.pair.clone().ok()).collect())
    }

    /// Reads the keys again, and fails when one of them cannot be opened.
    pub(crate) fn check(&self, source: KeySource<'_>) -> Result<()> {
        self.reread(source)?.iter().try_for_each(|key| key.pair().map(drop))
    }

    /// Reads the keys again at the next use. To be called when this process changed them.
    pub(crate) fn forget(&self) {
        let _reading = self.lock();
        *self.copy.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn current(&self, source: KeySource<'_>) -> Result<Arc<[Kept]>> {
        let now = source.clock.now();
        let copy = self.copy();
        if let Some(copy) = copy.filter(|copy| copy.is_younger(HOLDS, now)) {
            if copy.is_younger(REREAD_FROM, now) {
                return Ok(copy.keys);
            }
            let reading = match self.reading.try_lock() {
                Ok(reading) => reading,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => return Ok(copy.keys),
            };
            // Not yet due: what we have is good for two seconds more, in which the database may come back.
            let keys = self.read(source).unwrap_or(copy.keys);
            drop(reading);
            return Ok(keys);
        }
        let _reading = self.lock();
        if let Some(copy) = self.copy().filter(|copy| copy.is_younger(HOLDS, source.clock.now())) {
            return Ok(copy.keys);
        }
        self.read(source)
    }

    fn reread(&self, source: KeySource<'_>) -> Result<Arc<[Kept]>> {
        let _reading = self.lock();
        self.read(source)
    }

    /// Reads all keys. To be called with the lock.
    fn read(&self, source: KeySource<'_>) -> Result<Arc<[Kept]>> {
        // Before the question: a key that is revoked while it is answered must not live for longer.
        let read_at = source.clock.now();
        let rows = source.store.reading(|tx| tx.token_keys())?;
        let before = self.copy();
        let before = before.as_ref().map_or(&[][..], |copy| &copy.keys);
        let made_at: Vec<_> = rows.iter().map(|row| row.created_at).collect();
        let keys: Arc<[Kept]> = rows
            .iter()
            .zip(ends_of(&made_at, source.access_ttl))
            .map(|(row, ends_at)| Kept {
                kid: row.kid.clone(),
                pair: opened(before, source.master, row),
                made_at: row.created_at,
                ends_at,
            })
            .collect();
        let copy = Snapshot { keys: Arc::clone(&keys), read_at };
        *self.copy.write().unwrap_or_else(PoisonError::into_inner) = Some(copy);
        Ok(keys)
    }

    /// The key with this id, as far as this process has seen it. Neither reads nor waits.
    pub(crate) fn seen(&self, kid: &str, now: Timestamp) -> Option<Arc<KeyPair>> {
        known(&self.copy()?.keys, kid, now)?.ok()?
    }

    fn copy(&self) -> Option<Snapshot> {
        self.copy.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Timestamp>> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The pair of a row. One that we opened before is not opened again: that would cost for nothing, and would fail where
/// the master key was replaced and not yet brought to this machine.
fn opened(before: &[Kept], master: &MasterKeys, row: &TokenKey) -> Result<Arc<KeyPair>> {
    let same = |key: &&Kept| key.pair.as_ref().is_ok_and(|pair| pair.kid() == row.kid && pair.public() == row.public);
    match before.iter().find(same) {
        Some(key) => key.pair.clone(),
        None => KeyPair::open(master, row).map(Arc::new),
    }
}

/// `None`: no such key. `Some(Ok(None))`: there is, and it verifies no longer.
fn known(keys: &[Kept], kid: &str, now: Timestamp) -> Option<Result<Option<Arc<KeyPair>>>> {
    let key = keys.iter().find(|key| key.kid == kid)?;
    Some(if key.verifies(now) { key.pair().map(Some) } else { Ok(None) })
}

/// Makes the first key of a database, unless another server is faster.
fn make_first(source: KeySource<'_>) -> Result<()> {
    let pair = KeyPair::generate(source.entropy)?;
    source.store.writing(|tx| {
        tx.lock_directory()?;
        if !tx.token_keys()?.is_empty() {
            return Ok(());
        }
        // Sealed behind the lock, as is told at `Access::reseal`.
        tx.insert_token_key(&pair.seal(source.master, source.entropy, source.clock.now())?)
    })
}
