//! Windows of one minute that begin with the minutes of the clock, so that all servers count in the same windows. Up to
//! twice the limit can pass at a minute boundary.

use chrono::{DateTime, TimeDelta};
use trailkeeper_domain::time::Timestamp;

/// Length of a window, in seconds.
pub const WINDOW_S: u32 = 60;

/// Use of a limit in the current window, after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitStatus {
    /// Requests allowed per window.
    pub limit: u32,
    /// Requests left in this window.
    pub remaining: u32,
    /// Seconds until the next window begins, at least 1.
    pub reset_s: u32,
    /// Whether the request is over the limit.
    pub exceeded: bool,
}

impl LimitStatus {
    /// The status after `used` requests, including the current one.
    pub fn new(limit: u32, used: u64, now: Timestamp) -> Self {
        let remaining = u32::try_from(u64::from(limit).saturating_sub(used)).unwrap_or(0);
        Self { limit, remaining, reset_s: seconds_left(now), exceeded: used > u64::from(limit) }
    }
}

/// Start of the window that contains `now`.
pub fn start_of(now: Timestamp) -> Timestamp {
    let seconds = now.timestamp();
    DateTime::from_timestamp(seconds - seconds.rem_euclid(i64::from(WINDOW_S)), 0).unwrap_or(now)
}

/// Start of the window before the one that contains `now`.
pub fn previous_start(now: Timestamp) -> Timestamp {
    start_of(now) - TimeDelta::seconds(i64::from(WINDOW_S))
}

fn seconds_left(now: Timestamp) -> u32 {
    // 0 to 59, so the conversion cannot fail.
    let elapsed = now.timestamp().rem_euclid(i64::from(WINDOW_S));
    WINDOW_S - u32::try_from(elapsed).unwrap_or(0)
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
            assert_eq!(previous_start(at(second)).timestamp(), 1_800_000_000 + start - 60);
        }
    }

    #[test]
    fn the_request_after_the_last_allowed_one_exceeds_the_limit() {
        let status = |used| LimitStatus::new(3, used, at(50));
        assert_eq!(status(1), LimitStatus { limit: 3, remaining: 2, reset_s: 10, exceeded: false });
        assert_eq!((status(3).remaining, status(3).exceeded), (0, false));
        assert_eq!((status(4).remaining, status(4).exceeded), (0, true));
        assert_eq!((status(u64::MAX).remaining, status(u64::MAX).exceeded), (0, true));
    }
}
