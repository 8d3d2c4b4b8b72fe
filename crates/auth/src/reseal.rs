//! Resealing all secrets after a rotation of the master key.

use serde_json::json;
use trailkeeper_domain::event::{Event, Metadata};
use trailkeeper_domain::id::CredentialId;
use trailkeeper_domain::ports::ReadTx;
use trailkeeper_domain::stream::{MAX_STREAMS, SealedSecrets, Stream};
use trailkeeper_domain::usecase::change_stream;
use trailkeeper_domain::{Error, Result};

use crate::access::{Access, lock_accounts};
use crate::audit::{AuditContext, MASTER_KEY_ROTATE, append, target};
use crate::cursor_key::CURSOR_KEY_SEAL_CONTEXT;
use crate::jwt::token_key_seal_context;
use crate::master_keys::{secret_seal_context, stream_seal_context};

/// The number of signing keys per query.
const PAGE: usize = 500;

/// A key of the database that was sealed with the previous master key, now sealed with the current one.
enum Resealed {
    Signing(CredentialId, Vec<u8>),
    Token(String, Vec<u8>),
    Cursor(Vec<u8>),
    /// A stream with its secrets sealed again, and their number.
    Stream(Box<Stream>),
}

impl Access {
    /// The number of secrets that are still sealed with the previous master key: more than zero after an interrupted
    /// rotation.
    ///
    /// [`trailkeeper_domain::Error::Internal`] when neither key opens one of them.
    pub fn sealed_with_previous(&self) -> Result<usize> {
        self.master.reload()?;
        self.store.reading(|tx| self.stale(tx).map(|stale| stale.len()))
    }

    /// Reseals all secrets that are sealed with the previous master key, all or none; returns their number. Recorded as
    /// `master_key_rotate`.
    ///
    /// Every operation that seals a secret does so while it holds the lock that this method takes. So a secret is either
    /// stored before, and resealed here, or sealed afterwards, with the new key, which was installed before. Afterwards no
    /// secret needs the previous key, which may be deleted.
    ///
    /// [`trailkeeper_domain::Error::Internal`] when neither key opens one of the secrets; then nothing has changed.
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
                    // No error if the row was removed meanwhile: then there is nothing to reseal.
                    Resealed::Signing(id, sealed) => tx.reseal_signing_key(*id, sealed)?,
                    Resealed::Token(kid, sealed) => tx.reseal_token_key(kid, sealed)?,
                    Resealed::Cursor(sealed) => tx.reseal_cursor_key(sealed)?,
                    Resealed::Stream(stream) => {
                        // A delivery may have changed its progress meanwhile.
                        let secrets = &stream.secrets;
                        let put = |known: Stream| Ok(Stream { secrets: secrets.clone(), ..known });
                        match change_stream(tx, stream.id, put) {
                            Ok(_) => true,
                            Err(Error::NotFound(_)) => false,
                            Err(error) => return Err(error),
                        }
                    }
                };
            }
            let metadata = Metadata::from_iter([("resealed".to_owned(), json!(stale.len()))]);
            append(tx, &Event { metadata: Some(metadata), ..event.clone() })?;
            Ok(stale.len())
        })
    }

    /// The stream with its secrets sealed with the current key; `None` if they are already.
    fn stale_stream(&self, stream: Stream) -> Result<Option<Stream>> {
        let (entropy, context) = (self.entropy.as_ref(), stream_seal_context(stream.id));
        let SealedSecrets { current, previous } = &stream.secrets;
        let new = self.master.resealed(entropy, &context, current)?;
        let old = previous.as_ref().map(|(sealed, _)| self.master.resealed(entropy, &context, sealed)).transpose()?;
        let old = old.flatten();
        if new.is_none() && old.is_none() {
            return Ok(None);
        }
        let SealedSecrets { current, previous } = stream.secrets.clone();
        let previous = previous.map(|(sealed, until)| (old.unwrap_or(sealed), until));
        Ok(Some(Stream { secrets: SealedSecrets { current: new.unwrap_or(current), previous }, ..stream }))
    }

    fn stale<T: ReadTx + ?Sized>(&self, tx: &mut T) -> Result<Vec<Resealed>> {
        let entropy = self.entropy.as_ref();
        let mut stale = Vec::new();
        for key in tx.token_keys()? {
            let sealed = self.master.resealed(entropy, &token_key_seal_context(&key.kid), &key.sealed_private)?;
            stale.extend(sealed.map(|sealed| Resealed::Token(key.kid, sealed)));
        }
        if let Some(sealed) = tx.cursor_key()? {
            let sealed = self.master.resealed(entropy, CURSOR_KEY_SEAL_CONTEXT, &sealed)?;
            stale.extend(sealed.map(Resealed::Cursor));
        }
        for stream in tx.streams(None, MAX_STREAMS)? {
            stale.extend(self.stale_stream(stream)?.map(|stream| Resealed::Stream(Box::new(stream))));
        }
        let mut after = None;
        loop {
            let page = tx.signing_keys(after, PAGE)?;
            after = page.last().map(|key| key.id);
            for key in &page {
                let sealed = self.master.resealed(entropy, &secret_seal_context(key.id), &key.sealed_secret)?;
                stale.extend(sealed.map(|sealed| Resealed::Signing(key.id, sealed)));
            }
            if page.len() < PAGE {
                return Ok(stale);
            }
        }
    }
}
