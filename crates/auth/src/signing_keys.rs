//! Signing keys: credentials of programs that sign their requests. The secret is shown only once, at creation.

use trailkeeper_domain::account::SigningKey;
use trailkeeper_domain::cursor::{self, Paged};
use trailkeeper_domain::event::Event;
use trailkeeper_domain::id::{CredentialId, TenantId};
use trailkeeper_domain::ports::ReadTx;
use trailkeeper_domain::{Error, ErrorDetail, Result, text};

use crate::access::{Access, checked_tenant_scope, lock_accounts};
use crate::audit::{
    AuditContext, Changes, SIGNING_KEY_CHANGE, SIGNING_KEY_CREATE, SIGNING_KEY_REVOKE, append, credential_metadata,
    target,
};
use crate::entropy::{BASE62, random_text};
use crate::listing::{self, MAX_NAME};
use crate::master_keys::secret_seal_context;
use crate::token::PlainSecret;

const CURSOR_KIND: char = 's';

/// The type of signing keys as targets of audit events.
const TARGET: &str = "signing_key";

/// The properties of a new signing key.
#[derive(Debug, Clone)]
pub struct NewSigningKey {
    /// A name for people; need not be unique.
    pub name: String,
    /// The tenant to which it is scoped; absent: all tenants.
    pub tenant_id: Option<TenantId>,
}

impl Access {
    /// Creates a signing key. The second value is its secret, which cannot be shown again.
    pub fn create_signing_key(&self, context: &AuditContext, new: NewSigningKey) -> Result<(SigningKey, PlainSecret)> {
        text::checked("name", &new.name, MAX_NAME)?;
        checked_tenant_scope(new.tenant_id)?;
        let entropy = self.entropy.as_ref();
        let now = self.clock.now();
        let id = CredentialId(self.fresh_uuid());
        let secret = PlainSecret::generate(entropy);
        let mut key = SigningKey {
            id,
            name: new.name,
            saas_id: format!("saas_{}", random_text(entropy, BASE62, 16).as_str()),
            api_key: format!("ak_{}", random_text(entropy, BASE62, 32).as_str()),
            sealed_secret: Vec::new(),
            tenant_id: new.tenant_id,
            created_at: now,
            revoked_at: None,
        };
        let mut event = self.change_event(now, SIGNING_KEY_CREATE, context, target(TARGET, &id, &key.name))?;
        event.metadata = Some(credential_metadata(None, key.tenant_id).into());
        self.store.writing(|tx| {
            lock_accounts(tx)?;
            // Sealed under the lock, for the reason given at `Access::reseal`.
            key.sealed_secret = self.master.seal(entropy, &secret_seal_context(id), secret.expose().as_bytes())?;
            tx.insert_signing_key(&key)?;
            append(tx, &event)
        })?;
        Ok((key, secret))
    }

    /// A page of signing keys in the order of their creation, revoked ones included.
    pub fn signing_keys(&self, cursor: Option<&str>, limit: usize) -> Result<Paged<SigningKey>> {
        let limit = listing::checked_limit(limit)?;
        let after = listing::start_after(CURSOR_KIND, cursor)?.map(CredentialId);
        let keys = self.store.reading(|tx| tx.signing_keys(after, limit + 1))?;
        Ok(Paged::cut(keys, limit, |key| cursor::encode(CURSOR_KIND, &key.id.to_string())))
    }

    /// The signing key, revoked or not. [`Error::NotFound`] with code `signing_key_not_found`.
    pub fn signing_key(&self, id: CredentialId) -> Result<SigningKey> {
        self.store.reading(|tx| key_of(tx, id))
    }

    /// Renames a signing key. Does nothing, and records nothing, if it has that name already.
    ///
    /// [`Error::Conflict`] with code `signing_key_revoked` for a revoked key: it keeps the name that the audit trail shows.
    pub fn rename_signing_key(&self, context: &AuditContext, id: CredentialId, name: &str) -> Result<SigningKey> {
        text::checked("name", name, MAX_NAME)?;
        let now = self.clock.now();
        self.store.writing(|tx| {
            let before = key_of(tx, id)?;
            if before.revoked_at.is_some() {
                return Err(revoked(id));
            }
            let mut changes = Changes::default();
            changes.note("name", before.name.as_str(), name);
            if changes.is_empty() {
                return Ok(before);
            }
            // On PostgreSQL another transaction may have revoked it since it was read.
            if !tx.rename_signing_key(id, name)? {
                return Err(revoked(id));
            }
            let event = self.change_event(now, SIGNING_KEY_CHANGE, context, target(TARGET, &id, &before.name))?;
            append(tx, &Event { metadata: Some(changes.into_metadata().into()), ..event })?;
            Ok(SigningKey { name: name.to_owned(), ..before })
        })
    }

    /// Revokes a signing key, with immediate effect. Does nothing if it is revoked already.
    /// [`Error::NotFound`] with code `signing_key_not_found`.
    pub fn revoke_signing_key(&self, context: &AuditContext, id: CredentialId) -> Result<()> {
        let key = self.signing_key(id)?;
        let now = self.clock.now();
        let event = self.change_event(now, SIGNING_KEY_REVOKE, context, target(TARGET, &id, &key.name))?;
        self.store.writing(|tx| if tx.revoke_signing_key(id, now)? { append(tx, &event) } else { Ok(()) })
    }
}

fn key_of<T: ReadTx + ?Sized>(tx: &mut T, id: CredentialId) -> Result<SigningKey> {
    tx.signing_key(id)?
        .ok_or_else(|| Error::not_found("signing_key_not_found", format!("there is no signing key '{id}'")))
}

fn revoked(id: CredentialId) -> Error {
    Error::Conflict(ErrorDetail::new(
        "signing_key_revoked",
        format!("the signing key '{id}' is revoked; make another one"),
    ))
}
