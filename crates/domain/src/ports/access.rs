use crate::account::{Account, ApiToken, RefreshToken, Session, SessionFilter, SigningKey, SpentSignature, TokenKey};
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

    /// An API token, revoked or not.
    fn api_token(&mut self, id: CredentialId) -> Result<Option<ApiToken>>;

    /// The API token with this hash.
    fn api_token_by_hash(&mut self, hash: &[u8]) -> Result<Option<ApiToken>>;

    /// API tokens by id ascending, behind `after`; revoked ones included.
    fn api_tokens(&mut self, after: Option<CredentialId>, limit: usize) -> Result<Vec<ApiToken>>;

    /// A signing key, revoked or not.
    fn signing_key(&mut self, id: CredentialId) -> Result<Option<SigningKey>>;

    /// The signing key with this `APIKey`.
    fn signing_key_by_api_key(&mut self, api_key: &str) -> Result<Option<SigningKey>>;

    /// Signing keys by id ascending, behind `after`; revoked ones included.
    fn signing_keys(&mut self, after: Option<CredentialId>, limit: usize) -> Result<Vec<SigningKey>>;

    /// A session.
    fn session(&mut self, id: SessionId) -> Result<Option<Session>>;

    /// Sessions by id descending, which is the newest first, behind `before`.
    fn sessions(&mut self, filter: SessionFilter, before: Option<SessionId>, limit: usize) -> Result<Vec<Session>>;

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

    /// Removes an account with its sessions and their refresh tokens; `false` when there is none.
    fn delete_account(&mut self, id: AccountId) -> Result<bool>;

    /// Adds an API token.
    fn insert_api_token(&mut self, token: &ApiToken) -> Result<()>;

    /// Replaces name and expiry of an API token that is not revoked; `false` when there is none.
    fn update_api_token(&mut self, id: CredentialId, name: &str, expires_at: Option<Timestamp>) -> Result<bool>;

    /// Marks an API token as used.
    fn touch_api_token(&mut self, id: CredentialId, at: Timestamp) -> Result<()>;

    /// Revokes an API token; `false` when there is none or it is revoked already.
    fn revoke_api_token(&mut self, id: CredentialId, at: Timestamp) -> Result<bool>;

    /// Adds a signing key.
    fn insert_signing_key(&mut self, key: &SigningKey) -> Result<()>;

    /// Replaces the name of a signing key that is not revoked; `false` when there is none.
    fn rename_signing_key(&mut self, id: CredentialId, name: &str) -> Result<bool>;

    /// Replaces the sealed secret of a signing key, revoked or not; `false` when there is none.
    fn reseal_signing_key(&mut self, id: CredentialId, sealed_secret: &[u8]) -> Result<bool>;

    /// Revokes a signing key; `false` when there is none or it is revoked already.
    fn revoke_signing_key(&mut self, id: CredentialId, at: Timestamp) -> Result<bool>;

    /// Adds a session.
    fn insert_session(&mut self, session: &Session) -> Result<()>;

    /// Notes that a session was refreshed, and when it ends now; `false` when there is none or it is over: ended,
    /// or run out before `refreshed_at`.
    fn prolong_session(&mut self, id: SessionId, refreshed_at: Timestamp, expires_at: Timestamp) -> Result<bool>;

    /// Ends a session; `false` when there is none or it was ended already. One that ran out is ended as well: a
    /// server whose clock is behind may still take it for live.
    fn end_session(&mut self, id: SessionId, at: Timestamp) -> Result<bool>;

    /// Ends every session of an account but `except`; gives how many were live till then.
    fn end_sessions_of(&mut self, account: AccountId, except: Option<SessionId>, at: Timestamp) -> Result<usize>;

    /// Lets those live sessions run out at `now` that began at `begun` or before.
    fn expire_sessions_begun(&mut self, begun: Timestamp, now: Timestamp) -> Result<()>;

    /// Removes sessions that ended or ran out before `at`, with their refresh tokens.
    fn delete_past_sessions(&mut self, at: Timestamp) -> Result<()>;

    /// Adds a refresh token.
    fn insert_refresh_token(&mut self, token: &RefreshToken) -> Result<()>;

    /// Marks a refresh token as spent; `false` when it was spent already (so that of two users of one
    /// token exactly one wins).
    fn spend_refresh_token(&mut self, hash: &[u8], at: Timestamp) -> Result<bool>;

    /// Removes refresh tokens that expired before `at`.
    fn delete_expired_refresh_tokens(&mut self, at: Timestamp) -> Result<()>;

    /// Notes that a signed request took effect, until its signature cannot hold any more; `false` when it did before.
    /// Forgets those that cannot hold at `now`.
    fn spend_signature(&mut self, spent: &SpentSignature, now: Timestamp) -> Result<bool>;

    /// Adds a key that signs access tokens.
    fn insert_token_key(&mut self, key: &TokenKey) -> Result<()>;

    /// Replaces the sealed private key of a token key; `false` when there is none.
    fn reseal_token_key(&mut self, kid: &str, sealed_private: &[u8]) -> Result<bool>;

    /// Removes a key that signs access tokens: its tokens hold no longer. `false` when there is none.
    fn delete_token_key(&mut self, kid: &str) -> Result<bool>;
}
