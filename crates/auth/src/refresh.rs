//! Refreshing a session: each refresh token works once and is replaced by its successor.
//!
//! The reuse of a spent token means that two parties hold the same chain of tokens, one of them a thief; or that the answer
//! with the successor was lost on the way, and its owner asks again. The server cannot know which. These are the rules:
//!
//! 1. *Grace.* Two tabs of one browser hold the same token, and may refresh at the same moment. For ten seconds after it was
//!    spent, a token gets the latest successor again.
//! 2. *Lost answer.* After that, a spent token gets a second successor, once, if its first one was never used. The second
//!    replaces the first, which is *superseded*. Ten seconds of grace follow, in which the token gets the end of the chain
//!    of the second one.
//! 3. *Reuse.* Anything else ends the session and is recorded: a spent token whose successor was used, or that got a second
//!    successor more than ten seconds ago; and a superseded token, at any time.
//!
//! A token is used when it is sent to be refreshed. The access token that was issued with it does not count.
//!
//! ```text
//!      0 s  tab 1 sends T0: T0 is spent, T1 = first successor(T0) is stored, the answer has T1
//!      0 s  tab 2 sends T0: waits for the lock of tab 1, finds T0 spent at 0 s, computes T1 again, the answer has T1
//!      3 s  tab 1 sends T1: T1 is spent, T2 is stored, the answer has T2
//!    9.9 s  tab 3 sends T0: T0 → T1, which is spent as well → T2: the answer has T2. T1 would be of no use: by the time
//!           that tab 3 needs it, T1 was spent long ago
//!     10 s  somebody sends T0, whose successor T1 was used: the session ends, `refresh_token_reuse` is recorded, and T0, T1
//!           and T2 are refused from now on, even those that were spent less than ten seconds ago
//!
//!      0 s  T0 is spent, T1 is stored, the answer with T1 is lost
//!   3600 s  its owner sends T0: T1 was never used, so it is superseded. T1' = second successor(T0) is stored, the answer
//!           has T1', and `refresh_token_reissue` is recorded
//!   3605 s  another tab sends T0, ten seconds have not passed since 3600 s: the answer has T1'
//!   3610 s  somebody sends T0: the session ends. Or somebody sends T1, at any time after 3600 s: the session ends
//! ```
//!
//! At any time, one token of a session at most can be exchanged without being a reuse: the second successor does not live
//! next to the first. So a thief with a spent token whose successor its owner still holds gets a successor, but the owner's
//! next refresh, with the superseded one, ends the session. A thief who used a stolen token before its owner is superseded
//! by the owner, and the thief's next refresh ends the session. If the second successor were the first one again, both could
//! go on forever, each one step behind the other.
//!
//! However often it is refreshed, a session ends at most [`AccessSettings::session_ttl`] after its login: no token is
//! valid for longer, and a later refresh is refused like one with an expired token.
//!
//! A thief who uses a token within the ten seconds gets the owner's next token, and keeps the session until one of the two
//! sends a token whose successor the other one used. A thief who knows each time to the second when the owner refreshes is
//! not detected.

use chrono::TimeDelta;
use trailkeeper_domain::account::{Account, RefreshToken, Session};
use trailkeeper_domain::event::{Event, Outcome};
use trailkeeper_domain::ports::{ReadTx, WriteTx};
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};

#[cfg(doc)]
use crate::access::AccessSettings;
use crate::access::{Access, lock_accounts};
use crate::audit::{Origin, REFRESH_TOKEN_REISSUE, REFRESH_TOKEN_REUSE, about_session, append, target};
use crate::login::LoggedIn;
use crate::master_keys::MasterKeyPair;
use crate::successor::{Issue, successor};
use crate::token::{PlainToken, TokenHash, TokenKind};

/// The time for which a spent token gets the end of its chain again.
const GRACE: TimeDelta = TimeDelta::seconds(10);

/// How far the clock of the server that spent a token may be ahead of ours. Without this limit, a clock that was set back
/// by an hour would give an hour of [`GRACE`] to every spent token.
const MAX_CLOCK_SKEW: TimeDelta = TimeDelta::seconds(60);

/// The number of spent tokens that are followed to the end of a chain. No browser refreshes that often within [`GRACE`].
const MAX_HOPS: usize = 50;

/// The outcome of the transaction. The end of a session must be committed although the caller gets an error, so a refusal
/// is not an `Err` here.
enum Exchange {
    /// The token was valid and is spent now; its first successor is stored.
    Renewed,
    /// The token was spent and its first successor never used; its second one is stored.
    Reissued,
    /// The token was spent within [`GRACE`]; this is the token at the end of its chain.
    AlreadyRenewed(Successor),
    /// The token was spent within [`GRACE`], but no master key of this process leads to its successor.
    UnknownSuccessor,
    /// The token is invalid, expired or was reused.
    Refused,
}

/// A refresh token and its record.
type Successor = (PlainToken, RefreshToken);

/// The successors of a token, of which one may be stored, and the events that may be recorded with it.
struct Offer {
    first: RefreshToken,
    second: RefreshToken,
    reissue: Event,
    reuse: Event,
}

