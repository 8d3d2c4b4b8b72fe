//! Refreshing a session: each refresh token works once, and hands out its successor.
//!
//! A spent token that comes back means that two parties hold the same chain of tokens, one of whom stole it. Which one
//! cannot be known, so the whole session ends. But two tabs of one browser hold the same token too, and may refresh at
//! the same moment. So for ten seconds after it was spent, a token is answered with the successor that there is:
//!
//! ```text
//!  0.0 s  tab 1 sends T0: T0 is spent, T1 = successor(T0) is stored, the answer has T1
//!  0.0 s  tab 2 sends T0: waits for the lock of tab 1, finds T0 spent at 0.0 s, computes T1 again, the answer has T1
//!  3.0 s  tab 1 sends T1: T1 is spent, T2 is stored, the answer has T2
//!  9.9 s  tab 3 sends T0: T0 → T1, which is spent as well → T2: the answer has T2. One with T1 would be of no use: by
//!         the time that tab 3 needs it, T1 is long spent
//! 10.0 s  somebody sends T0: T0 was spent ten seconds ago. The session ends, `refresh_token_reuse` is recorded, and
//!         T0, T1 and T2 are all refused from now on, within ten seconds of being spent or not
//! ```
//!
//! However often it is refreshed, a session ends some time after its login ([`AccessSettings::session_ttl`]): its tokens
//! are cut to that, and the refresh that comes later is refused like one with a token that expired.
//!
//! A thief who is that fast gets what the owner has, and keeps it until one of the two comes with a token that was spent
//! ten seconds ago or earlier. Who knows to the second when the owner refreshes, each time, is not found out this way.

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

/// For how long a spent token is answered with its successor.
const GRACE: TimeDelta = TimeDelta::seconds(10);

/// How far the clock of the server that spent a token may be ahead of ours. Without an end to that, a clock that was set
/// back by an hour would give an hour of [`GRACE`] to every token that was ever spent.
const AHEAD: TimeDelta = TimeDelta::seconds(60);

/// How many tokens that were spent within [`GRACE`] are followed. Who refreshes more often is no browser.
const MOST_HOPS: usize = 50;

/// What the transaction came to. The end of a family is a change that must be committed although the
/// caller gets an error, so this is not an error yet.
enum Verdict {
    /// The token was good and is spent now.
    Renewed,
    /// It was spent a moment ago: this is the token at the end of its chain.
    Again(Successor),
    /// It was spent a moment ago, and no master key that we know leads to its successor.
    Unknown,
    Refused,
}

/// A token as its holder has it, and what is stored of it.
type Successor = (PlainToken, RefreshToken);

impl Access {
    /// Exchanges a refresh token for a new pair of tokens.
    ///
    /// Every failure is the same [`Error::Unauthenticated`]. The reuse of a token that was spent ten seconds ago or
    /// earlier ends its session and is recorded.
    pub fn refresh(&self, refresh_token: &str, origin: &Origin) -> Result<LoggedIn> {
        let plain = PlainToken::read(TokenKind::Refresh, refresh_token).ok_or_else(wrong_refresh_token)?;
        if let Some(logged_in) = self.exchanged(&plain, origin)? {
            return Ok(logged_in);
        }
        // Another server may have a newer master key, with which it computed the successor.
        let again = if self.master.reload()? { self.exchanged(&plain, origin)? } else { None };
        again.ok_or_else(wrong_refresh_token)
    }

    /// `None` when the token was spent a moment ago, and no master key that we hold leads to its successor.
    fn exchanged(&self, plain: &PlainToken, origin: &Origin) -> Result<Option<LoggedIn>> {
        let found = self.store.reading(|tx| family_of(tx, plain.hash()))?;
        let (_, session, account) = found.ok_or_else(wrong_refresh_token)?;
        let now = self.clock.now();
        let reuse = self.session_event(now, REFRESH_TOKEN_REUSE, Outcome::Failure, origin, Some(&account))?;
        let mut reuse = about_session(session.id, reuse);
        reuse.target = Some(target("session", &session.id, &account.email));
        let master = self.master.held();
        let next = successor(&master.current, plain);
        let (logged_in, row) = self.tokens_of(account, (session.id, session.started_at), now, &next)?;
        // In the last second of a session: a JWT knows whole seconds only, so this one would hold no moment.
        if logged_in.access_expires_at <= now {
            return Err(wrong_refresh_token());
        }
        match self.store.writing(|tx| exchange(tx, plain, &row, &reuse, &master))? {
            Verdict::Renewed => Ok(Some(logged_in)),
            Verdict::Again((plain, row)) => {
                let refresh_token = plain.expose().to_owned();
                Ok(Some(LoggedIn { refresh_token, refresh_expires_at: row.expires_at, ..logged_in }))
            }
            Verdict::Unknown => Ok(None),
            Verdict::Refused => Err(wrong_refresh_token()),
        }
    }
}

/// Spends the token and stores its successor; or finds the successor of one that was spent a moment ago; or ends the
/// family of one that was spent before.
fn exchange(
    tx: &mut dyn WriteTx,
    plain: &PlainToken,
    successor: &RefreshToken,
    reuse: &Event,
    master: &MasterKeyPair,
) -> Result<Verdict> {
    // Whoever comes with the same token waits here until we are done, and then finds it spent.
    lock_accounts(tx)?;
    let hash = plain.hash();
    let Some((token, session, account)) = family_of(tx, hash)? else { return Ok(Verdict::Refused) };
    let now = successor.issued_at;
    // A successor that would have expired already is one beyond the last moment of its session.
    if !session.is_live(now) || now >= successor.expires_at || account.disabled_at.is_some() {
        return Ok(Verdict::Refused);
    }
    let Some(spent_at) = token.spent_at else {
        if now >= token.expires_at || !tx.spend_refresh_token(hash.as_bytes(), now)? {
            return Ok(Verdict::Refused);
        }
        tx.insert_refresh_token(successor)?;
        // A server with a shorter life for sessions may have ended it since we looked.
        let lives = tx.prolong_session(session.id, now, successor.expires_at)?;
        return Ok(if lives { Verdict::Renewed } else { Verdict::Refused });
    };
    // Below zero where the clock of the server that spent it is ahead of ours.
    let age = now - spent_at;
    if -AHEAD <= age && age < GRACE {
        return end_of_chain(tx, plain, &session, master).map(|end| end.map_or(Verdict::Unknown, Verdict::Again));
    }
    if tx.end_session(session.id, now)? {
        append(tx, reuse)?;
    }
    Ok(Verdict::Refused)
}

/// The token at the end of the chain that begins with this spent one. Every token between was spent after this one and
/// before now, so within [`GRACE`] as well.
fn end_of_chain(
    tx: &mut dyn WriteTx,
    spent: &PlainToken,
    session: &Session,
    master: &MasterKeyPair,
) -> Result<Option<Successor>> {
    let mut end = next_of(tx, spent, session, master)?;
    for _ in 0..MOST_HOPS {
        match end {
            Some((plain, row)) if row.spent_at.is_some() => end = next_of(tx, &plain, session, master)?,
            found => return Ok(found),
        }
    }
    Ok(None)
}

/// The stored successor of a spent token, by whichever master key it was computed.
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
