//! A fresh database, a clock that tests move, and the service over both.

use std::ops::Deref;
use std::sync::Arc;

use chrono::TimeDelta;
use trailkeeper_auth::{
    Access, AccessSettings, AuditContext, LoggedIn, MasterKey, NewAccount, NewToken, Origin, PlainToken, SystemEntropy,
};
use trailkeeper_domain::account::{Account, Actor, ApiToken, Role};
use trailkeeper_domain::clock::Clock as _;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::ports::Store;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, ErrorDetail, Result};
use trailkeeper_testkit::{DatabaseKind, TestClock, open_store};
use uuid::Uuid;

pub const EMAIL: &str = "Jane.Doe@example.com";
pub const PASSWORD: &str = "correct horse battery";
pub const TENANT: TenantId = TenantId(Uuid::from_u128(0x69e7_32d6_8ecc_45c4_a2eb_8438_f7ff_e775));

/// The service of one server over a [`trailkeeper_testkit::World`].
pub struct World {
    pub master: String,
    pub access: Access,
    /// Dropped last: the connections of the service go first.
    base: trailkeeper_testkit::World,
}

impl Deref for World {
    type Target = trailkeeper_testkit::World;

    fn deref(&self) -> &Self::Target {
        &self.base
    }
}

impl World {
    /// A world on SQLite.
    pub fn new() -> Self {
        Self::on(DatabaseKind::Sqlite)
    }

    /// A world on each kind of database.
    pub fn on_both() -> impl Iterator<Item = Self> {
        DatabaseKind::ALL.into_iter().map(Self::on)
    }

    pub fn on(kind: DatabaseKind) -> Self {
        let base = trailkeeper_testkit::World::new(kind, |database| open_store!(database));
        base.clock.set("2026-07-23T10:36:37.035587Z");
        let master = MasterKey::generate(&SystemEntropy::new()).to_hex();
        let access = service(base.store.clone(), base.clock.clone(), &master);
        Self { master, access, base }
    }

    /// Another server over this store of the same database.
    pub fn server_over(&self, store: Arc<dyn Store>) -> Access {
        service(store, self.clock.clone(), &self.master)
    }

    /// Another server of the same database with this cost of password hashes.
    pub fn server_with_cost(&self, bcrypt_cost: u32) -> Access {
        self.server_with(self.store.clone(), bcrypt_cost)
    }

    /// The same, over this store.
    pub fn server_with(&self, store: Arc<dyn Store>, bcrypt_cost: u32) -> Access {
        let settings = AccessSettings { bcrypt_cost, ..AccessSettings::default() };
        let master = MasterKey::from_hex(&self.master).unwrap();
        Access::new(store, self.clock.clone(), Arc::new(SystemEntropy::new()), master, settings)
    }

    /// Another server of the same database with these settings.
    pub fn server_with_settings(&self, settings: AccessSettings) -> Access {
        let master = MasterKey::from_hex(&self.master).unwrap();
        Access::new(self.store.clone(), self.clock.clone(), Arc::new(SystemEntropy::new()), master, settings)
    }

    /// Another store on the same database, as another server process has.
    pub fn another_store(&self) -> Arc<dyn Store> {
        open_store!(self.database)
    }

    /// Another server of the same database with another master key.
    pub fn server_with_another_master_key(&self) -> Access {
        let master = MasterKey::generate(&SystemEntropy::new()).to_hex();
        service(self.store.clone(), self.clock.clone(), &master)
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn advance(&self, by: TimeDelta) {
        self.clock.advance(by);
    }

    /// Creates the account with [`EMAIL`] and [`PASSWORD`].
    pub fn jane(&self, role: Role) -> Account {
        self.account(EMAIL, role)
    }

    pub fn account(&self, email: &str, role: Role) -> Account {
        self.access.create_account(&operator(), new_account(email, role)).unwrap()
    }

    pub fn jane_logs_in(&self) -> LoggedIn {
        self.access.login(EMAIL, PASSWORD, &origin()).unwrap()
    }

    pub fn token(&self, role: Role, expires_at: Option<Timestamp>) -> (ApiToken, PlainToken) {
        let new = NewToken { name: "nightly import".to_owned(), role, tenant_id: None, expires_at };
        self.access.create_token(&operator(), new).unwrap()
    }

    /// The types of the audit events, oldest first.
    pub fn system_kinds(&self) -> Vec<String> {
        self.system_events().iter().rev().map(|event| event.kind.as_str().to_owned()).collect()
    }

    /// All bytes in the files of a SQLite database.
    pub fn bytes_on_disk(&self) -> Vec<u8> {
        let file = self.database.path();
        let folder = std::fs::read_dir(file.parent().unwrap()).unwrap();
        folder.flat_map(|entry| std::fs::read(entry.unwrap().path()).unwrap()).collect()
    }
}

fn service(store: Arc<dyn Store>, clock: Arc<TestClock>, master: &str) -> Access {
    let settings = AccessSettings { bcrypt_cost: 4, ..AccessSettings::default() };
    Access::new(store, clock, Arc::new(SystemEntropy::new()), MasterKey::from_hex(master).unwrap(), settings)
}

pub fn new_account(email: &str, role: Role) -> NewAccount {
    NewAccount { email: email.to_owned(), display_name: None, password: PASSWORD.to_owned(), role, tenant_id: None }
}

pub fn operator() -> AuditContext {
    AuditContext::from(Actor { id: "cli".to_owned(), name: "command line".to_owned() })
}

pub fn origin() -> Origin {
    Origin {
        source: Some("::ffff:203.0.113.7".parse().unwrap()),
        user_agent: Some("curl/8.14\r\nX-Forged: 1".to_owned()),
        trace_id: Some("trace-1".to_owned()),
    }
}

/// The context of an action of this account through the API, from [`origin`].
pub fn context_of(account: &Account) -> AuditContext {
    AuditContext { actor: Actor { id: account.id.to_string(), name: account.email.clone() }, origin: origin() }
}

/// The detail of a conflict; fails the test for any other result.
pub fn conflict<T: std::fmt::Debug>(answer: Result<T>) -> ErrorDetail {
    match answer {
        Err(Error::Conflict(fault)) => fault,
        other => panic!("not a conflict: {other:?}"),
    }
}

/// The text of an [`Error::Unauthenticated`]; fails the test for any other result.
pub fn unauthenticated<T: std::fmt::Debug>(answer: Result<T>) -> String {
    match answer {
        Err(Error::Unauthenticated(fault)) => fault.to_string(),
        other => panic!("not unauthenticated: {other:?}"),
    }
}
