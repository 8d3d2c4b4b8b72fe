//! Two servers of one database.

use std::ops::Deref;
use std::sync::{Arc, Barrier};

use trailkeeper_auth::{Access, AccessSettings, AuditContext, MasterKey, NewAccount, Origin, SystemEntropy};
use trailkeeper_domain::account::{Actor, Role};
use trailkeeper_testkit::{DatabaseKind, open_store};

pub const EMAIL: &str = "jane@example.com";
pub const PASSWORD: &str = "correct horse battery";

pub struct World {
    pub servers: [Access; 2],
    /// Dropped last: the connections of the servers go first.
    base: trailkeeper_testkit::World,
}

impl Deref for World {
    type Target = trailkeeper_testkit::World;

    fn deref(&self) -> &Self::Target {
        &self.base
    }
}

impl World {
    pub fn new(kind: DatabaseKind) -> Self {
        let base = trailkeeper_testkit::World::new(kind, |database| open_store!(database));
        let master = MasterKey::generate(&SystemEntropy::new()).to_hex();
        // Each server has a store of its own, as two processes have.
        let servers = [(); 2].map(|()| {
            let settings = AccessSettings { bcrypt_cost: 4, ..AccessSettings::default() };
            let master = MasterKey::from_hex(&master).unwrap();
            let store = open_store!(base.database);
            Access::new(store, base.clock.clone(), Arc::new(SystemEntropy::new()), master, settings)
        });
        let new = NewAccount {
            email: EMAIL.to_owned(),
            display_name: None,
            password: PASSWORD.to_owned(),
            role: Role::Admin,
            tenant_id: None,
        };
        servers[0].create_account(&operator(), new).unwrap();
        Self { servers, base }
    }

    /// The number of audit events of this type.
    pub fn recorded(&self, kind: &str) -> usize {
        self.system_events().iter().filter(|event| event.kind.as_str() == kind).count()
    }

    /// Runs `work` on eight threads at the same moment, alternately on the two servers.
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
