//! Time and randomness as parameters: tests move the clock, nobody else reads it.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::time;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now, in UTC, truncated to whole microseconds (what both databases keep).
    fn now(&self) -> DateTime<Utc>;
}

/// Draws random bytes from a source fit for keys.
pub trait Entropy: Send + Sync {
    /// Fills the whole buffer.
    ///
    /// Implementations must not return without having filled it: tokens are made of it.
    fn fill(&self, buffer: &mut [u8]);
}

/// A UUID version 7 of the clock's time: sortable, so that new rows land at the end of an index.
pub fn new_uuid(clock: &dyn Clock, entropy: &dyn Entropy) -> Uuid {
    let mut random = [0; 10];
    entropy.fill(&mut random);
    let millis = u64::try_from(clock.now().timestamp_millis()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

/// The system's clock: the one place that reads it.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one home of the real clock")]
    fn now(&self) -> DateTime<Utc> {
        time::truncated(Utc::now())
    }
}
