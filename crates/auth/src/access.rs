//! The service: what it is made of, and what all its parts share.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use trailkeeper_domain::clock::{self, Clock, Entropy};
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::ports::{Store, WriteTx};
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};
use uuid::Uuid;

use crate::authenticate::secret_context;
use crate::jwt::{KeyRing, KeySource};
use crate::master_keys::MasterKeys;
use crate::password;
use crate::token_cache::TokenCache;

/// What can be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessSettings {
    /// How slow password hashes are: 4 to 31, each step doubles the time. Hashes made under another cost
    /// stay valid.
    pub bcrypt_cost: u32,
    /// `iss` of the access tokens.
    pub issuer: String,
    /// How long an access token holds.
    pub access_ttl: Duration,
    /// How long a refresh token holds.
    pub refresh_ttl: Duration,
    /// How long after its login a session ends, however often it is refreshed.
    pub session_ttl: Duration,
    /// How old the newest key of access tokens becomes before [`Access::housekeeping`] makes another; `None`: any age.
    pub rotate_token_keys_after: Option<Duration>,
    /// The names under which clients reach us through a proxy, as they sign them: with a port where
    /// clients name one.
    pub public_hosts: Vec<String>,
    /// Whether too many failed logins make further ones wait.
    pub login_delays: bool,
}

impl Default for AccessSettings {
    fn default() -> Self {
        Self {
            bcrypt_cost: 12,
            issuer: "trailkeeper".to_owned(),
            access_ttl: Duration::from_hours(2),
            refresh_ttl: Duration::from_hours(30 * 24),
            session_ttl: Duration::from_hours(90 * 24),
            rotate_token_keys_after: Some(Duration::from_hours(30 * 24)),
            public_hosts: Vec::new(),
            login_delays: true,
        }
    }
}

/// Accounts, credentials and everything that is checked against them.
///
/// Its methods block (they hash and ask the database): call them on a thread that may block; all but
/// [`Access::recall_bearer`]. One of them is shared by all threads as `Arc<Access>`.
pub struct Access {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) master: MasterKeys,
    pub(crate) settings: AccessSettings,
    pub(crate) keys: KeyRing,
    pub(crate) token_cache: TokenCache,
    pub(crate) nobodys_hash: String,
}

impl Access {
    /// Puts it together. Nothing is read, made or computed yet.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        master: impl Into<MasterKeys>,
        settings: AccessSettings,
    ) -> Self {
        let nobodys_hash = password::nobodys_hash(settings.bcrypt_cost);
        let (keys, token_cache) = (KeyRing::default(), TokenCache::default());
        let master = master.into();
        Self { store, clock, entropy, master, settings, keys, token_cache, nobodys_hash }
    }

    /// Checks that the master key is the one with which the database's keys are sealed: a server with another
    /// one could neither issue tokens nor check signatures. To be called at start.
    ///
    /// [`Error::Internal`] says which key cannot be opened. A database without keys takes any, and keeps to it.
    pub fn check_master_key(&self) -> Result<()> {
        // Opens every key of access tokens, and makes the first: of two servers that start on a fresh database
        // with different master keys, the second is told so now and not at its first login.
        self.keys.signing(self.key_source())?;
        self.keys.check(self.key_source())?;
        for key in self.store.reading(|tx| tx.signing_keys(None, 1))? {
            self.master.open(&secret_context(key.id), &key.sealed_secret)?;
        }
        Ok(())
    }

    /// A password for a person to copy: 20 letters and digits that are not mistaken for one another.
    pub fn generate_password(&self) -> String {
        password::generate(self.entropy.as_ref())
    }

    pub(crate) fn fresh_uuid(&self) -> Uuid {
        clock::new_uuid(self.clock.as_ref(), self.entropy.as_ref())
    }

    /// How long an access token holds.
    pub(crate) fn access_ttl(&self) -> TimeDelta {
        span_of(self.settings.access_ttl)
    }

    /// When a session that began then ends at the latest.
    pub(crate) fn last_moment_of(&self, started_at: Timestamp) -> Timestamp {
        started_at.checked_add_signed(span_of(self.settings.session_ttl)).unwrap_or(Timestamp::MAX_UTC)
    }

    pub(crate) fn key_source(&self) -> KeySource<'_> {
        KeySource {
            store: self.store.as_ref(),
            clock: self.clock.as_ref(),
            entropy: self.entropy.as_ref(),
            master: &self.master,
            access_ttl: self.access_ttl(),
        }
    }
}

/// Makes the writers of accounts and sessions wait for one another until the transaction ends: two
/// administrators cannot disable each other at the same instant, and no session begins with a password that
/// is being replaced. To be called before anything else in the transaction.
pub(crate) fn lock_accounts(tx: &mut dyn WriteTx) -> Result<()> {
    tx.lock_directory()
}

/// A span of time as calendars take it; the longest one for one that is beyond all calendars.
pub(crate) fn span_of(span: Duration) -> TimeDelta {
    TimeDelta::from_std(span).unwrap_or(TimeDelta::MAX)
}

/// The instant when something that lives for `ttl` from `now` ends.
pub(crate) fn end_of(now: Timestamp, ttl: Duration) -> Result<Timestamp> {
    TimeDelta::from_std(ttl)
        .ok()
        .and_then(|ttl| now.checked_add_signed(ttl))
        .ok_or_else(|| Error::internal(format!("a lifetime of {} seconds is beyond the calendar", ttl.as_secs())))
}

/// A tenant to which a credential may be confined.
pub(crate) fn checked_tenant_scope(tenant: Option<TenantId>) -> Result<()> {
    match tenant {
        Some(id @ (TenantId::NONE | TenantId::SYSTEM)) => Err(Error::invalid(
            "tenant_id",
            format!(
                "'{id}' is reserved (all zero: no tenant, all ones: the server's own trail); give the id of a customer, or none"
            ),
        )),
        _ => Ok(()),
    }
}
