//! Refreshing a session: each refresh token works once and is replaced by its successor.
//!
//! The reuse of a spent token means that two parties hold the same chain of tokens, one of them a thief. The server cannot
//! know which, so it ends the session. But two tabs of one browser hold the same token too, and may refresh at the same
//! moment. So for ten seconds after it was spent, a token gets the latest successor again:
//!
//! ```text
//!  0.0 s  tab 1 sends T0: T0 is spent, T1 = successor(T0) is stored, the answer has T1
//!  0.0 s  tab 2 sends T0: waits for the lock of tab 1, finds T0 spent at 0.0 s, computes T1 again, the answer has T1
//!  3.0 s  tab 1 sends T1: T1 is spent, T2 is stored, the answer has T2
//!  9.9 s  tab 3 sends T0: T0 → T1, which is spent as well → T2: the answer has T2. T1 would be of no use: by the time
//!         that tab 3 needs it, T1 was spent long ago
//! 10.0 s  somebody sends T0: T0 was spent ten seconds ago. The session ends, `refresh_token_reuse` is recorded, and T0, T1
//!         and T2 are refused from now on, even those that were spent less than ten seconds ago
//! ```
//!
//! However often it is refreshed, a session ends at most [`AccessSettings::session_ttl`] after its login: no token is
//! valid for longer, and a later refresh is refused like one with an expired token.
//!
//! A thief who uses a token within the ten seconds gets the owner's next token, and keeps the session until one of the two
//! sends a token that was spent ten seconds ago or earlier. A thief who knows each time to the second when the owner
//! refreshes is not detected.

use chrono::TimeDelta;
use trailkeeper_domain::account::{Account, RefreshToken, Session};
use trailkeeper_domain::event::{Event, Outcome};
use trailkeeper_domain::ports::{ReadTx, WriteTx};
use trailkeeper_domain::{Error, Result};

#[cfg(doc)]
use crate::access::AccessSettings;
use crate::access::{Access, lock_accounts};
use crate::audit::{Origin, REFRESH_TOKEN_REUSE, about_session, append, target};
use crate::login::LoggedIn;
use crate::master_keys::MasterKeyPair;
use crate::successor::successor;
use crate::token::{PlainToken, TokenHash, TokenKind};

/// The time for which a spent token gets its successor again.
const GRACE: TimeDelta = TimeDelta::seconds(10);

/// How far the clock of the server that spent a token may be ahead of ours. Without this limit, a clock that was set back
/// by an hour would give an hour of [`GRACE`] to every spent token.
const MAX_CLOCK_SKEW: TimeDelta = TimeDelta::seconds(60);

/// The number of spent tokens that are followed to the end of a chain. No browser refreshes that often within [`GRACE`].
const MAX_HOPS: usize = 50;

/// The outcome of the transaction. The end of a session must be committed although the caller gets an error, so a refusal
/// is not an `Err` here.
enum Exchange {
    /// The token was valid and is spent now.
    Renewed,
    /// The token was spent within [`GRACE`]; this is the token at the end of its chain.
    AlreadyRenewed(Successor),
    /// The token was spent within [`GRACE`], but no master key of this process leads to its successor.
    UnknownSuccessor,
    /// The token is invalid, expired or was reused.
    Refused,
}

/// A refresh token and its record.
type Successor = (PlainToken, RefreshToken);

impl Access {
    /// Exchanges a refresh token for a new pair of tokens.
    ///
    /// Every failure is the same [`Error::Unauthenticated`]. The reuse of a token that was spent ten seconds ago or earlier
    /// ends its session and is recorded.
    pub fn refresh(&self, refresh_token: &str, origin: &Origin) -> Result<LoggedIn> {
        let plain = PlainToken::read(TokenKind::Refresh, refresh_token).ok_or_else(wrong_refresh_token)?;
        if let Some(logged_in) = self.exchanged(&plain, origin)? {
            return Ok(logged_in);
        }
        // Another server may have computed the successor with a newer master key.
        let again = if self.master.reload()? { self.exchanged(&plain, origin)? } else { None };
        again.ok_or_else(wrong_refresh_token)
    }

