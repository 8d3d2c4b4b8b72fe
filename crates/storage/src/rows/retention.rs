//! Rows of rules of retention and legal holds.

use diesel::{AsChangeset, Insertable, Queryable, Selectable};
use trailkeeper_domain::event::EventKind;
use trailkeeper_domain::id::{LegalHoldId, RetentionRuleId, TenantId, UserId};
use trailkeeper_domain::retention::{HoldDraft, LegalHold, RetentionRule, RuleDraft, RuleSubject};
use trailkeeper_domain::{Error, Result};

use super::unreadable;
use crate::columns::{DbTime, DbUuid};
use crate::schema::{legal_holds, retention_rules};

/// A rule of retention.
#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = retention_rules)]
#[diesel(treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct RetentionRuleRow {
    id: DbUuid,
    tenant_id: Option<DbUuid>,
    kind: Option<String>,
    keep_days: Option<i32>,
    keep_sheets_days: Option<i32>,
    removed_before: Option<DbTime>,
    created_at: DbTime,
    changed_at: DbTime,
}

impl RetentionRuleRow {
    /// The row of a rule.
    pub fn new(rule: &RetentionRule) -> Result<Self> {
        let days = |days: u32| i32::try_from(days).map_err(Error::internal);
        Ok(Self {
            id: DbUuid(rule.id.0),
            tenant_id: rule.subject.tenant_id.map(|tenant| DbUuid(tenant.0)),
            kind: rule.subject.kind.as_ref().map(|kind| kind.as_str().to_owned()),
            keep_days: rule.keeps.map(|keeps| days(keeps.keep_days)).transpose()?,
            keep_sheets_days: rule.keeps.and_then(|keeps| keeps.keep_sheets_days).map(days).transpose()?,
            removed_before: rule.removed_before.map(DbTime),
            created_at: DbTime(rule.created_at),
            changed_at: DbTime(rule.changed_at),
        })
    }

    /// The rule.
    pub fn into_rule(self) -> Result<RetentionRule> {
        let id = self.id.0;
        let days = |days: i32| {
            u32::try_from(days).map_err(|error| unreadable("retention_rules", "keep_days, keep_sheets_days", id, error))
        };
        let keep_sheets_days = self.keep_sheets_days.map(days).transpose()?;
        let keeps = self.keep_days.map(days).transpose()?.map(|keep_days| RuleDraft { keep_days, keep_sheets_days });
        Ok(RetentionRule {
            id: RetentionRuleId(id),
            subject: RuleSubject {
                tenant_id: self.tenant_id.map(|DbUuid(tenant)| TenantId(tenant)),
                kind: self.kind.map(EventKind::known),
            },
            keeps,
            removed_before: self.removed_before.map(|DbTime(at)| at),
            created_at: self.created_at.0,
            changed_at: self.changed_at.0,
        })
    }
}

/// A legal hold.
#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = legal_holds, treat_none_as_default_value = false)]
pub struct LegalHoldRow {
    id: DbUuid,
    case_name: String,
    reason: String,
    tenant_id: Option<DbUuid>,
    user_id: Option<String>,
    created_at: DbTime,
}

impl From<&LegalHold> for LegalHoldRow {
    fn from(hold: &LegalHold) -> Self {
        let about = &hold.about;
        Self {
            id: DbUuid(hold.id.0),
            case_name: about.case.clone(),
            reason: about.reason.clone(),
            tenant_id: about.tenant_id.map(|tenant| DbUuid(tenant.0)),
            user_id: about.user_id.as_ref().map(|user| user.as_str().to_owned()),
            created_at: DbTime(hold.created_at),
        }
    }
}

impl From<LegalHoldRow> for LegalHold {
    fn from(row: LegalHoldRow) -> Self {
        Self {
            id: LegalHoldId(row.id.0),
            about: HoldDraft {
                case: row.case_name,
                reason: row.reason,
                tenant_id: row.tenant_id.map(|DbUuid(tenant)| TenantId(tenant)),
                user_id: row.user_id.map(UserId::stored),
            },
            created_at: row.created_at.0,
        }
    }
}
