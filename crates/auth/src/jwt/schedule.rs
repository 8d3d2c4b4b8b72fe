//! When which key signs and verifies. Everything follows from the instants at which the keys were made, so all servers
//! of a database come to the same answer without telling each other anything.
//!
//! ```text
//! K1 made                      K2 made (a rotation)
//! ├── K1 signs ────────────────┼─5 s─┤
//! ├── K1 verifies ─────────────┼─────┴──── lifetime of a token + 10 min ──┤ K1 is removed
//!                              ├── K2 verifies ─────────────────────────────────────────
//!                              │     ├── K2 signs ────────────────────────────────────
//! ```
//!
//! A key signs 5 s after it was made. By then every server has read the keys again and knows it (a copy is used for 4 s
//! at most), so nobody is refused a token because another server has not heard of its key yet. Where no key is that old
//! (a fresh database, or all others were revoked), the oldest signs at once.

use chrono::TimeDelta;
use trailkeeper_domain::time::Timestamp;

/// How old a key is when it begins to sign.
const SIGNS_AFTER: TimeDelta = TimeDelta::seconds(5);

/// How much longer than the lifetime of a token the key before it verifies: for servers whose clocks differ, and for
/// what was signed in the last moment.
const MARGIN: TimeDelta = TimeDelta::minutes(10);

/// Which key signs, of keys made at these instants, newest first. `None` when there is none.
pub(crate) fn signing_index(made_at: &[Timestamp], now: Timestamp) -> Option<usize> {
    made_at.iter().position(|made| now - *made >= SIGNS_AFTER).or_else(|| made_at.len().checked_sub(1))
}

/// When each key verifies no longer, of keys made at these instants, newest first. `None`: as long as it is the newest.
pub(crate) fn ends_of(made_at: &[Timestamp], access_ttl: TimeDelta) -> Vec<Option<Timestamp>> {
    let successors = std::iter::once(None).chain(made_at.iter().copied().map(Some));
    let end = |made: Timestamp| made.checked_add_signed(access_ttl).and_then(|at| at.checked_add_signed(MARGIN));
    successors.zip(made_at).map(|(successor, _)| successor.and_then(end)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        chrono::DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn the_newest_that_everybody_knows_signs() {
        for (made, now, expected) in [
            (&[][..], 0, None),
            (&[0], 0, Some(0)),
            (&[0], -9, Some(0)),
            (&[100, 0], 104, Some(1)),
            (&[100, 0], 105, Some(0)),
            (&[101, 100, 0], 105, Some(1)),
            (&[101, 100, 0], 106, Some(0)),
            // Nobody knows either for long; the older one longer.
            (&[1, 0], 2, Some(1)),
        ] {
            let made: Vec<_> = made.iter().copied().map(at).collect();
            assert_eq!(signing_index(&made, at(now)), expected, "{made:?} at {now}");
        }
    }

    #[test]
    fn a_key_verifies_until_the_tokens_of_its_time_are_over() {
        let made = [at(1000), at(500), at(0)];
        let ends = ends_of(&made, TimeDelta::hours(2));
        assert_eq!(ends, [None, Some(at(1000 + 7200 + 600)), Some(at(500 + 7200 + 600))]);
        assert!(ends_of(&[], TimeDelta::hours(2)).is_empty());
    }
}
