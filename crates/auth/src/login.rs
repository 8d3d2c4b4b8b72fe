//! Logins with a password.

use std::fmt;

use chrono::DateTime;
use trailkeeper_domain::account::{Account, RefreshToken, Session};
use trailkeeper_domain::error::Context;
use trailkeeper_domain::event::{Event, LOGIN_FAIL, LOGIN_SUCCESS, Metadata, Outcome};
use trailkeeper_domain::id::SessionId;
use trailkeeper_domain::ports::ReadTx;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::user::checked_email;
use trailkeeper_domain::{Error, Result};

use crate::access::{Access, end_of, lock_accounts};
use crate::account_change::update;
use crate::audit::{LOGIN_BLOCKED, Origin, about_session, append, cleaned};
use crate::jwt::{self, Claims};
use crate::password;
use crate::throttle::{Attempt, Subject};
use crate::token::{PlainToken, TokenKind};

/// How much of an unknown user name an event keeps, in characters. People type passwords into name fields.
const MAX_TYPED_NAME: usize = 128;

/// How often one login verifies its password. Again if the hash was replaced meanwhile: two logins at the same moment both
/// rehash the password at a higher cost, and the second finds the hash of the first. Each increase of the cost can cause
/// that once.
const MAX_CHECKS: usize = 3;

/// The tokens of a session, as a login or a refresh returns them.
pub struct LoggedIn {
    /// The account that logged in.
    pub account: Account,
    /// The session that the login began.
    pub session_id: SessionId,
    /// A JWT for the header `Authorization: Bearer`.
    pub access_token: String,
    /// The end of its validity, in whole seconds.
    pub access_expires_at: Timestamp,
    /// A token for exactly one refresh.
    pub refresh_token: String,
    /// The end of its validity.
    pub refresh_expires_at: Timestamp,
}

impl fmt::Debug for LoggedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoggedIn").field("account", &self.account.id).finish_non_exhaustive()
    }
}

impl Access {
    /// Verifies a user name (an e-mail address, in any case) and its password, and begins a session.
    ///
    /// Success and failure are recorded with their origin. Every failure is the same [`Error::Unauthenticated`] and takes
    /// the same time: it does not reveal whether the name exists or the account is disabled. After too many failures:
    /// [`Error::Throttled`], as of [`Access::check_login`].
    pub fn login(&self, username: &str, password: &str, origin: &Origin) -> Result<LoggedIn> {
        let subject = Subject::login(username, origin.source);
        let account = self.store.reading(|tx| {
            // Checked again after `check_login`: this attempt may have waited for the lock of its key while others
            // failed. The check is part of a read that is needed anyway, and is cheaper than the transaction that would
            // refuse the attempt next.
            self.admit(tx, &subject)?;
            account_named(tx, username)
        })?;
        let attempt = self.count_attempt(subject)?;
        let Some(mut account) = account else {
            password::verify(password, &self.placeholder_hash)?;
            return self.refuse_login(None, username, origin, &attempt);
        };
        for _ in 0..MAX_CHECKS {
            // Hashed between the transactions, not inside one: it takes a good part of a second.
            let matches = password::verify(password, &account.password_hash).map_err(|error| {
                Error::internal(Context::new(format!("accounts: password_hash of '{}'", account.id), error))
            })?;
            let cost = self.settings.bcrypt_cost;
            if !matches || account.disabled_at.is_some() {
                password::pad_to_cost(password, &account.password_hash, cost)?;
                break;
            }
            // The hash has a lower cost than the setting: only now is the password known, to rehash it.
            let rehashed = password::is_cheaper(&account.password_hash, cost)
                .then(|| password::hash(self.entropy.as_ref(), password, cost))
                .transpose()?;
            if let Some(logged_in) = self.begin_session(account.clone(), rehashed.as_deref(), origin, &attempt)? {
                return Ok(logged_in);
            }
            // The account has another hash by now: of another password, or of this one by a login at the same moment.
            match self.store.reading(|tx| tx.account(account.id))? {
                Some(current) => account = current,
                None => break,
            }
        }
        self.refuse_login(Some(&account), username, origin, &attempt)
    }

