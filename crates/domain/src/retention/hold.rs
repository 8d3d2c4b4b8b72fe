//! Legal holds.

use crate::error::{Error, Result};
use crate::id::{LegalHoldId, TenantId, UserId};
use crate::text;
use crate::time::Timestamp;

/// The most holds: each step of a removal holds all of them in memory.
pub const MAX_HOLDS: usize = 10_000;
/// The longest name of a case, in characters.
const MAX_CASE: usize = 128;
/// The longest reason, in characters.
const MAX_REASON: usize = 1_024;

/// What a new hold is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldDraft {
    /// The name of the case. Several holds may belong to one case, and are lifted together.
    pub case: String,
    /// The reason, for those who list holds.
    pub reason: String,
    /// The tenant whose events are held; `None` is any.
    pub tenant_id: Option<TenantId>,
    /// The user whose events are held; `None` is any.
    pub user_id: Option<UserId>,
}

impl HoldDraft {
    /// Checks the texts. [`Error::Invalid`] for a text outside its limits, and without tenant and user.
    pub fn check(&self) -> Result<()> {
        text::checked("case", &self.case, MAX_CASE)?;
        text::checked("reason", &self.reason, MAX_REASON)?;
        if self.tenant_id.is_none() && self.user_id.is_none() {
            return Err(Error::invalid("tenant_id", "is missing, and so is user_id; name a tenant, a user, or both"));
        }
        Ok(())
    }
}

/// A legal hold: nothing removes the events of its tenant, of its user, or of its user in its tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegalHold {
    /// The id.
    pub id: LegalHoldId,
    /// The case, the reason, and the events that it keeps.
    pub about: HoldDraft,
    /// When it was placed.
    pub created_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{code_and_field, tenant_id};

    #[test]
    fn a_hold_needs_a_case_a_reason_and_a_subject() {
        let good = HoldDraft {
            case: "2026-17".to_owned(),
            reason: "court order".to_owned(),
            tenant_id: Some(tenant_id(1)),
            user_id: None,
        };
        good.check().unwrap();
        for (draft, field) in [
            (HoldDraft { case: String::new(), ..good.clone() }, "case"),
            (HoldDraft { reason: "x".repeat(1_025), ..good.clone() }, "reason"),
            (HoldDraft { tenant_id: None, ..good }, "tenant_id"),
        ] {
            assert_eq!(code_and_field(&draft.check().unwrap_err()).1, Some(field));
        }
    }
}
