//! A server over a database of its own, and callers of every kind. Tests go through the HTTP API alone.

mod call;
mod person;
mod response;

use std::cell::Cell;
use std::sync::Arc;

use actix_web::rt::{System, SystemRunner};
use actix_web::web::Data;
use trailkeeper_analytics::engine::Summary;
use trailkeeper_auth::{Access, AccessSettings, AuditContext, MasterKey, NewToken};
use trailkeeper_domain::account::{Actor, Role};
use trailkeeper_domain::clock::Clock;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::ingest::{Ingest, IngestLimits};
use trailkeeper_domain::ports::Store;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_http::{AppState, HttpSettings, Services};
use trailkeeper_storage::{DatabaseUrl, StoreOptions};
use trailkeeper_testkit::{DatabaseKind, TempDatabase, TestClock, TestEntropy};
use uuid::Uuid;

pub use call::{Caller, send_at_once};
pub use person::{PASSWORD, Person};
pub use response::TestResponse;

/// Two tenants that nobody told the server of.
pub const ACME: &str = "69e732d6-8ecc-45c4-a2eb-8438f7ffe775";
pub const OTHER: &str = "11111111-2222-4333-8444-555555555555";

/// The lowest cost of bcrypt.
const CHEAP: u32 = 4;

/// When every test begins.
pub const START: &str = "2026-07-23T10:00:00Z";

/// A server. It answers inside the test's own thread, and its database vanishes with it.
pub struct TestApp {
    pub clock: Arc<TestClock>,
    pub state: Data<AppState>,
    pub database: TempDatabase,
    runner: SystemRunner,
    names: Cell<u32>,
}

impl TestApp {
    /// On SQLite, with default settings.
    pub fn new() -> Self {
        Self::with(HttpSettings::default())
    }

    /// On SQLite.
    pub fn with(settings: HttpSettings) -> Self {
        Self::set(DatabaseKind::Sqlite, settings, CHEAP)
    }

    /// With default settings.
    pub fn on(kind: DatabaseKind) -> Self {
        Self::set(kind, HttpSettings::default(), CHEAP)
    }

    /// One on each kind of database.
    pub fn on_both() -> impl Iterator<Item = Self> {
        DatabaseKind::ALL.into_iter().map(Self::on)
    }

    /// With these settings, and with passwords that are hashed at this cost.
    pub fn set(kind: DatabaseKind, settings: HttpSettings, bcrypt_cost: u32) -> Self {
        let database = TempDatabase::new(kind);
        let url = DatabaseUrl::parse(database.url()).unwrap();
        trailkeeper_storage::migrate(&url).unwrap();
        let store: Arc<dyn Store> =
            trailkeeper_storage::open(&url, &StoreOptions::default(), Arc::new(Summary)).unwrap();
        let clock = Arc::new(TestClock::at(START));
        let entropy = Arc::new(TestEntropy::default());
        let master = MasterKey::generate(entropy.as_ref());
        let access_settings = AccessSettings { bcrypt_cost, ..AccessSettings::default() };
        let access = Access::new(store.clone(), clock.clone(), entropy.clone(), master, access_settings);
        let ingest = Arc::new(Ingest::start(store.clone(), IngestLimits::default()).unwrap());
        let services = Services { store, ingest, access: Arc::new(access), clock: clock.clone(), entropy };
        let state = Data::new(AppState::new(services, settings));
        Self { clock, state, database, runner: System::new(), names: Cell::new(0) }
    }

    /// What the server takes for the present.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A name that nothing of this app has.
    pub fn fresh_name(&self) -> String {
        self.names.set(self.names.get() + 1);
        format!("name{}", self.names.get())
    }

    /// Someone without a credential.
    pub fn anon(&self) -> Caller<'_> {
        Caller { app: self, token: None }
    }

    /// Someone who may do everything.
    pub fn admin(&self) -> Caller<'_> {
        self.token(Role::Admin, None)
    }

    /// A program with an API token, perhaps confined to a tenant.
    pub fn token(&self, role: Role, tenant: Option<&str>) -> Caller<'_> {
        let tenant_id = tenant.map(tenant_id);
        let new = NewToken { name: format!("test {}", role.as_str()), role, tenant_id, expires_at: None };
        let (_, plain) = self.state.access().create_token(&operator(), new).unwrap();
        self.bearer(plain.expose())
    }

    /// Someone with this token.
    pub fn bearer(&self, token: &str) -> Caller<'_> {
        Caller { app: self, token: Some(token.to_owned()) }
    }
}

/// Who prepares the tests.
pub fn operator() -> AuditContext {
    AuditContext::from(Actor { id: "test".to_owned(), name: "test".to_owned() })
}

/// A tenant's id.
pub fn tenant_id(id: &str) -> TenantId {
    TenantId::parse("tenant", id).unwrap()
}

/// The id of the n-th thing of a test.
pub fn numbered(number: u128) -> String {
    Uuid::from_u128(0x0197_5f3c_0000_7000_8000_0000_0000_0000 + number).to_string()
}

/// A text as a query or path carries it.
pub fn escaped(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
