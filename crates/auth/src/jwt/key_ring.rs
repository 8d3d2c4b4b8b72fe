//! The signing keys of access tokens, cached in memory.

use std::sync::Arc;

use chrono::TimeDelta;
use parking_lot::{Mutex, RwLock};
use trailkeeper_domain::account::TokenKey;
use trailkeeper_domain::clock::{Clock, Entropy};
use trailkeeper_domain::ports::Store;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};

use super::{KeyPair, signing_index, verification_ends};
use crate::master_keys::MasterKeys;

/// The longest time for which a snapshot is used. Together with the duration of a rotation itself, every server learns of
/// new and of revoked keys within two seconds.
const MAX_AGE: TimeDelta = TimeDelta::milliseconds(1_800);

/// The age from which one request reads the keys again while the others go on with the snapshot: on a busy server no
/// request waits for the database.
const REFRESH_AGE: TimeDelta = TimeDelta::seconds(1);

/// The shortest time between two database look-ups for unknown key ids.
const SEARCH_INTERVAL: TimeDelta = TimeDelta::seconds(1);

/// Everything that is needed to read and to make keys.
#[derive(Clone, Copy)]
pub(crate) struct KeySource<'a> {
    pub store: &'a dyn Store,
    pub clock: &'a dyn Clock,
    pub entropy: &'a dyn Entropy,
    pub master: &'a MasterKeys,
    /// The lifetime of an access token.
    pub access_ttl: TimeDelta,
}

/// A row of the table of keys, opened.
struct RingKey {
    kid: String,
    /// The pair, or the error of opening it: one damaged row must not invalidate the tokens of the other keys.
    pair: Result<Arc<KeyPair>>,
    created_at: Timestamp,
    /// The end of its verification; `None` while it is the newest.
    verifies_until: Option<Timestamp>,
}

impl RingKey {
    fn pair(&self) -> Result<Arc<KeyPair>> {
        self.pair.clone()
    }

    fn verifies(&self, now: Timestamp) -> bool {
        self.verifies_until.is_none_or(|end| now < end)
    }
}

/// All keys at one moment, newest first.
#[derive(Clone)]
struct Snapshot {
    keys: Arc<[RingKey]>,
    read_at: Timestamp,
}

impl Snapshot {
    /// Whether it is younger than `age`. A clock that was set back makes no snapshot younger.
    fn is_younger(&self, age: TimeDelta, now: Timestamp) -> bool {
        self.read_at <= now && now - self.read_at < age
    }
}

/// The keys of the database, as this process read them last.
#[derive(Default)]
pub(crate) struct KeyRing {
    snapshot: RwLock<Option<Snapshot>>,
    /// Locked while the keys are read: of many requests that need them, one asks the database and the others wait for
    /// its result. Holds the time of the last look-up for an unknown key id.
    searched_at: Mutex<Option<Timestamp>>,
}

impl KeyRing {
    /// The key that signs. Makes the first key of a database that has none.
    pub(crate) fn signing(&self, source: KeySource<'_>) -> Result<Arc<KeyPair>> {
        let mut keys = self.current(source)?;
        if keys.is_empty() {
            make_first(source)?;
            keys = self.reread(source)?;
        }
        let created_at: Vec<_> = keys.iter().map(|key| key.created_at).collect();
        signing_index(&created_at, source.clock.now())
            .and_then(|index| keys.get(index))
            .ok_or_else(|| Error::internal("token_keys: no key was found after one was made"))?
            .pair()
    }

    /// The key with this id, if it still verifies. Looks an unknown id up in the database, at most once a second for all
    /// requests together: another server may have made the key a moment ago, but most unknown ids are made up.
    pub(crate) fn by_kid(&self, source: KeySource<'_>, kid: &str) -> Result<Option<Arc<KeyPair>>> {
        let now = source.clock.now();
        let stale = !self.snapshot().is_some_and(|snapshot| snapshot.is_younger(MAX_AGE, now));
        let mut keys = self.current(source)?;
        if stale {
            // The keys were just read for this request: a look-up would find nothing newer.
            *self.searched_at.lock() = Some(now);
        }
        if let Some(found) = find(&keys, kid, now) {
            return found;
        }
        let mut searched_at = self.searched_at.lock();
        if searched_at.is_some_and(|at| (now - at).abs() < SEARCH_INTERVAL) {
            // Another request looked it up, perhaps while this one waited for the lock.
            keys = self.snapshot().map_or(keys, |snapshot| snapshot.keys);
        } else {
            keys = self.read(source)?;
            // Only after success: while the database is unreachable, callers must get that error and not "wrong token".
            *searched_at = Some(now);
        }
        find(&keys, kid, now).unwrap_or(Ok(None))
    }

