//! The conditions by which a list of events is filtered.

use chrono::TimeDelta;

use crate::address::AddressRange;
use crate::error::{Error, Result};
use crate::event::{EventKind, Outcome};
use crate::id::{EnvId, UserId};
use crate::time::{Timestamp, rfc3339};
use crate::visibility::Visibility;

/// The conditions of a list. An event must meet every condition that is present. The lists of all contracts use this
/// type.
///
/// The first condition is the caller's [`Visibility`]; a filter cannot exist without one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFilter {
    /// Only events of these tenants.
    pub visibility: Visibility,
    /// Excludes the audit events of people's reads ([`READS`](crate::event::READS)) in the system tenant. A list by
    /// page number needs this: each read of a page adds such an event, so its reader would never reach the end.
    pub without_reads: bool,
    /// Only events of this environment.
    pub env_id: Option<EnvId>,
    /// Only events of this user.
    pub user_id: Option<UserId>,
    /// Only events of these types; an empty list means all types.
    pub kinds: Vec<EventKind>,
    /// Only events with this outcome.
    pub outcome: Option<Outcome>,
    /// Only events that failed (`true`), or only events that did not (`false`). [`EventKind::failed`] decides.
    pub failed: Option<bool>,
    /// Only events from these addresses.
    pub source: Option<AddressRange>,
    /// Only events on this page: those whose page has the same key by the rule of the database.
    pub page: Option<String>,
    /// Only events of this session of the application.
    pub session_id: Option<String>,
    /// Only events whose target has this type. See [`bounded`](Self::bounded).
    pub target_type: Option<String>,
    /// Only events whose target has this id. See [`bounded`](Self::bounded).
    pub target_id: Option<String>,
    /// Only events that occurred at or after this time.
    pub from: Option<Timestamp>,
    /// Only events that occurred before this time.
    pub until: Option<Timestamp>,
}

impl EventFilter {
    /// The longest range of a list by target that no tenant, user or single source narrows, in days.
    pub const MAX_DAYS_BY_TARGET: i64 = 31;

    /// A filter that matches all visible events.
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
            page: None,
            session_id: None,
            target_type: None,
            target_id: None,
            from: None,
            until: None,
        }
    }

    /// Bounds the range of a filter by target that no tenant, user or single source narrows. The range then begins at
    /// most [`MAX_DAYS_BY_TARGET`](Self::MAX_DAYS_BY_TARGET) days before its end, so that the database does not read
    /// all events.
    ///
    /// The end is `until`, or `now` if that is earlier or `until` is absent. An absent `from` becomes the earliest
    /// start. Other filters stay as they are. A network does not narrow a list, because it may contain all sources.
    ///
    /// # Errors
    /// [`Error::Invalid`] if `from` is before the earliest start.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{CUSTOMERS, EVERYTHING, at, code_and_field, of_tenant, tenant_id, user_id};

    const NOW: &str = "2026-03-31T12:00:00Z";
    /// 31 days before [`NOW`].
    const EARLIEST: &str = "2026-02-28T12:00:00Z";

    fn by_target() -> EventFilter {
        EventFilter { target_type: Some("invoice".to_owned()), ..EventFilter::within(CUSTOMERS) }
    }

    fn range(text: &str) -> AddressRange {
        AddressRange::parse("source", text).unwrap()
    }

    fn bounded(filter: EventFilter) -> Result<EventFilter> {
        filter.bounded(at(NOW))
    }

    #[test]
    fn a_new_filter_has_no_condition_but_the_visibility() {
        for visibility in [EVERYTHING, CUSTOMERS, of_tenant(tenant_id(1))] {
            let filter = EventFilter::within(visibility);
            assert_eq!(filter.visibility, visibility);
            assert!(!filter.without_reads && filter.kinds.is_empty() && filter.failed.is_none());
            assert_eq!((filter.from, filter.until), (None, None));
            assert_eq!(bounded(filter.clone()).unwrap(), filter, "a list without a target needs no bounds");
        }
    }

    #[test]
    fn a_list_by_target_in_all_tenants_looks_back_31_days() {
        let by_id = EventFilter { target_id: Some("4711".to_owned()), ..EventFilter::within(EVERYTHING) };
        for filter in [by_target(), by_id] {
            assert_eq!(bounded(filter.clone()).unwrap(), EventFilter { from: Some(at(EARLIEST)), ..filter });
        }
    }

    #[test]
    fn the_days_count_back_from_the_end_of_the_range() {
        for (until, from) in
            [("2026-01-31T00:00:00Z", "2025-12-31T00:00:00Z"), (NOW, EARLIEST), ("2027-01-01T00:00:00Z", EARLIEST)]
        {
            let filter = EventFilter { until: Some(at(until)), ..by_target() };
            assert_eq!(bounded(filter).unwrap().from, Some(at(from)), "until {until}");
        }
    }

    #[test]
    fn a_start_within_the_days_stays_and_an_earlier_one_is_refused() {
        let from = |from: &str| EventFilter { from: Some(at(from)), ..by_target() };
        for allowed in [EARLIEST, "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"] {
            assert_eq!(bounded(from(allowed)).unwrap(), from(allowed));
        }
        let error = bounded(from("2026-02-28T11:59:59Z")).unwrap_err();
        assert_eq!(code_and_field(&error), ("invalid_parameter", Some("from")));
        let text = error.to_string();
        for part in ["'2026-02-28T11:59:59Z'", NOW, "31 days", "tenant_id, user_id or a single source"] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn a_tenant_a_user_or_a_single_source_makes_any_range_cheap_enough() {
        let long_ago = Some(at("2020-01-01T00:00:00Z"));
        for filter in [
            EventFilter { visibility: of_tenant(tenant_id(1)), ..by_target() },
            EventFilter { user_id: Some(user_id("ann")), ..by_target() },
            EventFilter { source: Some(range("203.0.113.7")), ..by_target() },
            EventFilter { source: Some(range("2001:db8::1")), ..by_target() },
        ] {
            for from in [None, long_ago] {
                let filter = EventFilter { from, ..filter.clone() };
                assert_eq!(bounded(filter.clone()).unwrap(), filter);
            }
        }
    }

    #[test]
    fn a_network_or_another_condition_narrows_nothing() {
        let long_ago = Some(at("2020-01-01T00:00:00Z"));
        for filter in [
            EventFilter { source: Some(range("203.0.113.0/24")), ..by_target() },
            EventFilter { kinds: vec![EventKind::known("page_load")], ..by_target() },
            EventFilter { session_id: Some("s".to_owned()), ..by_target() },
            EventFilter { env_id: Some(EnvId(1)), ..by_target() },
        ] {
            assert_eq!(bounded(filter.clone()).unwrap().from, Some(at(EARLIEST)));
            assert!(bounded(EventFilter { from: long_ago, ..filter }).is_err());
        }
    }
}
