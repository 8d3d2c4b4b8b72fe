use crate::account::{Account, ApiToken, RefreshToken, Session, SessionFilter, SigningKey, SpentSignature, TokenKey};
use crate::error::Result;
use crate::id::{AccountId, CredentialId, SessionId};
use crate::time::Timestamp;

/// Read access to accounts, sessions and credentials. A look-up returns `None` if no such record exists.
pub trait AccessReads {
    /// The account with this id.
    fn account(&mut self, id: AccountId) -> Result<Option<Account>>;

    /// The account with this e-mail address, compared by its [folded](crate::folding) form. If several accounts share
    /// it ([`DirectoryReads::shared_emails`](super::DirectoryReads::shared_emails)), the one whose address differs at
    /// most in case from this one.
    fn account_by_email(&mut self, email: &str) -> Result<Option<Account>>;

    /// At most `limit` accounts in ascending order of id, after `after`.
    fn accounts(&mut self, after: Option<AccountId>, limit: usize) -> Result<Vec<Account>>;

    /// The API token with this id, revoked or not.
    fn api_token(&mut self, id: CredentialId) -> Result<Option<ApiToken>>;

    /// The API token with this hash.
    fn api_token_by_hash(&mut self, hash: &[u8]) -> Result<Option<ApiToken>>;

    /// At most `limit` API tokens in ascending order of id, after `after`, including revoked ones.
    fn api_tokens(&mut self, after: Option<CredentialId>, limit: usize) -> Result<Vec<ApiToken>>;

    /// The signing key with this id, revoked or not.
    fn signing_key(&mut self, id: CredentialId) -> Result<Option<SigningKey>>;

    /// The signing key with this `APIKey`.
    fn signing_key_by_api_key(&mut self, api_key: &str) -> Result<Option<SigningKey>>;

    /// At most `limit` signing keys in ascending order of id, after `after`, including revoked ones.
    fn signing_keys(&mut self, after: Option<CredentialId>, limit: usize) -> Result<Vec<SigningKey>>;

    /// The session with this id.
    fn session(&mut self, id: SessionId) -> Result<Option<Session>>;

    /// At most `limit` sessions in descending order of id, which is newest first, after `before`.
    fn sessions(&mut self, filter: SessionFilter, before: Option<SessionId>, limit: usize) -> Result<Vec<Session>>;

    /// The refresh token with this hash.
    fn refresh_token(&mut self, hash: &[u8]) -> Result<Option<RefreshToken>>;

    /// The keys that sign access tokens, newest first.
    fn token_keys(&mut self) -> Result<Vec<TokenKey>>;

    /// The sealed key of the cursors of the feed; `None` until it was used for the first time.
    fn cursor_key(&mut self) -> Result<Option<Vec<u8>>>;
}

/// Write access to accounts, sessions and credentials.
pub trait AccessWrites {
    /// Adds an account. [`crate::Error::Conflict`] with the code `email_taken` and the field `email` if another account
    /// has the e-mail address.
    fn insert_account(&mut self, account: &Account) -> Result<()>;

    /// Replaces an account; `false` if it does not exist.
    fn update_account(&mut self, account: &Account) -> Result<bool>;

    /// Removes an account with its sessions and their refresh tokens; `false` if it does not exist.
    fn delete_account(&mut self, id: AccountId) -> Result<bool>;

    /// Adds an API token.
    fn insert_api_token(&mut self, token: &ApiToken) -> Result<()>;

    /// Replaces the name and expiry of an API token; `false` if it does not exist or is revoked.
    fn update_api_token(&mut self, id: CredentialId, name: &str, expires_at: Option<Timestamp>) -> Result<bool>;

    /// Records that an API token was used at `at`.
    fn touch_api_token(&mut self, id: CredentialId, at: Timestamp) -> Result<()>;

    /// Revokes an API token; `false` if it does not exist or is already revoked.
    fn revoke_api_token(&mut self, id: CredentialId, at: Timestamp) -> Result<bool>;

