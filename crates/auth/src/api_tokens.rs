//! API tokens: credentials of programs. A token is shown only once, at its creation.

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

/// The type of API tokens as targets of audit events.
const TARGET: &str = "api_token";

/// The properties of a new API token.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// A name for people; need not be unique.
    pub name: String,
    /// Its role.
    pub role: Role,
    /// The tenant to which it is scoped; absent: all tenants.
    pub tenant_id: Option<TenantId>,
    /// The end of its validity; absent: never.
    pub expires_at: Option<Timestamp>,
}

/// A change of an API token; absent fields stay as they are. Role and tenant cannot change: create another token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenChange {
    /// The new name for people.
    pub name: Option<String>,
    /// The new end of its validity; `Some(None)`: never.
    pub expires_at: Option<Option<Timestamp>>,
}

impl Access {
    /// Creates an API token. The second value is the token itself, which cannot be shown again.
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
            metadata: Some(metadata.into()),
            ..self.change_event(now, TOKEN_CREATE, context, target(TARGET, &token.id, &token.name))?
        };
        self.store.writing(|tx| {
            tx.insert_api_token(&token)?;
            append(tx, &event)
        })?;
        Ok((token, plain))
    }

    /// A page of API tokens in the order of their creation, revoked and expired ones included.
    pub fn tokens(&self, cursor: Option<&str>, limit: usize) -> Result<Paged<ApiToken>> {
        let limit = listing::checked_limit(limit)?;
        let after = listing::start_after(CURSOR_KIND, cursor)?.map(CredentialId);
        let tokens = self.store.reading(|tx| tx.api_tokens(after, limit + 1))?;
        Ok(Paged::cut(tokens, limit, |token| cursor::encode(CURSOR_KIND, &token.id.to_string())))
    }

    /// The API token, revoked or not. [`Error::NotFound`] with code `token_not_found`.
    pub fn token(&self, id: CredentialId) -> Result<ApiToken> {
        self.store.reading(|tx| token_of(tx, id))
    }

    /// Renames a token or changes the end of its validity: at once on this server, on others within two seconds. Does
    /// nothing, and records nothing, if it already is as wanted.
    ///
    /// [`Error::Conflict`] with code `token_revoked` or `token_expired`: a token that is no longer valid stays invalid.
    pub fn change_token(&self, context: &AuditContext, id: CredentialId, change: TokenChange) -> Result<ApiToken> {
        let now = self.clock.now();
        let TokenChange { name, expires_at } = change;
        name.as_deref().map_or(Ok(()), |name| text::checked("name", name, MAX_NAME))?;
        check_expiry(expires_at.flatten(), now)?;
        let changed = self.store.writing(|tx| {
            // Two changes at once: a change of the name must not overwrite a new end of validity with the old one.
            lock_accounts(tx)?;
            let before = token_of(tx, id)?;
            refuse_invalid(&before, now)?;
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
            // On PostgreSQL another transaction may have revoked it since it was read.
            if !tx.update_api_token(id, &after.name, after.expires_at)? {
                return Err(revoked(id));
            }
            let event = self.change_event(now, TOKEN_CHANGE, context, target(TARGET, &id, &before.name))?;
            append(tx, &Event { metadata: Some(changes.into_metadata().into()), ..event })?;
            Ok(after)
        });
        // Also after an error: if the connection broke at the commit, the change may have happened.
        self.token_cache.invalidate();
        changed
    }

    /// Revokes an API token: at once on this server, on others within two seconds. Does nothing if it is revoked already.
    /// [`Error::NotFound`] with code `token_not_found`.
    pub fn revoke_token(&self, context: &AuditContext, id: CredentialId) -> Result<()> {
        let token = self.token(id)?;
        let now = self.clock.now();
        let event = self.change_event(now, TOKEN_REVOKE, context, target(TARGET, &id, &token.name))?;
        let revoked = self.store.writing(|tx| if tx.revoke_api_token(id, now)? { append(tx, &event) } else { Ok(()) });
        // Also after an error, as in `change_token`.
        self.token_cache.invalidate();
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

fn refuse_invalid(token: &ApiToken, now: Timestamp) -> Result<()> {
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
