//! Retention: how long events are kept, and legal holds, which keep events from being removed.
//!
//! A rule is about one tenant or any, and one type or any. The most specific rule applies: that of the tenant and the
//! type, then that of the tenant, then that of the type, then that of everything. A rule that names no tenant is not about
//! the system tenant.

mod hold;
mod rule;
mod rules;

pub use hold::{HoldDraft, LegalHold, MAX_HOLDS};
pub use rule::{MAX_DAYS, MAX_RULES, RetentionRule, RuleDraft, RuleSubject, subjects_of};
pub use rules::RetentionRules;
