//! How a delivery ends, and when the next one follows.

use std::time::Duration;

use chrono::TimeDelta;

use crate::clock::Entropy;

/// The pause after the first failure. Each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// Why a destination did not accept a message. The texts are for administrators: they have nothing of the destination's
/// answer but its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliveryFailure {
    /// It may accept the message later.
    Temporary(String),
    /// It answered 410: it wants no more messages.
    Gone(String),
    /// The position of the stream is of the database before it was restored or replaced.
    Expired(String),
}

impl DeliveryFailure {
    /// The text for administrators.
    pub fn text(&self) -> &str {
        match self {
            Self::Temporary(text) | Self::Gone(text) | Self::Expired(text) => text,
        }
    }
}

/// The pause after so many failures in a row: it doubles with each one, up to an hour. A fifth of it is random, so that
/// streams that failed together do not come back together.
pub fn pause_after(failures: u32, entropy: &dyn Entropy) -> TimeDelta {
    let doubled = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)));
    let whole = doubled.min(LONGEST_PAUSE);
    let mut random = [0; 2];
    entropy.fill(&mut random);
    let part = f64::from(u16::from_be_bytes(random)) / f64::from(u16::MAX);
    TimeDelta::from_std(whole.mul_f64(1.0 - part / 5.0)).unwrap_or(TimeDelta::hours(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Always(u8);

    impl Entropy for Always {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(self.0);
        }
    }

    #[test]
    fn pauses_grow_up_to_an_hour_and_a_fifth_of_them_is_random() {
        let longest = [1, 2, 3, 12, 13, 1_000].map(|failures| pause_after(failures, &Always(0)).num_seconds());
        assert_eq!(longest, [1, 2, 4, 2_048, 3_600, 3_600]);
        let shortest = [1, 3, 13].map(|failures| pause_after(failures, &Always(255)).num_milliseconds());
        assert_eq!(shortest, [800, 3_200, 2_880_000]);
    }
}
