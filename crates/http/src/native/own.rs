//! A caller's own account and session, and the sessions that a caller may see.

use trailkeeper_auth::{Access, Permission, Principal};
use trailkeeper_domain::account::Session;
use trailkeeper_domain::id::{AccountId, SessionId};
use trailkeeper_domain::{Error, Result};

/// Account and session of a person who is logged in.
pub struct Own {
    /// The person's account.
    pub account_id: AccountId,
    /// Session that the request belongs to.
    pub session_id: SessionId,
}

/// The caller's own account and session. [`Error::Forbidden`] for programs.
pub fn of(principal: &Principal) -> Result<Own> {
    match (principal.account_id(), principal.session_id) {
        (Some(account_id), Some(session_id)) => Ok(Own { account_id, session_id }),
        _ => Err(Error::forbidden("only a person has this; log in with POST /v1/sessions")),
    }
}

/// The session, if it is the caller's own or the caller manages accounts. [`Error::NotFound`] otherwise, as for one that
/// does not exist.
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
