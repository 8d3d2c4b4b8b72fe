//! What analytics need of one event: numbers in place of names.

use crate::event::{LOGIN_FAIL, LOGIN_SUCCESS, LOGOUT, Outcome, PAGE_LOAD, REQUEST, USERINFO};
use crate::id::{EnvId, TenantId};
use crate::time::Timestamp;

/// The page id of `(other)`: pages beyond what a tenant may add to the dictionary in a day.
pub const OTHER_PAGE: u32 = 1;

/// Event types whose ids are the same in every database, in the order of their ids, which begin at 1.
/// The migrations write them; a test compares the two. Append only.
pub const WELL_KNOWN_KINDS: [&str; 6] = [LOGIN_SUCCESS, LOGIN_FAIL, LOGOUT, PAGE_LOAD, USERINFO, REQUEST];

const KIND_LOGIN_SUCCESS: u32 = 1;
const KIND_LOGIN_FAIL: u32 = 2;
const KIND_USERINFO: u32 = 5;

/// One event of a customer, as analytics count it. Never one of the system tenant: operators are not
/// customers.
///
/// `page`, `kind`, `user` and `source` are ids of the store's dictionaries, dense from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventFact {
    /// When it happened.
    pub occurred_at: Timestamp,
    /// In which tenant; [`TenantId::NONE`] outside any.
    pub tenant_id: TenantId,
    /// In which environment of it.
    pub env: EnvId,
    /// On which page: the id of its key, or [`OTHER_PAGE`].
    pub page: Option<u32>,
    /// Of which type.
    pub kind: u32,
    /// How it ended, as the sender said.
    pub outcome: Outcome,
    /// Whose: the user's ordinal.
    pub user: Option<u32>,
    /// From which address: its ordinal.
    pub source: Option<u32>,
}

impl EventFact {
    /// Whether the event failed: [`EventKind::failed`](crate::event::EventKind::failed) by numbers.
    pub fn failed(&self) -> bool {
        self.login().map_or(self.outcome == Outcome::Failure, |success| !success)
    }

    /// For a login, whether it succeeded.
    pub fn login(&self) -> Option<bool> {
        match self.kind {
            KIND_LOGIN_SUCCESS => Some(true),
            KIND_LOGIN_FAIL => Some(false),
            _ => None,
        }
    }

    /// Whether it is a call of userinfo.
    pub fn userinfo(&self) -> bool {
        self.kind == KIND_USERINFO
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::EventKind;
    use crate::time::midnight;

    #[test]
    fn numbers_tell_what_names_tell() {
        for (at, name) in WELL_KNOWN_KINDS.into_iter().enumerate() {
            let id = u32::try_from(at).unwrap() + 1;
            for outcome in Outcome::ALL {
                let fact = EventFact {
                    occurred_at: midnight(chrono::NaiveDate::MIN),
                    tenant_id: TenantId::NONE,
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
