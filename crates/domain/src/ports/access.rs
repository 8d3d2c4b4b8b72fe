use crate::account::{Account, ApiToken, RefreshToken, Session, SigningKey, TokenKey};
use crate::error::Result;
use crate::id::{AccountId, CredentialId, SessionId};
use crate::time::Timestamp;

/// Accounts and credentials, read.
pub trait AccessReads {
    /// An account.
    fn account(&mut self, id: AccountId) -> Result<Option<Account>>;

    /// The account with this e-mail, in lower case.
    fn account_by_email(&mut self, folded_email: &str) -> Result<Option<Account>>;

    /// Accounts by id ascending, behind `after`.
    fn accounts(&mut self, after: Option<AccountId>, limit: usize) -> Result<Vec<Account>>;

    /// The API token with this hash.
    fn api_token_by_hash(&mut self, hash: &[u8]) -> Result<Option<ApiToken>>;

    /// API tokens by id ascending, behind `after`; revoked ones included.
    fn api_tokens(&mut self, after: Option<CredentialId>, limit: usize) -> Result<Vec<ApiToken>>;

    /// The signing key with this `APIKey`.
    fn signing_key_by_api_key(&mut self, api_key: &str) -> Result<Option<SigningKey>>;

    /// Signing keys by id ascending, behind `after`; revoked ones included.
    fn signing_keys(&mut self, after: Option<CredentialId>, limit: usize) -> Result<Vec<SigningKey>>;

    /// A session.
    fn session(&mut self, id: SessionId) -> Result<Option<Session>>;

    /// The refresh token with this hash.
    fn refresh_token(&mut self, hash: &[u8]) -> Result<Option<RefreshToken>>;

    /// The keys that sign access tokens, newest first.
    fn token_keys(&mut self) -> Result<Vec<TokenKey>>;
}

/// Accounts and credentials, written.
pub trait AccessWrites {
    /// Adds an account. [`crate::Error::Conflict`] with code `email_taken` and field `email` when the
    /// e-mail is another account's.
    fn insert_account(&mut self, account: &Account) -> Result<()>;

    /// Replaces an account that exists; `false` when it does not.
    fn update_account(&mut self, account: &Account) -> Result<bool>;

    /// Adds an API token.
    fn insert_api_token(&mut self, token: &ApiToken) -> Result<()>;

    /// Marks an API token as used.
    fn touch_api_token(&mut self, id: CredentialId, at: Timestamp) -> Result<()>;

    /// Revokes an API token; `false` when there is none or it is revoked already.
    fn revoke_api_token(&mut self, id: CredentialId, at: Timestamp) -> Result<bool>;

    /// Adds a signing key.
    fn insert_signing_key(&mut self, key: &SigningKey) -> Result<()>;

    /// Revokes a signing key; `false` when there is none or it is revoked already.
    fn revoke_signing_key(&mut self, id: CredentialId, at: Timestamp) -> Result<bool>;

    /// Adds a session.
    fn insert_session(&mut self, session: &Session) -> Result<()>;

    /// Ends a session; `false` when there is none or it is over already.
    fn end_session(&mut self, id: SessionId, at: Timestamp) -> Result<bool>;

    /// Ends every session of an account.
    fn end_sessions_of(&mut self, account: AccountId, at: Timestamp) -> Result<()>;

    /// Adds a refresh token.
    fn insert_refresh_token(&mut self, token: &RefreshToken) -> Result<()>;

    /// Marks a refresh token as spent; `false` when it was spent already (so that of two users of one
    /// token exactly one wins).
    fn spend_refresh_token(&mut self, hash: &[u8], at: Timestamp) -> Result<bool>;

    /// Removes refresh tokens that expired before `at`.
    fn delete_expired_refresh_tokens(&mut self, at: Timestamp) -> Result<()>;

    /// Adds a key that signs access tokens.
    fn insert_token_key(&mut self, key: &TokenKey) -> Result<()>;
}
