//! Sealing everything anew after the master key was replaced.

use serde_json::json;
use trailkeeper_domain::Result;
use trailkeeper_domain::event::Event;
use trailkeeper_domain::id::CredentialId;
use trailkeeper_domain::ports::ReadTx;

use crate::access::{Access, lock_accounts};
use crate::audit::{AuditContext, MASTER_KEY_ROTATE, append, target};
use crate::authenticate::secret_context;
use crate::jwt::token_key_context;

/// How many signing keys are read at a time.
const PAGE: usize = 500;

/// A secret that the current master key does not open, sealed anew.
enum Resealed {
    SigningKey(CredentialId, Vec<u8>),
    TokenKey(String, Vec<u8>),
}

impl Access {
    /// How many secrets are sealed with the previous master key still: more than none after a rotation that was broken
    /// off.
    ///
    /// [`trailkeeper_domain::Error::Internal`] when neither key opens one of them.
    pub fn sealed_with_previous(&self) -> Result<usize> {
        self.master.reload()?;
        self.store.reading(|tx| self.stale(tx).map(|stale| stale.len()))
    }

    /// Seals everything that is sealed with the previous master key with the current one, all or nothing; gives how many
    /// secrets that were. Recorded as `master_key_rotate`.
    ///
    /// Whoever seals something does it behind the lock that this takes. So either it is stored by now and sealed anew
    /// here, or it is sealed when this is done, and with the new key, which was put in its place before. Nothing is left
    /// that needs the previous key, and that may be deleted.
    ///
    ///
    /// [`trailkeeper_domain::Error::Internal`] when neither key opens one of them; nothing has changed then.
    pub fn reseal(&self, context: &AuditContext) -> Result<usize> {
        self.master.reload()?;
        let now = self.clock.now();
        let event =
            self.change_event(now, MASTER_KEY_ROTATE, context, target("master_key", &"current", "master key"))?;
        self.store.writing(|tx| {
            lock_accounts(tx)?;
            let stale = self.stale(tx)?;
            for secret in &stale {
                match secret {
                    // One that was removed meanwhile needs no seal.
                    Resealed::SigningKey(id, sealed) => tx.reseal_signing_key(*id, sealed)?,
                    Resealed::TokenKey(kid, sealed) => tx.reseal_token_key(kid, sealed)?,
                };
            }
            let metadata = serde_json::Map::from_iter([("resealed".to_owned(), json!(stale.len()))]);
            append(tx, &Event { metadata: Some(metadata), ..event.clone() })?;
            Ok(stale.len())
        })
    }

    fn stale<T: ReadTx + ?Sized>(&self, tx: &mut T) -> Result<Vec<Resealed>> {
        let entropy = self.entropy.as_ref();
        let mut stale = Vec::new();
        for key in tx.token_keys()? {
            let sealed = self.master.resealed(entropy, &token_key_context(&key.kid), &key.sealed_private)?;
            stale.extend(sealed.map(|sealed| Resealed::TokenKey(key.kid, sealed)));
        }
        let mut after = None;
        loop {
            let page = tx.signing_keys(after, PAGE)?;
            after = page.last().map(|key| key.id);
            for key in &page {
                let sealed = self.master.resealed(entropy, &secret_context(key.id), &key.sealed_secret)?;
                stale.extend(sealed.map(|sealed| Resealed::SigningKey(key.id, sealed)));
            }
            if page.len() < PAGE {
                return Ok(stale);
            }
        }
    }
}
