//! A server with its own database, and callers of every kind. Tests use only the HTTP API.

mod call;
pub mod contracts;
pub mod declared;
mod download;
pub mod history;
mod person;
mod response;
mod stream;
mod stream_tester;

use std::cell::Cell;
use std::sync::Arc;
use std::thread;

use actix_web::rt::{System, SystemRunner};
use actix_web::web::Data;
use trailkeeper_analytics::engine::merger;
use trailkeeper_auth::{Access, AccessSettings, AuditContext, MasterKey, NewToken};
use trailkeeper_domain::account::{Actor, Role};
use trailkeeper_domain::clock::Clock;
use trailkeeper_domain::event::EventFilter;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::ingest::{Ingest, IngestLimits};
use trailkeeper_domain::ports::Store;
use trailkeeper_domain::stream::StreamTester;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_http::{AppState, HttpSettings, Services};
use trailkeeper_storage::{DatabaseUrl, StoreOptions};
use trailkeeper_testkit::visibility::EVERYTHING;
use trailkeeper_testkit::{DatabaseKind, TempDatabase, TestClock, TestEntropy, buckets_of_tests};
use uuid::Uuid;

pub use call::{Caller, send_at_once, send_while_waiting, wait_in_no_time};
pub use person::{PASSWORD, Person, person};
pub use response::TestResponse;
pub use stream::{Block, EventStream};

/// Two tenants without records.
pub const ACME: &str = "69e732d6-8ecc-45c4-a2eb-8438f7ffe775";
pub const OTHER: &str = "11111111-2222-4333-8444-555555555555";

/// The lowest cost of bcrypt.
const CHEAP: u32 = 4;

/// The start time of every test.
pub const START: &str = "2026-07-23T10:00:00Z";

/// A server. It answers on the thread of the test, and its database is removed with it.
pub struct TestApp {
    pub clock: Arc<TestClock>,
    pub state: Data<AppState>,
    pub database: TempDatabase,
    runner: SystemRunner,
    names: Cell<u32>,
}

impl TestApp {
    /// A server on SQLite with default settings.
    pub fn new() -> Self {
        Self::with(HttpSettings::default())
    }

    /// A server on SQLite with these settings.
    pub fn with(settings: HttpSettings) -> Self {
        Self::set(DatabaseKind::Sqlite, settings, CHEAP)
    }

    /// A server on this database with default settings.
    pub fn on(kind: DatabaseKind) -> Self {
        Self::set(kind, HttpSettings::default(), CHEAP)
    }

    /// One server on each kind of database.
    pub fn on_both() -> impl Iterator<Item = Self> {
        DatabaseKind::ALL.into_iter().map(Self::on)
    }

    /// A server with these settings that hashes passwords at this cost.
    pub fn set(kind: DatabaseKind, settings: HttpSettings, bcrypt_cost: u32) -> Self {
        let database = TempDatabase::new(kind);
        let url = DatabaseUrl::parse(database.url()).unwrap();
        let made = StoreOptions { buckets: buckets_of_tests(kind), ..StoreOptions::default() };
        trailkeeper_storage::migrate_with(&url, &made).unwrap();
        let store: Arc<dyn Store> = trailkeeper_storage::open(&url, &StoreOptions::default()).unwrap();
        let clock = Arc::new(TestClock::at(START));
        let entropy = Arc::new(TestEntropy::default());
        let master = MasterKey::generate(entropy.as_ref());
        let access_settings = AccessSettings { bcrypt_cost, ..AccessSettings::default() };
        let access = Access::new(store.clone(), clock.clone(), entropy.clone(), master, access_settings);
        let ingest = Arc::new(Ingest::start(store.clone(), IngestLimits::default()).unwrap());
        let (access, clock_of_services) = (Arc::new(access), clock.clone());
        let stream_tester: Option<Arc<dyn StreamTester>> = Some(Arc::new(stream_tester::Picky));
        let services = Services { store, ingest, access, clock: clock_of_services, entropy, stream_tester };
        let state = Data::new(AppState::new(services, settings));
        Self { clock, state, database, runner: System::new(), names: Cell::new(0) }
    }

    /// The present time of the server.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Merges all waiting events into sheets.
    pub fn merge(&self) {
        let services = &self.state.services;
        merger::run_once(self.state.store(), services.clock.as_ref(), services.entropy.as_ref()).unwrap();
    }

    /// Waits until the feed shows everything that is stored. On PostgreSQL, a transaction of another test may hold it back.
    pub fn settle(&self) {
        let store = self.state.store();
        let all = EventFilter::within(EVERYTHING);
        let stored = store.reading(|tx| tx.events(&all, None, 100_000)).unwrap();
        let last = stored.iter().map(|stored| stored.seq).max().unwrap_or(0);
        while store.settled().unwrap() < last {
            thread::yield_now();
        }
    }

    /// A new name, unique in this app.
    pub fn fresh_name(&self) -> String {
        self.names.set(self.names.get() + 1);
        format!("name{}", self.names.get())
    }

    /// A caller without a credential.
    pub fn anon(&self) -> Caller<'_> {
        Caller { app: self, token: None }
    }

    /// A caller with all permissions.
    pub fn admin(&self) -> Caller<'_> {
        self.token(Role::Admin, None)
    }

    /// A program with an API token, tenant-scoped if `tenant` is given.
    pub fn token(&self, role: Role, tenant: Option<&str>) -> Caller<'_> {
        let tenant_id = tenant.map(tenant_id);
        let new = NewToken { name: format!("test {}", role.as_str()), role, tenant_id, expires_at: None };
        let (_, plain) = self.state.access().create_token(&operator(), new).unwrap();
        self.bearer(plain.expose())
    }

    /// A caller with this token.
    pub fn bearer(&self, token: &str) -> Caller<'_> {
        Caller { app: self, token: Some(token.to_owned()) }
    }
}

/// The paths of all analytic questions of the native API, those about one user excluded.
pub fn analytic_questions() -> Vec<String> {
    let questions = trailkeeper_http::operations().into_iter().map(|operation| operation.path);
    questions.filter(|path| path.starts_with("/v1/analytics/") && !path.contains('{')).collect()
}

/// The actor that prepares the tests.
pub fn operator() -> AuditContext {
    AuditContext::from(Actor { id: "test".to_owned(), name: "test".to_owned() })
}

/// A tenant's id.
pub fn tenant_id(id: &str) -> TenantId {
    TenantId::parse("tenant", id).unwrap()
}

/// The id of the n-th record of a test.
pub fn numbered(number: u128) -> String {
    Uuid::from_u128(0x0197_5f3c_0000_7000_8000_0000_0000_0000 + number).to_string()
}

/// A text, escaped for a query or path.
pub fn escaped(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
