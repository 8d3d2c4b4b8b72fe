//! Windows of one minute that begin with the clock's minutes, so that all servers count in the same ones.

use chrono::{DateTime, TimeDelta};
use trailkeeper_domain::time::Timestamp;

/// The length of a window, in seconds.
pub const WINDOW_S: u32 = 60;

/// How a key stands in the present window, after a request was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Requests that a window allows.
    pub limit: u32,
    /// How many more it allows.
    pub remaining: u32,
    /// Seconds until the next window begins, at least 1.
    pub reset_s: u32,
    /// Whether this request was one too many.
    pub refused: bool,
}

impl Verdict {
    /// After `used` requests, the present one among them.
    pub fn new(limit: u32, used: u64, now: Timestamp) -> Self {
        let remaining = u32::try_from(u64::from(limit).saturating_sub(used)).unwrap_or(0);
        Self { limit, remaining, reset_s: seconds_left(now), refused: used > u64::from(limit) }
    }
}

/// When the window of `now` began.
pub fn start_of(now: Timestamp) -> Timestamp {
    let seconds = now.timestamp();
    DateTime::from_timestamp(seconds - seconds.rem_euclid(i64::from(WINDOW_S)), 0).unwrap_or(now)
}

/// When the window before that of `now` began.
pub fn before(now: Timestamp) -> Timestamp {
    start_of(now) - TimeDelta::seconds(i64::from(WINDOW_S))
}

fn seconds_left(now: Timestamp) -> u32 {
    // From 0 to 59, so that it fits.
    let gone = now.timestamp().rem_euclid(i64::from(WINDOW_S));
    WINDOW_S - u32::try_from(gone).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        DateTime::from_timestamp(1_800_000_000 + second, 999_000_000).unwrap()
    }

    #[test]
    fn windows_begin_with_the_minute() {
        // 1,800,000,000 is a whole minute.
        for (second, start, left) in [(0, 0, 60), (1, 0, 59), (59, 0, 1), (60, 60, 60), (-1, -60, 1)] {
            assert_eq!(start_of(at(second)).timestamp(), 1_800_000_000 + start);
            assert_eq!(seconds_left(at(second)), left, "second {second}");
            assert_eq!(before(at(second)).timestamp(), 1_800_000_000 + start - 60);
        }
    }

    #[test]
    fn the_request_after_the_last_allowed_one_is_refused() {
        let verdict = |used| Verdict::new(3, used, at(50));
        assert_eq!(verdict(1), Verdict { limit: 3, remaining: 2, reset_s: 10, refused: false });
        assert_eq!((verdict(3).remaining, verdict(3).refused), (0, false));
        assert_eq!((verdict(4).remaining, verdict(4).refused), (0, true));
        assert_eq!((verdict(u64::MAX).remaining, verdict(u64::MAX).refused), (0, true));
    }
}