impl Access {
    /// Exchanges a refresh token for a new pair of tokens.
    ///
    /// Every failure is the same [`Error::Unauthenticated`]. The reuse of a token ends its session and is recorded.
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
        let recorded = |kind, outcome| -> Result<Event> {
            let event = self.session_event(now, kind, outcome, origin, Some(&account))?;
            let target = Some(target("session", &session.id, &account.email));
            Ok(Event { target, ..about_session(session.id, event) })
        };
        // Nobody can tell whether its owner sends the token again, or a thief.
        let reissue = recorded(REFRESH_TOKEN_REISSUE, Outcome::Unknown)?;
        let reuse = recorded(REFRESH_TOKEN_REUSE, Outcome::Failure)?;
        let master = self.master.get();
        let [next, second] = [Issue::First, Issue::Second].map(|issue| successor(&master.current, plain, issue));
        let (logged_in, first) = self.tokens_of(account, (session.id, session.started_at), now, &next)?;
        // In the last second of a session: a JWT holds whole seconds, so this one would expire at once.
        if logged_in.access_expires_at <= now {
            return Err(wrong_refresh_token());
        }
        let offer = Offer {
            second: RefreshToken { token_hash: second.hash().to_vec(), ..first.clone() },
            first,
            reissue,
            reuse,
        };
        match self.store.writing(|tx| exchange(tx, plain, &offer, &master))? {
            Exchange::Renewed => Ok(Some(logged_in)),
            Exchange::Reissued => Ok(Some(LoggedIn { refresh_token: second.expose().to_owned(), ..logged_in })),
            Exchange::AlreadyRenewed((plain, row)) => {
                let refresh_token = plain.expose().to_owned();
                Ok(Some(LoggedIn { refresh_token, refresh_expires_at: row.expires_at, ..logged_in }))
            }
            Exchange::UnknownSuccessor => Ok(None),
            Exchange::Refused => Err(wrong_refresh_token()),
        }
    }
}

/// Applies the rules of this module to a token.
fn exchange(tx: &mut dyn WriteTx, plain: &PlainToken, offer: &Offer, master: &MasterKeyPair) -> Result<Exchange> {
    // A second request with the same token waits here for the first, and then finds the token spent.
    lock_accounts(tx)?;
    let hash = plain.hash();
    let Some((token, session, account)) = family_of(tx, hash)? else { return Ok(Exchange::Refused) };
    let (now, expires_at) = (offer.first.issued_at, offer.first.expires_at);
    // The successor has expired already if the session has reached its longest duration.
    if !session.is_live(now) || now >= expires_at || account.disabled_at.is_some() {
        return Ok(Exchange::Refused);
    }
    if token.superseded_at.is_some() {
        return end(tx, &session, &offer.reuse, now);
    }
    let Some(spent_at) = token.spent_at else {
        let successor = &offer.first;
        if now >= token.expires_at || !tx.spend_refresh_token(hash.as_bytes(), &successor.token_hash, now)? {
            return Ok(Exchange::Refused);
        }
        return issue(tx, &session, successor, Exchange::Renewed);
    };
    // Negative if the clock of the server that spent the token is ahead of ours.
    let age = now - token.reissued_at.unwrap_or(spent_at);
    if -MAX_CLOCK_SKEW <= age && age < GRACE {
        return end_of_chain(tx, plain, &token, master)
            .map(|end| end.map_or(Exchange::UnknownSuccessor, Exchange::AlreadyRenewed));
    }
    if let Some(lost) = unused_successor(tx, &token)?
        && now < token.expires_at
        && tx.reissue_refresh_token(hash.as_bytes(), &lost.token_hash, &offer.second.token_hash, now)?
    {
        append(tx, &offer.reissue)?;
        return issue(tx, &session, &offer.second, Exchange::Reissued);
    }
    end(tx, &session, &offer.reuse, now)
}

/// Stores a successor and prolongs the session until it expires.
fn issue(tx: &mut dyn WriteTx, session: &Session, successor: &RefreshToken, issued: Exchange) -> Result<Exchange> {
    tx.insert_refresh_token(successor)?;
    // A server with a shorter setting for sessions may have ended the session meanwhile.
    let is_live = tx.prolong_session(session.id, successor.issued_at, successor.expires_at)?;
    Ok(if is_live { issued } else { Exchange::Refused })
}

/// Ends the session and records the reuse.
fn end(tx: &mut dyn WriteTx, session: &Session, reuse: &Event, now: Timestamp) -> Result<Exchange> {
    if tx.end_session(session.id, now)? {
        append(tx, reuse)?;
    }
    Ok(Exchange::Refused)
}

/// The first successor of a spent token, if it was never used. `None` for a token that got its second one, and for one that
/// was spent before successors were recorded.
fn unused_successor(tx: &mut dyn WriteTx, spent: &RefreshToken) -> Result<Option<RefreshToken>> {
    let Some(successor) = spent.successor_hash.as_ref().filter(|_| spent.reissued_at.is_none()) else {
        return Ok(None);
    };
    Ok(tx.refresh_token(successor)?.filter(|token| token.spent_at.is_none() && token.superseded_at.is_none()))
}

/// The token at the end of the chain that begins with this spent token. Every token between was spent or got its second
/// successor later than this one, so within [`GRACE`] as well.
fn end_of_chain(
    tx: &mut dyn WriteTx,
    plain: &PlainToken,
    spent: &RefreshToken,
    master: &MasterKeyPair,
) -> Result<Option<Successor>> {
    let mut end = next_of(tx, plain, spent, master)?;
    for _ in 0..MAX_HOPS {
        match end {
            Some((plain, row)) if row.spent_at.is_some() => end = next_of(tx, &plain, &row, master)?,
            found => return Ok(found),
        }
    }
    Ok(None)
}

/// The latest stored successor of a spent token, computed with either master key.
fn next_of(
    tx: &mut dyn WriteTx,
    plain: &PlainToken,
    spent: &RefreshToken,
    master: &MasterKeyPair,
) -> Result<Option<Successor>> {
    let issue = if spent.reissued_at.is_some() { Issue::Second } else { Issue::First };
    for key in master.all() {
        let next = successor(key, plain, issue);
        if let Some(row) = tx.refresh_token(next.hash().as_bytes())?
            && row.session_id == spent.session_id
        {
            return Ok(Some((next, row)));
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
