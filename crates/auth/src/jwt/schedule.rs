//! The times at which each key signs and verifies. They follow from the creation times of the keys, so all servers of a
//! database come to the same result without talking to each other.
//!
//! ```text
//! K1 made                      K2 made (a rotation)
//! ├── K1 signs ────────────────┼─5 s─┤
//! ├── K1 verifies ─────────────┼─────┴──── lifetime of a token + 10 min ──┤ K1 is removed
//!                              ├── K2 verifies ─────────────────────────────────────────
//!                              │     ├── K2 signs ────────────────────────────────────
//! ```
//!
//! A key signs from 5 s after its creation. By then every server has read the keys again (it uses a snapshot for less
//! than 2 s), so no server refuses a token because it does not know the token's key yet. If no key is that old (a fresh
//! database, or all other keys were revoked), the oldest signs at once.

use chrono::TimeDelta;
use trailkeeper_domain::time::Timestamp;

/// The age at which a key begins to sign.
const SIGNING_AGE: TimeDelta = TimeDelta::seconds(5);

/// The time for which a replaced key verifies beyond the lifetime of a token: for servers whose clocks differ, and for
/// tokens that were signed in the last moment.
const MARGIN: TimeDelta = TimeDelta::minutes(10);

/// The index of the key that signs, given the creation times of all keys, newest first. `None` when there is no key.
pub(crate) fn signing_index(created_at: &[Timestamp], now: Timestamp) -> Option<usize> {
    created_at.iter().position(|created| now - *created >= SIGNING_AGE).or_else(|| created_at.len().checked_sub(1))
}

/// The time from which each key no longer verifies, given the creation times of all keys, newest first. `None` for the
/// newest, which has no end.
pub(crate) fn verification_ends(created_at: &[Timestamp], access_ttl: TimeDelta) -> Vec<Option<Timestamp>> {
    let replaced_at = std::iter::once(None).chain(created_at.iter().copied().map(Some));
    let end =
        |replaced: Timestamp| replaced.checked_add_signed(access_ttl).and_then(|at| at.checked_add_signed(MARGIN));
    replaced_at.zip(created_at).map(|(replaced, _)| replaced.and_then(end)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        chrono::DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn the_newest_key_that_every_server_knows_signs() {
        for (created, now, expected) in [
            (&[][..], 0, None),
            (&[0], 0, Some(0)),
            (&[0], -9, Some(0)),
            (&[100, 0], 104, Some(1)),
            (&[100, 0], 105, Some(0)),
            (&[101, 100, 0], 105, Some(1)),
            (&[101, 100, 0], 106, Some(0)),
            // No server is sure to know either key yet; the older one is more likely known.
            (&[1, 0], 2, Some(1)),
        ] {
            let created: Vec<_> = created.iter().copied().map(at).collect();
            assert_eq!(signing_index(&created, at(now)), expected, "{created:?} at {now}");
        }
    }

    #[test]
    fn a_replaced_key_verifies_until_its_last_token_has_expired() {
        let created = [at(1000), at(500), at(0)];
        let ends = verification_ends(&created, TimeDelta::hours(2));
        assert_eq!(ends, [None, Some(at(1000 + 7200 + 600)), Some(at(500 + 7200 + 600))]);
        assert!(verification_ends(&[], TimeDelta::hours(2)).is_empty());
    }
}
