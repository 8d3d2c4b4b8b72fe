//! What this server counted in the present window, and what it heard that others counted.
//!
//! Its memory is bounded: at most [`MOST_KEYS`] keys. When they are used up, those that asked for little are let
//! go, which forgets little; when even that does not help, all new keys of a group share one count, so that whoever
//! has very many addresses limits himself and not the server's memory.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;

use trailkeeper_domain::ports::RequestCount;
use trailkeeper_domain::time::Timestamp;
use uuid::Uuid;

use super::group::{Group, LimitSettings};
use super::window;

/// How many keys are counted; some 100 bytes each.
pub const MOST_KEYS: usize = 50_000;

/// How many keys others are told of at once, those nearest to their limits: each is a write. Whoever has very many
/// addresses must not keep the database busy; beyond, each server limits by what it counted itself.
const MOST_SHARED: usize = 1_000;

/// Below the tenth of its limit nobody is told of a key: most keys never get there, and cost no write.
const SHARED_FROM: u64 = 10;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RateLimitKey {
    /// A credential, by its id.
    Credential(Uuid),
    /// An IPv4 address or a /64 of IPv6.
    Source(IpAddr),
    /// All those for whom there was no room.
    Others,
}

impl RateLimitKey {
    fn text(&self) -> String {
        match self {
            Self::Credential(id) => id.to_string(),
            Self::Source(network) => network.to_string(),
            Self::Others => "others".to_owned(),
        }
    }
}

/// Who asks for what.
pub type Key = (Group, RateLimitKey);

/// Requests of one key.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    here: u64,
    /// How many of them others were told of.
    told: u64,
    elsewhere: u64,
}

impl Count {
    fn used(&self) -> u64 {
        self.here.saturating_add(self.elsewhere)
    }
}

/// The counts of one window.
#[derive(Debug)]
pub struct Registry {
    limits: LimitSettings,
    starts_at: Timestamp,
    counts: HashMap<Key, Count>,
    /// At which second small keys were let go last: it goes through all of them.
    let_go_at: Option<i64>,
}

impl Registry {
    /// Nothing counted.
    pub fn new(limits: LimitSettings) -> Self {
        Self { limits, starts_at: Timestamp::UNIX_EPOCH, counts: HashMap::new(), let_go_at: None }
    }

    /// Counts a request; gives how many there were in the present window.
    pub fn count(&mut self, key: Key, now: Timestamp) -> u64 {
        let key = self.slot_for(key, now);
        let count = self.counts.entry(key).or_default();
        count.here = count.here.saturating_add(1);
        count.used()
    }

    /// How many requests there were in the present window.
    pub fn used(&mut self, key: Key, now: Timestamp) -> u64 {
        let key = self.slot_for(key, now);
        self.counts.get(&key).map_or(0, Count::used)
    }

    /// What others were not told yet, and all keys whose counts are worth knowing from others.
    pub fn take_unshared(&mut self, now: Timestamp) -> (Timestamp, Vec<RequestCount>, Vec<Key>) {
        self.start_window(now);
        let shared = self.counts.iter().filter(|(key, count)| is_shared(&self.limits, **key, count));
        let mut shared: Vec<(Key, Count)> = shared.map(|(key, count)| (*key, *count)).collect();
        if shared.len() > MOST_SHARED {
            shared.select_nth_unstable_by_key(MOST_SHARED, |(key, count)| Reverse(self.per_mille(*key, count)));
            shared.truncate(MOST_SHARED);
        }
        let take_unshared = shared.iter().filter(|(_, count)| count.here > count.told);
        let news = take_unshared.map(|(key, count)| RequestCount {
            key: text(*key),
            starts_at: self.starts_at,
            requests: count.here - count.told,
        });
        (self.starts_at, news.collect(), shared.into_iter().map(|(key, _)| key).collect())
    }

    /// Notes what was told, and what all servers together counted. Nothing, when the window is another by now.
    pub fn mark_shared(&mut self, starts_at: Timestamp, news: &[RequestCount], totals: &[(Key, u64)]) {
        if starts_at != self.starts_at {
            return;
        }
        let news: HashMap<&str, u64> = news.iter().map(|count| (count.key.as_str(), count.requests)).collect();
        for (key, total) in totals {
            if let Entry::Occupied(mut entry) = self.counts.entry(*key) {
                let count = entry.get_mut();
                count.told += news.get(text(*key).as_str()).copied().unwrap_or_default();
                count.elsewhere = total.saturating_sub(count.told);
            }
        }
    }

    /// How much of its limit a key has used up.
    fn per_mille(&self, (group, _): Key, count: &Count) -> u64 {
        self.limits.of(group).map_or(0, |limit| count.used().saturating_mul(1_000) / u64::from(limit))
    }

    /// Begins a new window when the old one is over, or when the clock was set back.
    fn start_window(&mut self, now: Timestamp) {
        let starts_at = window::start_of(now);
        if starts_at != self.starts_at {
            self.starts_at = starts_at;
            self.counts.clear();
            self.let_go_at = None;
        }
    }

