//! Rows of accounts and credentials.

use diesel::{AsChangeset, Insertable, Queryable, Selectable};
use trailkeeper_domain::account::{Account, ApiToken, RefreshToken, Role, Session, SigningKey, TokenKey};
use trailkeeper_domain::folding::folded;
use trailkeeper_domain::id::{AccountId, CredentialId, SessionId, TenantId};
use trailkeeper_domain::{Error, Result};

use super::unreadable;
use crate::columns::{Address, DbTime, DbUuid};
use crate::schema::{accounts, api_tokens, refresh_tokens, sessions, signing_keys, token_keys};

/// An account.
#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = accounts)]
#[diesel(treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct AccountRow {
    id: DbUuid,
    email: String,
    /// By [`crate::email_key`]; of a new row the folded form.
    pub email_folded: String,
    display_name: String,
    password_hash: String,
    role: String,
    tenant_id: Option<DbUuid>,
    disabled_at: Option<DbTime>,
    created_at: DbTime,
    updated_at: DbTime,
}

impl From<&Account> for AccountRow {
    fn from(account: &Account) -> Self {
        Self {
            id: DbUuid(account.id.0),
            email: account.email.clone(),
            email_folded: folded(&account.email),
            display_name: account.display_name.clone(),
            password_hash: account.password_hash.clone(),
            role: account.role.as_str().to_owned(),
            tenant_id: account.tenant_id.map(|tenant| DbUuid(tenant.0)),
            disabled_at: account.disabled_at.map(DbTime),
            created_at: DbTime(account.created_at),
            updated_at: DbTime(account.updated_at),
        }
    }
}

impl TryFrom<AccountRow> for Account {
    type Error = Error;

