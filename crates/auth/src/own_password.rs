//! How someone who is logged in gets another password.

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
    /// Replaces one's own password, and ends all one's other sessions: whoever knew the old one is out.
    ///
    /// The current one is asked for, so that a stolen access token, or a machine left alone, is not enough.
    /// [`Error::Forbidden`] with code `wrong_password` when it is wrong, which is recorded, and [`Error::Throttled`]
    /// after too many of those; [`Error::Forbidden`] with code `permission_denied` when the caller is a program, which
    /// has no password.
    pub fn change_own_password(&self, principal: &Principal, current: &str, new: &str, origin: &Origin) -> Result<()> {
        let id = principal
            .account_id()
            .ok_or_else(|| Error::forbidden("a program has no password; log in as the account whose it is"))?;
        let account = self.account(id)?;
        password::check("new_password", new, &account.email)?;
        // Before anything is counted: it tells nothing of the account, and is no guess at its password.
        if current == new {
            return Err(Error::invalid("new_password", "is the current password; choose another one"));
        }
        let context = AuditContext { actor: principal.actor(), origin: origin.clone() };
        let session = principal.session_id.map_or(id.0, |session| session.0);
        let attempt = self.count_attempt(Subject::own_password(session))?;
        let now = self.clock.now();
        let event = self.change_event(now, ACCOUNT_PASSWORD_CHANGE, &context, target(TARGET, &id, &account.email))?;
        // In which session it was, or was tried: perhaps not in one of the owner's.
        let event = match principal.session_id {
            Some(session) => about_session(session, event),
            None => event,
        };
        // Both hashed before the transaction, not inside it: each takes a good part of a second.
        if !password::verify(current, &account.password_hash)? {
            // Told with the delay that began with it, if one did.
            let metadata = attempt.block.as_ref().map(|block| block.metadata().into_iter().collect());
            let refused = Event { outcome: Outcome::Failure, metadata, ..event };
            self.store.writing(|tx| append(tx, &refused))?;
            return Err(wrong_password());
        }
        let password_hash = self.hashed("new_password", new, &account.email)?;
        self.store.writing(|tx| {
            lock_accounts(tx)?;
            let present = account_of(tx, id)?;
            // While we hashed, an administrator may have replaced the password, and then this one opens nothing.
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
