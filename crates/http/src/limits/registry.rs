//! Requests counted in the current window: those of this server, and those that other servers have published.
//!
//! Memory is bounded by [`MAX_KEYS`]. When the table is full, keys with few requests are evicted, which loses little. If
//! all keys have many requests, new keys of a group share one count, so that a client with very many addresses limits
//! itself and cannot fill the memory.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;

use trailkeeper_domain::ports::RequestCount;
use trailkeeper_domain::time::Timestamp;
use uuid::Uuid;

use super::group::{Group, LimitSettings};
use super::window;

/// The most keys that are counted; about 100 bytes each.
pub const MAX_KEYS: usize = 50_000;

/// The most keys that are published in one exchange, those nearest to their limits first, because each key is a write: a
/// client with very many addresses must not keep the database busy. For further keys each server limits by its own
/// counts.
const MAX_PUBLISHED_KEYS: usize = 1_000;

/// A key is published once it has used this fraction, 1/10, of its limit. Most keys stay below and cost no write.
const PUBLISHED_FRACTION: u64 = 10;

/// All servers together may exceed a limit by this fraction, 1/5: each counts so many requests of a key, divided by the
/// number of servers, before it must publish them and see those of the others. At least one, so a limit below five requests
/// per server is exceeded by more.
const UNPUBLISHED_FRACTION: u64 = 5;

/// The sender whose requests share one counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RateLimitKey {
    /// A credential, by its id.
    Credential(Uuid),
    /// An IPv4 address, or a /64 network of IPv6.
    Source(IpAddr),
    /// All keys that did not fit into the table.
    Overflow,
}

impl RateLimitKey {
    fn name(&self) -> String {
        match self {
            Self::Credential(id) => id.to_string(),
            Self::Source(network) => network.to_string(),
            Self::Overflow => "others".to_owned(),
        }
    }
}

/// A row of the table: requests are counted by group and key.
pub type CountKey = (Group, RateLimitKey);

/// The requests of one key.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    /// Requests to this server.
    local: u64,
    /// How many of the local ones are published.
    published: u64,
    /// Requests to other servers, as far as they are published.
    remote: u64,
}

impl Count {
    fn used(&self) -> u64 {
        self.local.saturating_add(self.remote)
    }
}

/// An exchange of counts with the other servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// Start of the window that the counts belong to.
    pub window_start: Timestamp,
    /// Requests that are not published yet.
    pub unpublished: Vec<RequestCount>,
    /// Keys whose totals of all servers are wanted.
    pub keys: Vec<CountKey>,
}

/// The counts of one window.
#[derive(Debug)]
pub struct Registry {
    limits: LimitSettings,
    window_start: Timestamp,
    counts: HashMap<CountKey, Count>,
    /// The servers that share the limits, with this one.
    servers: u64,
    /// While the database is away, each server limits by its own counts.
    isolated: bool,
    /// Second of the last eviction, which visits all keys and therefore runs at most once a second.
    evicted_at: Option<i64>,
}

impl Registry {
    /// An empty table.
    pub fn new(limits: LimitSettings) -> Self {
        Self {
            limits,
            window_start: Timestamp::UNIX_EPOCH,
            counts: HashMap::new(),
            servers: 1,
            isolated: false,
            evicted_at: None,
        }
    }

    /// Counts a request and returns the number of requests of its key in the current window.
    pub fn count(&mut self, key: CountKey, now: Timestamp) -> u64 {
        let key = self.row_of(key, now);
        let count = self.counts.entry(key).or_default();
        count.local = count.local.saturating_add(1);
        count.used()
    }

    /// The number of servers that share the limits, this one included.
    pub fn set_servers(&mut self, servers: u64) {
        self.servers = servers.max(1);
    }

    /// Whether the counts of the other servers cannot be read.
    pub fn set_isolated(&mut self, isolated: bool) {
        self.isolated = isolated;
    }

