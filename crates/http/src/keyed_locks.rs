//! One lock per key: of the logins under one name from one source, one is tried at a time.
//!
//! An attempt counts as a failure until it has succeeded. Without these locks, a program that logs in eight times at once
//! would be rejected because of its own attempts, whose passwords are still being hashed. A waiting attempt occupies no
//! thread.
//!
//! Attempts for another name or from another source use another key and do not wait. The table has a row for each key
//! that is locked or waited for, and no other.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use trailkeeper_domain::ports::CounterKey;
use trailkeeper_domain::{Error, Result};

/// The table of locks.
#[derive(Default)]
pub struct KeyedLocks {
    rows: Mutex<HashMap<CounterKey, Arc<Semaphore>>>,
}

impl KeyedLocks {
    /// Waits until the lock of `key` is free. It is released when the guard is dropped; waiting callers get it in the
    /// order in which they came.
    pub async fn lock(self: &Arc<Self>, key: CounterKey) -> Result<KeyedLockGuard> {
        let row = Arc::clone(self.rows.lock().entry(key).or_insert_with(|| Arc::new(Semaphore::new(1))));
        // Created before waiting, so that a client that disconnects while it waits leaves no row behind.
        let mut guard = KeyedLockGuard { table: Arc::clone(self), key, row, permit: None };
        guard.permit = Some(Arc::clone(&guard.row).acquire_owned().await.map_err(Error::internal)?);
        Ok(guard)
    }
}

/// A locked key, or one that is waited for.
pub struct KeyedLockGuard {
    table: Arc<KeyedLocks>,
    key: CounterKey,
    row: Arc<Semaphore>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Drop for KeyedLockGuard {
    fn drop(&mut self) {
        let mut rows = self.table.rows.lock();
        // The permit holds a reference to the row too.
        self.permit = None;
        // Two references, the table's and this guard's: nobody else uses the row. New references are made only while
        // the table is locked.
        if Arc::strong_count(&self.row) <= 2 {
            rows.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    const KEY: CounterKey = [1; 32];
    const OTHER_KEY: CounterKey = [2; 32];

    #[actix_web::test]
    async fn one_caller_at_a_time_has_a_key_and_other_keys_are_free() {
        let locks = Arc::new(KeyedLocks::default());
        let first = locks.lock(KEY).await.unwrap();
        let mut second = Box::pin(locks.lock(KEY));
        let mut third = Box::pin(locks.lock(KEY));
        assert!((&mut second).now_or_never().is_none());
        assert!((&mut third).now_or_never().is_none());
        drop(locks.lock(OTHER_KEY).now_or_never().unwrap().unwrap());
        drop(first);
        let second = second.now_or_never().unwrap();
        assert!((&mut third).now_or_never().is_none());
        drop(second.unwrap());
        drop(third.await.unwrap());
        assert!(locks.rows.lock().is_empty());
    }

    #[actix_web::test]
    async fn a_caller_that_stops_waiting_leaves_nothing_behind() {
        let locks = Arc::new(KeyedLocks::default());
        let first = locks.lock(KEY).await.unwrap();
        let mut second = Box::pin(locks.lock(KEY));
        let mut third = Box::pin(locks.lock(KEY));
        assert!((&mut second).now_or_never().is_none());
        assert!((&mut third).now_or_never().is_none());
        drop(second);
        drop(first);
        // The next caller in the queue gets the lock.
        drop(third.now_or_never().unwrap().unwrap());
        assert!(locks.rows.lock().is_empty());
        let first = locks.lock(KEY).await.unwrap();
        let mut second = Box::pin(locks.lock(KEY));
        assert!((&mut second).now_or_never().is_none());
        drop(first);
        drop(second);
        assert!(locks.rows.lock().is_empty());
    }
}
