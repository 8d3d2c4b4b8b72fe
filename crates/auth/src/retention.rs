//! Rules of retention and legal holds: lists, and changes with their audit events.

use serde_json::Value;
use trailkeeper_domain::Result;
use trailkeeper_domain::clock::{self, Clock, Entropy};
use trailkeeper_domain::cursor::{self, Paged};
use trailkeeper_domain::id::{LegalHoldId, RetentionRuleId};
use trailkeeper_domain::ports::{Store, WriteTx};
use trailkeeper_domain::retention::{HoldDraft, LegalHold, RetentionRule, RuleDraft, RuleSubject};
use trailkeeper_domain::usecase::{
    Put, append, find_legal_hold, find_retention_rule, lift_legal_hold, place_legal_hold, remove_retention_rule,
    set_retention_rule,
};

use crate::access::Access;
use crate::audit::{AuditContext, AuditEvent, HOLD_LIFT, HOLD_PLACE, RETENTION_CHANGE, target};
use crate::listing;

/// The marks of the cursors of both lists.
const RULES: char = 'r';
const HOLDS: char = 'h';
/// The kinds of the objects of changes.
const RULE: &str = "retention_rule";
const HOLD: &str = "legal_hold";

/// Changes rules of retention and legal holds for one actor. The audit event of a change is stored in its transaction.
pub struct RetentionChanges<'a> {
    /// The database.
    pub store: &'a dyn Store,
    /// The time of changes.
    pub clock: &'a dyn Clock,
    /// Where new ids come from.
    pub entropy: &'a dyn Entropy,
    /// Who changes something.
    pub context: &'a AuditContext,
}

impl RetentionChanges<'_> {
    /// Makes the rule of a subject, or changes it. A rule that already is as wanted stays, and nothing is recorded.
    ///
    /// [`trailkeeper_domain::Error::Invalid`] for days outside their limits,
    /// [`trailkeeper_domain::Error::Conflict`] if there are too many rules.
    pub fn set_rule(&self, subject: &RuleSubject, keeps: RuleDraft) -> Result<(RetentionRule, Put)> {
        let (now, new) = (self.clock.now(), RetentionRuleId(clock::new_uuid(self.clock, self.entropy)));
        self.store.writing(|tx| {
            let (rule, before) = set_retention_rule(tx, now, new, subject, keeps)?;
            if before != rule.keeps {
                let event = AuditEvent::done(RETENTION_CHANGE)
                    .about(target(RULE, &rule.id, ""))
                    .with("tenant_id", subject.tenant_id.map(|tenant| tenant.to_string()))
                    .with("type", subject.kind.as_ref().map(|kind| kind.as_str().to_owned()))
                    .with("keep_days", keeps.keep_days)
                    .with("keep_sheets_days", keeps.keep_sheets_days);
                self.append(tx, event)?;
            }
            Ok((rule, if before.is_some() { Put::Replaced } else { Put::Created }))
        })
    }

    /// Removes a rule. What it has removed stays removed.
    ///
    /// [`trailkeeper_domain::Error::NotFound`] with code `rule_not_found`.
    pub fn remove_rule(&self, id: RetentionRuleId) -> Result<()> {
        let now = self.clock.now();
        self.store.writing(|tx| {
            remove_retention_rule(tx, now, id)?;
            self.append(
                tx,
                AuditEvent::done(RETENTION_CHANGE).about(target(RULE, &id, "")).with("keep_days", Value::Null),
            )
        })
    }

    /// Places a hold.
    ///
    /// [`trailkeeper_domain::Error::Invalid`] for a wrong text or without a tenant and a user,
    /// [`trailkeeper_domain::Error::Conflict`] if there are too many holds.
    pub fn place_hold(&self, about: &HoldDraft) -> Result<LegalHold> {
        let (now, id) = (self.clock.now(), LegalHoldId(clock::new_uuid(self.clock, self.entropy)));
        self.store.writing(|tx| {
            let hold = place_legal_hold(tx, now, id, about)?;
            self.append(tx, of_hold(HOLD_PLACE, &hold))?;
            Ok(hold)
        })
    }

    /// Lifts a hold.
    ///
    /// [`trailkeeper_domain::Error::NotFound`] with code `hold_not_found`.
    pub fn lift_hold(&self, id: LegalHoldId) -> Result<()> {
        self.store.writing(|tx| {
            let hold = lift_legal_hold(tx, id)?;
            self.append(tx, of_hold(HOLD_LIFT, &hold))
        })
    }

    fn append(&self, tx: &mut dyn WriteTx, event: AuditEvent) -> Result<()> {
        append(tx, &event.event(self.context, self.clock, self.entropy)?)
    }
}

fn of_hold(kind: &'static str, hold: &LegalHold) -> AuditEvent {
    let HoldDraft { case, reason, tenant_id, user_id } = &hold.about;
    AuditEvent::done(kind)
        .about(target(HOLD, &hold.id, case))
        .with("case", case.as_str())
        .with("reason", reason.as_str())
        .with("tenant_id", tenant_id.map(|tenant| tenant.to_string()))
        .with("user_id", user_id.as_ref().map(|user| user.as_str().to_owned()))
}

impl Access {
    /// Changes of rules and holds by the actor of this context.
    pub fn retention<'a>(&'a self, context: &'a AuditContext) -> RetentionChanges<'a> {
        RetentionChanges {
            store: self.store.as_ref(),
            clock: self.clock.as_ref(),
            entropy: self.entropy.as_ref(),
            context,
        }
    }

    /// A page of the rules in the order of their creation, without removed ones.
    pub fn retention_rules(&self, cursor: Option<&str>, limit: usize) -> Result<Paged<RetentionRule>> {
        let limit = listing::checked_limit(limit)?;
        let after = listing::start_after(RULES, cursor)?.map(RetentionRuleId);
        // Every server holds all of them in memory anyway.
        let mut rules = self.store.reading(|tx| tx.retention_rules())?;
        rules.retain(|rule| rule.keeps.is_some() && after.is_none_or(|after| rule.id > after));
        rules.truncate(limit + 1);
        Ok(Paged::cut(rules, limit, |rule| cursor::encode(RULES, &rule.id.to_string())))
    }

    /// A rule. [`trailkeeper_domain::Error::NotFound`] with code `rule_not_found`.
    pub fn retention_rule(&self, id: RetentionRuleId) -> Result<RetentionRule> {
        self.store.reading(|tx| find_retention_rule(tx, id))
    }

    /// A page of the holds in the order of their creation.
    pub fn legal_holds(&self, cursor: Option<&str>, limit: usize) -> Result<Paged<LegalHold>> {
        let limit = listing::checked_limit(limit)?;
        let after = listing::start_after(HOLDS, cursor)?.map(LegalHoldId);
        let holds = self.store.reading(|tx| tx.legal_holds(after, limit + 1))?;
        Ok(Paged::cut(holds, limit, |hold| cursor::encode(HOLDS, &hold.id.to_string())))
    }

    /// A hold. [`trailkeeper_domain::Error::NotFound`] with code `hold_not_found`.
    pub fn legal_hold(&self, id: LegalHoldId) -> Result<LegalHold> {
        self.store.reading(|tx| find_legal_hold(tx, id))
    }
}