    fn try_from(row: AccountRow) -> Result<Self> {
        Ok(Self {
            id: AccountId(row.id.0),
            email: row.email,
            display_name: row.display_name,
            password_hash: row.password_hash,
            role: Role::parse("role", &row.role).map_err(|e| unreadable("accounts", "role", row.id.0, e))?,
            tenant_id: row.tenant_id.map(|DbUuid(id)| TenantId(id)),
            disabled_at: row.disabled_at.map(|DbTime(at)| at),
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}

/// An API token.
#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = api_tokens, treat_none_as_default_value = false)]
pub struct ApiTokenRow {
    id: DbUuid,
    name: String,
    token_hash: Vec<u8>,
    role: String,
    tenant_id: Option<DbUuid>,
    created_at: DbTime,
    expires_at: Option<DbTime>,
    last_used_at: Option<DbTime>,
    revoked_at: Option<DbTime>,
}

impl From<&ApiToken> for ApiTokenRow {
    fn from(token: &ApiToken) -> Self {
        Self {
            id: DbUuid(token.id.0),
            name: token.name.clone(),
            token_hash: token.token_hash.clone(),
            role: token.role.as_str().to_owned(),
            tenant_id: token.tenant_id.map(|tenant| DbUuid(tenant.0)),
            created_at: DbTime(token.created_at),
            expires_at: token.expires_at.map(DbTime),
            last_used_at: token.last_used_at.map(DbTime),
            revoked_at: token.revoked_at.map(DbTime),
        }
    }
}

impl TryFrom<ApiTokenRow> for ApiToken {
    type Error = Error;

    fn try_from(row: ApiTokenRow) -> Result<Self> {
        Ok(Self {
            id: CredentialId(row.id.0),
            name: row.name,
            token_hash: row.token_hash,
            role: Role::parse("role", &row.role).map_err(|e| unreadable("api_tokens", "role", row.id.0, e))?,
            tenant_id: row.tenant_id.map(|DbUuid(id)| TenantId(id)),
            created_at: row.created_at.0,
            expires_at: row.expires_at.map(|DbTime(at)| at),
            last_used_at: row.last_used_at.map(|DbTime(at)| at),
            revoked_at: row.revoked_at.map(|DbTime(at)| at),
        })
    }
}

/// A signing key.
#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = signing_keys, treat_none_as_default_value = false)]
pub struct SigningKeyRow {
    id: DbUuid,
    name: String,
    saas_id: String,
    api_key: String,
    sealed_secret: Vec<u8>,
    tenant_id: Option<DbUuid>,
    created_at: DbTime,
    revoked_at: Option<DbTime>,
}

impl From<&SigningKey> for SigningKeyRow {
    fn from(key: &SigningKey) -> Self {
        Self {
            id: DbUuid(key.id.0),
            name: key.name.clone(),
            saas_id: key.saas_id.clone(),
            api_key: key.api_key.clone(),
            sealed_secret: key.sealed_secret.clone(),
            tenant_id: key.tenant_id.map(|tenant| DbUuid(tenant.0)),
            created_at: DbTime(key.created_at),
            revoked_at: key.revoked_at.map(DbTime),
        }
    }
}

impl From<SigningKeyRow> for SigningKey {
    fn from(row: SigningKeyRow) -> Self {
        Self {
            id: CredentialId(row.id.0),
            name: row.name,
            saas_id: row.saas_id,
            api_key: row.api_key,
            sealed_secret: row.sealed_secret,
            tenant_id: row.tenant_id.map(|DbUuid(id)| TenantId(id)),
            created_at: row.created_at.0,
            revoked_at: row.revoked_at.map(|DbTime(at)| at),
        }
    }
}

/// A session.
#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = sessions, treat_none_as_default_value = false)]
pub struct SessionRow {
    id: DbUuid,
    account_id: DbUuid,
    started_at: DbTime,
    source: Option<Address>,
    user_agent: Option<String>,
    refreshed_at: DbTime,
    expires_at: DbTime,
    ended_at: Option<DbTime>,
}

impl From<&Session> for SessionRow {
    fn from(session: &Session) -> Self {
        Self {
            id: DbUuid(session.id.0),
            account_id: DbUuid(session.account_id.0),
            started_at: DbTime(session.started_at),
            source: session.source.map(Address),
            user_agent: session.user_agent.clone(),
            refreshed_at: DbTime(session.refreshed_at),
            expires_at: DbTime(session.expires_at),
            ended_at: session.ended_at.map(DbTime),
        }
    }
}

impl From<SessionRow> for Session {
    fn from(row: SessionRow) -> Self {
        Self {
            id: SessionId(row.id.0),
            account_id: AccountId(row.account_id.0),
            started_at: row.started_at.0,
            source: row.source.map(|Address(source)| source),
            user_agent: row.user_agent,
            refreshed_at: row.refreshed_at.0,
            expires_at: row.expires_at.0,
            ended_at: row.ended_at.map(|DbTime(at)| at),
        }
    }
}

/// A refresh token.
#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = refresh_tokens, treat_none_as_default_value = false)]
pub struct RefreshTokenRow {
    token_hash: Vec<u8>,
    session_id: DbUuid,
    issued_at: DbTime,
    expires_at: DbTime,
    spent_at: Option<DbTime>,
    successor_hash: Option<Vec<u8>>,
    reissued_at: Option<DbTime>,
    superseded_at: Option<DbTime>,
}

impl From<&RefreshToken> for RefreshTokenRow {
    fn from(token: &RefreshToken) -> Self {
        Self {
            token_hash: token.token_hash.clone(),
            session_id: DbUuid(token.session_id.0),
            issued_at: DbTime(token.issued_at),
            expires_at: DbTime(token.expires_at),
            spent_at: token.spent_at.map(DbTime),
            successor_hash: token.successor_hash.clone(),
            reissued_at: token.reissued_at.map(DbTime),
            superseded_at: token.superseded_at.map(DbTime),
        }
    }
}

impl From<RefreshTokenRow> for RefreshToken {
    fn from(row: RefreshTokenRow) -> Self {
        Self {
            token_hash: row.token_hash,
            session_id: SessionId(row.session_id.0),
            issued_at: row.issued_at.0,
            expires_at: row.expires_at.0,
            spent_at: row.spent_at.map(|DbTime(at)| at),
            successor_hash: row.successor_hash,
            reissued_at: row.reissued_at.map(|DbTime(at)| at),
            superseded_at: row.superseded_at.map(|DbTime(at)| at),
        }
    }
}

/// A key that signs access tokens.
#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = token_keys)]
pub struct TokenKeyRow {
    kid: String,
    sealed_private: Vec<u8>,
    public: Vec<u8>,
    created_at: DbTime,
}

impl From<&TokenKey> for TokenKeyRow {
    fn from(key: &TokenKey) -> Self {
        Self {
            kid: key.kid.clone(),
            sealed_private: key.sealed_private.clone(),
            public: key.public.clone(),
            created_at: DbTime(key.created_at),
        }
    }
}

impl From<TokenKeyRow> for TokenKey {
    fn from(row: TokenKeyRow) -> Self {
        Self { kid: row.kid, sealed_private: row.sealed_private, public: row.public, created_at: row.created_at.0 }
    }
}
