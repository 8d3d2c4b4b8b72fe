//! What is a caller's own, and which sessions they may know of.

use trailkeeper_auth::{Access, Permission, Principal};
use trailkeeper_domain::account::Session;
use trailkeeper_domain::id::{AccountId, SessionId};
use trailkeeper_domain::{Error, Result};

/// The account and the session of someone who logged in.
pub struct Own {
    /// Whose.
    pub account_id: AccountId,
    /// The session that the request is part of.
    pub session_id: SessionId,
}

/// What is the caller's own, where the caller is a person.
pub fn of(principal: &Principal) -> Result<Own> {
    match (principal.account_id(), principal.session_id) {
        (Some(account_id), Some(session_id)) => Ok(Own { account_id, session_id }),
        _ => Err(Error::forbidden("only a person has this; log in with POST /v1/sessions")),
    }
}

/// The session, where the caller may know of it: it is their own, or they manage accounts. Others do not exist for
/// them (404).
pub fn visible_session(access: &Access, principal: &Principal, id: SessionId) -> Result<Session> {
    let all = principal.require(Permission::Administer).is_ok();
    match access.session(id) {
        Ok(session) if all || principal.account_id() == Some(session.account_id) => Ok(session),
        Ok(_) | Err(Error::NotFound(_)) => {
            Err(Error::not_found("session_not_found", format!("there is no session '{id}'")))
        }
        Err(error) => Err(error),
    }
}
