//! A pool of connections that are opened by the thread that needs one.
//!
//! A pool with threads of its own makes every caller wait out the whole timeout while the database is down; here the
//! first refusal comes back at once. There is no query at checkout either: a connection that died is seen by its own
//! state or by its first statement, and is dropped.

use std::time::Duration;

use parking_lot::{Condvar, Mutex};
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
    /// Whether the connection that was given back last was unsound.
    failing: bool,
}

impl<C> Pool<C> {
    /// An empty pool. A caller waits `patience` for a connection, then gets [`Error::Overloaded`], or
    /// [`Error::Unavailable`] where the last use of a connection had failed.
    pub fn new(size: u32, patience: Duration) -> Self {
        Self {
            state: Mutex::new(State { idle: Vec::new(), lent: 0, failing: false }),
            returned: Condvar::new(),
            size: size.max(1),
            patience,
        }
    }

    /// The connection that was returned last, or the right to open one.
    pub fn checkout(&self) -> Result<Lease<'_, C>> {
        let mut state = self.state.lock();
        let waited = self.returned.wait_while_for(&mut state, |state| state.lent >= self.size, self.patience);
        if waited.timed_out() && state.lent >= self.size {
            let waited = format!("all {} connections were lent for {} ms", self.size, self.patience.as_millis());
            // Where the last one that came back had failed, the others are more likely to wait for a database that is
            // away than to work.
            return Err(if state.failing {
                Error::unavailable(format!("{waited}, and the last use of one failed"))
            } else {
                Error::overloaded(
                    "the database is busy with other requests; nothing of this request was stored",
                    waited,
                )
            });
        }
        state.lent += 1;
        Ok(Lease { pool: self, connection: state.idle.pop(), kept: false })
    }

    /// Drops every connection that is not lent right now.
    pub fn forget_idle(&self) {
        let idle = std::mem::take(&mut self.state.lock().idle);
        drop(idle);
    }
}

/// The right to one connection, until it is dropped.
///
/// What is inside on drop is *not* kept: a panic in the middle of a transaction must not hand the transaction on.
/// Only [`Lease::keep`] returns a connection for others to use.
pub struct Lease<'a, C> {
    pool: &'a Pool<C>,
    connection: Option<C>,
    kept: bool,
}

impl<C> Lease<'_, C> {
    /// Takes the idle connection out, where there is one.
    pub fn take(&mut self) -> Option<C> {
        self.connection.take()
    }

    /// Returns a sound connection to the pool.
    pub fn keep(mut self, connection: C) {
        self.kept = true;
        self.pool.state.lock().idle.push(connection);
    }
}

impl<C> Drop for Lease<'_, C> {
    fn drop(&mut self) {
        let mut state = self.pool.state.lock();
        state.lent -= 1;
        state.failing = !self.kept;
        drop(state);
        self.pool.returned.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_without_a_connection_learns_whether_the_others_work_or_fail() {
        let pool: Pool<u8> = Pool::new(1, Duration::ZERO);
        let refused = || pool.checkout().err().unwrap();
        let lease = pool.checkout().unwrap();
        assert!(matches!(refused(), Error::Overloaded { .. }), "nothing is known of the database yet");
        drop(lease);
        let lease = pool.checkout().unwrap();
        assert!(matches!(refused(), Error::Unavailable { .. }), "the last connection was not kept");
        lease.keep(1);
        let lease = pool.checkout().unwrap();
        assert!(matches!(refused(), Error::Overloaded { .. }), "the last connection was sound");
        drop(lease);
    }
}
