//! Reads accounts and credentials.

use diesel::prelude::*;
use trailkeeper_domain::Result;
use trailkeeper_domain::account::{Account, ApiToken, RefreshToken, Session, SessionFilter, SigningKey, TokenKey};
use trailkeeper_domain::id::{AccountId, CredentialId, SessionId};
use trailkeeper_domain::ports::AccessReads;

use super::{Db, Tx, count};
use crate::columns::{DbTime, DbUuid};
use crate::email_key::EmailKey;
use crate::rows::{AccountRow, ApiTokenRow, RefreshTokenRow, SessionRow, SigningKeyRow, TokenKeyRow};
use crate::schema::{accounts, api_tokens, cursor_keys, refresh_tokens, sessions, signing_keys, token_keys};
use crate::unindexed::Unindexed;

/// The id of the only row of the table of cursor keys.
pub(super) const CURSOR_KEY: i16 = 1;

impl AccessReads for Tx<'_> {
    fn account(&mut self, id: AccountId) -> Result<Option<Account>> {
        let query = accounts::table.find(DbUuid(id.0)).select(AccountRow::as_select());
        let row: Option<AccountRow> = self.run("accounts", |conn| query.first(conn).optional())?;
        row.map(Account::try_from).transpose()
    }

    fn account_by_email(&mut self, email: &str) -> Result<Option<Account>> {
        let key = EmailKey::of(email);
        let mut row = None;
        // The owner of exactly this address first.
        for key in [key.may_be_shared().then_some(&key.shared), Some(&key.folded)].into_iter().flatten() {
            if row.is_none() {
                let query = accounts::table.filter(accounts::email_folded.eq(key)).select(AccountRow::as_select());
                row = self.run("accounts", |conn| query.first(conn).optional())?;
            }
        }
        row.map(Account::try_from).transpose()
    }

    fn accounts(&mut self, after: Option<AccountId>, limit: usize) -> Result<Vec<Account>> {
        let mut query = accounts::table.into_boxed::<Db>();
        if let Some(after) = after {
            query = query.filter(accounts::id.gt(DbUuid(after.0)));
        }
        let query = query.order(accounts::id.asc()).limit(count(limit)).select(AccountRow::as_select());
        let rows: Vec<AccountRow> = self.run("accounts", |conn| query.load(conn))?;
        rows.into_iter().map(Account::try_from).collect()
    }

    fn api_token(&mut self, id: CredentialId) -> Result<Option<ApiToken>> {
        let query = api_tokens::table.find(DbUuid(id.0)).select(ApiTokenRow::as_select());
        let row: Option<ApiTokenRow> = self.run("api_tokens", |conn| query.first(conn).optional())?;
        row.map(ApiToken::try_from).transpose()
    }

    fn api_token_by_hash(&mut self, hash: &[u8]) -> Result<Option<ApiToken>> {
        let query = api_tokens::table.filter(api_tokens::token_hash.eq(hash)).select(ApiTokenRow::as_select());
        let row: Option<ApiTokenRow> = self.run("api_tokens", |conn| query.first(conn).optional())?;
        row.map(ApiToken::try_from).transpose()
    }

    fn api_tokens(&mut self, after: Option<CredentialId>, limit: usize) -> Result<Vec<ApiToken>> {
        let mut query = api_tokens::table.into_boxed::<Db>();
        if let Some(after) = after {
            query = query.filter(api_tokens::id.gt(DbUuid(after.0)));
        }
        let query = query.order(api_tokens::id.asc()).limit(count(limit)).select(ApiTokenRow::as_select());
        let rows: Vec<ApiTokenRow> = self.run("api_tokens", |conn| query.load(conn))?;
        rows.into_iter().map(ApiToken::try_from).collect()
    }

    fn signing_key(&mut self, id: CredentialId) -> Result<Option<SigningKey>> {
        let query = signing_keys::table.find(DbUuid(id.0)).select(SigningKeyRow::as_select());
        let row = self.run("signing_keys", |conn| query.first(conn).optional())?;
        Ok(row.map(SigningKey::from))
    }

    fn signing_key_by_api_key(&mut self, api_key: &str) -> Result<Option<SigningKey>> {
        let query = signing_keys::table.filter(signing_keys::api_key.eq(api_key)).select(SigningKeyRow::as_select());
        let row = self.run("signing_keys", |conn| query.first(conn).optional())?;
        Ok(row.map(SigningKey::from))
    }

    fn signing_keys(&mut self, after: Option<CredentialId>, limit: usize) -> Result<Vec<SigningKey>> {
        let mut query = signing_keys::table.into_boxed::<Db>();
        if let Some(after) = after {
            query = query.filter(signing_keys::id.gt(DbUuid(after.0)));
        }
        let query = query.order(signing_keys::id.asc()).limit(count(limit)).select(SigningKeyRow::as_select());
        let rows: Vec<SigningKeyRow> = self.run("signing_keys", |conn| query.load(conn))?;
        Ok(rows.into_iter().map(SigningKey::from).collect())
    }

    fn session(&mut self, id: SessionId) -> Result<Option<Session>> {
        let query = sessions::table.find(DbUuid(id.0)).select(SessionRow::as_select());
        let row = self.run("sessions", |conn| query.first(conn).optional())?;
        Ok(row.map(Session::from))
    }

    fn sessions(&mut self, filter: SessionFilter, before: Option<SessionId>, limit: usize) -> Result<Vec<Session>> {
        let mut query = sessions::table.into_boxed::<Db>();
        if let Some(account) = filter.account_id {
            query = query.filter(sessions::account_id.eq(DbUuid(account.0)));
        }
        if let Some(now) = filter.live_at {
            // The index of end times would find all live sessions and sort them: as many as there are people.
            query = query.filter(sessions::ended_at.is_null()).filter(Unindexed(sessions::expires_at).gt(DbTime(now)));
        }
        if let Some(before) = before {
            query = query.filter(sessions::id.lt(DbUuid(before.0)));
        }
        let query = query.order(sessions::id.desc()).limit(count(limit)).select(SessionRow::as_select());
        let rows: Vec<SessionRow> = self.run("sessions", |conn| query.load(conn))?;
        Ok(rows.into_iter().map(Session::from).collect())
    }

    fn refresh_token(&mut self, hash: &[u8]) -> Result<Option<RefreshToken>> {
        let query = refresh_tokens::table.find(hash).select(RefreshTokenRow::as_select());
        let row = self.run("refresh_tokens", |conn| query.first(conn).optional())?;
        Ok(row.map(RefreshToken::from))
    }

    fn token_keys(&mut self) -> Result<Vec<TokenKey>> {
        let query = token_keys::table
            .order((token_keys::created_at.desc(), token_keys::kid.desc()))
            .select(TokenKeyRow::as_select());
        let rows: Vec<TokenKeyRow> = self.run("token_keys", |conn| query.load(conn))?;
        Ok(rows.into_iter().map(TokenKey::from).collect())
    }

    fn cursor_key(&mut self) -> Result<Option<Vec<u8>>> {
        let query = cursor_keys::table.find(CURSOR_KEY).select(cursor_keys::sealed_key);
        self.run("cursor_keys", |conn| query.first(conn).optional())
    }
}