    /// The key under which a request is counted.
    fn slot_for(&mut self, key: Key, now: Timestamp) -> Key {
        self.start_window(now);
        // Room for one key of others in each group.
        let most = MOST_KEYS - Group::COUNT;
        if self.counts.len() < most || self.counts.contains_key(&key) {
            return key;
        }
        if self.let_go_at != Some(now.timestamp()) {
            self.let_go_at = Some(now.timestamp());
            let limits = self.limits;
            self.counts.retain(|key, count| key.1 == RateLimitKey::Others || is_shared(&limits, *key, count));
        }
        if self.counts.len() < most { key } else { (key.0, RateLimitKey::Others) }
    }

    /// How many keys there are.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.counts.len()
    }
}

fn is_shared(limits: &LimitSettings, (group, _): Key, count: &Count) -> bool {
    limits.of(group).is_some_and(|limit| count.here.saturating_mul(SHARED_FROM) >= u64::from(limit))
}

/// The key as all servers know it.
pub fn text((group, source_key): Key) -> String {
    format!("{}:{}", group.as_str(), source_key.text())
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use chrono::DateTime;

    use super::*;

    fn at(second: i64) -> Timestamp {
        DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap()
    }

    fn address(number: u32) -> Key {
        (Group::Login, RateLimitKey::Source(IpAddr::V4(Ipv4Addr::from_bits(number))))
    }

    fn registry() -> Registry {
        Registry::new(LimitSettings { login: 100, ..LimitSettings::NONE })
    }

    #[test]
    fn each_key_is_counted_apart_and_anew_in_each_window() {
        let mut registry = registry();
        assert_eq!((registry.count(address(1), at(0)), registry.count(address(1), at(59))), (1, 2));
        assert_eq!(registry.count(address(2), at(59)), 1);
        assert_eq!(registry.used(address(1), at(59)), 2);
        assert_eq!(registry.count(address(1), at(60)), 1);
        // A clock that was set back begins anew too.
        assert_eq!(registry.count(address(1), at(0)), 1);
    }

    #[test]
    fn memory_is_bounded_and_heavy_users_are_not_pushed_out() {
        let mut registry = registry();
        let heavy = address(u32::MAX);
        for _ in 0..50 {
            registry.count(heavy, at(0));
        }
        for number in 0..200_000 {
            registry.count(address(number), at(i64::from(number / 5_000)));
            assert!(registry.len() <= MOST_KEYS);
        }
        assert_eq!(registry.count(heavy, at(40)), 51);
    }

    #[test]
    fn when_every_key_is_heavy_new_ones_share_a_count() {
        let mut registry = registry();
        let network = |number: u32| {
            (Group::Login, RateLimitKey::Source(IpAddr::V6(Ipv6Addr::from_bits(u128::from(number) << 64))))
        };
        for number in 0..u32::try_from(MOST_KEYS).unwrap() {
            for _ in 0..10 {
                registry.count(network(number), at(0));
            }
        }
        assert_eq!(registry.len(), MOST_KEYS - Group::COUNT + 1);
        let before = registry.used((Group::Login, RateLimitKey::Others), at(0));
        assert!(before > 0);
        for number in 0..1_000 {
            assert_eq!(registry.count(network(1_000_000 + number), at(0)), before + u64::from(number) + 1);
        }
        assert_eq!(registry.len(), MOST_KEYS - Group::COUNT + 1);
        // The next window has room again.
        assert_eq!(registry.count(network(1_000_000), at(60)), 1);
        assert_eq!(registry.len(), 1);
    }

    #[test]
    fn others_are_told_of_those_nearest_to_their_limits_and_not_of_very_many() {
        let mut registry = registry();
        for number in 0..3_000 {
            for _ in 0..(if number % 30 == 0 { 60 } else { 20 }) {
                registry.count(address(number), at(0));
            }
        }
        let (_, news, shared) = registry.take_unshared(at(0));
        assert_eq!((news.len(), shared.len()), (MOST_SHARED, MOST_SHARED));
        assert_eq!(news.iter().filter(|count| count.requests == 60).count(), 100);
    }

    #[test]
    fn others_are_told_of_what_is_beyond_a_tenth() {
        let mut registry = registry();
        for _ in 0..9 {
            registry.count(address(1), at(0));
        }
        assert_eq!(registry.take_unshared(at(0)).1, []);
        registry.count(address(1), at(0));
        let (starts_at, news, shared) = registry.take_unshared(at(0));
        assert_eq!(news, [RequestCount { key: "login:0.0.0.1".to_owned(), starts_at: at(0), requests: 10 }]);
        assert_eq!(shared, [address(1)]);
        // Counted while others were told.
        registry.count(address(1), at(0));
        registry.mark_shared(starts_at, &news, &[(address(1), 70)]);
        assert_eq!(registry.used(address(1), at(0)), 71);
        let (starts_at, news, _) = registry.take_unshared(at(0));
        assert_eq!(news[0].requests, 1);
        // What failed is told the next time.
        assert_eq!(registry.take_unshared(at(0)).1, news);
        registry.mark_shared(starts_at, &news, &[(address(1), 71)]);
        assert_eq!((registry.take_unshared(at(0)).1, registry.used(address(1), at(0))), (vec![], 71));
        // Of another window nothing is noted.
        registry.count(address(1), at(60));
        registry.mark_shared(starts_at, &news, &[(address(1), 9_999)]);
        assert_eq!(registry.used(address(1), at(60)), 1);
    }
}