    /// `None` when the token was spent within [`GRACE`] and no master key of this process leads to its successor.
    fn exchanged(&self, plain: &PlainToken, origin: &Origin) -> Result<Option<LoggedIn>> {
        let found = self.store.reading(|tx| family_of(tx, plain.hash()))?;
        let (_, session, account) = found.ok_or_else(wrong_refresh_token)?;
        let now = self.clock.now();
        let reuse = self.session_event(now, REFRESH_TOKEN_REUSE, Outcome::Failure, origin, Some(&account))?;
        let mut reuse = about_session(session.id, reuse);
        reuse.target = Some(target("session", &session.id, &account.email));
        let master = self.master.get();
        let next = successor(&master.current, plain);
        let (logged_in, row) = self.tokens_of(account, (session.id, session.started_at), now, &next)?;
        // In the last second of a session: a JWT holds whole seconds, so this one would expire at once.
        if logged_in.access_expires_at <= now {
            return Err(wrong_refresh_token());
        }
        match self.store.writing(|tx| exchange(tx, plain, &row, &reuse, &master))? {
            Exchange::Renewed => Ok(Some(logged_in)),
            Exchange::AlreadyRenewed((plain, row)) => {
                let refresh_token = plain.expose().to_owned();
                Ok(Some(LoggedIn { refresh_token, refresh_expires_at: row.expires_at, ..logged_in }))
            }
            Exchange::UnknownSuccessor => Ok(None),
            Exchange::Refused => Err(wrong_refresh_token()),
        }
    }
}

/// Spends the token and stores its successor; or finds the successor of a token that was spent within [`GRACE`]; or ends
/// the session of a token that was spent earlier.
fn exchange(
    tx: &mut dyn WriteTx,
    plain: &PlainToken,
    successor: &RefreshToken,
    reuse: &Event,
    master: &MasterKeyPair,
) -> Result<Exchange> {
    // A second request with the same token waits here for the first, and then finds the token spent.
    lock_accounts(tx)?;
    let hash = plain.hash();
    let Some((token, session, account)) = family_of(tx, hash)? else { return Ok(Exchange::Refused) };
    let now = successor.issued_at;
    // The successor has expired already if the session has reached its longest duration.
    if !session.is_live(now) || now >= successor.expires_at || account.disabled_at.is_some() {
        return Ok(Exchange::Refused);
    }
    let Some(spent_at) = token.spent_at else {
        if now >= token.expires_at || !tx.spend_refresh_token(hash.as_bytes(), now)? {
            return Ok(Exchange::Refused);
        }
        tx.insert_refresh_token(successor)?;
        // A server with a shorter setting for sessions may have ended the session meanwhile.
        let is_live = tx.prolong_session(session.id, now, successor.expires_at)?;
        return Ok(if is_live { Exchange::Renewed } else { Exchange::Refused });
    };
    // Negative if the clock of the server that spent the token is ahead of ours.
    let age = now - spent_at;
    if -MAX_CLOCK_SKEW <= age && age < GRACE {
        return end_of_chain(tx, plain, &session, master)
            .map(|end| end.map_or(Exchange::UnknownSuccessor, Exchange::AlreadyRenewed));
    }
    if tx.end_session(session.id, now)? {
        append(tx, reuse)?;
    }
    Ok(Exchange::Refused)
}

/// The token at the end of the chain that begins with this spent token. Every token between was spent later than this one,
/// so within [`GRACE`] as well.
fn end_of_chain(
    tx: &mut dyn WriteTx,
    spent: &PlainToken,
    session: &Session,
    master: &MasterKeyPair,
) -> Result<Option<Successor>> {
    let mut end = next_of(tx, spent, session, master)?;
    for _ in 0..MAX_HOPS {
        match end {
            Some((plain, row)) if row.spent_at.is_some() => end = next_of(tx, &plain, session, master)?,
            found => return Ok(found),
        }
    }
    Ok(None)
}

/// The stored successor of a spent token, computed with either master key.
fn next_of(
    tx: &mut dyn WriteTx,
    spent: &PlainToken,
    session: &Session,
    master: &MasterKeyPair,
) -> Result<Option<Successor>> {
    for key in master.all() {
        let plain = successor(key, spent);
        if let Some(row) = tx.refresh_token(plain.hash().as_bytes())?
            && row.session_id == session.id
        {
            return Ok(Some((plain, row)));
        }
    }
    Ok(None)
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

fn wrong_refresh_token() -> Error {
    Error::unauthenticated("the refresh token is not valid; log in again")
}
