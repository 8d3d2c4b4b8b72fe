//! Authentication: from the credential of a request to its principal.

use chrono::Duration;
use trailkeeper_domain::account::{ApiToken, Role, SigningKey};
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};

use crate::access::Access;
use crate::jwt;
use crate::master_keys::secret_seal_context;
use crate::permission::{Principal, PrincipalKind};
use crate::signature::{self, Credentials, SignedRequest};
use crate::token::{PlainToken, TokenHash, TokenKind};

/// The precision of a token's `last_used_at`: a write per request would cost more than the request. A token in steady use
/// is looked up every two seconds; each look-up decides whether to write.
const TOUCH_INTERVAL: Duration = Duration::minutes(1);

/// The secret that a signature is verified against if its key does not exist, so that the response time does not reveal
/// which keys exist.
const PLACEHOLDER_SECRET: &[u8] = b"sk_0000000000000000000000000000000000000000000";

impl Access {
    /// The principal of an API token (`tk_…`) or of an access token.
    ///
    /// [`Error::Unauthenticated`] when it is invalid, with the same text for every reason.
    pub fn authenticate_bearer(&self, token: &str) -> Result<Principal> {
        if token.starts_with(TokenKind::Api.prefix()) {
            self.principal_of_api_token(token)
        } else {
            self.principal_of_access_token(token)
        }
    }

    /// The principal of an API token that [`Access::authenticate_bearer`] found valid less than two seconds ago. Does not
    /// query the database and does not block. `None` says nothing about the token: look it up.
    ///
    /// A token that was revoked by this process is never recalled. One that was revoked by another process (the command
    /// line, or another server on the same database) is recalled for at most two seconds more. Access tokens are never
    /// recalled.
    pub fn recall_bearer(&self, token: &str) -> Option<Principal> {
        if !token.starts_with(TokenKind::Api.prefix()) {
            return None;
        }
        self.token_cache.get(TokenHash::of(token), self.clock.now())
    }

    /// Whether this is an unexpired access token that was signed with a key of the present snapshot: only this server and
    /// its peers can make one. Does not query the database, so it does not check whether the session has ended.
    pub fn has_signed(&self, token: &str) -> bool {
        let now = self.clock.now();
        let key = jwt::kid_of(token).ok().and_then(|kid| self.keys.cached(&kid, now));
        key.is_some_and(|key| jwt::verify(token, &key, &self.settings.issuer, now).is_ok())
    }

    fn principal_of_api_token(&self, token: &str) -> Result<Principal> {
        let hash = PlainToken::read(TokenKind::Api, token).ok_or_else(invalid_token)?.hash();
        let generation = self.token_cache.generation();
        let now = self.clock.now();
        let token = self
            .store
            .reading(|tx| tx.api_token_by_hash(hash.as_bytes()))?
            .filter(|token| token.revoked_at.is_none() && token.expires_at.is_none_or(|end| now < end))
            .ok_or_else(invalid_token)?;
        self.touch(&token, now)?;
        let principal = Principal {
            kind: PrincipalKind::Token(token.id),
            name: token.name,
            role: token.role,
            tenant_id: token.tenant_id,
            session_id: None,
        };
        self.token_cache.insert(generation, hash, principal.clone(), now, token.expires_at);
        Ok(principal)
    }

    fn touch(&self, token: &ApiToken, now: Timestamp) -> Result<()> {
        if token.last_used_at.is_some_and(|last| now - last < TOUCH_INTERVAL) {
            return Ok(());
        }
        match self.store.writing(|tx| tx.touch_api_token(token.id, now)) {
            // The disk is full or the writer busy. A request that only reads can still be answered, and one that writes
            // will fail by itself. The next request tries again.
            Err(Error::Unavailable { .. } | Error::Overloaded { .. }) => Ok(()),
            done => done,
        }
    }

    fn principal_of_access_token(&self, token: &str) -> Result<Principal> {
        let now = self.clock.now();
        let kid = jwt::kid_of(token).map_err(|_| invalid_token())?;
        let key = self.keys.by_kid(self.key_source(), &kid)?.ok_or_else(invalid_token)?;
        let (account, session) = jwt::verify(token, &key, &self.settings.issuer, now).map_err(|_| invalid_token())?;
        self.store.reading(|tx| Ok((tx.account(account)?, tx.session(session)?))).and_then(|(account, session)| {
            let account = account.filter(|account| account.disabled_at.is_none()).ok_or_else(invalid_token)?;
            let session = session
                .filter(|session| session.account_id == account.id && session.is_live(now))
                // The record may have a later end: it was made when the setting was longer.
                .filter(|session| now < self.session_end_limit(session.started_at))
                .ok_or_else(invalid_token)?;
            Ok(Principal {
                kind: PrincipalKind::Account(account.id),
                name: account.email,
                role: account.role,
                tenant_id: account.tenant_id,
                session_id: Some(session.id),
            })
        })
    }

    /// Checks that the key exists with which a request is signed, before its body is read: a stranger must not make the
    /// server hold a body. `header` is the text after `SAASUSSIGV1` in the header `Authorization`.
    ///
    /// [`Error::Unauthenticated`] with the text of [`Access::authenticate_signature`] for an unknown key, a revoked key and
    /// a wrong `SaaSID`.
    pub fn check_signing_key(&self, header: &str) -> Result<()> {
        let credentials = Credentials::parse(header)?;
        self.signing_key_of(&credentials)?.map(|_| ()).ok_or_else(invalid_signature)
    }

    /// The principal of the key with which a request is signed. `header` is the text after `SAASUSSIGV1` in the header
    /// `Authorization`.
    ///
    /// [`Error::Unauthenticated`] with the same text and after the same work for an unknown key, a revoked key, a wrong
    /// `SaaSID` and a wrong signature.
    pub fn authenticate_signature(&self, header: &str, request: &SignedRequest<'_>) -> Result<Principal> {
        let credentials = Credentials::parse(header)?;
        let key = self.signing_key_of(&credentials)?;
        let opened =
            key.as_ref().map(|key| self.master.open(&secret_seal_context(key.id), &key.sealed_secret)).transpose()?;
        let secret = opened.as_ref().map_or(PLACEHOLDER_SECRET, |secret| secret.as_slice());
        let valid = signature::verify(secret, &credentials, request, &self.settings.public_hosts, self.clock.now());
        key.filter(|_| valid).map(principal_of).ok_or_else(invalid_signature)
    }

    /// The key that is not revoked and that both ids of the credentials name.
    fn signing_key_of(&self, credentials: &Credentials<'_>) -> Result<Option<SigningKey>> {
        let key = self.store.reading(|tx| tx.signing_key_by_api_key(credentials.api_key))?;
        Ok(key.filter(|key| key.revoked_at.is_none() && key.saas_id == credentials.saas_id))
    }
}

/// The principal of a signing key. [`Principal::require`] restricts its permissions by its kind; the role must have all
/// of them.
fn principal_of(key: SigningKey) -> Principal {
    Principal {
        kind: PrincipalKind::SigningKey(key.id),
        name: key.name,
        role: Role::Admin,
        tenant_id: key.tenant_id,
        session_id: None,
    }
}

fn invalid_signature() -> Error {
    Error::unauthenticated(
        "the request's signature is not valid; check SaaSID, APIKey, secret key and that the clock is right to the minute",
    )
}

fn invalid_token() -> Error {
    Error::unauthenticated(
        "the token is not valid; log in again, or use an API token that is neither expired nor revoked",
    )
}
