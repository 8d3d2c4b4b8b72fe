//! A clock for tests.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Duration};
use trailkeeper_domain::clock::Clock;
use trailkeeper_domain::time::Timestamp;

/// A clock that stands still until a test moves it. Tests share it by reference or in an `Arc`.
///
/// ```
/// use trailkeeper_domain::clock::Clock as _;
/// use trailkeeper_testkit::{TestClock, at};
///
/// let clock = TestClock::at("2026-11-22T12:00:00Z");
/// clock.advance(chrono::Duration::minutes(5));
/// assert_eq!(clock.now(), at("2026-11-22T12:05:00Z"));
/// ```
#[derive(Debug)]
pub struct TestClock {
    micros: AtomicI64,
}

impl TestClock {
    /// A clock that shows this RFC 3339 time.
    pub fn at(time: &str) -> Self {
        Self { micros: AtomicI64::new(crate::at(time).timestamp_micros()) }
    }

    /// Moves the clock forward; a negative duration moves it back.
    pub fn advance(&self, by: Duration) {
        let by = by.num_microseconds().expect("a duration of a test fits into microseconds");
        self.micros.fetch_add(by, Ordering::SeqCst);
    }

    /// Sets the clock to this RFC 3339 time.
    pub fn set(&self, time: &str) {
        self.micros.store(crate::at(time).timestamp_micros(), Ordering::SeqCst);
    }
}

impl Default for TestClock {
    /// A clock that shows noon of 2026-11-22.
    fn default() -> Self {
        Self::at("2026-11-22T12:00:00Z")
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        DateTime::from_timestamp_micros(self.micros.load(Ordering::SeqCst)).expect("a time of a test is in range")
    }
}
