//! The use cases of rules of retention and legal holds. Each is a part of the caller's transaction, which also stores the
//! audit event.

use crate::error::{Error, Result};
use crate::id::{LegalHoldId, RetentionRuleId};
use crate::ports::{ReadTx, WriteTx};
use crate::retention::{
    HoldDraft, LegalHold, MAX_HOLDS, MAX_RULES, RetentionRule, RetentionRules, RuleDraft, RuleSubject,
};
use crate::time::Timestamp;

/// Makes the rule of a subject, or changes it. `id` is the id of a new rule. Returns the rule, and the days of the rule
/// before; `None` if there was none.
///
/// [`Error::Invalid`] as for [`RuleDraft::check`], [`Error::Conflict`] if there are [`MAX_RULES`] rules.
pub fn set_retention_rule(
    tx: &mut dyn WriteTx,
    now: Timestamp,
    id: RetentionRuleId,
    subject: &RuleSubject,
    keeps: RuleDraft,
) -> Result<(RetentionRule, Option<RuleDraft>)> {
    keeps.check()?;
    tx.lock_retention()?;
    let rules = RetentionRules::new(tx.retention_rules()?);
    let before = rules.of_subject(subject).cloned();
    if before.is_none() && rules.iter().count() >= MAX_RULES {
        return Err(too_many("too_many_rules", "rules of retention", MAX_RULES));
    }
    let kept_before = before.as_ref().and_then(|rule| rule.keeps);
    let mut rule = before.unwrap_or_else(|| RetentionRule {
        id,
        subject: subject.clone(),
        keeps: None,
        removed_before: None,
        created_at: now,
        changed_at: now,
    });
    if rule.keeps.is_none() {
        // Until now, other rules applied to these events, and may have removed some.
        rule.removed_before = rule.removed_before.max(rules.removed_below(subject));
    }
    (rule.keeps, rule.changed_at) = (Some(keeps), now);
    tx.put_retention_rule(&rule)?;
    Ok((rule, kept_before))
}

/// Removes a rule. Returns it as it was.
///
/// [`Error::NotFound`] if no rule has this id, or if it was removed before.
pub fn remove_retention_rule(tx: &mut dyn WriteTx, now: Timestamp, id: RetentionRuleId) -> Result<RetentionRule> {
    tx.lock_retention()?;
    let rule = find_retention_rule(tx, id)?;
    tx.put_retention_rule(&RetentionRule { keeps: None, changed_at: now, ..rule.clone() })?;
    Ok(rule)
}

/// The rule with this id.
///
/// [`Error::NotFound`] if there is none, or if it was removed.
pub fn find_retention_rule<T: ReadTx + ?Sized>(tx: &mut T, id: RetentionRuleId) -> Result<RetentionRule> {
    let mut rules = tx.retention_rules()?.into_iter().filter(|rule| rule.keeps.is_some());
    rules
        .find(|rule| rule.id == id)
        .ok_or_else(|| Error::not_found("rule_not_found", format!("there is no rule of retention with the id {id}")))
}

/// Places a hold with this id.
///
/// [`Error::Invalid`] as for [`HoldDraft::check`], [`Error::Conflict`] if there are [`MAX_HOLDS`] holds.
pub fn place_legal_hold(tx: &mut dyn WriteTx, now: Timestamp, id: LegalHoldId, about: &HoldDraft) -> Result<LegalHold> {
    about.check()?;
    tx.lock_retention()?;
    if tx.legal_holds(None, MAX_HOLDS)?.len() == MAX_HOLDS {
        return Err(too_many("too_many_holds", "legal holds", MAX_HOLDS));
    }
    let hold = LegalHold { id, about: about.clone(), created_at: now };
    tx.insert_legal_hold(&hold)?;
    Ok(hold)
}

/// Lifts a hold. Returns it as it was.
///
/// [`Error::NotFound`] if there is none with this id.
pub fn lift_legal_hold(tx: &mut dyn WriteTx, id: LegalHoldId) -> Result<LegalHold> {
    tx.lock_retention()?;
    let hold = find_legal_hold(tx, id)?;
    tx.delete_legal_hold(id)?;
    Ok(hold)
}

/// The hold with this id.
///
/// [`Error::NotFound`] if there is none.
pub fn find_legal_hold<T: ReadTx + ?Sized>(tx: &mut T, id: LegalHoldId) -> Result<LegalHold> {
    let mut holds = tx.legal_holds(None, MAX_HOLDS)?.into_iter();
    holds
        .find(|hold| hold.id == id)
        .ok_or_else(|| Error::not_found("hold_not_found", format!("there is no legal hold with the id {id}")))
}

fn too_many(code: &'static str, what: &str, most: usize) -> Error {
    Error::Conflict(crate::ErrorDetail::new(
        code,
        format!("there are {most} {what}, which is the most; remove some that are not needed any more"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::Store;
    use crate::testing::{MemoryStore, at, tenant_id, user_id, uuid};

    const ANYTHING: RuleSubject = RuleSubject { tenant_id: None, kind: None };

    fn set(store: &dyn Store, number: u128, subject: &RuleSubject, keep_days: u32) -> RetentionRule {
        let (id, now) = (RetentionRuleId(uuid(number)), at("2026-03-01T12:00:00Z"));
        let keeps = RuleDraft { keep_days, keep_sheets_days: None };
        store.writing(|tx| set_retention_rule(tx, now, id, subject, keeps)).unwrap().0
    }

    #[test]
    fn a_subject_has_one_rule_which_comes_back_with_what_it_and_others_removed() {
        let memory = MemoryStore::default();
        let store: &dyn Store = &memory;
        let of_tenant = RuleSubject { tenant_id: Some(tenant_id(1)), kind: None };
        let general = set(store, 1, &ANYTHING, 30);
        let first = set(store, 2, &of_tenant, 10);
        assert_eq!(set(store, 3, &of_tenant, 20).id, first.id, "it changes the rule");
        let removed_before = Some(at("2026-01-01T00:00:00Z"));
        store.writing(|tx| remove_retention_rule(tx, at("2026-03-01T12:00:00Z"), first.id).map(drop)).unwrap();
        store.writing(|tx| tx.put_retention_rule(&RetentionRule { removed_before, ..general.clone() })).unwrap();
        let gone = store.reading(|tx| find_retention_rule(tx, first.id)).unwrap_err();
        assert!(matches!(gone, Error::NotFound(_)), "{gone}");
        let again = set(store, 4, &of_tenant, 50);
        assert_eq!((again.id, again.removed_before), (first.id, removed_before));
        assert_eq!(set(store, 5, &ANYTHING, 90).removed_before, removed_before, "a change forgets nothing");
    }

    #[test]
    fn holds_are_placed_and_lifted_once() {
        let memory = MemoryStore::default();
        let store: &dyn Store = &memory;
        let about = HoldDraft {
            case: "case 7".to_owned(),
            reason: "court".to_owned(),
            tenant_id: None,
            user_id: Some(user_id("jane")),
        };
        let id = LegalHoldId(uuid(7));
        let hold = store.writing(|tx| place_legal_hold(tx, at("2026-03-01T12:00:00Z"), id, &about)).unwrap();
        assert_eq!(store.reading(|tx| tx.legal_holds(None, 10)).unwrap(), std::slice::from_ref(&hold));
        assert_eq!(store.writing(|tx| lift_legal_hold(tx, id)).unwrap(), hold);
        assert!(matches!(store.writing(|tx| lift_legal_hold(tx, id)), Err(Error::NotFound(_))));
    }
}
