//! The base of most tests with a database: a store on a database of its own, a clock and randomness.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use trailkeeper_domain::event::{Event, EventFilter, EventKind, Outcome};
use trailkeeper_domain::fact::WELL_KNOWN_KINDS;
use trailkeeper_domain::id::{EnvId, EventId, TenantId};
use trailkeeper_domain::page::Page;
use trailkeeper_domain::ports::Store;
use trailkeeper_domain::time::Timestamp;

use crate::builders::{all_events, event, user_id, uuid};
use crate::clock::TestClock;
use crate::databases::{DatabaseKind, TempDatabase};
use crate::entropy::TestEntropy;
use crate::visibility;

/// A store on a database of its own, a clock and randomness.
///
/// ```
/// use trailkeeper_testkit::{DatabaseKind, World, all_events, event, open_store};
///
/// let world = World::new(DatabaseKind::Sqlite, |database| open_store!(database));
/// world.store.writing(|tx| tx.insert_events(&[event(1), event(2)])).unwrap();
/// let newest = world.store.reading(|tx| tx.events(&all_events(), None, 1)).unwrap();
/// assert_eq!(newest[0].event.id, event(2).id);
/// ```
pub struct World {
    /// A store on [`Self::database`].
    pub store: Arc<dyn Store>,
    /// The clock. It shows noon of 2026-11-22 until a test moves it.
    pub clock: Arc<TestClock>,
    /// The randomness. It is the same in every run.
    pub entropy: Arc<TestEntropy>,
    /// The kind of the database.
    pub kind: DatabaseKind,
    /// The database. It must be dropped last, after the connections of the store.
    pub database: TempDatabase,
}

impl World {
    /// A world whose store `open` makes on an empty database, usually by [`open_store!`](crate::open_store).
    pub fn new(kind: DatabaseKind, open: impl FnOnce(&TempDatabase) -> Arc<dyn Store>) -> Self {
        let database = TempDatabase::new(kind);
        Self {
            store: open(&database),
            clock: Arc::new(TestClock::default()),
            entropy: Arc::new(TestEntropy::new(7)),
            kind,
            database,
        }
    }

    /// The events of the system tenant, newest first, at most 1000.
    pub fn system_events(&self) -> Vec<Event> {
        let filter = EventFilter { visibility: visibility::of_tenant(TenantId::SYSTEM), ..all_events() };
        let stored = self.store.reading(|tx| tx.events(&filter, None, 1000)).expect("the system tenant has a list");
        stored.into_iter().map(|stored| stored.event).collect()
    }

    /// A random event of this tenant and time: with one of a few users, pages, types, sources and environments, some of
    /// which are missing. Each event has an id of its own.
    pub fn random_event(&self, tenant_id: TenantId, occurred_at: Timestamp) -> Event {
        let entropy = &self.entropy;
        let few = |end: u8| u8::try_from(entropy.below(end.into())).expect("below a byte");
        let kinds = [&WELL_KNOWN_KINDS[..], &["custom.sale", "page_load", "page_load"]].concat();
        let page = entropy.chance(60).then(|| format!("/p{}?x={}", few(6), few(3)));
        Event {
            id: EventId(uuid(u128::from(entropy.number()))),
            tenant_id,
            env_id: EnvId(1 + u32::from(few(3))),
            occurred_at,
            user_id: entropy.chance(85).then(|| user_id(&format!("user-{}", few(20)))),
            kind: EventKind::known(entropy.pick(&kinds)),
            outcome: entropy.pick(&Outcome::ALL),
            source: entropy.chance(70).then(|| IpAddr::V4(Ipv4Addr::new(198, 51, 100, few(9)))),
            page: page.map(|page| Page::parse("page", page).expect("a page of a test is valid")),
            ..event(0)
        }
    }
}

/// Migrates a [`TempDatabase`] and opens a store on it. Options may follow.
///
/// It expands to calls of `trailkeeper-storage`. The calling test must depend on that crate, because this one does not.
#[macro_export]
macro_rules! open_store {
    ($database:expr) => {
        $crate::open_store!($database, &::trailkeeper_storage::StoreOptions::default())
    };
    ($database:expr, $options:expr) => {{
        let url = ::trailkeeper_storage::DatabaseUrl::parse($database.url()).expect("a URL of a temporary database");
        let made = ::trailkeeper_storage::StoreOptions {
            buckets: $crate::buckets_of_tests($database.kind()),
            ..::trailkeeper_storage::StoreOptions::default()
        };
        ::trailkeeper_storage::migrate_with(&url, &made).expect("a temporary database can be migrated");
        ::trailkeeper_storage::open(&url, $options).expect("a temporary database can be opened")
    }};
}
