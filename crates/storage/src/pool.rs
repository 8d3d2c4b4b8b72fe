//! A pool whose connections are opened by the threads that need them.
//!
//! In a pool with threads of its own, every caller waits for the whole timeout while the database is down. Here the
//! caller that opens the connection gets the error at once. The pool sends no query at checkout: a dead connection is
//! recognised by its state or by the failure of its first statement, and is dropped.

use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use trailkeeper_domain::{Error, Result, deadline};

/// At most `size` connections, each leased by one caller at a time.
pub struct Pool<C> {
    state: Mutex<State<C>>,
    returned: Condvar,
    size: u32,
    timeout: Duration,
}

struct State<C> {
    idle: Vec<C>,
    leased: u32,
    /// Whether the last use of a connection failed.
    failing: bool,
}

impl<C> Pool<C> {
    /// An empty pool. A caller waits at most `timeout` for a connection, and not beyond
    /// the deadline of its work, and then gets [`Error::Overloaded`], or
    /// [`Error::Unavailable`] if the last use of a connection failed.
    pub fn new(size: u32, timeout: Duration) -> Self {
        Self {
            state: Mutex::new(State { idle: Vec::new(), leased: 0, failing: false }),
            returned: Condvar::new(),
            size: size.max(1),
            timeout,
        }
    }

    /// A lease of the connection that was returned last, or of the right to open one.
    pub fn checkout(&self) -> Result<Lease<'_, C>> {
        let timeout = deadline::remaining().map_or(self.timeout, |remaining| remaining.min(self.timeout));
        let mut state = self.state.lock();
        let waited = self.returned.wait_while_for(&mut state, |state| state.leased >= self.size, timeout);
        if waited.timed_out() && state.leased >= self.size {
            let waited = format!("all {} connections were leased for {} ms", self.size, timeout.as_millis());
            // If the last use failed, the other connections probably wait for a database that is down.
            return Err(if state.failing {
                Error::unavailable(format!("{waited}, and the last use of one failed"))
            } else {
                Error::overloaded(
                    "the database is busy with other requests; nothing of this request was stored",
                    waited,
                )
            });
        }
        state.leased += 1;
        Ok(Lease { pool: self, connection: state.idle.pop(), kept: false })
    }

    /// Drops every connection that is not leased.
    pub fn forget_idle(&self) {
        let idle = std::mem::take(&mut self.state.lock().idle);
        drop(idle);
    }
}

/// The right to use one connection, until it is dropped.
///
/// Dropping it does *not* return the connection to the pool, because a panic inside a transaction must not pass the open
/// transaction to the next caller. Only [`Lease::keep`] returns a connection.
pub struct Lease<'a, C> {
    pool: &'a Pool<C>,
    connection: Option<C>,
    kept: bool,
}

impl<C> Lease<'_, C> {
    /// Takes the idle connection out of the lease; `None` if the caller has to open one.
    pub fn take(&mut self) -> Option<C> {
        self.connection.take()
    }

    /// Returns a working connection to the pool.
    pub fn keep(mut self, connection: C) {
        self.kept = true;
        self.pool.state.lock().idle.push(connection);
    }
}

impl<C> Drop for Lease<'_, C> {
    fn drop(&mut self) {
        let mut state = self.pool.state.lock();
        state.leased -= 1;
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
