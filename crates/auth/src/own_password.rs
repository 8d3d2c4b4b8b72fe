//! Change of one's own password.

use trailkeeper_domain::account::Account;
use trailkeeper_domain::event::{Event, Outcome};
use trailkeeper_domain::{Error, ErrorDetail, Result};

use crate::access::{Access, lock_accounts};
use crate::account_change::update;
use crate::accounts::{TARGET, account_of};
use crate::audit::{ACCOUNT_PASSWORD_CHANGE, AuditContext, Origin, about_session, append, target};
use crate::password;
use crate::permission::Principal;
use crate::throttle::Subject;

impl Access {
    /// Replaces the caller's own password and ends all its other sessions, so that everyone who logged in with the old
    /// password is out.
    ///
    /// Requires the current password, so that a stolen access token or an unattended machine is not enough.
    /// [`Error::Forbidden`] with code `wrong_password` when it is wrong, which is recorded, and [`Error::Throttled`]
    /// after too many wrong ones; [`Error::Forbidden`] with code `permission_denied` when the caller is a program, which
    /// has no password.
    pub fn change_own_password(&self, principal: &Principal, current: &str, new: &str, origin: &Origin) -> Result<()> {
        let id = principal.account_id().ok_or_else(|| {
            Error::forbidden("a program has no password; log in as the account whose password you want to change")
        })?;
        let account = self.account(id)?;
        password::check("new_password", new, &account.email)?;
        // Checked before the attempt is counted: it reveals nothing about the account, and does not test a password.
        if current == new {
            return Err(Error::invalid("new_password", "is the current password; choose another one"));
        }
        let context = AuditContext { actor: principal.actor(), origin: origin.clone() };
        let session = principal.session_id.map_or(id.0, |session| session.0);
        let attempt = self.count_attempt(Subject::own_password(session))?;
        let now = self.clock.now();
        let event = self.change_event(now, ACCOUNT_PASSWORD_CHANGE, &context, target(TARGET, &id, &account.email))?;
        // The session in which it was done or tried, which may be one that a thief holds.
        let event = match principal.session_id {
            Some(session) => about_session(session, event),
            None => event,
        };
        // Both passwords are hashed outside the transaction: each hash takes a good part of a second.
        if !password::verify(current, &account.password_hash)? {
            // The event also shows the delay that this attempt began, if it did.
            let metadata = attempt.delay.as_ref().map(|delay| delay.metadata().into_iter().collect());
            let refused = Event { outcome: Outcome::Failure, metadata, ..event };
            self.store.writing(|tx| append(tx, &refused))?;
            return Err(wrong_password());
        }
        let password_hash = self.hashed("new_password", new, &account.email)?;
        self.store.writing(|tx| {
            lock_accounts(tx)?;
            let present = account_of(tx, id)?;
            // An administrator may have replaced the password during the hashing; then the given one is no longer the
            // current one.
            if present.password_hash != account.password_hash {
                return Err(wrong_password());
            }
            attempt.succeeded(tx, now)?;
            update(tx, &Account { password_hash: password_hash.clone(), updated_at: now, ..present })?;
            tx.end_sessions_of(id, principal.session_id, now)?;
            append(tx, &event)
        })
    }
}

fn wrong_password() -> Error {
    Error::Forbidden(ErrorDetail::of("current_password", "wrong_password", "is not the password of this account"))
}
