//! Management of token keys, the keys of access tokens: listing, rotation and removal.

use chrono::TimeDelta;
use serde_json::json;
use trailkeeper_domain::Result;
use trailkeeper_domain::account::TokenKey;
use trailkeeper_domain::event::{Event, Metadata};
use trailkeeper_domain::time::Timestamp;

use crate::access::{Access, lock_accounts};
use crate::audit::{AuditContext, TOKEN_KEY_ROTATE, append, target};
use crate::jwt::{Jwk, Jwks, KeyPair, signing_index, verification_ends};

/// A token key without its private half.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenKeyInfo {
    /// The key's id, as tokens name it in their header.
    pub kid: String,
    /// The time of its creation.
    pub created_at: Timestamp,
    /// Whether it signs new tokens now. A new key begins to do so a few seconds after its creation.
    pub signs: bool,
    /// The end of its verification; absent for the newest key.
    pub verifies_until: Option<Timestamp>,
}

/// The fate of the older keys at a rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OldKeys {
    /// Keep them until their last token has expired.
    Keep,
    /// Remove them: all access tokens stop working within two seconds on every server. Clients get new ones with their
    /// refresh tokens.
    Revoke,
}

/// The result of a rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RotatedTokenKey {
    /// The id of the new key.
    pub kid: String,
    /// The ids of the removed keys.
    pub revoked: Vec<String>,
}

impl Access {
    /// All token keys, newest first. Does not open them, so it works without the master key.
    pub fn token_keys(&self) -> Result<Vec<TokenKeyInfo>> {
        let rows = self.store.reading(|tx| tx.token_keys())?;
        let created_at: Vec<_> = rows.iter().map(|row| row.created_at).collect();
        let signing = signing_index(&created_at, self.clock.now());
        let ends = verification_ends(&created_at, self.access_ttl());
        let infos = rows.into_iter().zip(ends).enumerate().map(|(index, (row, verifies_until))| TokenKeyInfo {
            kid: row.kid,
            created_at: row.created_at,
            signs: signing == Some(index),
            verifies_until,
        });
        Ok(infos.collect())
    }

    /// The public keys that verify access tokens, as of at most four seconds ago.
    pub fn jwks(&self) -> Result<Jwks> {
        let pairs = self.keys.verifying(self.key_source())?;
        Ok(Jwks { keys: pairs.iter().map(|pair| Jwk::of(pair)).collect() })
    }

    /// Makes a new key. It signs from five seconds after its creation, or at once if the others are revoked. Two rotations
    /// at the same moment make two keys, and the tokens of both are valid. Recorded as `token_key_rotate`.
    pub fn rotate_token_key(&self, context: &AuditContext, old: OldKeys) -> Result<RotatedTokenKey> {
        let rotated = self.add_token_key(context, old, |_| true)?;
        rotated.ok_or_else(|| trailkeeper_domain::Error::internal("token_keys: an unconditional rotation was not done"))
    }

    /// Makes a new key if `due` returns true for the present keys, newest first; `None` otherwise.
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
            // Read under the lock: with the time from before the wait for it, the key would sign before every server
            // knows it.
            let now = self.clock.now();
            let before = tx.token_keys()?;
            if !due(&before) {
                return Ok(None);
            }
            // Newer than all keys that are kept, even if the clock of the server that made those is ahead of ours:
            // otherwise the new key would count as replaced. If none is kept, our own clock counts: a clock that was far
            // ahead once must not determine times for ever.
            let kept = before.first().filter(|_| old == OldKeys::Keep);
            let created_at = kept.map_or(now, |newest| now.max(newest.created_at + TimeDelta::microseconds(1)));
            // Sealed under the lock, for the reason given at `Access::reseal`.
            tx.insert_token_key(&pair.seal(&self.master, self.entropy.as_ref(), created_at)?)?;
            let mut revoked = Vec::new();
            if old == OldKeys::Revoke {
                for key in before {
                    tx.delete_token_key(&key.kid)?;
                    revoked.push(key.kid);
                }
            }
            let metadata = Metadata::from_iter([("revoked".to_owned(), json!(revoked))]);
            append(tx, &Event { metadata: Some(metadata), ..event.clone() })?;
            Ok(Some(RotatedTokenKey { kid: pair.kid().to_owned(), revoked }))
        })?;
        self.keys.invalidate();
        Ok(rotated)
    }

    /// Removes the keys whose last token has expired; returns their ids.
    pub(crate) fn remove_expired_token_keys(&self) -> Result<Vec<String>> {
        let (now, ttl) = (self.clock.now(), self.access_ttl());
        let expired = |keys: &[TokenKey]| -> Vec<String> {
            let created_at: Vec<_> = keys.iter().map(|key| key.created_at).collect();
            let ends = verification_ends(&created_at, ttl);
            let expired = keys.iter().zip(ends).filter(|(_, end)| end.is_some_and(|end| end <= now));
            expired.map(|(key, _)| key.kid.clone()).collect()
        };
        if expired(&self.store.reading(|tx| tx.token_keys())?).is_empty() {
            return Ok(Vec::new());
        }
        self.store.writing(|tx| {
            lock_accounts(tx)?;
            let kids = expired(&tx.token_keys()?);
            for kid in &kids {
                tx.delete_token_key(kid)?;
            }
            Ok(kids)
        })
    }
}
