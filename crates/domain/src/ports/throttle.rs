use std::net::IpAddr;

use crate::error::Result;
use crate::throttle::LoginCounter;
use crate::time::Timestamp;

/// The subject of a counter of logins, as a hash. It is hashed because people may type anything as their name, even
/// their password.
pub type CounterKey = [u8; 32];

/// The number of requests in a window of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestCount {
    /// The sender and the kind of the requests; at most 100 characters.
    pub key: String,
    /// The start of the window.
    pub starts_at: Timestamp,
    /// The number of requests.
    pub requests: u64,
}

/// Read access to the counters of login attempts and requests.
pub trait ThrottleReads {
    /// The counters of these keys, in the order of `keys`; `None` for a key without a counter.
    fn login_counters(&mut self, keys: &[CounterKey]) -> Result<Vec<Option<LoginCounter>>>;

    /// The time of the last login with this name from this source; `None` if no such login is recorded.
    fn known_source(&mut self, name: &CounterKey, source: IpAddr) -> Result<Option<Timestamp>>;

    /// The numbers that all servers together counted for these keys in the window that began at `starts_at`, in the
    /// order of `keys`; zero for a key without requests.
    fn request_counts(&mut self, starts_at: Timestamp, keys: &[String]) -> Result<Vec<u64>>;

    /// The number of different keys that begin with `prefix`, in the windows that began at `since` or later.
    fn request_count_keys(&mut self, prefix: &str, since: Timestamp) -> Result<u64>;
}

/// Write access to the counters of login attempts and requests.
pub trait ThrottleWrites {
    /// Excludes other writers of login counters until the transaction ends. To be called before the transaction reads
    /// the counters that it will write. A no-op for a database with a single writer (SQLite).
    fn lock_login_counters(&mut self) -> Result<()>;

    /// Creates or replaces a counter.
    fn put_login_counter(&mut self, key: &CounterKey, counter: &LoginCounter) -> Result<()>;

    /// Removes a counter, if it exists.
    fn delete_login_counter(&mut self, key: &CounterKey) -> Result<()>;

    /// Records a login with this name from this source. Keeps the latest `most` sources of a name.
    fn put_known_source(&mut self, name: &CounterKey, source: IpAddr, at: Timestamp, most: usize) -> Result<()>;

    /// Removes the counters that last counted before `before`. Of the others, keeps the latest `most`.
    fn delete_login_counters(&mut self, before: Timestamp, most: usize) -> Result<()>;

    /// Removes the known sources that had no login since `before`.
    fn delete_known_sources(&mut self, before: Timestamp) -> Result<()>;

    /// Adds `counts` to the numbers that all servers together counted.
    fn add_requests(&mut self, counts: &[RequestCount]) -> Result<()>;

    /// Removes the counts of windows that began before `before`.
    fn delete_request_counts(&mut self, before: Timestamp) -> Result<()>;
}
