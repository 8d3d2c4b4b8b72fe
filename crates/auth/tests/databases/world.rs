//! Two servers of one database.

use std::sync::{Arc, Barrier};

use trailkeeper_analytics::engine::Summary;
use trailkeeper_auth::{Access, AccessSettings, AuditContext, MasterKey, NewAccount, Origin, SystemEntropy};
use trailkeeper_domain::account::{Actor, Role};
use trailkeeper_domain::event::EventFilter;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::ports::Store;
use trailkeeper_storage::{DatabaseUrl, StoreOptions};
use trailkeeper_testkit::{DatabaseKind, TempDatabase, TestClock, all_events, visibility};

pub const EMAIL: &str = "jane@example.com";
pub const PASSWORD: &str = "correct horse battery";

pub struct World {
    pub clock: Arc<TestClock>,
    pub store: Arc<dyn Store>,
    pub servers: [Access; 2],
    // Last: it goes when nobody uses it any more.
    _database: TempDatabase,
}

impl World {
    pub fn on_both() -> impl Iterator<Item = Self> {
        DatabaseKind::ALL.into_iter().map(Self::on)
    }

    fn on(kind: DatabaseKind) -> Self {
        let database = TempDatabase::new(kind);
        let url = DatabaseUrl::parse(database.url()).unwrap();
        trailkeeper_storage::migrate(&url).unwrap();
        let clock = Arc::new(TestClock::default());
        let open = || trailkeeper_storage::open(&url, &StoreOptions::default(), Arc::new(Summary)).unwrap();
        let master = MasterKey::generate(&SystemEntropy::new()).to_hex();
        // A store each, as two processes have.
        let servers = [(); 2].map(|()| {
            let settings = AccessSettings { bcrypt_cost: 4, ..AccessSettings::default() };
            let master = MasterKey::from_hex(&master).unwrap();
            Access::new(open(), clock.clone(), Arc::new(SystemEntropy::new()), master, settings)
        });
        let new = NewAccount {
            email: EMAIL.to_owned(),
            display_name: None,
            password: PASSWORD.to_owned(),
            role: Role::Admin,
            tenant_id: None,
        };
        servers[0].create_account(&operator(), new).unwrap();
        Self { clock, store: open(), servers, _database: database }
    }

    /// How many events of this type the trail has.
    pub fn recorded(&self, kind: &str) -> usize {
        let filter = EventFilter { visibility: visibility::of_tenant(TenantId::SYSTEM), ..all_events() };
        let stored = self.store.reading(|tx| tx.events(&filter, None, 1000)).unwrap();
        stored.iter().filter(|stored| stored.event.kind.as_str() == kind).count()
    }

    /// Runs `work` on eight threads at the same moment, by turns on the two servers.
    pub fn at_once<T: Send>(&self, work: impl Fn(&Access) -> T + Sync) -> Vec<T> {
        let barrier = Barrier::new(8);
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|number| {
                    let (barrier, work, server) = (&barrier, &work, &self.servers[number % 2]);
                    scope.spawn(move || {
                        barrier.wait();
                        work(server)
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        })
    }
}

pub fn operator() -> AuditContext {
    AuditContext::from(Actor { id: "cli".to_owned(), name: "command line".to_owned() })
}

pub fn origin() -> Origin {
    Origin::default()
}
