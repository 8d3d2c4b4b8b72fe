//! API tokens that held a moment ago, so that a program which sends one event per request does not cost a look
//! into the database each time.
//!
//! What is remembered is at most [`HOLDS`] old, whichever server the token is revoked on. The server that revokes
//! it forgets it at once. Only tokens that held are remembered: a wrong one is looked up each time, and cannot push
//! the good ones out. Access tokens of people are never remembered: who is logged out is out everywhere at once.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use chrono::Duration;
use trailkeeper_domain::time::Timestamp;

use crate::permission::Principal;
use crate::token::TokenHash;

/// How long a token is believed after it was looked up: the longest time for which one that was revoked on another
/// server, or by the command line, goes on working here.
pub(crate) const HOLDS: Duration = Duration::seconds(5);

/// How many are remembered; some 200 bytes each.
const MOST: usize = 10_000;

/// The tokens that held.
#[derive(Default)]
pub(crate) struct TokenCache {
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    known: HashMap<TokenHash, Known>,
    /// How often all was forgotten: what was looked up before must not be remembered after.
    forgotten: u64,
}

struct Known {
    holder: Principal,
    since: Timestamp,
    until: Timestamp,
}

/// When a look-up began, as seen from here.
#[derive(Clone, Copy)]
pub(crate) struct Before(u64);

impl TokenCache {
    /// The holder, if the token held a moment ago and still may.
    pub(crate) fn holder(&self, token: TokenHash, now: Timestamp) -> Option<Principal> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        // A clock that was set back must not make a moment longer.
        let known = state.known.get(&token).filter(|known| known.since <= now && now < known.until)?;
        Some(known.holder.clone())
    }

    /// To be asked before a token is looked up.
    pub(crate) fn before_look_up(&self) -> Before {
        Before(self.state.read().unwrap_or_else(PoisonError::into_inner).forgotten)
    }

    /// Remembers a token that held when it was looked up at `now`, and that ends at `end`.
    pub(crate) fn remember(
        &self,
        before: Before,
        token: TokenHash,
        holder: Principal,
        now: Timestamp,
        end: Option<Timestamp>,
    ) {
        let longest = now + HOLDS;
        let until = end.map_or(longest, |end| end.min(longest));
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if state.forgotten != before.0 {
            return;
        }
        // All at once: dropping the stale ones alone would go through all of them for every token past the limit.
        if state.known.len() >= MOST && !state.known.contains_key(&token) {
            state.known.clear();
        }
        state.known.insert(token, Known { holder, since: now, until });
    }

    /// Forgets all. To be called after a token was revoked or changed.
    pub(crate) fn forget(&self) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.known.clear();
        state.forgotten += 1;
    }
}

#[cfg(test)]
mod tests {
    use trailkeeper_domain::account::Role;
    use trailkeeper_domain::id::CredentialId;
    use uuid::Uuid;

    use super::*;
    use crate::permission::PrincipalKind;

    fn second(second: i64) -> Timestamp {
        chrono::DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap()
    }

    fn holder(number: u128) -> Principal {
        let kind = PrincipalKind::Token(CredentialId(Uuid::from_u128(number)));
        Principal { kind, name: "importer".to_owned(), role: Role::Ingest, tenant_id: None, session_id: None }
    }

    fn hash(number: usize) -> TokenHash {
        TokenHash::of(&number.to_string())
    }

    #[test]
    fn a_moment_ends_after_five_seconds_or_with_the_token_and_does_not_begin_before_it() {
        let token_cache = TokenCache::default();
        let before = token_cache.before_look_up();
        token_cache.remember(before, hash(1), holder(1), second(0), None);
        token_cache.remember(before, hash(2), holder(2), second(0), Some(second(2)));
        for (number, at, expected) in [
            (1, second(-1), false),
            (1, second(0), true),
            (1, second(5) - Duration::microseconds(1), true),
            (1, second(5), false),
            (2, second(2) - Duration::microseconds(1), true),
            (2, second(2), false),
            (3, second(0), false),
        ] {
            let found = token_cache.holder(hash(number), at);
            assert_eq!(found, expected.then(|| holder(number as u128)), "{number} at {at}");
        }
    }

    #[test]
    fn what_was_looked_up_before_a_revocation_is_not_remembered_after_it() {
        let token_cache = TokenCache::default();
        let before = token_cache.before_look_up();
        token_cache.forget();
        token_cache.remember(before, hash(1), holder(1), second(0), None);
        assert_eq!(token_cache.holder(hash(1), second(0)), None);
        token_cache.remember(token_cache.before_look_up(), hash(1), holder(1), second(0), None);
        assert_eq!(token_cache.holder(hash(1), second(0)), Some(holder(1)));
        token_cache.forget();
        assert_eq!(token_cache.holder(hash(1), second(0)), None);
    }

    #[test]
    fn no_more_are_kept_than_the_limit() {
        let token_cache = TokenCache::default();
        let before = token_cache.before_look_up();
        for number in 0..=MOST {
            token_cache.remember(before, hash(number), holder(1), second(0), None);
            assert!(token_cache.state.read().unwrap().known.len() <= MOST);
        }
        assert_eq!(token_cache.holder(hash(MOST), second(0)), Some(holder(1)));
    }
}
