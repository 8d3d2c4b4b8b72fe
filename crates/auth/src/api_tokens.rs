//! API tokens: credentials of programs. A token is shown once, when it is made.

use trailkeeper_domain::account::{ApiToken, Role};
use trailkeeper_domain::cursor::{self, Paged};
use trailkeeper_domain::event::Event;
use trailkeeper_domain::id::{CredentialId, TenantId};
use trailkeeper_domain::ports::ReadTx;
use trailkeeper_domain::time::{self, Timestamp};
use trailkeeper_domain::{Error, ErrorDetail, Result, text};

use crate::access::{Access, checked_tenant_scope, lock_accounts};
use crate::audit::{
    AuditContext, Changes, TOKEN_CHANGE, TOKEN_CREATE, TOKEN_REVOKE, append, credential_metadata, target,
};
use crate::listing::{self, MAX_NAME};
use crate::token::{PlainToken, TokenKind};

const CURSOR_KIND: char = 'k';

/// How the trail names them.
const TARGET: &str = "api_token";

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

/// What is to be changed of an API token; what is absent stays. What it may do cannot change: make another one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenChange {
    /// For people.
    pub name: Option<String>,
    /// When it stops working; `Some(None)`: never.
    pub expires_at: Option<Option<Timestamp>>,
}

impl Access {
    /// Makes an API token. The second value is the token itself, which cannot be read again.
    pub fn create_token(&self, context: &AuditContext, new: NewToken) -> Result<(ApiToken, PlainToken)> {
        text::checked("name", &new.name, MAX_NAME)?;
        checked_tenant_scope(new.tenant_id)?;
        let now = self.clock.now();
        check_expiry(new.expires_at, now)?;
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
        let mut metadata = credential_metadata(Some(token.role), token.tenant_id);
        metadata.insert("expires_at".to_owned(), token.expires_at.map(time::rfc3339).into());
        let event = Event {
            metadata: Some(metadata),
            ..self.change_event(now, TOKEN_CREATE, context, target(TARGET, &token.id, &token.name))?
        };
        self.store.writing(|tx| {
            tx.insert_api_token(&token)?;
            append(tx, &event)
        })?;
        Ok((token, plain))
    }

    /// API tokens in the order in which they were made; revoked and expired ones too.
    pub fn tokens(&self, cursor: Option<&str>, limit: usize) -> Result<Paged<ApiToken>> {
        let limit = listing::checked_limit(limit)?;
        let after = listing::beyond(CURSOR_KIND, cursor)?.map(CredentialId);
        let tokens = self.store.reading(|tx| tx.api_tokens(after, limit + 1))?;
        Ok(Paged::cut(tokens, limit, |token| cursor::encode(CURSOR_KIND, &token.id.to_string())))
    }

    /// The API token, revoked or not. [`Error::NotFound`] with code `token_not_found`.
    pub fn token(&self, id: CredentialId) -> Result<ApiToken> {
        self.store.reading(|tx| token_of(tx, id))
    }

    /// Renames a token or moves its end: at once here, on other servers after at most five seconds. Nothing happens,
    /// and nothing is recorded, when it is so already.
    ///
    /// [`Error::Conflict`] with code `token_revoked` or `token_expired`: one that is over does not come back.
    pub fn change_token(&self, context: &AuditContext, id: CredentialId, change: TokenChange) -> Result<ApiToken> {
        let now = self.clock.now();
        let TokenChange { name, expires_at } = change;
        name.as_deref().map_or(Ok(()), |name| text::checked("name", name, MAX_NAME))?;
        check_expiry(expires_at.flatten(), now)?;
        let changed = self.store.writing(|tx| {
            // Who renames it must not write back the end that somebody else is moving.
            lock_accounts(tx)?;
            let before = token_of(tx, id)?;
            refuse_past(&before, now)?;
            let after = ApiToken {
                name: name.as_ref().unwrap_or(&before.name).clone(),
                expires_at: expires_at.map_or(before.expires_at, |end| end.map(time::truncated)),
                ..before.clone()
            };
            let mut changes = Changes::default();
            changes.note("name", before.name.as_str(), after.name.as_str());
            changes.note("expires_at", before.expires_at.map(time::rfc3339), after.expires_at.map(time::rfc3339));
            if changes.is_empty() {
                return Ok(after);
            }
            // On PostgreSQL it may have been revoked since we read it.
            if !tx.update_api_token(id, &after.name, after.expires_at)? {
                return Err(revoked(id));
            }
            let event = self.change_event(now, TOKEN_CHANGE, context, target(TARGET, &id, &before.name))?;
            append(tx, &Event { metadata: Some(changes.into_metadata()), ..event })?;
            Ok(after)
        });
        // Also when that failed: a connection that broke at the commit does not tell whether it happened.
        self.token_cache.forget();
        changed
    }

    /// Revokes an API token: it fails from now on, on other servers after at most five seconds. Nothing happens when
    /// it is revoked already. [`Error::NotFound`] with code `token_not_found`.
    pub fn revoke_token(&self, context: &AuditContext, id: CredentialId) -> Result<()> {
        let token = self.token(id)?;
        let now = self.clock.now();
        let event = self.change_event(now, TOKEN_REVOKE, context, target(TARGET, &id, &token.name))?;
        let revoked = self.store.writing(|tx| if tx.revoke_api_token(id, now)? { append(tx, &event) } else { Ok(()) });
        // As above.
        self.token_cache.forget();
        revoked
    }
}

fn token_of<T: ReadTx + ?Sized>(tx: &mut T, id: CredentialId) -> Result<ApiToken> {
    tx.api_token(id)?.ok_or_else(|| Error::not_found("token_not_found", format!("there is no API token '{id}'")))
}

fn check_expiry(expires_at: Option<Timestamp>, now: Timestamp) -> Result<()> {
    match expires_at.filter(|end| *end <= now) {
        Some(end) => Err(Error::invalid(
            "expires_at",
            format!("'{}' is not in the future; send a later time, or none", time::rfc3339(end)),
        )),
        None => Ok(()),
    }
}

fn refuse_past(token: &ApiToken, now: Timestamp) -> Result<()> {
    if token.revoked_at.is_some() {
        return Err(revoked(token.id));
    }
    match token.expires_at.filter(|end| *end <= now) {
        Some(end) => Err(Error::Conflict(ErrorDetail::new(
            "token_expired",
            format!("the API token '{}' expired at {}; make another one", token.id, time::rfc3339(end)),
        ))),
        None => Ok(()),
    }
}

fn revoked(id: CredentialId) -> Error {
    Error::Conflict(ErrorDetail::new("token_revoked", format!("the API token '{id}' is revoked; make another one")))
}