    /// Begins a session. `rehashed` is a hash of the same password at the present cost, if the account's hash has a lower
    /// one. Does nothing and returns `None` if the account was disabled or its hash was replaced meanwhile.
    fn begin_session(
        &self,
        account: Account,
        rehashed: Option<&str>,
        origin: &Origin,
        attempt: &Attempt,
    ) -> Result<Option<LoggedIn>> {
        let now = self.clock.now();
        let success = self.session_event(now, LOGIN_SUCCESS, Outcome::Success, origin, Some(&account))?;
        let id = SessionId(self.fresh_uuid());
        let success = about_session(id, success);
        let plain = PlainToken::generate(TokenKind::Refresh, self.entropy.as_ref());
        let (logged_in, refresh) = self.tokens_of(account, (id, now), now, &plain)?;
        let session = Session {
            id,
            account_id: logged_in.account.id,
            started_at: now,
            source: success.source,
            user_agent: success.user_agent.clone(),
            refreshed_at: now,
            expires_at: refresh.expires_at,
            ended_at: None,
        };
        let begun = self.store.writing(|tx| {
            lock_accounts(tx)?;
            // The account may have been disabled or got another password during the hashing.
            let unchanged = tx.account(session.account_id)?.filter(|current| {
                current.disabled_at.is_none() && current.password_hash == logged_in.account.password_hash
            });
            let Some(current) = unchanged else { return Ok(false) };
            if let Some(hash) = rehashed {
                update(tx, &Account { password_hash: hash.to_owned(), ..current })?;
            }
            attempt.succeeded(tx, now)?;
            tx.insert_session(&session)?;
            tx.insert_refresh_token(&refresh)?;
            append(tx, &success)?;
            Ok(true)
        })?;
        Ok(begun.then_some(logged_in))
    }

    fn refuse_login(
        &self,
        account: Option<&Account>,
        username: &str,
        origin: &Origin,
        attempt: &Attempt,
    ) -> Result<LoggedIn> {
        let now = self.clock.now();
        let event = self.session_event(now, LOGIN_FAIL, Outcome::Failure, origin, account)?;
        let metadata = account.is_none().then(|| {
            let typed = cleaned(username, MAX_TYPED_NAME).unwrap_or_default();
            serde_json::Map::from_iter([("typed_name".to_owned(), typed.into())])
        });
        let blocked = attempt.delay.as_ref().map(|delay| {
            let event = self.session_event(now, LOGIN_BLOCKED, Outcome::Failure, origin, account)?;
            let metadata = delay.metadata().into_iter().chain(metadata.clone().into_iter().flatten());
            Ok(Event { metadata: Some(metadata.collect()), ..event })
        });
        let blocked = blocked.transpose()?;
        let event = Event { metadata: metadata.map(Metadata::from), ..event };
        self.store.writing(|tx| {
            append(tx, &event)?;
            blocked.as_ref().map_or(Ok(()), |blocked| append(tx, blocked))
        })?;
        Err(wrong_name_or_password())
    }

    /// New tokens of a session that began at `started_at`, with `plain` as its refresh token: the tokens for the client,
    /// and the record of the refresh token. No token outlives the session.
    pub(crate) fn tokens_of(
        &self,
        account: Account,
        (session, started_at): (SessionId, Timestamp),
        now: Timestamp,
        plain: &PlainToken,
    ) -> Result<(LoggedIn, RefreshToken)> {
        let session_end = self.session_end_limit(started_at);
        let expires_at = end_of(now, self.settings.access_ttl)?.min(session_end);
        // A JWT holds whole seconds; the client gets the time at which the token really expires.
        let access_expires_at = DateTime::from_timestamp(expires_at.timestamp(), 0).unwrap_or(expires_at);
        let refresh_expires_at = end_of(now, self.settings.refresh_ttl)?.min(session_end);
        let (clock, entropy) = (self.clock.as_ref(), self.entropy.as_ref());
        let claims = Claims::new(clock, entropy, &self.settings.issuer, (account.id, session), access_expires_at);
        let key = self.keys.signing(self.key_source())?;
        let refresh = RefreshToken {
            token_hash: plain.hash().to_vec(),
            session_id: session,
            issued_at: now,
            expires_at: refresh_expires_at,
            spent_at: None,
            successor_hash: None,
            reissued_at: None,
            superseded_at: None,
        };
        let logged_in = LoggedIn {
            account,
            session_id: session,
            access_token: jwt::issue(&key, &claims)?,
            access_expires_at,
            refresh_token: plain.expose().to_owned(),
            refresh_expires_at,
        };
        Ok((logged_in, refresh))
    }
}

/// The account with this user name. A name that cannot be an e-mail address is not looked up: PostgreSQL, for example,
/// would refuse a NUL in it.
fn account_named(tx: &mut dyn ReadTx, username: &str) -> Result<Option<Account>> {
    if checked_email("username", username).is_err() {
        return Ok(None);
    }
    tx.account_by_email(username)
}

fn wrong_name_or_password() -> Error {
    Error::unauthenticated("the user name or the password is wrong")
}
