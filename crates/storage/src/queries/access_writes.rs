//! Accounts and credentials, written.

use diesel::prelude::*;
use trailkeeper_domain::account::{Account, ApiToken, RefreshToken, Session, SigningKey, TokenKey};
use trailkeeper_domain::id::{AccountId, CredentialId, SessionId};
use trailkeeper_domain::ports::AccessWrites;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};

use super::Tx;
use crate::columns::{DbTime, DbUuid};
use crate::error;
use crate::rows::{AccountRow, ApiTokenRow, RefreshTokenRow, SessionRow, SigningKeyRow, TokenKeyRow};
use crate::schema::{accounts, api_tokens, refresh_tokens, sessions, signing_keys, token_keys};

impl AccessWrites for Tx<'_> {
    fn insert_account(&mut self, account: &Account) -> Result<()> {
        let row = AccountRow::from(account);
        let outcome = self.attempt(|conn| diesel::insert_into(accounts::table).values(&row).execute(conn));
        account_written(account, outcome).map(|_| ())
    }

    fn update_account(&mut self, account: &Account) -> Result<bool> {
        let row = AccountRow::from(account);
        let outcome =
            self.attempt(|conn| diesel::update(accounts::table.find(DbUuid(account.id.0))).set(&row).execute(conn));
        account_written(account, outcome)
    }

    fn insert_api_token(&mut self, token: &ApiToken) -> Result<()> {
        let row = ApiTokenRow::from(token);
        self.run("api_tokens", |conn| diesel::insert_into(api_tokens::table).values(&row).execute(conn))?;
        Ok(())
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

    fn end_session(&mut self, id: SessionId, at: Timestamp) -> Result<bool> {
        let ended = self.run("sessions", |conn| {
            diesel::update(sessions::table.find(DbUuid(id.0)).filter(sessions::ended_at.is_null()))
                .set(sessions::ended_at.eq(Some(DbTime(at))))
                .execute(conn)
        })?;
        Ok(ended > 0)
    }

    fn end_sessions_of(&mut self, account: AccountId, at: Timestamp) -> Result<()> {
        self.run("sessions", |conn| {
            diesel::update(
                sessions::table.filter(sessions::account_id.eq(DbUuid(account.0))).filter(sessions::ended_at.is_null()),
            )
            .set(sessions::ended_at.eq(Some(DbTime(at))))
            .execute(conn)
        })?;
        Ok(())
    }

    fn insert_refresh_token(&mut self, token: &RefreshToken) -> Result<()> {
        let row = RefreshTokenRow::from(token);
        self.run("refresh_tokens", |conn| diesel::insert_into(refresh_tokens::table).values(&row).execute(conn))?;
        Ok(())
    }

    fn spend_refresh_token(&mut self, hash: &[u8], at: Timestamp) -> Result<bool> {
        // The condition is checked again under the row's lock, so of two spenders one finds no row.
        let spent = self.run("refresh_tokens", |conn| {
            diesel::update(refresh_tokens::table.find(hash).filter(refresh_tokens::spent_at.is_null()))
                .set(refresh_tokens::spent_at.eq(Some(DbTime(at))))
                .execute(conn)
        })?;
        Ok(spent > 0)
    }

    fn delete_expired_refresh_tokens(&mut self, at: Timestamp) -> Result<()> {
        self.run("refresh_tokens", |conn| {
            diesel::delete(refresh_tokens::table.filter(refresh_tokens::expires_at.lt(DbTime(at)))).execute(conn)
        })?;
        Ok(())
    }

    fn insert_token_key(&mut self, key: &TokenKey) -> Result<()> {
        let row = TokenKeyRow::from(key);
        self.run("token_keys", |conn| diesel::insert_into(token_keys::table).values(&row).execute(conn))?;
        Ok(())
    }
}

fn account_written(account: &Account, outcome: QueryResult<usize>) -> Result<bool> {
    match outcome {
        Ok(rows) => Ok(rows > 0),
        // Ids are drawn at random, so the key that is taken is the e-mail.
        Err(failure) if error::is_unique_violation(&failure) => Err(Error::conflict(
            "email",
            "email_taken",
            format!("'{}' is another account's; choose another e-mail", account.email),
        )),
        Err(failure) => Err(error::of_statement("accounts", &failure)),
    }
}