    /// Adds a signing key.
    fn insert_signing_key(&mut self, key: &SigningKey) -> Result<()>;

    /// Replaces the name of a signing key; `false` if it does not exist or is revoked.
    fn rename_signing_key(&mut self, id: CredentialId, name: &str) -> Result<bool>;

    /// Replaces the sealed secret of a signing key, revoked or not; `false` if it does not exist.
    fn reseal_signing_key(&mut self, id: CredentialId, sealed_secret: &[u8]) -> Result<bool>;

    /// Revokes a signing key; `false` if it does not exist or is already revoked.
    fn revoke_signing_key(&mut self, id: CredentialId, at: Timestamp) -> Result<bool>;

    /// Adds a session.
    fn insert_session(&mut self, session: &Session) -> Result<()>;

    /// Records that a session was refreshed, and its new expiry. `false` if the session does not exist, was ended or
    /// expired before `refreshed_at`.
    fn prolong_session(&mut self, id: SessionId, refreshed_at: Timestamp, expires_at: Timestamp) -> Result<bool>;

    /// Ends a session; `false` if it does not exist or was already ended. An expired session is ended as well, because
    /// a server whose clock is behind may still accept it.
    fn end_session(&mut self, id: SessionId, at: Timestamp) -> Result<bool>;

    /// Ends every session of an account except `except`. Returns the number of sessions that were live until then.
    fn end_sessions_of(&mut self, account: AccountId, except: Option<SessionId>, at: Timestamp) -> Result<usize>;

    /// Sets the expiry of the live sessions that began at or before `begun` to `now`.
    fn expire_sessions_begun(&mut self, begun: Timestamp, now: Timestamp) -> Result<()>;

    /// Removes sessions that were ended or expired before `at`, with their refresh tokens.
    fn delete_past_sessions(&mut self, at: Timestamp) -> Result<()>;

    /// Adds a refresh token.
    fn insert_refresh_token(&mut self, token: &RefreshToken) -> Result<()>;

    /// Marks a refresh token as spent, and records the hash of its successor; `false` if it was already spent or
    /// superseded. If two clients use one token at the same time, exactly one of them gets `true`.
    fn spend_refresh_token(&mut self, hash: &[u8], successor: &[u8], at: Timestamp) -> Result<bool>;

    /// Records the second successor of a spent refresh token, and marks its first one, `lost`, as superseded. `false`, and
    /// no change, if `lost` is not its successor, was spent or superseded, or if the token already has a second one.
    fn reissue_refresh_token(&mut self, hash: &[u8], lost: &[u8], successor: &[u8], at: Timestamp) -> Result<bool>;

    /// Removes refresh tokens that expired before `at`.
    fn delete_expired_refresh_tokens(&mut self, at: Timestamp) -> Result<()>;

    /// Records the signature of a signed request that takes effect, for as long as the signature can be valid; `false`
    /// if it was already recorded. Removes the records of signatures that cannot be valid at `now` any more.
    fn spend_signature(&mut self, spent: &SpentSignature, now: Timestamp) -> Result<bool>;

    /// Adds a key that signs access tokens.
    fn insert_token_key(&mut self, key: &TokenKey) -> Result<()>;

    /// Replaces the sealed private key of a token key; `false` if the key does not exist.
    fn reseal_token_key(&mut self, kid: &str, sealed_private: &[u8]) -> Result<bool>;

    /// Removes a key that signs access tokens, so that its tokens are no longer valid. `false` if it does not exist.
    fn delete_token_key(&mut self, kid: &str) -> Result<bool>;

    /// Adds the sealed key of the cursors of the feed; `false`, and no change, if there is one. Of two transactions that
    /// add it at the same time, exactly one gets `true`.
    fn insert_cursor_key(&mut self, sealed_key: &[u8]) -> Result<bool>;

    /// Replaces the sealed key of the cursors of the feed; `false` if there is none.
    fn reseal_cursor_key(&mut self, sealed_key: &[u8]) -> Result<bool>;
}
