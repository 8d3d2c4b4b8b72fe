//! Credentials that held not long ago, by fingerprint.
//!
//! When too many credentials from one source did not hold, further ones from there are refused unseen. Not those
//! that held before: who shares an address with a guesser, behind one proxy or in one office, goes on working.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use chrono::TimeDelta;
use trailkeeper_domain::time::Timestamp;

/// How long a credential is known after it held.
const KNOWN_FOR: TimeDelta = TimeDelta::hours(24);

/// How many are known; some 20 bytes each.
const MOST: usize = 10_000;

/// The fingerprints. Neither a credential nor anything by which one could be found out is kept.
#[derive(Default)]
pub struct RecentCredentials {
    known: HashMap<u64, Timestamp>,
    /// Keyed anew at each start: nobody finds a credential with the fingerprint of another's.
    fingerprints: RandomState,
}

impl RecentCredentials {
    /// Whether this credential held not long ago.
    pub fn contains(&self, credential: &str, now: Timestamp) -> bool {
        let at = self.known.get(&self.fingerprints.hash_one(credential));
        at.is_some_and(|at| (now - *at).abs() < KNOWN_FOR)
    }

    /// Notes that it held.
    pub fn insert(&mut self, credential: &str, now: Timestamp) {
        if self.known.len() >= MOST {
            self.known.retain(|_, at| (now - *at).abs() < KNOWN_FOR);
        }
        // Very many credentials in one day: begun anew, as what is lost is known again with its next use.
        if self.known.len() >= MOST {
            self.known.clear();
        }
        self.known.insert(self.fingerprints.hash_one(credential), now);
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[test]
    fn a_credential_is_known_for_a_day_and_there_are_not_too_many() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let mut recent_credentials = RecentCredentials::default();
        recent_credentials.insert("one", now);
        assert!(recent_credentials.contains("one", now + TimeDelta::hours(23)));
        assert!(!recent_credentials.contains("one", now + TimeDelta::hours(24)));
        assert!(!recent_credentials.contains("another", now));
        for number in 0..=MOST {
            recent_credentials.insert(&number.to_string(), now);
            assert!(recent_credentials.known.len() <= MOST);
        }
        assert!(recent_credentials.contains(&MOST.to_string(), now));
    }
}