    /// The pairs that verify now, newest first, without those that cannot be opened.
    pub(crate) fn verifying(&self, source: KeySource<'_>) -> Result<Vec<Arc<KeyPair>>> {
        let now = source.clock.now();
        let keys = self.current(source)?;
        Ok(keys.iter().filter(|key| key.verifies(now)).filter_map(|key| key.pair.clone().ok()).collect())
    }

    /// Reads the keys again, and fails if one of them cannot be opened.
    pub(crate) fn check(&self, source: KeySource<'_>) -> Result<()> {
        self.reread(source)?.iter().try_for_each(|key| key.pair().map(drop))
    }

    /// Drops the snapshot, so that the next use reads the keys again. To be called after this process changed them.
    pub(crate) fn invalidate(&self) {
        let _reading = self.searched_at.lock();
        *self.snapshot.write() = None;
    }

    /// The key with this id, if the snapshot has it and it verifies. Neither reads the database nor waits.
    pub(crate) fn cached(&self, kid: &str, now: Timestamp) -> Option<Arc<KeyPair>> {
        find(&self.snapshot()?.keys, kid, now)?.ok()?
    }

    fn current(&self, source: KeySource<'_>) -> Result<Arc<[RingKey]>> {
        let now = source.clock.now();
        if let Some(snapshot) = self.snapshot().filter(|snapshot| snapshot.is_younger(MAX_AGE, now)) {
            if snapshot.is_younger(REFRESH_AGE, now) {
                return Ok(snapshot.keys);
            }
            let Some(_reading) = self.searched_at.try_lock() else { return Ok(snapshot.keys) };
            // An error here is no failure: the snapshot may be used for two seconds more, in which the database may
            // come back.
            return Ok(self.read(source).unwrap_or(snapshot.keys));
        }
        let _reading = self.searched_at.lock();
        if let Some(snapshot) = self.snapshot().filter(|snapshot| snapshot.is_younger(MAX_AGE, source.clock.now())) {
            return Ok(snapshot.keys);
        }
        self.read(source)
    }

    fn reread(&self, source: KeySource<'_>) -> Result<Arc<[RingKey]>> {
        let _reading = self.searched_at.lock();
        self.read(source)
    }

    /// Reads all keys. The caller holds the lock `searched_at`.
    fn read(&self, source: KeySource<'_>) -> Result<Arc<[RingKey]>> {
        // Taken before the query: a key that is revoked during the query must not be used for longer than `MAX_AGE`.
        let read_at = source.clock.now();
        let rows = source.store.reading(|tx| tx.token_keys())?;
        let before = self.snapshot();
        let before = before.as_ref().map_or(&[][..], |snapshot| &snapshot.keys);
        let created_at: Vec<_> = rows.iter().map(|row| row.created_at).collect();
        let keys: Arc<[RingKey]> = rows
            .iter()
            .zip(verification_ends(&created_at, source.access_ttl))
            .map(|(row, verifies_until)| RingKey {
                kid: row.kid.clone(),
                pair: opened(before, source.master, row),
                created_at: row.created_at,
                verifies_until,
            })
            .collect();
        *self.snapshot.write() = Some(Snapshot { keys: Arc::clone(&keys), read_at });
        Ok(keys)
    }

    fn snapshot(&self) -> Option<Snapshot> {
        self.snapshot.read().clone()
    }
}

/// The pair of a row. A pair that is open already is not opened again: that would cost time, and would fail where the
/// master key was replaced and the new one is not on this machine yet.
fn opened(before: &[RingKey], master: &MasterKeys, row: &TokenKey) -> Result<Arc<KeyPair>> {
    let same =
        |key: &&RingKey| key.pair.as_ref().is_ok_and(|pair| pair.kid() == row.kid && pair.public() == row.public);
    match before.iter().find(same) {
        Some(key) => key.pair.clone(),
        None => KeyPair::open(master, row).map(Arc::new),
    }
}

/// The key with this id. `None`: there is no such key. `Some(Ok(None))`: it no longer verifies.
fn find(keys: &[RingKey], kid: &str, now: Timestamp) -> Option<Result<Option<Arc<KeyPair>>>> {
    let key = keys.iter().find(|key| key.kid == kid)?;
    Some(if key.verifies(now) { key.pair().map(Some) } else { Ok(None) })
}

/// Makes the first key of a database, unless another server was faster.
fn make_first(source: KeySource<'_>) -> Result<()> {
    let pair = KeyPair::generate(source.entropy)?;
    source.store.writing(|tx| {
        tx.lock_directory()?;
        if !tx.token_keys()?.is_empty() {
            return Ok(());
        }
        // Sealed under the lock, for the reason given at `Access::reseal`.
        tx.insert_token_key(&pair.seal(source.master, source.entropy, source.clock.now())?)
    })
}
