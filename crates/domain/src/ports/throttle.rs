use std::net::IpAddr;

use crate::error::Result;
use crate::throttle::LoginCounter;
use crate::time::Timestamp;

/// What a counter of logins is about, as a hash: typed names may be anything, a password among it.
pub type CounterKey = [u8; 32];

/// How often something was asked for in a window of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestCount {
    /// By whom and for what; at most 100 characters.
    pub key: String,
    /// When the window began.
    pub starts_at: Timestamp,
    /// How often.
    pub requests: u64,
}

/// Counters of attempts and requests, read.
pub trait ThrottleReads {
    /// The counters of these keys, in their order.
    fn login_counters(&mut self, keys: &[CounterKey]) -> Result<Vec<Option<LoginCounter>>>;

    /// When someone last logged in under this name from this source.
    fn known_source(&mut self, name: &CounterKey, source: IpAddr) -> Result<Option<Timestamp>>;

    /// What all servers counted for these keys in the window that began at `starts_at`, in their order; zero
    /// where nothing was.
    fn request_counts(&mut self, starts_at: Timestamp, keys: &[String]) -> Result<Vec<u64>>;
}

/// Counters of attempts and requests, written.
pub trait ThrottleWrites {
    /// Makes those that count attempts wait for one another until the transaction ends. To be called before
    /// the counters are read that will be written. A no-op where writers are alone anyway (SQLite).
    fn lock_login_counters(&mut self) -> Result<()>;

    /// Stores a counter, or replaces it.
    fn put_login_counter(&mut self, key: &CounterKey, counter: &LoginCounter) -> Result<()>;

    /// Removes a counter; one that is not there is passed over.
    fn delete_login_counter(&mut self, key: &CounterKey) -> Result<()>;

    /// Notes a login under this name from this source. At most `most` sources are kept for a name, the latest.
    fn put_known_source(&mut self, name: &CounterKey, source: IpAddr, at: Timestamp, most: usize) -> Result<()>;

    /// Removes the counters that last counted before `before`, and of the others all but the latest `most`.
    fn delete_login_counters(&mut self, before: Timestamp, most: usize) -> Result<()>;

    /// Removes known sources without a login since `before`.
    fn delete_known_sources(&mut self, before: Timestamp) -> Result<()>;

    /// Adds to what all servers counted.
    fn add_requests(&mut self, counts: &[RequestCount]) -> Result<()>;

    /// Removes the counts of windows that began before `before`.
    fn delete_request_counts(&mut self, before: Timestamp) -> Result<()>;
}