    /// Whether the counts of a key must be exchanged before its next request is counted.
    pub fn must_exchange(&mut self, key: CountKey, now: Timestamp) -> bool {
        let key = self.row_of(key, now);
        let (Some(limit), Some(count)) = (self.limits.of(key.0), self.counts.get(&key)) else { return false };
        let limit = u64::from(limit);
        let allowed = (limit / (UNPUBLISHED_FRACTION * self.servers)).max(1);
        // A key over its limit is refused anyway.
        self.servers > 1 && !self.isolated && count.used() < limit && count.local - count.published >= allowed
    }

    /// Counts a request, as [`count`](Self::count) does; `None`, without counting it, if the counts must be exchanged first.
    pub fn try_count(&mut self, key: CountKey, now: Timestamp) -> Option<u64> {
        (!self.must_exchange(key, now)).then(|| self.count(key, now))
    }

    /// Number of requests of a key in the current window.
    pub fn used(&mut self, key: CountKey, now: Timestamp) -> u64 {
        let key = self.row_of(key, now);
        self.counts.get(&key).map_or(0, Count::used)
    }

    /// The counts to publish, and the keys to ask for. Nothing counts as published before
    /// [`complete_exchange`](Self::complete_exchange), so a failed exchange is repeated by the next one.
    pub fn begin_exchange(&mut self, now: Timestamp) -> Exchange {
        self.roll_over(now);
        let eligible = self.counts.iter().filter(|(key, count)| is_published(&self.limits, **key, count));
        let mut rows: Vec<(CountKey, Count)> = eligible.map(|(key, count)| (*key, *count)).collect();
        if rows.len() > MAX_PUBLISHED_KEYS {
            rows.select_nth_unstable_by_key(MAX_PUBLISHED_KEYS, |(key, count)| Reverse(self.per_mille(*key, count)));
            rows.truncate(MAX_PUBLISHED_KEYS);
        }
        self.exchange_of(&rows)
    }

    /// The exchange of one key.
    pub fn begin_exchange_of(&mut self, key: CountKey, now: Timestamp) -> Exchange {
        let key = self.row_of(key, now);
        let count = self.counts.get(&key).copied().unwrap_or_default();
        self.exchange_of(&[(key, count)])
    }

    fn exchange_of(&self, rows: &[(CountKey, Count)]) -> Exchange {
        let unpublished = rows.iter().filter(|(_, count)| count.local > count.published);
        let unpublished = unpublished.map(|(key, count)| RequestCount {
            key: name_of(*key),
            starts_at: self.window_start,
            requests: count.local - count.published,
        });
        Exchange {
            window_start: self.window_start,
            unpublished: unpublished.collect(),
            keys: rows.iter().map(|(key, _)| *key).collect(),
        }
    }

    /// Applies the totals of all servers, one for each key of the exchange. Does nothing if a new window has begun since.
    pub fn complete_exchange(&mut self, exchange: &Exchange, totals: &[u64]) {
        if exchange.window_start != self.window_start {
            return;
        }
        let published = exchange.unpublished.iter().map(|count| (count.key.as_str(), count.requests));
        let published: HashMap<&str, u64> = published.collect();
        for (key, total) in exchange.keys.iter().zip(totals) {
            if let Some(count) = self.counts.get_mut(key) {
                count.published += published.get(name_of(*key).as_str()).copied().unwrap_or_default();
                count.remote = total.saturating_sub(count.published);
            }
        }
    }

    /// Used part of the limit, in thousandths.
    fn per_mille(&self, (group, _): CountKey, count: &Count) -> u64 {
        self.limits.of(group).map_or(0, |limit| count.used().saturating_mul(1_000) / u64::from(limit))
    }

    /// Empties the table if `now` is in another window, also an earlier one after the clock was set back.
    fn roll_over(&mut self, now: Timestamp) {
        let window_start = window::start_of(now);
        if window_start != self.window_start {
            self.window_start = window_start;
            self.counts.clear();
            self.evicted_at = None;
        }
    }

