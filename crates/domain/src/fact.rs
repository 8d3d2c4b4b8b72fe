//! The fields of an event that analytics count, with dictionary ids in place of names.

use crate::event::{LOGIN_FAIL, LOGIN_SUCCESS, LOGOUT, Outcome, PAGE_LOAD, REQUEST, USERINFO};
use crate::id::EnvId;
use crate::time::Timestamp;

/// The id of the page `(other)`, which stands for all pages beyond those that a tenant may add to the dictionary in a
/// day.
pub const OTHER_PAGE: u32 = 1;

/// The event types with the same ids in every database, in the order of their ids, which begin at 1.
/// The migrations write them, and a test compares both. New types go to the end.
pub const WELL_KNOWN_KINDS: [&str; 6] = [LOGIN_SUCCESS, LOGIN_FAIL, LOGOUT, PAGE_LOAD, USERINFO, REQUEST];

const KIND_LOGIN_SUCCESS: u32 = 1;
const KIND_LOGIN_FAIL: u32 = 2;
const KIND_USERINFO: u32 = 5;

/// An event of a customer, as analytics count it. Events of the system tenant are never facts: operators are not
/// customers. A fact does not have its tenant: the runs of everyone do not know it.
///
/// `page`, `kind`, `user` and `source` are ids of the store's dictionaries, dense from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventFact {
    /// The time of the event, by the sender's clock.
    pub occurred_at: Timestamp,
    /// The environment of the tenant.
    pub env: EnvId,
    /// The id of the page's key, or [`OTHER_PAGE`].
    pub page: Option<u32>,
    /// The id of the type.
    pub kind: u32,
    /// The outcome that the sender gave.
    pub outcome: Outcome,
    /// The ordinal of the user.
    pub user: Option<u32>,
    /// The ordinal of the source address.
    pub source: Option<u32>,
}

impl EventFact {
    /// Whether the event failed, by the rule of [`EventKind::failed`](crate::event::EventKind::failed).
    pub fn failed(&self) -> bool {
        failed(self.kind, self.outcome)
    }

    /// Whether a login succeeded; `None` for other types.
    pub fn login(&self) -> Option<bool> {
        login(self.kind)
    }

    /// Whether it is a call of userinfo.
    pub fn userinfo(&self) -> bool {
        userinfo(self.kind)
    }
}

/// Whether an event of this type and outcome failed: [`EventFact::failed`].
pub fn failed(kind: u32, outcome: Outcome) -> bool {
    login(kind).map_or(outcome == Outcome::Failure, |success| !success)
}

/// Whether a login of this type succeeded: [`EventFact::login`].
pub fn login(kind: u32) -> Option<bool> {
    match kind {
        KIND_LOGIN_SUCCESS => Some(true),
        KIND_LOGIN_FAIL => Some(false),
        _ => None,
    }
}

/// Whether the type is a call of userinfo: [`EventFact::userinfo`].
pub fn userinfo(kind: u32) -> bool {
    kind == KIND_USERINFO
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::EventKind;
    use crate::time::midnight;

    #[test]
    fn a_fact_agrees_with_the_rules_of_its_type() {
        for (at, name) in WELL_KNOWN_KINDS.into_iter().enumerate() {
            let id = u32::try_from(at).unwrap() + 1;
            for outcome in Outcome::ALL {
                let fact = EventFact {
                    occurred_at: midnight(chrono::NaiveDate::MIN),
                    env: EnvId::default(),
                    page: None,
                    kind: id,
                    outcome,
                    user: None,
                    source: None,
                };
                assert_eq!(fact.failed(), EventKind::known(name).failed(outcome), "{name} {outcome:?}");
                assert_eq!(fact.userinfo(), name == USERINFO);
                assert_eq!(fact.login().is_some(), name.starts_with("login_"));
            }
        }
    }
}
