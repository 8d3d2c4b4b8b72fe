//! The service [`Access`], its settings, and what its parts share.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use trailkeeper_domain::clock::{self, Clock, Entropy};
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::ports::{Store, WriteTx};
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};
use uuid::Uuid;

use crate::cursor_key::{self, CursorKey};
use crate::jwt::{KeyRing, KeySource};
use crate::master_keys::{MasterKeys, secret_seal_context, stream_seal_context};
use crate::password;
use crate::token_cache::TokenCache;

/// Settings of [`Access`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessSettings {
    /// The cost of password hashes: 4 to 31, each step doubles the time. Hashes of another cost stay valid.
    pub bcrypt_cost: u32,
    /// The issuer (`iss`) of access tokens.
    pub issuer: String,
    /// The lifetime of an access token.
    pub access_ttl: Duration,
    /// The lifetime of a refresh token.
    pub refresh_ttl: Duration,
    /// The longest duration of a session, counted from its login, however often it is refreshed.
    pub session_ttl: Duration,
    /// The age of the newest token key at which [`Access::housekeeping`] makes another one; `None`: never.
    pub rotate_token_keys_after: Option<Duration>,
    /// The host names by which clients reach the server through a proxy, as clients sign them: with a port if they send
    /// one.
    pub public_hosts: Vec<String>,
    /// Whether repeated failed logins delay further ones.
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

/// Accounts, sessions and credentials: the one service of this crate.
///
/// All methods but [`Access::recall_bearer`] and [`Access::has_signed`] block (they hash passwords or query the
/// database): call them on a thread that may block. Share one `Arc<Access>` among all threads: its caches belong to it.
///
/// ```
/// use std::sync::Arc;
///
/// use trailkeeper_auth::{Access, AccessSettings, AuditContext, MasterKey, NewAccount, Origin, Permission, SystemEntropy};
/// use trailkeeper_domain::account::{Actor, Role};
/// use trailkeeper_domain::clock::SystemClock;
/// # use trailkeeper_testkit::{DatabaseKind, World, open_store};
/// # let world = World::new(DatabaseKind::Sqlite, |database| open_store!(database));
/// # let store = world.store.clone();
///
/// let entropy = Arc::new(SystemEntropy::new());
/// let master_key = MasterKey::generate(entropy.as_ref());
/// let settings = AccessSettings { bcrypt_cost: 4, ..AccessSettings::default() };
/// let access = Access::new(store, Arc::new(SystemClock), entropy, master_key, settings);
///
/// let operator = AuditContext::from(Actor { id: "cli".to_owned(), name: "operator".to_owned() });
/// let password = access.generate_password();
/// access.create_account(
///     &operator,
///     NewAccount {
///         email: "jane@example.com".to_owned(),
///         display_name: None,
///         password: password.clone(),
///         role: Role::Auditor,
///         tenant_id: None,
///     },
/// )?;
///
/// let login = access.login("jane@example.com", &password, &Origin::default())?;
/// let jane = access.authenticate_bearer(&login.access_token)?;
/// assert!(jane.require(Permission::ReadEvents).is_ok());
/// assert!(jane.require(Permission::Administer).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Access {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) master: MasterKeys,
    pub(crate) settings: AccessSettings,
    pub(crate) keys: KeyRing,
    pub(crate) cursor_key: CursorKey,
    pub(crate) token_cache: TokenCache,
    /// The hash that passwords of unknown accounts are checked against.
    pub(crate) placeholder_hash: String,
}

impl Access {
    /// Builds the service. Reads and computes nothing yet.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        master: impl Into<MasterKeys>,
        settings: AccessSettings,
    ) -> Self {
        let placeholder_hash = password::placeholder_hash(settings.bcrypt_cost);
        let (keys, cursor_key, token_cache) = (KeyRing::default(), CursorKey::default(), TokenCache::default());
        let master = master.into();
        Self { store, clock, entropy, master, settings, keys, cursor_key, token_cache, placeholder_hash }
    }

    /// Checks that the master key opens the sealed keys of the database: with another one, the server could neither issue
    /// tokens nor verify signatures. To be called at start. In a database without keys it makes the first token key, which
    /// binds the database to this master key.
    ///
    /// [`Error::Internal`] names the key that does not open.
    pub fn check_master_key(&self) -> Result<()> {
        // First: with another master key, no token key must be made.
        cursor_key::check(self.key_source())?;
        // Opens every token key, and makes the first: of two servers that start on a fresh database with different
        // master keys, the second fails now and not at its first login.
        self.keys.signing(self.key_source())?;
        self.keys.check(self.key_source())?;
        for key in self.store.reading(|tx| tx.signing_keys(None, 1))? {
            self.master.open(&secret_seal_context(key.id), &key.sealed_secret)?;
        }
        for stream in self.store.reading(|tx| tx.streams(None, 1))? {
            self.master.open(&stream_seal_context(stream.id), &stream.secrets.current)?;
        }
        Ok(())
    }

    /// A random password for a person to copy: 20 letters and digits that do not look alike.
    pub fn generate_password(&self) -> String {
        password::generate(self.entropy.as_ref())
    }

    pub(crate) fn fresh_uuid(&self) -> Uuid {
        clock::new_uuid(self.clock.as_ref(), self.entropy.as_ref())
    }

    /// The lifetime of an access token.
    pub(crate) fn access_ttl(&self) -> TimeDelta {
        span_of(self.settings.access_ttl)
    }

    /// The latest end of a session that began at `started_at`.
    pub(crate) fn session_end_limit(&self, started_at: Timestamp) -> Timestamp {
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

/// Locks accounts and sessions against other writers until the transaction ends: two administrators cannot disable each
/// other at the same instant, and no session begins with a password that is being replaced. Must be the first call in
/// the transaction.
pub(crate) fn lock_accounts(tx: &mut dyn WriteTx) -> Result<()> {
    tx.lock_directory()
}

/// The duration as a [`TimeDelta`]; the longest one if it is longer than that.
pub(crate) fn span_of(span: Duration) -> TimeDelta {
    TimeDelta::from_std(span).unwrap_or(TimeDelta::MAX)
}

/// The end of a lifetime of `ttl` that begins now. [`Error::Internal`] when it lies beyond the calendar.
pub(crate) fn end_of(now: Timestamp, ttl: Duration) -> Result<Timestamp> {
    TimeDelta::from_std(ttl)
        .ok()
        .and_then(|ttl| now.checked_add_signed(ttl))
        .ok_or_else(|| Error::internal(format!("a lifetime of {} seconds is beyond the calendar", ttl.as_secs())))
}

/// Checks the tenant to which a new credential is scoped: not one of the reserved ids.
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
