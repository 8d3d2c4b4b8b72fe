//! Rate limits: requests per minute of each credential and each source, by group of routes.
//!
//! Counting happens in memory, so a request costs no access to the database. Once a second each server publishes its
//! counts through the database, only for keys that have used a tenth of their limit, and reads the counts of the other
//! servers. So all servers of one database share a limit, with an error of one second's requests and of a tenth of the
//! limit for each server.
//!
//! The group of a handler follows from the type in its signature: `extract::caller::Requires` for callers with a
//! credential, `extract::anyone::PublicGroup` for those without. `docs/api-design.md` lists the operations of each group,
//! and the ones without a limit with the reason.

mod group;
mod headers;
mod recent_credentials;
mod registry;
mod sharing;
mod window;

use parking_lot::{Mutex, RwLock};
use trailkeeper_domain::ports::Store;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, ErrorDetail, Result};

pub use group::{Group, LimitSettings};
pub use headers::add_headers;
pub use registry::RateLimitKey;
pub use sharing::LimitSharing;
pub use window::LimitStatus;

use recent_credentials::RecentCredentials;
use registry::{Exchange, Registry};

/// The request counts of this server.
pub struct Limits {
    settings: LimitSettings,
    registry: Mutex<Registry>,
    recent_credentials: RwLock<RecentCredentials>,
}

impl Limits {
    /// Empty counts.
    pub fn new(settings: LimitSettings) -> Self {
        Self { settings, registry: Mutex::new(Registry::new(settings)), recent_credentials: RwLock::default() }
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

    /// Publishes the counts of this server, and reads those of the other servers. It only reads if there are no new
    /// counts, and skips the database if no key has used a tenth of its limit.
    pub fn share(&self, store: &dyn Store, now: Timestamp) -> Result<()> {
        let exchange = self.registry.lock().begin_exchange(now);
        if exchange.keys.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = exchange.keys.iter().map(|key| registry::name_of(*key)).collect();
        let Exchange { window_start, unpublished, .. } = &exchange;
        let totals = if unpublished.is_empty() {
            store.reading(|tx| tx.request_counts(*window_start, &names))?
        } else {
            store.writing(|tx| {
                tx.add_requests(unpublished)?;
                tx.request_counts(*window_start, &names)
            })?
        };
        self.registry.lock().complete_exchange(&exchange, &totals);
        Ok(())
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
