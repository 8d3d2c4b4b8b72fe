//! Time and randomness as parameters, so that tests control both.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::time;

/// A source of the current time.
pub trait Clock: Send + Sync {
    /// The current time in UTC, truncated to whole microseconds, the precision of the databases.
    fn now(&self) -> DateTime<Utc>;
}

/// A source of random bytes that is fit for cryptographic keys.
pub trait Entropy: Send + Sync {
    /// Fills the whole buffer with random bytes.
    ///
    /// An implementation that cannot fill it must not return: tokens are made of these bytes.
    fn fill(&self, buffer: &mut [u8]);
}

/// A new UUID of version 7. It begins with the time, so that new rows come at the end of an index.
pub fn new_uuid(clock: &dyn Clock, entropy: &dyn Entropy) -> Uuid {
    let mut random = [0; 10];
    entropy.fill(&mut random);
    let millis = u64::try_from(clock.now().timestamp_millis()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

/// The system's clock. Only this type reads it.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one home of the real clock")]
    fn now(&self) -> DateTime<Utc> {
        time::truncated(Utc::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(DateTime<Utc>, u8);

    impl Clock for Fixed {
        fn now(&self) -> DateTime<Utc> {
            self.0
        }
    }

    impl Entropy for Fixed {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(self.1);
        }
    }

    fn uuid_at(millis: i64, random: u8) -> Uuid {
        let fixed = Fixed(DateTime::from_timestamp_millis(millis).unwrap(), random);
        new_uuid(&fixed, &fixed)
    }

    #[test]
    fn ids_are_version_7_and_sort_by_time() {
        let id = uuid_at(1_700_000_000_123, 0xff);
        assert_eq!(id.to_string(), "018bcfe5-687b-7fff-bfff-ffffffffffff");
        assert!(id < uuid_at(1_700_000_000_124, 0));
    }

    #[test]
    fn a_clock_before_1970_still_gives_ids() {
        assert_eq!(uuid_at(-1, 0).to_string(), "00000000-0000-7000-8000-000000000000");
    }

    #[test]
    fn the_system_clock_gives_whole_microseconds() {
        assert_eq!(SystemClock.now().timestamp_subsec_nanos() % 1_000, 0);
    }
}
