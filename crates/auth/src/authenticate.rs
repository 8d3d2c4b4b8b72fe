//! Who makes a request.

use chrono::Duration;
use trailkeeper_domain::account::{ApiToken, Role, SigningKey};
use trailkeeper_domain::id::CredentialId;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};

use crate::access::Access;
use crate::jwt;
use crate::permission::{Principal, PrincipalKind};
use crate::signature::{self, Credentials, SignedRequest};
use crate::token::{PlainToken, TokenHash, TokenKind};

/// `last_used_at` of a token is kept to the minute: a write per request would cost more than the request. A token in
/// steady use is looked up every five seconds, which is when this is decided.
const TOUCH_EVERY: Duration = Duration::minutes(1);

/// Checked against in the place of a key that does not exist, so that time does not tell which ones do.
const NOBODYS_SECRET: &[u8] = b"sk_0000000000000000000000000000000000000000000";

impl Access {
    /// The holder of an API token (`tk_…`) or of an access token.
    ///
    /// [`Error::Unauthenticated`], always with the same text, when it does not hold.
    pub fn authenticate_bearer(&self, token: &str) -> Result<Principal> {
        if token.starts_with(TokenKind::Api.prefix()) { self.by_api_token(token) } else { self.by_access_token(token) }
    }

    /// The holder of an API token that [`Access::authenticate_bearer`] found to hold a moment ago, without asking
    /// the database: this does not block. `None` says nothing about the token: look it up.
    ///
    /// A token that was revoked here is not recalled; one that was revoked by another process, the command line or
    /// another server on the same database, is for at most five seconds more. Access tokens are not recalled at all.
    pub fn recall_bearer(&self, token: &str) -> Option<Principal> {
        if !token.starts_with(TokenKind::Api.prefix()) {
            return None;
        }
        self.token_cache.holder(TokenHash::of(token), self.clock.now())
    }

    /// Whether this is an access token that a key which this process has seen did sign, and that has not expired: nobody
    /// else can make one. Without asking the database, so that it does not tell whether its session still goes on.
    pub fn has_signed(&self, token: &str) -> bool {
        let now = self.clock.now();
        let key = jwt::kid_of(token).ok().and_then(|kid| self.keys.seen(&kid, now));
        key.is_some_and(|key| jwt::verify(token, &key, &self.settings.issuer, now).is_ok())
    }

    fn by_api_token(&self, token: &str) -> Result<Principal> {
        let hash = PlainToken::read(TokenKind::Api, token).ok_or_else(invalid_token)?.hash();
        let before = self.token_cache.before_look_up();
        let now = self.clock.now();
        let token = self
            .store
            .reading(|tx| tx.api_token_by_hash(hash.as_bytes()))?
            .filter(|token| token.revoked_at.is_none() && token.expires_at.is_none_or(|end| now < end))
            .ok_or_else(invalid_token)?;
        self.touch(&token, now)?;
        let holder = Principal {
            kind: PrincipalKind::Token(token.id),
            name: token.name,
            role: token.role,
            tenant_id: token.tenant_id,
            session_id: None,
        };
        self.token_cache.remember(before, hash, holder.clone(), now, token.expires_at);
        Ok(holder)
    }

    fn touch(&self, token: &ApiToken, now: Timestamp) -> Result<()> {
        if token.last_used_at.is_some_and(|last| now - last < TOUCH_EVERY) {
            return Ok(());
        }
        match self.store.writing(|tx| tx.touch_api_token(token.id, now)) {
            // The disk is full or the writer busy: the request may still be one that only reads. One that
            // writes will meet the same obstacle itself, and the next request tries this again.
            Err(Error::Unavailable { .. }) => Ok(()),
            done => done,
        }
    }

    fn by_access_token(&self, token: &str) -> Result<Principal> {
        let now = self.clock.now();
        let kid = jwt::kid_of(token).map_err(|_| invalid_token())?;
        let key = self.keys.by_kid(self.key_source(), &kid)?.ok_or_else(invalid_token)?;
        let (account, session) = jwt::verify(token, &key, &self.settings.issuer, now).map_err(|_| invalid_token())?;
        self.store.reading(|tx| Ok((tx.account(account)?, tx.session(session)?))).and_then(|(account, session)| {
            let account = account.filter(|account| account.disabled_at.is_none()).ok_or_else(invalid_token)?;
            let session = session
                .filter(|session| session.account_id == account.id && session.is_live(now))
                // Also where it began under a setting that let it go on for longer.
                .filter(|session| now < self.last_moment_of(session.started_at))
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

    /// The holder of the key with which a request is signed: `header` is what follows `SAASUSSIGV1` in
    /// `Authorization`.
    ///
    /// [`Error::Unauthenticated`] with the same text and after the same work for an unknown key, a revoked one,
    /// a foreign `SaaSID` and a wrong signature.
    pub fn authenticate_signature(&self, header: &str, request: &SignedRequest<'_>) -> Result<Principal> {
        let credentials = Credentials::parse(header)?;
        let key = self
            .store
            .reading(|tx| tx.signing_key_by_api_key(credentials.api_key))?
            .filter(|key| key.revoked_at.is_none() && key.saas_id == credentials.saas_id);
        let opened =
            key.as_ref().map(|key| self.master.open(&secret_context(key.id), &key.sealed_secret)).transpose()?;
        let secret = opened.as_ref().map_or(NOBODYS_SECRET, |secret| secret.as_slice());
        let holds = signature::holds(secret, &credentials, request, &self.settings.public_hosts, self.clock.now());
        key.filter(|_| holds).map(principal_of).ok_or_else(|| {
            Error::unauthenticated(
                "the request's signature is not valid; check SaaSID, APIKey, secret key and that the clock is right to the minute",
            )
        })
    }
}

/// What a signing key may do is cut down by its kind; the role is the one that has all of that.
fn principal_of(key: SigningKey) -> Principal {
    Principal {
        kind: PrincipalKind::SigningKey(key.id),
        name: key.name,
        role: Role::Admin,
        tenant_id: key.tenant_id,
        session_id: None,
    }
}

/// Under which context a signing key's secret is sealed.
pub(crate) fn secret_context(id: CredentialId) -> String {
    format!("signing_key:{id}")
}

fn invalid_token() -> Error {
    Error::unauthenticated(
        "the token is not valid; log in again, or use an API token that is neither expired nor revoked",
    )
}
