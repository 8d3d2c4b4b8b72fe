//! The conditions by which a list of events is filtered.

use chrono::TimeDelta;

use crate::address::AddressRange;
use crate::error::{Error, Result};
use crate::event::{Event, EventKind, Outcome, READS, Target, Values};
use crate::id::{EnvId, TenantId, UserId};
use crate::page::PageRule;
use crate::time::{Timestamp, rfc3339};
use crate::visibility::Visibility;

/// The conditions of a list, a count, a histogram or a number of users. An event must meet every condition that is
/// present. The lists of all contracts use this type.
///
/// The first condition is the caller's [`Visibility`]; a filter cannot exist without one. The conditions on a field are
/// [`Values`]: the event has any of these, and none of those. An event without the field is never excluded by a
/// negation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFilter {
    /// Only events of these tenants.
    pub visibility: Visibility,
    /// Excludes the audit events of people's reads ([`READS`](crate::event::READS)) in the system tenant. A list by
    /// page number needs this: each read of a page adds such an event, so its reader would never reach the end.
    pub without_reads: bool,
    /// The environments.
    pub env_id: Values<EnvId>,
    /// The users.
    pub user_id: Values<UserId>,
    /// The types.
    pub kind: Values<EventKind>,
    /// The outcomes.
    pub outcome: Values<Outcome>,
    /// Only events that failed (`true`), or only events that did not (`false`). [`EventKind::failed`] decides.
    pub failed: Option<bool>,
    /// The sources: an event has a value if its address lies inside.
    pub source: Values<AddressRange>,
    /// The pages: an event has a value if its page has the same key by the rule of the database.
    pub page: Values<String>,
    /// The sessions of the application.
    pub session_id: Values<String>,
    /// The types of targets. See [`bounded`](Self::bounded).
    pub target_type: Values<String>,
    /// The ids of targets. See [`bounded`](Self::bounded).
    pub target_id: Values<String>,
    /// Only events that occurred at or after this time.
    pub from: Option<Timestamp>,
    /// Only events that occurred before this time.
    pub until: Option<Timestamp>,
}

impl EventFilter {
    /// The longest range of a filter by target that no tenant, user or single source narrows, in days.
    pub const MAX_DAYS_BY_TARGET: i64 = 31;

    /// A filter that matches all visible events.
    pub fn within(visibility: Visibility) -> Self {
        Self {
            visibility,
            without_reads: false,
            env_id: Values::default(),
            user_id: Values::default(),
            kind: Values::default(),
            outcome: Values::default(),
            failed: None,
            source: Values::default(),
            page: Values::default(),
            session_id: Values::default(),
            target_type: Values::default(),
            target_id: Values::default(),
            from: None,
            until: None,
        }
    }

    /// Whether an event matches, with the keys of pages made by `rule`. It decides by the event itself, so it is right for
    /// every event, and slow for many.
    pub fn matches(&self, event: &Event, rule: &PageRule) -> bool {
        let Event { tenant_id, env_id, user_id, kind, outcome, source, page, session_id, target, .. } = event;
        let page = page.as_ref().map(|page| page.key(rule));
        let of_target = |part: fn(&Target) -> Option<&String>| target.as_ref().and_then(part);
        self.visibility.sees(*tenant_id)
            && !(self.without_reads && *tenant_id == TenantId::SYSTEM && READS.contains(&kind.as_str()))
            && self.from.is_none_or(|from| from <= event.occurred_at)
            && self.until.is_none_or(|until| event.occurred_at < until)
            && self.failed.is_none_or(|failed| failed == kind.failed(*outcome))
            && self.env_id.match_value(Some(env_id))
            && self.user_id.match_value(user_id.as_ref())
            && self.kind.match_value(Some(kind))
            && self.outcome.match_value(Some(outcome))
            && self.source.matches(|range| source.is_some_and(|source| range.contains(source)))
            && self.page.matches(|sent| page.as_ref().is_some_and(|page| *page == rule.key(sent)))
            && self.session_id.match_value(session_id.as_ref())
            && self.target_type.match_value(of_target(|target| target.kind.as_ref()))
            && self.target_id.match_value(of_target(|target| target.id.as_ref()))
    }

    /// Bounds the range of a filter by target that no tenant, user or single source narrows. The range then begins at
    /// most [`MAX_DAYS_BY_TARGET`](Self::MAX_DAYS_BY_TARGET) days before its end, so that the database does not read
    /// all events.
    ///
    /// The end is `until`, or `now` if that is earlier or `until` is absent. An absent `from` becomes the earliest
    /// start. Other filters stay as they are. Several users or addresses narrow a filter as one does. A network does
    /// not, because it may contain all sources, and neither does a negation.
    ///
    /// # Errors
    /// [`Error::Invalid`] if `from` is before the earliest start.
    pub fn bounded(mut self, now: Timestamp) -> Result<Self> {
        let by_target = !self.target_type.is_empty() || !self.target_id.is_empty();
        let sources = &self.source.any_of;
        let by_addresses = !sources.is_empty() && sources.iter().all(|range| range.first == range.last);
        let is_narrowed = self.visibility.tenant().is_some() || !self.user_id.any_of.is_empty() || by_addresses;
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
        EventFilter { target_type: Values::only("invoice".to_owned()), ..EventFilter::within(CUSTOMERS) }
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
            assert!(!filter.without_reads && filter.kind.is_empty() && filter.failed.is_none());
            assert_eq!((filter.from, filter.until), (None, None));
            assert_eq!(bounded(filter.clone()).unwrap(), filter, "a list without a target needs no bounds");
        }
    }

    #[test]
    fn a_list_by_target_in_all_tenants_looks_back_31_days() {
        let by_id = EventFilter { target_id: Values::only("4711".to_owned()), ..EventFilter::within(EVERYTHING) };
        let excluded = EventFilter { target_id: Values::none_of(["1".to_owned()]), ..EventFilter::within(EVERYTHING) };
        for filter in [by_target(), by_id, excluded] {
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
    fn a_tenant_users_or_addresses_make_any_range_cheap_enough() {
        let long_ago = Some(at("2020-01-01T00:00:00Z"));
        for filter in [
            EventFilter { visibility: of_tenant(tenant_id(1)), ..by_target() },
            EventFilter { user_id: Values::only(user_id("ann")), ..by_target() },
            EventFilter { user_id: Values::any_of(["ann", "bob"].map(user_id)), ..by_target() },
            EventFilter { source: Values::only(range("203.0.113.7")), ..by_target() },
            EventFilter { source: Values::only(range("2001:db8::1")), ..by_target() },
            EventFilter { source: Values::any_of(["203.0.113.7", "2001:db8::1"].map(range)), ..by_target() },
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
            EventFilter { source: Values::only(range("203.0.113.0/24")), ..by_target() },
            EventFilter { source: Values::any_of(["203.0.113.7", "203.0.113.0/24"].map(range)), ..by_target() },
            EventFilter { source: Values::none_of([range("203.0.113.7")]), ..by_target() },
            EventFilter { user_id: Values::none_of([user_id("ann")]), ..by_target() },
            EventFilter { kind: Values::only(EventKind::known("page_load")), ..by_target() },
            EventFilter { session_id: Values::only("s".to_owned()), ..by_target() },
            EventFilter { env_id: Values::only(EnvId(1)), ..by_target() },
        ] {
            assert_eq!(bounded(filter.clone()).unwrap().from, Some(at(EARLIEST)));
            assert!(bounded(EventFilter { from: long_ago, ..filter }).is_err());
        }
    }
}
