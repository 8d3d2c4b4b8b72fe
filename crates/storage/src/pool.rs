//! A pool of connections that are opened by the thread that needs one.
//!
//! A pool with threads of its own makes every caller wait out the whole timeout while the database is down; here the
//! first refusal comes back at once. There is no query at checkout either: a connection that died is seen by its own
//! state or by its first statement, and is dropped.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use trailkeeper_domain::{Error, Result};

/// At most `size` connections, lent one by one.
pub struct Pool<C> {
    state: Mutex<State<C>>,
    returned: Condvar,
    size: u32,
    patience: Duration,
}

struct State<C> {
    idle: Vec<C>,
    lent: u32,
}

impl<C> Pool<C> {
    /// An empty pool. A caller waits `patience` for a connection before it is told to come again.
    pub fn new(size: u32, patience: Duration) -> Self {
        Self {
            state: Mutex::new(State { idle: Vec::new(), lent: 0 }),
            returned: Condvar::new(),
            size: size.max(1),
            patience,
        }
    }

    /// The connection that was returned last, or the right to open one.
    pub fn checkout(&self) -> Result<Lease<'_, C>> {
        let (mut state, waited) = self
            .returned
            .wait_timeout_while(self.lock(), self.patience, |state| state.lent >= self.size)
            .unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() && state.lent >= self.size {
            return Err(Error::unavailable(format!(
                "all {} connections were busy for {} ms",
                self.size,
                self.patience.as_millis()
            )));
        }
        state.lent += 1;
        Ok(Lease { pool: self, connection: state.idle.pop() })
    }

    /// Drops every connection that is not lent right now.
    pub fn forget_idle(&self) {
        let idle = std::mem::take(&mut self.lock().idle);
        drop(idle);
    }

    // Nothing that can panic runs under this lock, so a poisoned state is a whole one.
    fn lock(&self) -> MutexGuard<'_, State<C>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to one connection, until it is dropped.
///
/// What is inside on drop is *not* kept: a panic in the middle of a transaction must not hand the transaction on.
/// Only [`Lease::keep`] returns a connection for others to use.
pub struct Lease<'a, C> {
    pool: &'a Pool<C>,
    connection: Option<C>,
}

impl<C> Lease<'_, C> {
    /// Takes the idle connection out, where there is one.
    pub fn take(&mut self) -> Option<C> {
        self.connection.take()
    }

    /// Returns a sound connection to the pool.
    pub fn keep(self, connection: C) {
        self.pool.lock().idle.push(connection);
    }
}

impl<C> Drop for Lease<'_, C> {
    fn drop(&mut self) {
        self.pool.lock().lent -= 1;
        self.pool.returned.notify_one();
    }
}
