//! Writes accounts and credentials.

use diesel::prelude::*;
use trailkeeper_domain::account::{Account, ApiToken, RefreshToken, Session, SigningKey, SpentSignature, TokenKey};
use trailkeeper_domain::id::{AccountId, CredentialId, SessionId};
use trailkeeper_domain::ports::AccessWrites;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};
use uuid::Uuid;

use super::Tx;
use super::access::CURSOR_KEY;
use crate::columns::{DbTime, DbUuid};
use crate::error;
use crate::rows::{AccountRow, ApiTokenRow, RefreshTokenRow, SessionRow, SigningKeyRow, TokenKeyRow};
use crate::schema::{
    accounts, api_tokens, cursor_keys, refresh_tokens, sessions, signing_keys, spent_signatures, token_keys,
};
use crate::unindexed::Unindexed;

impl AccessWrites for Tx<'_> {
    fn insert_account(&mut self, account: &Account) -> Result<()> {
        let row = self.account_row(account)?;
        let outcome = self.attempt(|conn| diesel::insert_into(accounts::table).values(&row).execute(conn));
        account_written(account, outcome).map(|_| ())
    }

    fn update_account(&mut self, account: &Account) -> Result<bool> {
        let row = self.account_row(account)?;
        let outcome =
            self.attempt(|conn| diesel::update(accounts::table.find(DbUuid(account.id.0))).set(&row).execute(conn));
        account_written(account, outcome)
    }

    fn delete_account(&mut self, id: AccountId) -> Result<bool> {
        let of_account = sessions::account_id.eq(DbUuid(id.0));
        self.run("refresh_tokens", |conn| {
            let theirs = sessions::table.filter(of_account).select(sessions::id);
            diesel::delete(refresh_tokens::table.filter(refresh_tokens::session_id.eq_any(theirs))).execute(conn)
        })?;
        self.run("sessions", |conn| diesel::delete(sessions::table.filter(of_account)).execute(conn))?;
        let deleted = self.run("accounts", |conn| diesel::delete(accounts::table.find(DbUuid(id.0))).execute(conn))?;
        Ok(deleted > 0)
    }

    fn insert_api_token(&mut self, token: &ApiToken) -> Result<()> {
        let row = ApiTokenRow::from(token);
        self.run("api_tokens", |conn| diesel::insert_into(api_tokens::table).values(&row).execute(conn))?;
        Ok(())
    }

    fn update_api_token(&mut self, id: CredentialId, name: &str, expires_at: Option<Timestamp>) -> Result<bool> {
        let updated = self.run("api_tokens", |conn| {
            diesel::update(api_tokens::table.find(DbUuid(id.0)).filter(api_tokens::revoked_at.is_null()))
                .set((api_tokens::name.eq(name), api_tokens::expires_at.eq(expires_at.map(DbTime))))
                .execute(conn)
        })?;
        Ok(updated > 0)
    }

    fn touch_api_token(&mut self, id: CredentialId, at: Timestamp) -> Result<()> {
        self.run("api_tokens", |conn| {
            diesel::update(api_tokens::table.find(DbUuid(id.0)))
                .set(api_tokens::last_used_at.eq(Some(DbTime(at))))
                .execute(conn)
        })?;
        Ok(())
    }

    fn revoke_api_token(&mut self, id: CredentialId, at: Timestamp) -> Result<bool> {
        let revoked = self.run("api_tokens", |conn| {
            diesel::update(api_tokens::table.find(DbUuid(id.0)).filter(api_tokens::revoked_at.is_null()))
                .set(api_tokens::revoked_at.eq(Some(DbTime(at))))
                .execute(conn)
        })?;
        Ok(revoked > 0)
    }

    fn insert_signing_key(&mut self, key: &SigningKey) -> Result<()> {
        let row = SigningKeyRow::from(key);
        self.run("signing_keys", |conn| diesel::insert_into(signing_keys::table).values(&row).execute(conn))?;
        Ok(())
    }

    fn rename_signing_key(&mut self, id: CredentialId, name: &str) -> Result<bool> {
        let renamed = self.run("signing_keys", |conn| {
            diesel::update(signing_keys::table.find(DbUuid(id.0)).filter(signing_keys::revoked_at.is_null()))
                .set(signing_keys::name.eq(name))
                .execute(conn)
        })?;
        Ok(renamed > 0)
    }

    fn reseal_signing_key(&mut self, id: CredentialId, sealed_secret: &[u8]) -> Result<bool> {
        let resealed = self.run("signing_keys", |conn| {
            diesel::update(signing_keys::table.find(DbUuid(id.0)))
                .set(signing_keys::sealed_secret.eq(sealed_secret))
                .execute(conn)
        })?;
        Ok(resealed > 0)
    }

    fn revoke_signing_key(&mut self, id: CredentialId, at: Timestamp) -> Result<bool> {
        let revoked = self.run("signing_keys", |conn| {
            diesel::update(signing_keys::table.find(DbUuid(id.0)).filter(signing_keys::revoked_at.is_null()))
                .set(signing_keys::revoked_at.eq(Some(DbTime(at))))
                .execute(conn)
        })?;
        Ok(revoked > 0)
    }

    fn insert_session(&mut self, session: &Session) -> Result<()> {
        let row = SessionRow::from(session);
        self.run("sessions", |conn| diesel::insert_into(sessions::table).values(&row).execute(conn))?;
        Ok(())
    }

    fn prolong_session(&mut self, id: SessionId, refreshed_at: Timestamp, expires_at: Timestamp) -> Result<bool> {
        let refreshed = DbTime(refreshed_at);
        let prolonged = self.run("sessions", |conn| {
            diesel::update(
                sessions::table
                    .find(DbUuid(id.0))
                    .filter(sessions::ended_at.is_null())
                    .filter(sessions::expires_at.gt(refreshed)),
            )
            .set((sessions::refreshed_at.eq(refreshed), sessions::expires_at.eq(DbTime(expires_at))))
            .execute(conn)
        })?;
        Ok(prolonged > 0)
    }

    fn end_session(&mut self, id: SessionId, at: Timestamp) -> Result<bool> {
        let ended = self.run("sessions", |conn| {
            diesel::update(sessions::table.find(DbUuid(id.0)).filter(sessions::ended_at.is_null()))
                .set(sessions::ended_at.eq(Some(DbTime(at))))
                .execute(conn)
        })?;
        Ok(ended > 0)
    }

    fn end_sessions_of(&mut self, account: AccountId, except: Option<SessionId>, at: Timestamp) -> Result<usize> {
        // No session has the nil id.
        let kept = except.map_or(Uuid::nil(), |session| session.0);
        let open = sessions::account_id
            .eq(DbUuid(account.0))
            .and(sessions::id.ne(DbUuid(kept)))
            .and(sessions::ended_at.is_null());
        let (now, ended) = (DbTime(at), sessions::ended_at.eq(Some(DbTime(at))));
        let live = self.run("sessions", |conn| {
            let live = open.and(Unindexed(sessions::expires_at).gt(now));
            diesel::update(sessions::table.filter(live)).set(ended).execute(conn)
        })?;
        // Sessions that have expired by our clock end, too: on a server whose clock is behind they may still be live.
        self.run("sessions", |conn| diesel::update(sessions::table.filter(open)).set(ended).execute(conn))?;
        Ok(live)
    }

    fn expire_sessions_begun(&mut self, begun: Timestamp, now: Timestamp) -> Result<()> {
        let (begun, now) = (DbTime(begun), DbTime(now));
        let live = sessions::expires_at.gt(now).and(sessions::ended_at.is_null());
        let old = live.and(sessions::started_at.le(begun));
        self.run("sessions", |conn| {
            diesel::update(sessions::table.filter(old)).set(sessions::expires_at.eq(now)).execute(conn)
        })?;
        Ok(())
    }

    fn delete_past_sessions(&mut self, at: Timestamp) -> Result<()> {
        let at = DbTime(at);
        let past = sessions::expires_at.lt(at).or(sessions::ended_at.lt(at));
        self.run("refresh_tokens", |conn| {
            let theirs = sessions::table.filter(past).select(sessions::id);
            diesel::delete(refresh_tokens::table.filter(refresh_tokens::session_id.eq_any(theirs))).execute(conn)
        })?;
        self.run("sessions", |conn| diesel::delete(sessions::table.filter(past)).execute(conn))?;
        Ok(())
    }

    fn insert_refresh_token(&mut self, token: &RefreshToken) -> Result<()> {
        let row = RefreshTokenRow::from(token);
        self.run("refresh_tokens", |conn| diesel::insert_into(refresh_tokens::table).values(&row).execute(conn))?;
        Ok(())
    }

    fn spend_refresh_token(&mut self, hash: &[u8], successor: &[u8], at: Timestamp) -> Result<bool> {
        // The database checks the condition again under the lock of the row, so only one of two requests finds the row.
        let unused = refresh_tokens::spent_at.is_null().and(refresh_tokens::superseded_at.is_null());
        let spent = self.run("refresh_tokens", |conn| {
            diesel::update(refresh_tokens::table.find(hash).filter(unused))
                .set((
                    refresh_tokens::spent_at.eq(Some(DbTime(at))),
                    refresh_tokens::successor_hash.eq(Some(successor)),
                ))
                .execute(conn)
        })?;
        Ok(spent > 0)
    }

    fn reissue_refresh_token(&mut self, hash: &[u8], lost: &[u8], successor: &[u8], at: Timestamp) -> Result<bool> {
        // Callers hold the lock of accounts, so no other refresh changes these rows between the statements.
        let token = refresh_tokens::table
            .find(hash)
            .filter(refresh_tokens::successor_hash.eq(Some(lost)))
            .filter(refresh_tokens::reissued_at.is_null())
            .select(refresh_tokens::token_hash);
        let found = self.run("refresh_tokens", |conn| token.first::<Vec<u8>>(conn).optional())?;
        if found.is_none() {
            return Ok(false);
        }
        let unused = refresh_tokens::spent_at.is_null().and(refresh_tokens::superseded_at.is_null());
        let superseded = self.run("refresh_tokens", |conn| {
            diesel::update(refresh_tokens::table.find(lost).filter(unused))
                .set(refresh_tokens::superseded_at.eq(Some(DbTime(at))))
                .execute(conn)
        })?;
        if superseded == 0 {
            return Ok(false);
        }
        self.run("refresh_tokens", |conn| {
            diesel::update(refresh_tokens::table.find(hash))
                .set((
                    refresh_tokens::reissued_at.eq(Some(DbTime(at))),
                    refresh_tokens::successor_hash.eq(Some(successor)),
                ))
                .execute(conn)
        })?;
        Ok(true)
    }

    fn delete_expired_refresh_tokens(&mut self, at: Timestamp) -> Result<()> {
        self.run("refresh_tokens", |conn| {
            diesel::delete(refresh_tokens::table.filter(refresh_tokens::expires_at.lt(DbTime(at)))).execute(conn)
        })?;
        Ok(())
    }

    fn spend_signature(&mut self, spent: &SpentSignature, now: Timestamp) -> Result<bool> {
        self.run("spent_signatures", |conn| {
            diesel::delete(spent_signatures::table.filter(spent_signatures::until.le(DbTime(now)))).execute(conn)
        })?;
        // Of two that send it at once the second waits here for the first to commit, and inserts nothing.
        let inserted = self.run("spent_signatures", |conn| {
            diesel::insert_into(spent_signatures::table)
                .values((
                    spent_signatures::signature.eq(spent.signature.as_slice()),
                    spent_signatures::until.eq(DbTime(spent.until)),
                ))
                .on_conflict_do_nothing()
                .execute(conn)
        })?;
        Ok(inserted > 0)
    }

    fn insert_token_key(&mut self, key: &TokenKey) -> Result<()> {
        let row = TokenKeyRow::from(key);
        self.run("token_keys", |conn| diesel::insert_into(token_keys::table).values(&row).execute(conn))?;
        Ok(())
    }

    fn reseal_token_key(&mut self, kid: &str, sealed_private: &[u8]) -> Result<bool> {
        let resealed = self.run("token_keys", |conn| {
            diesel::update(token_keys::table.find(kid)).set(token_keys::sealed_private.eq(sealed_private)).execute(conn)
        })?;
        Ok(resealed > 0)
    }

    fn delete_token_key(&mut self, kid: &str) -> Result<bool> {
        let deleted = self.run("token_keys", |conn| diesel::delete(token_keys::table.find(kid)).execute(conn))?;
        Ok(deleted > 0)
    }

    fn insert_cursor_key(&mut self, sealed_key: &[u8]) -> Result<bool> {
        // Of two that add it at once the second waits here for the first to commit, and inserts nothing.
        let inserted = self.run("cursor_keys", |conn| {
            diesel::insert_into(cursor_keys::table)
                .values((cursor_keys::id.eq(CURSOR_KEY), cursor_keys::sealed_key.eq(sealed_key)))
                .on_conflict_do_nothing()
                .execute(conn)
        })?;
        Ok(inserted > 0)
    }

    fn reseal_cursor_key(&mut self, sealed_key: &[u8]) -> Result<bool> {
        let resealed = self.run("cursor_keys", |conn| {
            diesel::update(cursor_keys::table.find(CURSOR_KEY))
                .set(cursor_keys::sealed_key.eq(sealed_key))
                .execute(conn)
        })?;
        Ok(resealed > 0)
    }
}

impl Tx<'_> {
    /// The row of an account, with the key of its address.
    fn account_row(&mut self, account: &Account) -> Result<AccountRow> {
        let key = self.account_email_key(account.id, &account.email)?;
        let mut row = AccountRow::from(account);
        row.email_folded = key.ok_or_else(|| email_taken(account))?;
        Ok(row)
    }
}

fn email_taken(account: &Account) -> Error {
    Error::conflict("email", "email_taken", format!("'{}' is another account's; choose another e-mail", account.email))
}

fn account_written(account: &Account, outcome: QueryResult<usize>) -> Result<bool> {
    match outcome {
        Ok(rows) => Ok(rows > 0),
        // Another transaction took it meanwhile. Ids are random, so the violated key is that of the e-mail.
        Err(failure) if error::is_unique_violation(&failure) => Err(email_taken(account)),
        Err(failure) => Err(error::of_statement("accounts", failure)),
    }
}
