//! All rules of retention, and which of them applies to an event.

use std::collections::HashMap;

use super::rule::{RetentionRule, RuleSubject, subjects_of};
use crate::error::{Error, ErrorDetail, Result};
use crate::event::{Event, EventKind};
use crate::id::TenantId;
use crate::time::{Timestamp, rfc3339};

/// All rules, removed ones included.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RetentionRules(HashMap<RuleSubject, RetentionRule>);

impl RetentionRules {
    /// These rules.
    pub fn new(rules: impl IntoIterator<Item = RetentionRule>) -> Self {
        Self(rules.into_iter().map(|rule| (rule.subject.clone(), rule)).collect())
    }

    /// The rules in no order, removed ones included.
    pub fn iter(&self) -> impl Iterator<Item = &RetentionRule> {
        self.0.values()
    }

    /// The rule with this subject, removed or not.
    pub fn of_subject(&self, subject: &RuleSubject) -> Option<&RetentionRule> {
        self.0.get(subject)
    }

    /// The rule that decides how long events of this tenant and type are kept; `None` if all are kept.
    pub fn applicable(&self, tenant: TenantId, kind: &EventKind) -> Option<&RetentionRule> {
        self.matching(tenant, kind).find(|rule| rule.keeps.is_some())
    }

    /// The time from which events of this tenant and type are accepted; `None` if all are.
    ///
    /// Older ones are past their time, or have been removed by the rule that applies or by a removed rule that applied
    /// before.
    pub fn accepted_from(&self, tenant: TenantId, kind: &EventKind, now: Timestamp) -> Option<Timestamp> {
        let mut from = None;
        for rule in self.matching(tenant, kind) {
            from = from.max(rule.removed_before).max(rule.cutoff(now));
            if rule.keeps.is_some() {
                break;
            }
        }
        from
    }

    /// Whether an event is young enough to be stored. [`Error::Invalid`] with the code `older_than_retention` if not.
    pub fn check(&self, event: &Event, now: Timestamp) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        match self.accepted_from(event.tenant_id, &event.kind, now) {
            Some(from) if event.occurred_at < from => Err(Error::Invalid(ErrorDetail::of(
                "occurred_at",
                "older_than_retention",
                format!(
                    "{} is before {}: events of this tenant and type that are as old are not kept any more; send newer ones, or ask an administrator to change the rule of retention",
                    rfc3339(event.occurred_at),
                    rfc3339(from)
                ),
            ))),
            _ => Ok(()),
        }
    }

    /// What a rule that begins to apply must not accept: events that less specific rules have removed before.
    pub fn removed_below(&self, subject: &RuleSubject) -> Option<Timestamp> {
        let below = self.0.values().filter(|rule| rule.subject.rank() < subject.rank());
        below.filter(|rule| rule.subject.overlaps(subject)).filter_map(|rule| rule.removed_before).max()
    }

    /// The rules about events of this tenant and type, the most specific one first.
    fn matching(&self, tenant: TenantId, kind: &EventKind) -> impl Iterator<Item = &RetentionRule> {
        subjects_of(tenant, kind).filter_map(|(tenant_id, kind)| self.0.get(&RuleSubject { tenant_id, kind }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::RetentionRuleId;
    use crate::retention::RuleDraft;
    use crate::testing::{at, code_and_field, event, tenant_id, uuid};

    const NOW: &str = "2026-03-31T15:00:00Z";

    fn rule(number: u128, tenant: Option<u128>, kind: Option<&str>, days: Option<u32>) -> RetentionRule {
        RetentionRule {
            id: RetentionRuleId(uuid(number)),
            subject: RuleSubject { tenant_id: tenant.map(tenant_id), kind: kind.map(EventKind::known) },
            keeps: days.map(|keep_days| RuleDraft { keep_days, keep_sheets_days: None }),
            removed_before: None,
            created_at: at(NOW),
            changed_at: at(NOW),
        }
    }

    #[test]
    fn the_most_specific_rule_applies() {
        let rules = RetentionRules::new([
            rule(1, None, None, Some(10)),
            rule(2, None, Some("login"), Some(20)),
            rule(3, Some(1), None, Some(30)),
            rule(4, Some(1), Some("login"), Some(40)),
            rule(5, Some(1), Some("logout"), None),
        ]);
        let days = |tenant, kind| {
            let rule = rules.applicable(tenant, &EventKind::known(kind));
            rule.and_then(|rule| rule.keeps).map(|keeps| keeps.keep_days)
        };
        assert_eq!(days(tenant_id(2), "page"), Some(10));
        assert_eq!(days(tenant_id(2), "login"), Some(20));
        assert_eq!(days(tenant_id(1), "page"), Some(30));
        assert_eq!(days(tenant_id(1), "login"), Some(40));
        assert_eq!(days(tenant_id(1), "logout"), Some(30), "a removed rule keeps nothing");
        assert_eq!(days(TenantId::SYSTEM, "login"), None, "only a rule that names it is about the system tenant");
    }

    #[test]
    fn events_are_accepted_from_a_midnight_on() {
        let rules = RetentionRules::new([rule(1, None, None, Some(30))]);
        let check = |occurred_at: &str| {
            rules.check(&Event { tenant_id: tenant_id(1), occurred_at: at(occurred_at), ..event(1) }, at(NOW))
        };
        check("2026-03-01T00:00:00Z").unwrap();
        let error = check("2026-02-28T23:59:59.999999Z").unwrap_err();
        assert_eq!(code_and_field(&error), ("older_than_retention", Some("occurred_at")), "{error}");
        assert!(error.to_string().contains("2026-03-01T00:00:00Z"), "{error}");
        RetentionRules::default().check(&event(1), at(NOW)).unwrap();
    }

    #[test]
    fn what_was_removed_is_not_accepted_again() {
        let removed = |before: &str, rule| RetentionRule { removed_before: Some(at(before)), ..rule };
        let rules = RetentionRules::new([
            removed("2026-01-01T00:00:00Z", rule(1, None, None, Some(300))),
            removed("2026-02-01T00:00:00Z", rule(2, Some(1), None, None)),
            rule(3, Some(1), Some("login"), Some(1_000)),
        ]);
        let from = |tenant, kind| rules.accepted_from(tenant, &EventKind::known(kind), at(NOW));
        assert_eq!(from(tenant_id(2), "page"), Some(at("2026-01-01T00:00:00Z")));
        assert_eq!(from(tenant_id(1), "page"), Some(at("2026-02-01T00:00:00Z")), "by a rule that was removed");
        assert_eq!(from(tenant_id(1), "login"), Some(at("2023-07-05T00:00:00Z")), "no other rule removed them");
        let subject = RuleSubject { tenant_id: Some(tenant_id(1)), kind: Some(EventKind::known("logout")) };
        assert_eq!(rules.removed_below(&subject), Some(at("2026-02-01T00:00:00Z")));
        assert_eq!(rules.removed_below(&RuleSubject { tenant_id: None, kind: None }), None);
    }
}
