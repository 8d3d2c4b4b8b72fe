//! A database, random events, and a look at what the merger leaves.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::Duration;
use trailkeeper_analytics::engine::Summary;
use trailkeeper_analytics::engine::merger::{Merged, run_once};
use trailkeeper_analytics::engine::verify::{Difference, Verified, check};
use trailkeeper_domain::Result;
use trailkeeper_domain::event::{Event, EventKind, Outcome};
use trailkeeper_domain::id::{EnvId, EventId, TenantId};
use trailkeeper_domain::page::{Page, PageQueries};
use trailkeeper_domain::ports::{DeltaKey, Scopes, SheetKey, SheetQuery, Store, Summarizer};
use trailkeeper_domain::scope::{Level, Part, Scope};
use trailkeeper_domain::time::TimeRange;
use trailkeeper_storage::{DatabaseUrl, StoreOptions};
use trailkeeper_testkit::{DatabaseKind, TempDatabase, TestClock, TestEntropy, at, event, tenant_id, user_id, uuid};

/// The scopes of all events below.
const CUSTOMERS: u128 = 3;

pub(crate) struct World {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) entropy: Arc<TestEntropy>,
    url: DatabaseUrl,
    /// Dropped last: the connections go first.
    _database: TempDatabase,
}

/// Everything that merging may change.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) sheets: BTreeMap<SheetKey, Vec<u8>>,
    pub(crate) deltas: Vec<DeltaKey>,
}

impl World {
    pub(crate) fn new(kind: DatabaseKind) -> Self {
        let database = TempDatabase::new(kind);
        let url = DatabaseUrl::parse(database.url()).unwrap();
        trailkeeper_storage::migrate(&url).unwrap();
        let store = trailkeeper_storage::open(&url, &StoreOptions::default(), Arc::new(Summary)).unwrap();
        let (clock, entropy) = (Arc::new(TestClock::default()), Arc::new(TestEntropy::new(7)));
        Self { store, clock, entropy, url, _database: database }
    }

    /// The same database, which asks another one for its deltas.
    pub(crate) fn store_with(&self, summarizer: impl Summarizer + 'static) -> Arc<dyn Store> {
        trailkeeper_storage::open(&self.url, &StoreOptions::default(), Arc::new(summarizer)).unwrap()
    }

    /// Stores so many random events in one batch.
    pub(crate) fn insert(&self, events: u64) {
        let events: Vec<Event> = (0..events).map(|_| random_event(&self.entropy)).collect();
        self.store.writing(|tx| tx.insert_events(&events)).unwrap();
    }

    pub(crate) fn merge_in(&self, store: &dyn Store) -> Result<Option<Merged>> {
        run_once(store, self.clock.as_ref(), self.entropy.as_ref())
    }

    pub(crate) fn merge(&self) -> Merged {
        let merged = self.merge_in(self.store.as_ref()).unwrap().unwrap();
        assert!(merged.finished && merged.unreadable.is_empty(), "{merged:?}");
        merged
    }

    pub(crate) fn check(&self) -> (Verified, Vec<Difference>) {
        let mut differences = Vec::new();
        let checked = check(self.store.as_ref(), &mut |_| (), &mut |difference| differences.push(difference)).unwrap();
        assert_eq!(checked.differences, differences.len() as u64);
        (checked, differences)
    }

    #[track_caller]
    pub(crate) fn assert_clean(&self) -> Verified {
        let (checked, differences) = self.check();
        assert_eq!(differences, []);
        checked
    }

    /// All that is there of the current generation.
    pub(crate) fn kept(&self) -> Kept {
        let starts = TimeRange { start: at("1970-01-01T00:00:00Z"), end: at("9999-12-31T00:00:00Z") };
        self.store
            .reading(|tx| {
                let mut kept = Kept { sheets: BTreeMap::new(), deltas: Vec::new() };
                for scopes in [Scopes::One(Scope::Everyone), Scopes::EveryTenant] {
                    for level in Level::ALL {
                        for part in Part::ALL {
                            tx.sheets(&SheetQuery { scopes, level, part, starts }, &mut |key, payload| {
                                assert!(kept.sheets.insert(key, payload.to_vec()).is_none());
                                Ok(())
                            })?;
                        }
                    }
                    tx.deltas(scopes, &mut |key, _| {
                        kept.deltas.push(key);
                        Ok(())
                    })?;
                }
                Ok(kept)
            })
            .unwrap()
    }

    pub(crate) fn generation(&self) -> i64 {
        self.store.reading(|tx| tx.generation()).unwrap()
    }
}

/// Around the turn of a year, mostly in a few of its hours; of the server's own trail, too.
pub(crate) fn random_event(entropy: &TestEntropy) -> Event {
    let page = (entropy.below(3) > 0).then(|| {
        let path = format!("/page-{}", entropy.below(6));
        Page::parse("page", path, PageQueries::Dropped).unwrap()
    });
    let kind = entropy.pick(&["login_success", "login_fail", "page_load", "userinfo", "export"]);
    let minutes = match entropy.below(3) {
        0 => entropy.below(90 * 24 * 60),
        _ => 45 * 24 * 60 + entropy.below(180),
    };
    let tenant_id = match entropy.below(8) {
        0 => TenantId::NONE,
        1 => TenantId::SYSTEM,
        number => tenant_id(u128::from(number) % CUSTOMERS),
    };
    Event {
        id: EventId(uuid(u128::from(entropy.number()))),
        tenant_id,
        env_id: EnvId(1 + u32::try_from(entropy.below(2)).unwrap()),
        occurred_at: at("2025-11-17T00:00:00Z") + Duration::minutes(i64::try_from(minutes).unwrap()),
        user_id: (entropy.below(10) > 0).then(|| user_id(&format!("user-{}", entropy.below(40)))),
        kind: EventKind::known(kind),
        outcome: entropy.pick(&Outcome::ALL),
        source: (entropy.below(4) > 0).then(|| format!("192.0.2.{}", entropy.below(9)).parse().unwrap()),
        page,
        ..event(0)
    }
}
