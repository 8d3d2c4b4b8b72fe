//! How often each credential and each source may ask, per minute and group of routes.
//!
//! Counting happens in memory: a request costs no look into the database. Once a second, each server tells the
//! others through the database what it counted, for keys beyond a tenth of their limit alone, and reads what
//! they counted. So all servers of one database share a limit, give or take one second, and a tenth for each server.
//!
//! The group of a handler follows from the type in its signature: [`crate::extract::caller::Requires`] for callers with
//! a credential, [`crate::extract::anyone::Door`] for those without. Which operations each group has, and what has none
//! and why, is in `docs/api-design.md`.

mod gate;
mod group;
mod headers;
mod recent_credentials;
mod registry;
mod sharing;
mod window;

use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use trailkeeper_domain::ports::Store;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, ErrorDetail, Result};

pub use gate::{AuthAttempt, Presented, admit, admit_source};
pub use group::{Group, LimitSettings};
pub use headers::add_to;
pub use registry::RateLimitKey;
pub use sharing::Sharing;

use recent_credentials::RecentCredentials;
use registry::Registry;
use window::Verdict;

/// The counts of this server.
pub struct Limits {
    settings: LimitSettings,
    registry: Mutex<Registry>,
    recent_credentials: RwLock<RecentCredentials>,
}

impl Limits {
    /// Nothing counted yet.
    pub fn new(settings: LimitSettings) -> Self {
        Self { settings, registry: Mutex::new(Registry::new(settings)), recent_credentials: RwLock::default() }
    }

    /// Counts a request. `None` where there is no limit.
    fn count(&self, group: Group, source_key: RateLimitKey, now: Timestamp) -> Option<Verdict> {
        let limit = self.settings.of(group)?;
        Some(Verdict::new(limit, self.registry().count((group, source_key), now), now))
    }

    /// How one more request would stand, without counting it. `None` where there is no limit.
    fn look(&self, group: Group, source_key: RateLimitKey, now: Timestamp) -> Option<Verdict> {
        let limit = self.settings.of(group)?;
        Some(Verdict::new(limit, self.registry().used((group, source_key), now).saturating_add(1), now))
    }

    /// Tells other servers what was counted here, and learns what they counted. Without news it costs a read,
    /// without keys that ask for much nothing.
    pub fn share(&self, store: &dyn Store, now: Timestamp) -> Result<()> {
        let (starts_at, news, shared) = self.registry().take_unshared(now);
        if shared.is_empty() {
            return Ok(());
        }
        let keys: Vec<String> = shared.iter().map(|key| registry::text(*key)).collect();
        let totals = if news.is_empty() {
            store.reading(|tx| tx.request_counts(starts_at, &keys))?
        } else {
            store.writing(|tx| {
                tx.add_requests(&news)?;
                tx.request_counts(starts_at, &keys)
            })?
        };
        let totals: Vec<_> = shared.into_iter().zip(totals).collect();
        self.registry().mark_shared(starts_at, &news, &totals);
        Ok(())
    }

    /// Removes what was shared of windows that are over.
    pub fn forget(store: &dyn Store, now: Timestamp) -> Result<()> {
        store.writing(|tx| tx.delete_request_counts(window::before(now)))
    }

    /// Whether this credential held not long ago.
    fn held_recently(&self, credential: &str, now: Timestamp) -> bool {
        self.recent_credentials.read().unwrap_or_else(PoisonError::into_inner).contains(credential, now)
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The error for a request that is one too many.
fn too_many(group: Group, verdict: Verdict) -> Error {
    let Verdict { limit, reset_s, .. } = verdict;
    let fault = ErrorDetail::new(
        "too_many_requests",
        format!(
            "more than {limit} {} in this minute; try again after {reset_s} s, or ask the operator for a higher --limit-{}",
            group.phrase(),
            group.as_str()
        ),
    );
    Error::Throttled { fault, retry_after_s: reset_s }
}
