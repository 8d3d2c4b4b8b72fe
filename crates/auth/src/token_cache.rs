//! A cache of API tokens that were valid a moment ago: a program that sends one event per request does not cost a
//! database look-up per request.
//!
//! An entry is used for at most [`MAX_AGE`] after its look-up, whichever server the token is revoked on. The server that
//! revokes a token invalidates its whole cache at once. Only valid tokens are cached: a wrong token is looked up each
//! time, so wrong tokens cannot displace valid ones. Access tokens of people are never cached: the end of a session
//! takes effect at once on every server.

use std::sync::atomic::{AtomicU64, Ordering};

use chrono::Duration;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, Options, OptionsBuilder, UnitWeighter};
use trailkeeper_domain::time::Timestamp;

use crate::permission::Principal;
use crate::token::TokenHash;

/// The longest time for which the result of a look-up is used. Together with the look-up itself, a token that was revoked on
/// another server or by the command line still works here for at most two seconds.
pub(crate) const MAX_AGE: Duration = Duration::milliseconds(1_900);

/// The largest number of cached tokens, about 200 bytes each.
const CAPACITY: usize = 10_000;

/// Parts of the cache with a lock each. Divides [`CAPACITY`], so that all parts together hold exactly that many.
const SHARDS: usize = 16;

/// Valid tokens and their principals.
pub(crate) struct TokenCache {
    entries: Cache<TokenHash, Entry>,
    /// Grows by one whenever a token is changed or revoked. Entries of an earlier generation are not used, so that a
    /// look-up which began before a revocation leaves nothing usable, even if it stores its result afterwards.
    generation: AtomicU64,
}

#[derive(Clone)]
struct Entry {
    principal: Principal,
    generation: Generation,
    looked_up_at: Timestamp,
    expires_at: Timestamp,
}

/// A generation of the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Generation(u64);

impl Default for TokenCache {
    fn default() -> Self {
        let entries =
            Cache::with_options(options(), UnitWeighter, DefaultHashBuilder::default(), DefaultLifecycle::default());
        Self { entries, generation: AtomicU64::new(0) }
    }
}

#[expect(clippy::expect_used, reason = "building fails only if a capacity is not set")]
fn options() -> Options {
    OptionsBuilder::new()
        .estimated_items_capacity(CAPACITY)
        .weight_capacity(CAPACITY as u64)
        .shards(SHARDS)
        // No hashes of evicted entries: they would take memory beyond the capacity.
        .ghost_allocation(0.0)
        .build()
        .expect("both capacities are set")
}

impl TokenCache {
    /// The principal of the token, if a look-up not older than [`MAX_AGE`] found it valid and it has not expired since.
    pub(crate) fn get(&self, token: TokenHash, now: Timestamp) -> Option<Principal> {
        let entry = self.entries.get(&token)?;
        // The lower bound: a clock that was set back must not prolong an entry.
        let usable = entry.looked_up_at <= now && now < entry.expires_at && entry.generation == self.generation();
        usable.then_some(entry.principal)
    }

    /// The present generation. To be read before a token is looked up in the database.
    pub(crate) fn generation(&self) -> Generation {
        Generation(self.generation.load(Ordering::SeqCst))
    }

    /// Caches a token that a look-up at `now` found valid. `generation` is the generation from before the look-up,
    /// `token_expires_at` the token's own end.
    pub(crate) fn insert(
        &self,
        generation: Generation,
        token: TokenHash,
        principal: Principal,
        now: Timestamp,
        token_expires_at: Option<Timestamp>,
    ) {
        let latest = now + MAX_AGE;
        let expires_at = token_expires_at.map_or(latest, |end| end.min(latest));
        self.entries.insert(token, Entry { principal, generation, looked_up_at: now, expires_at });
    }

    /// Invalidates all entries. To be called after a token was revoked or changed.
    pub(crate) fn invalidate(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        self.entries.clear();
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

    fn principal(number: u128) -> Principal {
        let kind = PrincipalKind::Token(CredentialId(Uuid::from_u128(number)));
        Principal { kind, name: "importer".to_owned(), role: Role::Ingest, tenant_id: None, session_id: None }
    }

    fn hash(number: usize) -> TokenHash {
        TokenHash::of(&number.to_string())
    }

    #[test]
    fn an_entry_is_used_for_almost_two_seconds_or_until_its_token_expires_and_never_before_its_look_up() {
        let token_cache = TokenCache::default();
        let generation = token_cache.generation();
        token_cache.insert(generation, hash(1), principal(1), second(0), None);
        token_cache.insert(generation, hash(2), principal(2), second(0), Some(second(1)));
        for (number, at, expected) in [
            (1, second(-1), false),
            (1, second(0), true),
            (1, second(0) + MAX_AGE - Duration::microseconds(1), true),
            (1, second(0) + MAX_AGE, false),
            (2, second(1) - Duration::microseconds(1), true),
            (2, second(1), false),
            (3, second(0), false),
        ] {
            let found = token_cache.get(hash(number), at);
            assert_eq!(found, expected.then(|| principal(number as u128)), "{number} at {at}");
        }
    }

    #[test]
    fn a_look_up_that_began_before_a_revocation_is_not_used_after_it() {
        let token_cache = TokenCache::default();
        let generation = token_cache.generation();
        token_cache.invalidate();
        token_cache.insert(generation, hash(1), principal(1), second(0), None);
        assert_eq!(token_cache.get(hash(1), second(0)), None);
        token_cache.insert(token_cache.generation(), hash(1), principal(1), second(0), None);
        assert_eq!(token_cache.get(hash(1), second(0)), Some(principal(1)));
        token_cache.invalidate();
        assert_eq!(token_cache.get(hash(1), second(0)), None);
        assert_eq!(token_cache.entries.len(), 0);
    }

    #[test]
    fn a_later_look_up_replaces_an_earlier_one() {
        let token_cache = TokenCache::default();
        let generation = token_cache.generation();
        token_cache.insert(generation, hash(1), principal(1), second(0), None);
        token_cache.insert(generation, hash(1), principal(2), second(5), None);
        assert_eq!(token_cache.get(hash(1), second(5)), Some(principal(2)));
        assert_eq!(token_cache.entries.len(), 1);
    }

    #[test]
    fn the_number_of_entries_is_bounded_and_the_newest_is_kept() {
        let token_cache = TokenCache::default();
        let generation = token_cache.generation();
        for number in 0..3 * CAPACITY {
            token_cache.insert(generation, hash(number), principal(1), second(0), None);
            assert_eq!(token_cache.get(hash(number), second(0)), Some(principal(1)));
        }
        assert!(token_cache.entries.len() <= CAPACITY, "{}", token_cache.entries.len());
    }
}
