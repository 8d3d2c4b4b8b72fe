//! Rate limits: requests per minute of each credential and each source, by group of routes.
//!
//! Counting happens in memory, so most requests cost no access to the database. Servers of one database share the limits:
//! each counts a part of a limit by itself, and then publishes its count of that key and reads the sum of all servers. Their
//! parts together are a fifth of the limit, so all servers admit at most 1.2 times the limit in a window, however the
//! requests are spread. Once a second each server also exchanges the counts of all keys that have used a tenth of their
//! limit. A server that is the only one of its database publishes nothing.
//!
//! The group of a handler follows from the type in its signature: `extract::caller::Requires` for callers with a
//! credential, `extract::anyone::PublicGroup` for those without. `docs/api-design.md` lists the operations of each group,
//! and the ones without a limit with the reason.

mod group;
mod headers;
mod presence;
mod recent_credentials;
mod registry;
mod sharing;
mod window;

use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use trailkeeper_domain::clock::{Clock, Entropy};
use trailkeeper_domain::ports::Store;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, ErrorDetail, Result};

pub use group::{Group, LimitSettings};
pub use headers::add_headers;
pub use registry::RateLimitKey;
pub use sharing::LimitSharing;
pub use window::LimitStatus;

use presence::Presence;
use recent_credentials::RecentCredentials;
use registry::{CountKey, Exchange, Registry};

/// How long an exchange waits for the one before it. Later, the database counts as away.
const PATIENCE: Duration = Duration::from_secs(2);

/// The request counts of this server.
pub struct Limits {
    settings: LimitSettings,
    registry: Mutex<Registry>,
    /// Held during an exchange, so that no count is published twice.
    presence: Mutex<Presence>,
    recent_credentials: RwLock<RecentCredentials>,
}

impl Limits {
    /// Empty counts.
    pub fn new(settings: LimitSettings) -> Self {
        let (registry, presence) = (Mutex::new(Registry::new(settings)), Mutex::new(Presence::new()));
        Self { settings, registry, presence, recent_credentials: RwLock::default() }
    }

    /// Counts a request as [`count`](Self::count) does. [`MustShare`], without counting it, if
    /// [`share_key`](Self::share_key) must come first.
    pub fn try_count(
        &self,
        group: Group,
        key: RateLimitKey,
        now: Timestamp,
    ) -> std::result::Result<Option<LimitStatus>, MustShare> {
        let Some(limit) = self.settings.of(group) else { return Ok(None) };
        let used = self.registry.lock().try_count((group, key), now).ok_or(MustShare)?;
        Ok(Some(LimitStatus::new(limit, used, now)))
    }

    /// Counts a request. `None` if the group has no limit.
    pub fn count(&self, group: Group, key: RateLimitKey, now: Timestamp) -> Option<LimitStatus> {
        let limit = self.settings.of(group)?;
        Some(LimitStatus::new(limit, self.registry.lock().count((group, key), now), now))
    }

    /// The status after one more request, which is not counted. `None` if the group has no limit.
    pub fn peek(&self, group: Group, key: RateLimitKey, now: Timestamp) -> Option<LimitStatus> {
        let limit = self.settings.of(group)?;
        Some(LimitStatus::new(limit, self.registry.lock().used((group, key), now).saturating_add(1), now))
    }

    /// Exchanges the counts of keys that have used a tenth of their limit with the other servers; nothing if there are none.
    /// It only reads if there are no new counts.
    ///
    /// # Errors
    /// Those of the store. Then this server limits by its own counts until the next call.
    pub fn share(&self, store: &dyn Store, clock: &dyn Clock, entropy: &dyn Entropy) -> Result<()> {
        self.exchanging(|presence| {
            let servers = presence.beat(store, clock, entropy)?;
            self.registry.lock().set_servers(servers);
            if servers < 2 {
                return Ok(());
            }
            let exchange = self.registry.lock().begin_exchange(clock.now());
            self.exchange(store, &exchange)
        })
    }

    /// Exchanges the count of one key with the other servers, unless that was done meanwhile.
    ///
    /// # Errors
    /// Those of the store. Then this server limits by its own counts until the next [`share`](Self::share).
    pub fn share_key(&self, store: &dyn Store, group: Group, key: RateLimitKey, now: Timestamp) -> Result<()> {
        let key: CountKey = (group, key);
        self.exchanging(|_| {
            let exchange = {
                let mut registry = self.registry.lock();
                registry.must_exchange(key, now).then(|| registry.begin_exchange_of(key, now))
            };
            exchange.map_or(Ok(()), |exchange| self.exchange(store, &exchange))
        })
    }

    fn exchanging(&self, work: impl FnOnce(&mut Presence) -> Result<()>) -> Result<()> {
        let done = match self.presence.try_lock_for(PATIENCE) {
            Some(mut presence) => work(&mut presence),
            None => Err(Error::unavailable("the exchange of request counts before this one takes too long")),
        };
        self.registry.lock().set_isolated(done.is_err());
        done
    }

    fn exchange(&self, store: &dyn Store, exchange: &Exchange) -> Result<()> {
        if exchange.keys.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = exchange.keys.iter().map(|key| registry::name_of(*key)).collect();
        let Exchange { window_start, unpublished, .. } = exchange;
        let totals = if unpublished.is_empty() {
            store.reading(|tx| tx.request_counts(*window_start, &names))?
        } else {
            store.writing(|tx| {
                tx.add_requests(unpublished)?;
                tx.request_counts(*window_start, &names)
            })?
        };
        self.registry.lock().complete_exchange(exchange, &totals);
        Ok(())
    }

    /// Whether counts of past windows may be in the database.
    pub fn has_published(&self, now: Timestamp) -> bool {
        self.presence.lock().is_publishing(now)
    }

    /// Deletes the published counts of past windows.
    pub fn delete_past_counts(store: &dyn Store, now: Timestamp) -> Result<()> {
        store.writing(|tx| tx.delete_request_counts(window::previous_start(now)))
    }

    /// Whether this credential was valid within the last day.
    pub fn was_recently_valid(&self, credential: &str, now: Timestamp) -> bool {
        self.recent_credentials.read().contains(credential, now)
    }

    /// Remembers a valid credential, if attempts with invalid ones are limited.
    pub fn remember_valid(&self, credential: &str, now: Timestamp) {
        if self.settings.of(Group::Refused).is_some() && !self.was_recently_valid(credential, now) {
            self.recent_credentials.write().insert(credential, now);
        }
    }
}

/// A server has counted its part of a limit, and must exchange counts before it counts further requests of that key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MustShare;

/// The error for a request over the limit of its group.
pub fn too_many_requests(group: Group, status: LimitStatus) -> Error {
    let LimitStatus { limit, reset_s, .. } = status;
    let detail = ErrorDetail::new(
        "too_many_requests",
        format!(
            "more than {limit} {} in this minute; try again after {reset_s} s, or ask the operator for a higher --limit-{}",
            group.phrase(),
            group.as_str()
        ),
    );
    Error::Throttled { detail, retry_after_s: reset_s }
}
