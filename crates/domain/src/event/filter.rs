//! The conditions by which a list of events is filtered.

use chrono::TimeDelta;

use crate::address::AddressRange;
use crate::error::{Error, Result};
use crate::event::{EventKind, Outcome};
use crate::id::{EnvId, UserId};
use crate::time::{Timestamp, rfc3339};
use crate::visibility::Visibility;

/// Every condition that is present must hold. One value for lists in all contracts.
///
/// It begins with the caller's [`Visibility`]: there is no filter without one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFilter {
    /// Only events of these tenants.
    pub visibility: Visibility,
    /// Without those by which the system tenant tells of people's reads ([`READS`](crate::event::READS)). A list by
    /// page number needs it: reading a page adds such an event, so its reader would never come to the end.
    pub without_reads: bool,
    /// Only this environment's.
    pub env_id: Option<EnvId>,
    /// Only this user's.
    pub user_id: Option<UserId>,
    /// Only these types; empty means all.
    pub kinds: Vec<EventKind>,
    /// Only with this outcome.
    pub outcome: Option<Outcome>,
    /// Only events that failed, or only those that did not, as [`EventKind::failed`] tells.
    pub failed: Option<bool>,
    /// Only from these addresses.
    pub source: Option<AddressRange>,
    /// Only on this page: the key, without fragment and (by default) query.
    pub page_key: Option<String>,
    /// Only of this session of the application.
    pub session_id: Option<String>,
    /// Only on objects of this type. See [`bounded`](Self::bounded).
    pub target_type: Option<String>,
    /// Only on the object with this id. See [`bounded`](Self::bounded).
    pub target_id: Option<String>,
    /// Only at or after this time.
    pub from: Option<Timestamp>,
    /// Only before this time.
    pub until: Option<Timestamp>,
}

impl EventFilter {
    /// How many days a list by target looks back if no tenant, user or single source narrows it.
    pub const MAX_DAYS_BY_TARGET: i64 = 31;

    /// All events that may be seen.
    pub fn within(visibility: Visibility) -> Self {
        Self {
            visibility,
            without_reads: false,
            env_id: None,
            user_id: None,
            kinds: Vec::new(),
            outcome: None,
            failed: None,
            source: None,
            page_key: None,
            session_id: None,
            target_type: None,
            target_id: None,
            from: None,
            until: None,
        }
    }

    /// Bounds the range of a filter by target that no tenant, user or single source narrows to [`MAX_DAYS_BY_TARGET`](Self::MAX_DAYS_BY_TARGET) before
    /// its end, so that the database does not read all events. The end is `until`, or `now` if that is earlier or
    /// `until` is absent. An absent `from` becomes the earliest start; other filters stay as they are. A network does
    /// not narrow a list: it may hold all sources.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an earlier `from`.
    pub fn bounded(mut self, now: Timestamp) -> Result<Self> {
        let by_target = self.target_type.is_some() || self.target_id.is_some();
        let one_source = self.source.is_some_and(|range| range.first == range.last);
        let is_narrowed = self.visibility.tenant().is_some() || self.user_id.is_some() || one_source;
        if !by_target || is_narrowed {
            return Ok(self);
        }
        let end = self.until.map_or(now, |until| until.min(now));
        let earliest = end - TimeDelta::days(Self::MAX_DAYS_BY_TARGET);
        if let Some(from) = self.from.filter(|from| *from < earliest) {
            return Err(Error::invalid(
                "from",
                format!(
                    "'{}' lies more than {days} days before the end of the list, '{}', which is too far for a target in all tenants; send tenant_id, user_id or a single source, or a range of at most {days} days",
                    rfc3339(from),
                    rfc3339(end),
                    days = Self::MAX_DAYS_BY_TARGET
                ),
            ));
        }
        self.from = self.from.or(Some(earliest));
        Ok(self)
    }
}
