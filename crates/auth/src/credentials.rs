//! Credentials of programs: API tokens and signing keys. Both are shown once, when they are made.

use trailkeeper_domain::account::{Actor, ApiToken, Role, SigningKey};
use trailkeeper_domain::cursor::{self, Paged};
use trailkeeper_domain::id::{CredentialId, TenantId};
use trailkeeper_domain::time::{self, Timestamp};
use trailkeeper_domain::{Error, Result, text};

use crate::access::{Access, checked_confinement};
use crate::authenticate::secret_context;
use crate::entropy::{BASE62, random_text};
use crate::listing;
use crate::token::{PlainSecret, PlainToken, TokenKind};
use crate::trail::{SIGNING_KEY_CREATE, SIGNING_KEY_REVOKE, TOKEN_CREATE, TOKEN_REVOKE, record, target};

const TOKEN_CURSOR: char = 'k';
const SIGNING_KEY_CURSOR: char = 's';

/// How the trail names them.
const TOKEN_TARGET: &str = "api_token";
const SIGNING_KEY_TARGET: &str = "signing_key";

/// The longest name, in characters.
const MAX_NAME: usize = 128;

/// An API token to be made.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// For people; need not be unique.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The one tenant it may see; absent: all.
    pub tenant_id: Option<TenantId>,
    /// When it stops working; absent: never.
    pub expires_at: Option<Timestamp>,
}

/// A signing key to be made.
#[derive(Debug, Clone)]
pub struct NewSigningKey {
    /// For people; need not be unique.
    pub name: String,
    /// The one tenant it may see; absent: all.
    pub tenant_id: Option<TenantId>,
}

impl Access {
    /// Makes an API token. The second value is the token itself, which cannot be read again.
    pub fn create_token(&self, actor: &Actor, new: NewToken) -> Result<(ApiToken, PlainToken)> {
        text::checked("name", &new.name, MAX_NAME)?;
        checked_confinement(new.tenant_id)?;
        let now = self.clock.now();
        if let Some(end) = new.expires_at.filter(|end| *end <= now) {
            return Err(Error::invalid(
                "expires_at",
                format!("'{}' is not in the future; send a later time, or none", time::rfc3339(end)),
            ));
        }
        let plain = PlainToken::generate(TokenKind::Api, self.entropy.as_ref());
        let token = ApiToken {
            id: CredentialId(self.fresh_uuid()),
            name: new.name,
            token_hash: plain.hash().to_vec(),
            role: new.role,
            tenant_id: new.tenant_id,
            created_at: now,
            expires_at: new.expires_at.map(time::truncated),
            last_used_at: None,
            revoked_at: None,
        };
        let event = self.change_event(now, TOKEN_CREATE, actor, target(TOKEN_TARGET, &token.id, &token.name))?;
        self.store.writing(|tx| {
            tx.insert_api_token(&token)?;
            record(tx, &event)
        })?;
        Ok((token, plain))
    }

    /// API tokens in the order in which they were made; revoked and expired ones too.
    pub fn tokens(&self, cursor: Option<&str>, limit: usize) -> Result<Paged<ApiToken>> {
        let limit = listing::checked_limit(limit)?;
        let after = listing::after(TOKEN_CURSOR, cursor)?.map(CredentialId);
        let tokens = self.store.reading(|tx| tx.api_tokens(after, limit + 1))?;
        Ok(Paged::cut(tokens, limit, |token| cursor::encode(TOKEN_CURSOR, &token.id.to_string())))
    }

    /// Revokes an API token: it fails from now on, on other servers after at most five seconds. Nothing happens when
    /// it is revoked already.
    pub fn revoke_token(&self, actor: &Actor, id: CredentialId) -> Result<()> {
        let before = listing::just_before(id.0).map(CredentialId);
        let token = self
            .store
            .reading(|tx| tx.api_tokens(before, 1))?
            .pop()
            .filter(|token| token.id == id)
            .ok_or_else(|| Error::not_found("token_not_found", format!("there is no API token '{id}'")))?;
        let now = self.clock.now();
        let event = self.change_event(now, TOKEN_REVOKE, actor, target(TOKEN_TARGET, &id, &token.name))?;
        let revoked = self.store.writing(|tx| if tx.revoke_api_token(id, now)? { record(tx, &event) } else { Ok(()) });
        // Also when that failed: a connection that broke at the commit does not tell whether it happened.
        self.remembered.forget();
        revoked
    }

    /// Makes a signing key. The second value is its secret, which is not shown again.
    pub fn create_signing_key(&self, actor: &Actor, new: NewSigningKey) -> Result<(SigningKey, PlainSecret)> {
        text::checked("name", &new.name, MAX_NAME)?;
        checked_confinement(new.tenant_id)?;
        let entropy = self.entropy.as_ref();
        let now = self.clock.now();
        let id = CredentialId(self.fresh_uuid());
        let secret = PlainSecret::generate(entropy);
        let key = SigningKey {
            id,
            name: new.name,
            saas_id: format!("saas_{}", random_text(entropy, BASE62, 16).as_str()),
            api_key: format!("ak_{}", random_text(entropy, BASE62, 32).as_str()),
            sealed_secret: self.master.seal(entropy, &secret_context(id), secret.expose().as_bytes())?,
            tenant_id: new.tenant_id,
            created_at: now,
            revoked_at: None,
        };
        let event = self.change_event(now, SIGNING_KEY_CREATE, actor, target(SIGNING_KEY_TARGET, &id, &key.name))?;
        self.store.writing(|tx| {
            tx.insert_signing_key(&key)?;
            record(tx, &event)
        })?;
        Ok((key, secret))
    }

    /// Signing keys in the order in which they were made; revoked ones too.
    pub fn signing_keys(&self, cursor: Option<&str>, limit: usize) -> Result<Paged<SigningKey>> {
        let limit = listing::checked_limit(limit)?;
        let after = listing::after(SIGNING_KEY_CURSOR, cursor)?.map(CredentialId);
        let keys = self.store.reading(|tx| tx.signing_keys(after, limit + 1))?;
        Ok(Paged::cut(keys, limit, |key| cursor::encode(SIGNING_KEY_CURSOR, &key.id.to_string())))
    }

    /// Revokes a signing key: it fails from now on. Nothing happens when it is revoked already.
    pub fn revoke_signing_key(&self, actor: &Actor, id: CredentialId) -> Result<()> {
        let before = listing::just_before(id.0).map(CredentialId);
        let key = self
            .store
            .reading(|tx| tx.signing_keys(before, 1))?
            .pop()
            .filter(|key| key.id == id)
            .ok_or_else(|| Error::not_found("signing_key_not_found", format!("there is no signing key '{id}'")))?;
        let now = self.clock.now();
        let event = self.change_event(now, SIGNING_KEY_REVOKE, actor, target(SIGNING_KEY_TARGET, &id, &key.name))?;
        self.store.writing(|tx| if tx.revoke_signing_key(id, now)? { record(tx, &event) } else { Ok(()) })
    }
}
