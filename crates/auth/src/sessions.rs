//! Sessions. A session begins with a login. Its end invalidates its access tokens and refresh tokens on every server at
//! once, because the session of an access token is looked up at each request.

use trailkeeper_domain::account::{Session, SessionFilter};
use trailkeeper_domain::cursor::{self, Paged};
use trailkeeper_domain::event::{LOGOUT, Metadata};
use trailkeeper_domain::id::{AccountId, SessionId};
use trailkeeper_domain::ports::ReadTx;
use trailkeeper_domain::{Error, Result};

use crate::access::{Access, lock_accounts};
use crate::accounts::{self, account_of};
use crate::audit::{AuditContext, SESSION_END, about_session, append, target};
use crate::listing;

const CURSOR_KIND: char = 'l';

/// The type of sessions as targets of audit events.
const TARGET: &str = "session";

impl Access {
    /// A page of sessions, newest first.
    pub fn sessions(&self, filter: SessionFilter, cursor: Option<&str>, limit: usize) -> Result<Paged<Session>> {
        let limit = listing::checked_limit(limit)?;
        let before = listing::start_after(CURSOR_KIND, cursor)?.map(SessionId);
        let sessions = self.store.reading(|tx| tx.sessions(filter, before, limit + 1))?;
        Ok(Paged::cut(sessions, limit, |session| cursor::encode(CURSOR_KIND, &session.id.to_string())))
    }

    /// The session. [`Error::NotFound`] with code `session_not_found`.
    pub fn session(&self, id: SessionId) -> Result<Session> {
        self.store.reading(|tx| session_of(tx, id))
    }

    /// Ends a session; recorded as `logout` if its own account does it, else as `session_end`. Does nothing if it has
    /// ended already. [`Error::NotFound`] with code `session_not_found`.
    pub fn end_session(&self, context: &AuditContext, id: SessionId) -> Result<()> {
        let now = self.clock.now();
        self.store.writing(|tx| {
            lock_accounts(tx)?;
            let session = session_of(tx, id)?;
            // A session that has expired by our clock is ended as well, without an event: on a server whose clock is
            // behind ours it may still be live.
            if !tx.end_session(id, now)? || !session.is_live(now) {
                return Ok(());
            }
            let account = account_of(tx, session.account_id)?;
            let kind = end_kind(context, session.account_id);
            let event = self.change_event(now, kind, context, target(TARGET, &id, &account.email))?;
            append(tx, &about_session(id, event))
        })
    }

    /// Ends all sessions of an account except `except`; returns the number of those that were live. Recorded as one event
    /// with that number. [`Error::NotFound`] with code `account_not_found`.
    pub fn end_sessions_of(
        &self,
        context: &AuditContext,
        account: AccountId,
        except: Option<SessionId>,
    ) -> Result<usize> {
        let now = self.clock.now();
        self.store.writing(|tx| {
            lock_accounts(tx)?;
            let owner = account_of(tx, account)?;
            let ended = tx.end_sessions_of(account, except, now)?;
            if ended > 0 {
                let kind = end_kind(context, account);
                let target = target(accounts::TARGET, &account, &owner.email);
                let mut event = self.change_event(now, kind, context, target)?;
                event.metadata = Some(Metadata::from_iter([("sessions_ended".to_owned(), ended.into())]));
                append(tx, &event)?;
            }
            Ok(ended)
        })
    }
}

fn session_of<T: ReadTx + ?Sized>(tx: &mut T, id: SessionId) -> Result<Session> {
    tx.session(id)?.ok_or_else(|| Error::not_found("session_not_found", format!("there is no session '{id}'")))
}

fn end_kind(context: &AuditContext, account: AccountId) -> &'static str {
    if context.actor.id == account.to_string() { LOGOUT } else { SESSION_END }
}
