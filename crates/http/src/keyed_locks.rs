//! Turns: of the logins under one name from one source, one is tried at a time.
//!
//! An attempt counts as a failure until it has succeeded. Without locks, a program that logs in eight times at once
//! would be refused for its own attempts that are still being hashed. One that has to wait holds no thread.
//!
//! Nobody else waits: whoever tries the name from elsewhere, or another name, has another turn. There is a row per
//! login that is in hand, no more.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use trailkeeper_domain::ports::CounterKey;
use trailkeeper_domain::{Error, Result};

/// Whose turn it is.
#[derive(Default)]
pub struct KeyedLocks {
    locks: Mutex<HashMap<CounterKey, Arc<Semaphore>>>,
}

impl KeyedLocks {
    /// Waits for the turn of `key`; the next one has it when this one is dropped.
    pub async fn lock(self: &Arc<Self>, key: CounterKey) -> Result<KeyedLock> {
        let lock = Arc::clone(self.table().entry(key).or_insert_with(|| Arc::new(Semaphore::new(1))));
        // Made before it waits: a client that goes away meanwhile leaves no row behind.
        let mut held = KeyedLock { table: Arc::clone(self), key, lock, permit: None };
        held.permit = Some(Arc::clone(&held.lock).acquire_owned().await.map_err(Error::internal)?);
        Ok(held)
    }

    /// The rows hold whatever panicked meanwhile: each change is one step.
    fn table(&self) -> MutexGuard<'_, HashMap<CounterKey, Arc<Semaphore>>> {
        self.locks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A turn, or a place in the queue for one.
pub struct KeyedLock {
    table: Arc<KeyedLocks>,
    key: CounterKey,
    lock: Arc<Semaphore>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Drop for KeyedLock {
    fn drop(&mut self) {
        let mut locks = self.table.table();
        // It holds its place too.
        self.permit = None;
        // The map's and this one: others are made under the lock alone.
        if Arc::strong_count(&self.lock) <= 2 {
            locks.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    const ONE: CounterKey = [1; 32];
    const OTHER: CounterKey = [2; 32];

    #[actix_web::test]
    async fn one_at_a_time_has_the_turn_and_others_do_not_wait_for_it() {
        let locks = Arc::new(KeyedLocks::default());
        let first = locks.lock(ONE).await.unwrap();
        let mut second = Box::pin(locks.lock(ONE));
        let mut third = Box::pin(locks.lock(ONE));
        assert!((&mut second).now_or_never().is_none());
        assert!((&mut third).now_or_never().is_none());
        drop(locks.lock(OTHER).now_or_never().unwrap().unwrap());
        drop(first);
        let second = second.now_or_never().unwrap();
        assert!((&mut third).now_or_never().is_none());
        drop(second.unwrap());
        drop(third.await.unwrap());
        assert!(locks.table().is_empty());
    }

    #[actix_web::test]
    async fn who_goes_away_while_he_waits_leaves_nothing_behind() {
        let locks = Arc::new(KeyedLocks::default());
        let first = locks.lock(ONE).await.unwrap();
        let mut second = Box::pin(locks.lock(ONE));
        let mut third = Box::pin(locks.lock(ONE));
        assert!((&mut second).now_or_never().is_none());
        assert!((&mut third).now_or_never().is_none());
        drop(second);
        drop(first);
        // His place in the queue is not lost for the one behind him, either.
        drop(third.now_or_never().unwrap().unwrap());
        assert!(locks.table().is_empty());
        let first = locks.lock(ONE).await.unwrap();
        let mut second = Box::pin(locks.lock(ONE));
        assert!((&mut second).now_or_never().is_none());
        drop(first);
        drop(second);
        assert!(locks.table().is_empty());
    }
}
