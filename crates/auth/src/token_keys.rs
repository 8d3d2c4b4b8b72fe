//! The keys of access tokens, for those who manage them: what there is, and making new ones.

use chrono::TimeDelta;
use serde_json::json;
use trailkeeper_domain::Result;
use trailkeeper_domain::account::TokenKey;
use trailkeeper_domain::event::Event;
use trailkeeper_domain::time::Timestamp;

use crate::access::{Access, lock_accounts};
use crate::audit::{AuditContext, TOKEN_KEY_ROTATE, append, target};
use crate::jwt::{Jwk, Jwks, KeyPair, ends_of, signing_index};

/// A key of access tokens, without anything that signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenKeyInfo {
    /// Its id, as tokens name it in their header.
    pub kid: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Whether it signs the tokens of this moment. A new key begins to some seconds after it was made.
    pub signs: bool,
    /// When it verifies no longer; absent: as long as it is the newest.
    pub verifies_until: Option<Timestamp>,
}

/// What becomes of the keys before a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OldKeys {
    /// They verify until their last token has expired.
    Keep,
    /// They are removed: all access tokens stop working within five seconds on every server, and whoever has a refresh
    /// token gets a new one with it.
    Revoke,
}

/// What a rotation did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RotatedTokenKey {
    /// The new key's id.
    pub kid: String,
    /// The ids of the keys that were removed.
    pub revoked: Vec<String>,
}

impl Access {
    /// All keys, newest first. They are not opened: this works without the master key.
    pub fn token_keys(&self) -> Result<Vec<TokenKeyInfo>> {
        let rows = self.store.reading(|tx| tx.token_keys())?;
        let made_at: Vec<_> = rows.iter().map(|row| row.created_at).collect();
        let signing = signing_index(&made_at, self.clock.now());
        let ends = ends_of(&made_at, self.access_ttl());
        let infos = rows.into_iter().zip(ends).enumerate().map(|(index, (row, verifies_until))| TokenKeyInfo {
            kid: row.kid,
            created_at: row.created_at,
            signs: signing == Some(index),
            verifies_until,
        });
        Ok(infos.collect())
    }

    /// The public keys whose tokens hold. At most four seconds old.
    pub fn jwks(&self) -> Result<Jwks> {
        let pairs = self.keys.verifying(self.key_source())?;
        Ok(Jwks { keys: pairs.iter().map(|pair| Jwk::of(pair)).collect() })
    }

    /// Makes a new key, which signs from five seconds later on; at once where the others are revoked. Two who do this at
    /// the same moment make two keys, and the tokens of both hold. Recorded as `token_key_rotate`.
    pub fn rotate_token_key(&self, context: &AuditContext, old: OldKeys) -> Result<RotatedTokenKey> {
        let rotated = self.add_token_key(context, old, |_| true)?;
        rotated.ok_or_else(|| trailkeeper_domain::Error::internal("token_keys: a rotation that must be was not due"))
    }

    /// [`Self::rotate_token_key`], if `due` says of the keys that there are, newest first, that it must be.
    pub(crate) fn add_token_key(
        &self,
        context: &AuditContext,
        old: OldKeys,
        due: impl Fn(&[TokenKey]) -> bool,
    ) -> Result<Option<RotatedTokenKey>> {
        let now = self.clock.now();
        let pair = KeyPair::generate(self.entropy.as_ref())?;
        let event = self.change_event(now, TOKEN_KEY_ROTATE, context, target("token_key", &pair.kid(), pair.kid()))?;
        let rotated = self.store.writing(|tx| {
            lock_accounts(tx)?;
            // Read behind the lock: a key that waited for it would sign before every server has heard of it.
            let now = self.clock.now();
            let before = tx.token_keys()?;
            if !due(&before) {
                return Ok(None);
            }
            // Newer than all that stay, although the clock of the server that made those may be ahead of ours: else the
            // new key would count as one that was replaced. Where none stays, time begins anew: a clock that was far
            // ahead once must not be followed for ever.
            let stays = before.first().filter(|_| old == OldKeys::Keep);
            let created_at = stays.map_or(now, |newest| now.max(newest.created_at + TimeDelta::microseconds(1)));
            // Sealed behind the lock, as is told at `Access::reseal`.
            tx.insert_token_key(&pair.seal(&self.master, self.entropy.as_ref(), created_at)?)?;
            let mut revoked = Vec::new();
            if old == OldKeys::Revoke {
                for key in before {
                    tx.delete_token_key(&key.kid)?;
                    revoked.push(key.kid);
                }
            }
            let metadata = serde_json::Map::from_iter([("revoked".to_owned(), json!(revoked))]);
            append(tx, &Event { metadata: Some(metadata), ..event.clone() })?;
            Ok(Some(RotatedTokenKey { kid: pair.kid().to_owned(), revoked }))
        })?;
        self.keys.forget();
        Ok(rotated)
    }

    /// Removes the keys whose tokens have all expired; gives their ids.
    pub(crate) fn remove_past_token_keys(&self) -> Result<Vec<String>> {
        let (now, ttl) = (self.clock.now(), self.access_ttl());
        let past = |keys: &[TokenKey]| -> Vec<String> {
            let made_at: Vec<_> = keys.iter().map(|key| key.created_at).collect();
            let ends = ends_of(&made_at, ttl);
            let past = keys.iter().zip(ends).filter(|(_, end)| end.is_some_and(|end| end <= now));
            past.map(|(key, _)| key.kid.clone()).collect()
        };
        if past(&self.store.reading(|tx| tx.token_keys())?).is_empty() {
            return Ok(Vec::new());
        }
        self.store.writing(|tx| {
            lock_accounts(tx)?;
            let kids = past(&tx.token_keys()?);
            for kid in &kids {
                tx.delete_token_key(kid)?;
            }
            Ok(kids)
        })
    }
}
