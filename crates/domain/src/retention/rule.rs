//! A rule of retention.

use chrono::TimeDelta;

use crate::error::{Error, Result};
use crate::event::EventKind;
use crate::id::{RetentionRuleId, TenantId};
use crate::time::{self, Timestamp};

/// The most days that a rule can keep events or sheets.
pub const MAX_DAYS: u32 = 36_500;
/// The most rules, removed ones included: every server holds them in memory.
pub const MAX_RULES: usize = 1_000;

/// The events that a rule is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleSubject {
    /// The tenant; `None` is any tenant but the system tenant.
    pub tenant_id: Option<TenantId>,
    /// The type; `None` is any type.
    pub kind: Option<EventKind>,
}

impl RuleSubject {
    /// How specific the subject is. The most specific rule applies to an event.
    pub fn rank(&self) -> u8 {
        u8::from(self.tenant_id.is_some()) * 2 + u8::from(self.kind.is_some())
    }

    /// Whether an event can belong to both subjects.
    pub fn overlaps(&self, other: &Self) -> bool {
        let same = |one: bool, other: bool, equal: bool| !one || !other || equal;
        let system = |subject: &Self| subject.tenant_id == Some(TenantId::SYSTEM);
        // A rule about any tenant is not about the system tenant.
        system(self) == system(other)
            && same(self.tenant_id.is_some(), other.tenant_id.is_some(), self.tenant_id == other.tenant_id)
            && same(self.kind.is_some(), other.kind.is_some(), self.kind == other.kind)
    }
}

/// The tenants and types of the rules that can be about an event, the most specific first. A rule about any tenant is not
/// about the system tenant.
pub fn subjects_of<K: Clone>(tenant: TenantId, kind: &K) -> impl Iterator<Item = (Option<TenantId>, Option<K>)> {
    let any_tenant = (tenant != TenantId::SYSTEM).then_some(None);
    let tenants = std::iter::once(Some(tenant)).chain(any_tenant);
    tenants.flat_map(|tenant| [(tenant, Some(kind.clone())), (tenant, None)])
}

/// How long a rule is to keep events and sheets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleDraft {
    /// Whole UTC days that events are kept, today not counted.
    pub keep_days: u32,
    /// Whole UTC days that sheets go on counting removed events; `None` until the events are removed.
    pub keep_sheets_days: Option<u32>,
}

impl RuleDraft {
    /// Checks the numbers. [`Error::Invalid`] for a number outside its limits, and for sheets that are not kept longer than
    /// their events.
    pub fn check(&self) -> Result<()> {
        for (field, days) in [("keep_days", Some(self.keep_days)), ("keep_sheets_days", self.keep_sheets_days)] {
            if days.is_some_and(|days| !(1..=MAX_DAYS).contains(&days)) {
                let days = days.unwrap_or_default();
                return Err(Error::invalid(field, format!("is {days}; send a number of days from 1 to {MAX_DAYS}")));
            }
        }
        match self.keep_sheets_days {
            Some(sheets) if sheets <= self.keep_days => Err(Error::invalid(
                "keep_sheets_days",
                format!(
                    "is {sheets}, and events are kept for {} days; send a greater number, or leave it out if the sheets need not count removed events",
                    self.keep_days
                ),
            )),
            _ => Ok(()),
        }
    }
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetentionRule {
    /// The id.
    pub id: RetentionRuleId,
    /// The events that it is about. Every rule has another subject.
    pub subject: RuleSubject,
    /// How long it keeps them; `None` once the rule was removed: it keeps everything, and only remembers what it removed.
    pub keeps: Option<RuleDraft>,
    /// The rule has removed events before this time. Older ones are not accepted, because nothing shows any more whether
    /// one of them is a repetition.
    pub removed_before: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub changed_at: Timestamp,
}

impl RetentionRule {
    /// The time before which events are older than the rule keeps them: the start of a UTC day. `None` if the rule was
    /// removed.
    pub fn cutoff(&self, now: Timestamp) -> Option<Timestamp> {
        let days = self.keeps?.keep_days;
        Some(time::midnight(now.date_naive()) - TimeDelta::days(days.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{code_and_field, tenant_id};

    fn subject(tenant_id: Option<TenantId>, kind: Option<&str>) -> RuleSubject {
        RuleSubject { tenant_id, kind: kind.map(EventKind::known) }
    }

    #[test]
    fn days_are_limited_and_sheets_are_kept_longer_than_events() {
        let of = |keep_days, keep_sheets_days| RuleDraft { keep_days, keep_sheets_days }.check();
        for (keep_days, sheets) in [(1, None), (36_500, None), (30, Some(31))] {
            of(keep_days, sheets).unwrap();
        }
        for (keep_days, sheets, field) in [
            (0, None, "keep_days"),
            (36_501, None, "keep_days"),
            (30, Some(30), "keep_sheets_days"),
            (30, Some(36_501), "keep_sheets_days"),
        ] {
            let error = of(keep_days, sheets).unwrap_err();
            assert_eq!(code_and_field(&error).1, Some(field), "{error}");
        }
    }

    #[test]
    fn subjects_overlap_if_an_event_can_belong_to_both() {
        let (one, other) = (Some(tenant_id(1)), Some(tenant_id(2)));
        let overlaps = |a: &RuleSubject, b: &RuleSubject| {
            assert_eq!(a.overlaps(b), b.overlaps(a));
            a.overlaps(b)
        };
        assert!(overlaps(&subject(one, Some("a")), &subject(None, None)));
        assert!(overlaps(&subject(one, None), &subject(None, Some("a"))));
        assert!(!overlaps(&subject(one, None), &subject(other, Some("a"))));
        assert!(!overlaps(&subject(one, Some("a")), &subject(one, Some("b"))));
        let system = subject(Some(TenantId::SYSTEM), None);
        assert!(!overlaps(&system, &subject(None, None)));
        assert!(overlaps(&system, &system));
    }
}
