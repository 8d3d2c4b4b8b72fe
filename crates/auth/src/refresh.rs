//! Refreshing a session: each refresh token works once, and hands out its successor.
//!
//! A spent token that comes back means that two parties hold the same chain of tokens, one of whom stole
//! it. Which one cannot be known, so the whole session ends.

use trailkeeper_domain::account::{Account, RefreshToken, Session};
use trailkeeper_domain::event::{Event, Outcome};
use trailkeeper_domain::ports::{ReadTx, WriteTx};
use trailkeeper_domain::{Error, Result};

use crate::access::{Access, lock_accounts};
use crate::login::LoggedIn;
use crate::token::{PlainToken, TokenHash, TokenKind};
use crate::trail::{Origin, REFRESH_TOKEN_REUSE, record, target};

/// What the transaction came to. The end of a family is a change that must be committed although the
/// caller gets an error, so this is not an error yet.
enum Verdict {
    Renewed,
    Refused,
}

impl Access {
    /// Exchanges a refresh token for a new pair of tokens.
    ///
    /// Every failure is the same [`Error::Unauthenticated`]. The reuse of a spent token ends its session and
    /// is recorded.
    pub fn refresh(&self, refresh_token: &str, origin: &Origin) -> Result<LoggedIn> {
        let hash = PlainToken::read(TokenKind::Refresh, refresh_token).ok_or_else(refused)?.hash();
        let (_, session, account) = self.store.reading(|tx| family_of(tx, hash))?.ok_or_else(refused)?;
        let now = self.clock.now();
        let mut reuse = self.session_event(now, REFRESH_TOKEN_REUSE, Outcome::Failure, origin, Some(&account))?;
        reuse.target = Some(target("session", &session.id, &account.email));
        let (logged_in, successor) = self.tokens_of(account, session.id, now)?;
        let verdict = self.store.writing(|tx| exchange(tx, hash, &successor, &reuse))?;
        match verdict {
            Verdict::Renewed => Ok(logged_in),
            Verdict::Refused => Err(refused()),
        }
    }
}

/// Spends the token and stores its successor, or ends the family of a token that was spent before.
fn exchange(tx: &mut dyn WriteTx, hash: TokenHash, successor: &RefreshToken, reuse: &Event) -> Result<Verdict> {
    lock_accounts(tx)?;
    let Some((token, session, account)) = family_of(tx, hash)? else { return Ok(Verdict::Refused) };
    if session.ended_at.is_some() {
        return Ok(Verdict::Refused);
    }
    let now = successor.issued_at;
    let usable = token.spent_at.is_none() && now < token.expires_at && account.disabled_at.is_none();
    if usable && tx.spend_refresh_token(hash.as_bytes(), now)? {
        tx.insert_refresh_token(successor)?;
        return Ok(Verdict::Renewed);
    }
    // Spent before we came, or (`usable`) by someone who came in between.
    if (token.spent_at.is_some() || usable) && tx.end_session(session.id, now)? {
        record(tx, reuse)?;
    }
    Ok(Verdict::Refused)
}

fn family_of<T: ReadTx + ?Sized>(tx: &mut T, hash: TokenHash) -> Result<Option<(RefreshToken, Session, Account)>> {
    let Some(token) = tx.refresh_token(hash.as_bytes())? else { return Ok(None) };
    let session = tx
        .session(token.session_id)?
        .ok_or_else(|| Error::internal(format!("refresh_tokens: the session '{}' is missing", token.session_id)))?;
    let account = tx
        .account(session.account_id)?
        .ok_or_else(|| Error::internal(format!("sessions: the account '{}' is missing", session.account_id)))?;
    Ok(Some((token, session, account)))
}

fn refused() -> Error {
    Error::unauthenticated("the refresh token is not valid; log in again")
}
