//! The counter of failed logins, which slows down the guessing of passwords, and the network of an attempt.
//!
//! This module only computes. `trailkeeper-auth` documents where each counter is stored and which attempts it counts.
//!
//! ```text
//!            attempt, below the allowance             attempt, the allowance is used up
//!   ┌──────┐ ───────────────────────────► ┌─────────┐ ──────────────────────────────► ┌─────────┐
//!   │ none │                              │ counted │                                 │ blocked │
//!   └──────┘ ◄─────────────────────────── └─────────┘ ◄────────────────────────────── └─────────┘
//!             success, or a day of rest                      the delay is over
//! ```
//!
//! An attempt is counted before its result is known, so that attempts that run at the same time cannot pass the
//! allowance together. A successful attempt takes its count back.

use std::net::{IpAddr, Ipv6Addr};

use chrono::TimeDelta;

use crate::time::Timestamp;

/// The first delay. Each further delay is twice as long.
const FIRST_DELAY: TimeDelta = TimeDelta::seconds(1);

/// The longest delay. After a wait of this length one attempt is allowed, regardless of earlier failures.
pub const LONGEST_DELAY: TimeDelta = TimeDelta::minutes(15);

/// The time without an attempt after which a counter starts again from zero.
pub const FORGOTTEN_AFTER: TimeDelta = TimeDelta::hours(24);

/// The maximum difference between the clocks of servers. A block whose rest is longer than [`LONGEST_DELAY`] plus this
/// difference was made by a wrong clock and does not count. Otherwise a clock that was ahead would block logins for as
/// long as it was ahead.
const TOLERANCE: TimeDelta = TimeDelta::minutes(10);

/// The maximum number of doublings. The delay is then longer than [`LONGEST_DELAY`]: 2^10 seconds are 17 minutes.
const MOST_DOUBLINGS: u32 = 10;

/// The number of attempts that may fail before delays begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance(u32);

impl Allowance {
    /// For one account, and for one account from one known source.
    pub const OF_ACCOUNT: Self = Self(5);
    /// For one source. It is larger, because several people may share a source.
    pub const OF_SOURCE: Self = Self(20);

    /// The number of attempts.
    pub fn attempts(self) -> u32 {
        self.0
    }

    /// The delay that follows the `failures`-th attempt in a row; zero within the allowance.
    pub fn delay(self, failures: u32) -> TimeDelta {
        match failures.checked_sub(self.0) {
            None => TimeDelta::zero(),
            Some(beyond) => (FIRST_DELAY * (1 << beyond.min(MOST_DOUBLINGS))).min(LONGEST_DELAY),
        }
    }
}

/// The consecutive attempts that failed or have not ended yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoginCounter {
    /// The number of these attempts.
    pub failures: u32,
    /// The time at which the last of them began.
    pub counted_at: Timestamp,
    /// The time until which further attempts are rejected.
    pub blocked_until: Option<Timestamp>,
}

impl LoginCounter {
    /// A counter without attempts.
    pub fn none(now: Timestamp) -> Self {
        Self { failures: 0, counted_at: now, blocked_until: None }
    }

    /// The time from now on for which attempts are rejected; `None` if they are allowed.
    pub fn blocked_for(&self, now: Timestamp) -> Option<TimeDelta> {
        let left = self.blocked_until? - now;
        (TimeDelta::zero() < left && left <= LONGEST_DELAY + TOLERANCE).then_some(left)
    }

    /// Counts an attempt that was not rejected. If a block follows it, the block begins now.
    #[must_use]
    pub fn attempted(self, allowance: Allowance, now: Timestamp) -> Self {
        let rested = now - self.counted_at >= FORGOTTEN_AFTER;
        let failures = if rested { 1 } else { self.failures.saturating_add(1) };
        let delay = allowance.delay(failures);
        let blocked_until = (delay > TimeDelta::zero()).then(|| now + delay);
        Self { failures, counted_at: now, blocked_until }
    }

    /// Takes back attempts whose sender turned out to know a password. The last of them was counted at `at`. `None` if
    /// no attempt remains.
    ///
    /// The remaining attempts block no longer than they would have without those taken back. They do not block at all
    /// if none of them was counted after `at`, because any earlier block was over when the attempt at `at` was allowed.
    pub fn without(self, attempts: u32, at: Timestamp, allowance: Allowance) -> Option<Self> {
        let failures = self.failures.saturating_sub(attempts);
        let delay = allowance.delay(failures);
        let others = delay > TimeDelta::zero() && self.counted_at > at;
        let blocked_until = self.blocked_until.filter(|_| others);
        let blocked_until = blocked_until.map(|until| until.min(self.counted_at + delay));
        (failures > 0).then_some(Self { failures, blocked_until, ..self })
    }
}

