//! What must be done now and then and belongs to no request.

use chrono::TimeDelta;
use trailkeeper_domain::Result;
use trailkeeper_domain::account::{Actor, TokenKey};

use crate::access::{Access, span_of};
use crate::audit::AuditContext;
use crate::token_keys::OldKeys;

/// How long past sessions are shown in lists.
const PAST_SESSIONS_KEPT: TimeDelta = TimeDelta::days(90);

/// What housekeeping did, for the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Housekept {
    /// The key of access tokens that it made, because the newest was too old.
    pub new_token_key: Option<String>,
    /// Keys of access tokens that it removed, because their last token has expired.
    pub removed_token_keys: Vec<String>,
}

impl Access {
    /// Makes a new key of access tokens when the newest is older than the settings say, lets sessions run out that go on
    /// for longer than the settings say, and removes keys whose last token has expired, sessions that are past for more
    /// than 90 days, expired refresh tokens, and what is no longer needed to slow down guessing.
    ///
    /// Every server of a database may do this at any time: of two at once, one finds that nothing is left to do.
    pub fn housekeeping(&self) -> Result<Housekept> {
        let now = self.clock.now();
        let begun = now.checked_sub_signed(span_of(self.settings.session_ttl));
        self.store.writing(|tx| {
            // They open nothing any more. Their records still say otherwise where the setting was longer before.
            if let Some(begun) = begun {
                tx.expire_sessions_begun(begun, now)?;
            }
            tx.delete_expired_refresh_tokens(now)?;
            tx.delete_past_sessions(now - PAST_SESSIONS_KEPT)
        })?;
        self.forget_attempts()?;
        // Last: without the master key no key can be made, and the rest must not pile up because of that.
        let new_token_key = self.rotate_token_key_when_due()?;
        let removed_token_keys = self.remove_past_token_keys()?;
        Ok(Housekept { new_token_key, removed_token_keys })
    }

    fn rotate_token_key_when_due(&self) -> Result<Option<String>> {
        let Some(after) = self.settings.rotate_token_keys_after else { return Ok(None) };
        let (after, now) = (span_of(after), self.clock.now());
        // A database without keys gets its first when somebody logs in.
        let due = |keys: &[TokenKey]| keys.first().is_some_and(|newest| now - newest.created_at >= after);
        if !due(&self.store.reading(|tx| tx.token_keys())?) {
            return Ok(None);
        }
        Ok(self.add_token_key(&ourselves(), OldKeys::Keep, due)?.map(|rotated| rotated.kid))
    }
}

/// The server, in the trail.
fn ourselves() -> AuditContext {
    AuditContext::from(Actor { id: "trailkeeper".to_owned(), name: "Trailkeeper".to_owned() })
}
