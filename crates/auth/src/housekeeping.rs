//! Periodic maintenance of sessions, token keys and login counters.

use chrono::TimeDelta;
use trailkeeper_domain::Result;
use trailkeeper_domain::account::{Actor, TokenKey};

use crate::access::{Access, span_of};
use crate::audit::AuditContext;
use crate::token_keys::OldKeys;

/// The time for which lists show ended sessions.
const ENDED_SESSIONS_KEPT: TimeDelta = TimeDelta::days(90);

/// The changes that housekeeping made, for the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Housekept {
    /// The id of the token key that it made, because the newest was too old.
    pub new_token_key: Option<String>,
    /// The ids of the token keys that it removed, because their last token has expired.
    pub removed_token_keys: Vec<String>,
}

impl Access {
    /// Makes a new token key if the newest is older than the settings allow, and ends sessions that are longer than the
    /// settings allow. Removes token keys whose last token has expired, sessions that ended more than 90 days ago, expired
    /// refresh tokens, and login counters that are no longer needed.
    ///
    /// Every server of a database may call it at any time: of two calls at once, one finds nothing left to do.
    pub fn housekeeping(&self) -> Result<Housekept> {
        let now = self.clock.now();
        let earliest_start = now.checked_sub_signed(span_of(self.settings.session_ttl));
        self.store.writing(|tx| {
            // These sessions are refused already; only their records still have the end that an earlier, longer setting
            // gave them.
            if let Some(earliest_start) = earliest_start {
                tx.expire_sessions_begun(earliest_start, now)?;
            }
            tx.delete_expired_refresh_tokens(now)?;
            tx.delete_past_sessions(now - ENDED_SESSIONS_KEPT)
        })?;
        self.delete_old_login_counters()?;
        // Last, because it fails without the master key: the rest must be removed even then.
        let new_token_key = self.rotate_token_key_when_due()?;
        let removed_token_keys = self.remove_expired_token_keys()?;
        Ok(Housekept { new_token_key, removed_token_keys })
    }

    fn rotate_token_key_when_due(&self) -> Result<Option<String>> {
        let Some(after) = self.settings.rotate_token_keys_after else { return Ok(None) };
        let (after, now) = (span_of(after), self.clock.now());
        // A database without keys gets its first one at the first login.
        let due = |keys: &[TokenKey]| keys.first().is_some_and(|newest| now - newest.created_at >= after);
        if !due(&self.store.reading(|tx| tx.token_keys())?) {
            return Ok(None);
        }
        Ok(self.add_token_key(&server_context(), OldKeys::Keep, due)?.map(|rotated| rotated.kid))
    }
}

/// The server as the actor of audit events.
pub(crate) fn server_context() -> AuditContext {
    AuditContext::from(Actor { id: "trailkeeper".to_owned(), name: "Trailkeeper".to_owned() })
}
