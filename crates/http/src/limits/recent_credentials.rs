//! Credentials that were valid recently, by fingerprint.
//!
//! After too many invalid credentials from one source, further ones from there are rejected without a lookup. Credentials
//! that were valid recently are exempt, so that a client that shares its address with an attacker, behind one proxy or
//! in one office, keeps working.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use chrono::TimeDelta;
use trailkeeper_domain::time::Timestamp;

/// How long a credential is remembered after it was valid.
const LIFETIME: TimeDelta = TimeDelta::hours(24);

/// The most credentials in memory; about 20 bytes each.
const MAX_CREDENTIALS: usize = 10_000;

/// Fingerprints of credentials. They do not reveal the credentials.
#[derive(Default)]
pub struct RecentCredentials {
    /// By fingerprint, the time when the credential was last found valid.
    valid_at: HashMap<u64, Timestamp>,
    /// Has random keys per process, so that nobody can search for a credential with the fingerprint of another one.
    hasher: RandomState,
}

impl RecentCredentials {
    /// Whether this credential was valid within the last day.
    pub fn contains(&self, credential: &str, now: Timestamp) -> bool {
        let at = self.valid_at.get(&self.hasher.hash_one(credential));
        at.is_some_and(|at| (now - *at).abs() < LIFETIME)
    }

    /// Remembers that a credential is valid.
    pub fn insert(&mut self, credential: &str, now: Timestamp) {
        if self.valid_at.len() >= MAX_CREDENTIALS {
            self.valid_at.retain(|_, at| (now - *at).abs() < LIFETIME);
        }
        // Still full, so very many were valid within a day. A forgotten credential is remembered at its next use.
        if self.valid_at.len() >= MAX_CREDENTIALS {
            self.valid_at.clear();
        }
        self.valid_at.insert(self.hasher.hash_one(credential), now);
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[test]
    fn credentials_are_remembered_for_a_day_and_their_number_is_bounded() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let mut recent_credentials = RecentCredentials::default();
        recent_credentials.insert("one", now);
        assert!(recent_credentials.contains("one", now + TimeDelta::hours(23)));
        assert!(!recent_credentials.contains("one", now + TimeDelta::hours(24)));
        assert!(!recent_credentials.contains("another", now));
        for number in 0..=MAX_CREDENTIALS {
            recent_credentials.insert(&number.to_string(), now);
            assert!(recent_credentials.valid_at.len() <= MAX_CREDENTIALS);
        }
        assert!(recent_credentials.contains(&MAX_CREDENTIALS.to_string(), now));
    }
}