/// The network that counts as one source: an IPv4 address, or the /64 of an IPv6 address, because the holder of one
/// address of a /64 holds all of them. An IPv4-mapped IPv6 address counts as IPv4.
pub fn network_of(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        v4 @ IpAddr::V4(_) => v4,
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;

    fn second(second: i64) -> Timestamp {
        DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap()
    }

    fn seconds(delta: TimeDelta) -> i64 {
        delta.num_seconds()
    }

    #[test]
    fn delays_are_one_two_four_up_to_fifteen_minutes() {
        let delays: Vec<i64> = (1..=18).map(|failures| seconds(Allowance::OF_ACCOUNT.delay(failures))).collect();
        assert_eq!(delays, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900]);
        assert_eq!(seconds(Allowance::OF_SOURCE.delay(19)), 0);
        assert_eq!(seconds(Allowance::OF_SOURCE.delay(20)), 1);
        assert_eq!(Allowance::OF_ACCOUNT.delay(u32::MAX), LONGEST_DELAY);
    }

    #[test]
    fn a_block_of_a_clock_that_was_far_ahead_does_not_count() {
        let counter = LoginCounter { failures: 9, counted_at: second(86_400), blocked_until: Some(second(86_416)) };
        assert_eq!(counter.blocked_for(second(0)), None);
        assert_eq!(counter.blocked_for(second(86_000)), Some(TimeDelta::seconds(416)));
        assert_eq!(counter.blocked_for(second(86_416)), None);
    }

    #[test]
    fn a_source_is_an_ipv4_address_or_a_network_of_64_bits() {
        for (address, network) in [
            ("203.0.113.7", "203.0.113.7"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("2001:db8:1:2:ffff::", "2001:db8:1:2::"),
            ("2001:db8:1:3::1", "2001:db8:1:3::"),
            ("::1", "::"),
        ] {
            assert_eq!(network_of(address.parse().unwrap()).to_string(), network);
        }
    }

    #[test]
    fn a_success_does_not_make_those_wait_who_need_not_have_waited_before_it() {
        let allowance = Allowance::OF_SOURCE;
        let counter = LoginCounter { failures: 30, counted_at: second(0), blocked_until: Some(second(900)) };
        let after = counter.attempted(allowance, second(900));
        assert_eq!(after.blocked_for(second(901)), Some(TimeDelta::seconds(899)));
        assert_eq!(
            after.without(1, second(900), allowance),
            Some(LoginCounter { failures: 30, counted_at: second(900), blocked_until: None })
        );
        // A failed attempt blocks, even if an attempt that began before it succeeds.
        let later = LoginCounter { failures: 31, blocked_until: None, ..after }.attempted(allowance, second(901));
        assert_eq!(
            later.without(1, second(900), allowance).and_then(|left| left.blocked_for(second(901))),
            Some(LONGEST_DELAY)
        );
    }

    /// The history of a counter: each step is a pause in seconds, then an attempt that fails (`false`) or succeeds.
    fn history() -> impl Strategy<Value = Vec<(i64, bool)>> {
        let pause = prop_oneof![4 => 0..5_i64, 3 => 0..1_000_i64, 1 => 0..200_000_i64];
        prop::collection::vec((pause, prop::bool::weighted(0.1)), 1..80)
    }

    proptest! {
        #[test]
        fn nobody_waits_longer_than_the_longest_delay_and_success_forgets(history in history()) {
            let allowance = Allowance::OF_ACCOUNT;
            let mut now = second(0);
            let mut stored: Option<LoginCounter> = None;
            let (mut in_a_row, mut last) = (0_u32, second(0));
            for (pause, good) in history {
                now += TimeDelta::seconds(pause);
                let counter = stored.unwrap_or(LoginCounter::none(now));
                if let Some(left) = counter.blocked_for(now) {
                    prop_assert!(left <= LONGEST_DELAY);
                    prop_assert!(in_a_row >= allowance.attempts());
                    // A rejected attempt changes nothing, so the wait is enough.
                    prop_assert_eq!(counter.blocked_for(now + left), None);
                    continue;
                }
                in_a_row = if now - last >= FORGOTTEN_AFTER { 1 } else { in_a_row + 1 };
                last = now;
                let counted = counter.attempted(allowance, now);
                prop_assert_eq!(counted.failures, in_a_row);
                let delay = counted.blocked_for(now).unwrap_or_default();
                prop_assert_eq!(delay, allowance.delay(in_a_row));
                stored = if good { None } else { Some(counted) };
                if good {
                    in_a_row = 0;
                }
            }
        }

        #[test]
        fn delays_never_shrink_while_attempts_fail(failures in 0..u32::MAX, allowance in 1..1_000_u32) {
            let allowance = Allowance(allowance);
            prop_assert!(allowance.delay(failures) <= allowance.delay(failures + 1));
            prop_assert!(allowance.delay(failures) <= LONGEST_DELAY);
            prop_assert_eq!(allowance.delay(failures) > TimeDelta::zero(), failures >= allowance.attempts());
        }

        #[test]
        fn attempts_at_one_instant_do_not_exceed_the_allowance(attempts in 1..200_u32, allowance in 1..50_u32) {
            let allowance = Allowance(allowance);
            let mut counter = LoginCounter::none(second(0));
            let mut passed = 0;
            for _ in 0..attempts {
                if counter.blocked_for(second(0)).is_none() {
                    counter = counter.attempted(allowance, second(0));
                    passed += 1;
                }
            }
            prop_assert_eq!(passed, attempts.min(allowance.attempts()));
        }

        #[test]
        fn what_is_taken_back_frees_what_is_within_the_allowance(failures in 1..60_u32, back in 0..60_u32) {
            let allowance = Allowance::OF_SOURCE;
            let mut counter = LoginCounter::none(second(0));
            for _ in 0..failures {
                counter = counter.attempted(allowance, second(0));
            }
            let left = failures.saturating_sub(back);
            let counter = counter.without(back, second(-1), allowance);
            prop_assert_eq!(counter.map_or(0, |counter| counter.failures), left);
            let blocked = counter.is_some_and(|counter| counter.blocked_for(second(0)).is_some());
            prop_assert_eq!(blocked, left >= allowance.attempts());
            let longest = counter.and_then(|counter| counter.blocked_for(second(0))).unwrap_or_default();
            prop_assert_eq!(longest, allowance.delay(left));
        }
    }
}