    /// The row that counts `key`: its own, or the one for overflow if there is no room for it.
    fn row_of(&mut self, key: CountKey, now: Timestamp) -> CountKey {
        self.roll_over(now);
        // Each group needs room for its overflow row.
        let max = MAX_KEYS - Group::COUNT;
        if self.counts.len() < max || self.counts.contains_key(&key) {
            return key;
        }
        if self.evicted_at != Some(now.timestamp()) {
            self.evicted_at = Some(now.timestamp());
            let limits = self.limits;
            self.counts.retain(|key, count| key.1 == RateLimitKey::Overflow || is_published(&limits, *key, count));
        }
        if self.counts.len() < max { key } else { (key.0, RateLimitKey::Overflow) }
    }

    /// Number of rows.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.counts.len()
    }
}

/// Whether a key has used enough of its limit to be published, and to survive an eviction.
fn is_published(limits: &LimitSettings, (group, _): CountKey, count: &Count) -> bool {
    limits.of(group).is_some_and(|limit| count.local.saturating_mul(PUBLISHED_FRACTION) >= u64::from(limit))
}

/// Name of a key in the database, the same on all servers.
pub fn name_of((group, key): CountKey) -> String {
    format!("{}:{}", group.as_str(), key.name())
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use chrono::DateTime;

    use super::*;

    fn at(second: i64) -> Timestamp {
        DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap()
    }

    fn address(number: u32) -> CountKey {
        (Group::Login, RateLimitKey::Source(IpAddr::V4(Ipv4Addr::from_bits(number))))
    }

    fn registry() -> Registry {
        Registry::new(LimitSettings { login: 100, ..LimitSettings::NONE })
    }

    #[test]
    fn each_key_has_its_own_count_in_each_window() {
        let mut registry = registry();
        assert_eq!((registry.count(address(1), at(0)), registry.count(address(1), at(59))), (1, 2));
        assert_eq!(registry.count(address(2), at(59)), 1);
        assert_eq!(registry.used(address(1), at(59)), 2);
        assert_eq!(registry.count(address(1), at(60)), 1);
        // A clock that is set back begins a new window too.
        assert_eq!(registry.count(address(1), at(0)), 1);
    }

    #[test]
    fn memory_is_bounded_and_keys_with_many_requests_are_not_evicted() {
        let mut registry = registry();
        let heavy = address(u32::MAX);
        for _ in 0..50 {
            registry.count(heavy, at(0));
        }
        for number in 0..200_000 {
            registry.count(address(number), at(i64::from(number / 5_000)));
            assert!(registry.len() <= MAX_KEYS);
        }
        assert_eq!(registry.count(heavy, at(40)), 51);
    }

    #[test]
    fn new_keys_share_a_count_if_all_others_have_many_requests() {
        let mut registry = registry();
        let network = |number: u32| {
            (Group::Login, RateLimitKey::Source(IpAddr::V6(Ipv6Addr::from_bits(u128::from(number) << 64))))
        };
        for number in 0..u32::try_from(MAX_KEYS).unwrap() {
            for _ in 0..10 {
                registry.count(network(number), at(0));
            }
        }
        assert_eq!(registry.len(), MAX_KEYS - Group::COUNT + 1);
        let before = registry.used((Group::Login, RateLimitKey::Overflow), at(0));
        assert!(before > 0);
        for number in 0..1_000 {
            assert_eq!(registry.count(network(1_000_000 + number), at(0)), before + u64::from(number) + 1);
        }
        assert_eq!(registry.len(), MAX_KEYS - Group::COUNT + 1);
        // The next window has room again.
        assert_eq!(registry.count(network(1_000_000), at(60)), 1);
        assert_eq!(registry.len(), 1);
    }

    #[test]
    fn the_published_keys_are_those_nearest_to_their_limits() {
        let mut registry = registry();
        for number in 0..3_000 {
            for _ in 0..(if number % 30 == 0 { 60 } else { 20 }) {
                registry.count(address(number), at(0));
            }
        }
        let Exchange { unpublished, keys, .. } = registry.begin_exchange(at(0));
        assert_eq!((unpublished.len(), keys.len()), (MAX_PUBLISHED_KEYS, MAX_PUBLISHED_KEYS));
        assert_eq!(unpublished.iter().filter(|count| count.requests == 60).count(), 100);
    }

    /// The published counts, as the database has them.
    fn exchange(registry: &mut Registry, key: CountKey, published: &mut u64, now: Timestamp) {
        let exchange = registry.begin_exchange_of(key, now);
        *published += exchange.unpublished.iter().map(|count| count.requests).sum::<u64>();
        registry.complete_exchange(&exchange, &[*published]);
    }

    #[test]
    fn servers_together_admit_the_limit_and_at_most_a_fifth_more() {
        // Weights of the load; the others only spread it.
        for weights in [[1, 1, 1], [98, 1, 1], [60, 39, 1], [100, 0, 0]] {
            let mut servers: Vec<Registry> = weights.iter().map(|_| registry()).collect();
            for server in &mut servers {
                server.set_servers(3);
            }
            let (mut published, mut admitted, mut exchanges) = (0, 0, 0);
            for step in 0..10_000_usize {
                // Multiples of 37 reach every remainder of 100, so each server gets its part of the load, mixed.
                let at_of_100 = step * 37 % 100;
                let mut sum = 0;
                let chosen = weights.iter().position(|weight| {
                    sum += weight;
                    at_of_100 * weights.iter().sum::<usize>() < sum * 100
                });
                let server = &mut servers[chosen.unwrap()];
                let used = loop {
                    if let Some(used) = server.try_count(address(1), at(1)) {
                        break used;
                    }
                    exchanges += 1;
                    exchange(server, address(1), &mut published, at(1));
                };
                admitted += u64::from(used <= 100);
            }
            assert!((100..=120).contains(&admitted), "{weights:?}: {admitted}");
            assert!(exchanges <= 25, "{weights:?}: {exchanges} exchanges for a limit of 100");
        }
    }

    #[test]
    fn a_server_without_others_or_without_its_database_counts_by_itself() {
        let mut registry = registry();
        for used in 1..=100 {
            assert_eq!(registry.try_count(address(1), at(0)), Some(used));
        }
        registry.set_servers(2);
        registry.set_isolated(true);
        for used in 1..=100 {
            assert_eq!(registry.try_count(address(2), at(0)), Some(used));
        }
        registry.set_isolated(false);
        assert_eq!((registry.try_count(address(2), at(0)), registry.used(address(2), at(0))), (Some(101), 101));
        for used in 1..=10 {
            assert_eq!(registry.try_count(address(3), at(0)), Some(used));
        }
        assert_eq!((registry.try_count(address(3), at(0)), registry.used(address(3), at(0))), (None, 10));
    }

    #[test]
    fn a_key_is_published_from_a_tenth_of_its_limit_on() {
        let mut registry = registry();
        for _ in 0..9 {
            registry.count(address(1), at(0));
        }
        assert_eq!(registry.begin_exchange(at(0)).unpublished, []);
        registry.count(address(1), at(0));
        let exchange = registry.begin_exchange(at(0));
        let expected = RequestCount { key: "login:0.0.0.1".to_owned(), starts_at: at(0), requests: 10 };
        assert_eq!(
            (exchange.unpublished.as_slice(), exchange.keys.as_slice()),
            ([expected].as_slice(), [address(1)].as_slice())
        );
        // Counted during the exchange.
        registry.count(address(1), at(0));
        registry.complete_exchange(&exchange, &[70]);
        assert_eq!(registry.used(address(1), at(0)), 71);
        let exchange = registry.begin_exchange(at(0));
        assert_eq!(exchange.unpublished[0].requests, 1);
        // A failed exchange is repeated.
        assert_eq!(registry.begin_exchange(at(0)), exchange);
        registry.complete_exchange(&exchange, &[71]);
        assert_eq!((registry.begin_exchange(at(0)).unpublished, registry.used(address(1), at(0))), (vec![], 71));
        // Totals of a past window are ignored.
        registry.count(address(1), at(60));
        registry.complete_exchange(&exchange, &[9_999]);
        assert_eq!(registry.used(address(1), at(60)), 1);
    }
}
