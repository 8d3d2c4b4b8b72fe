//! A database with random events, and access to the rows that merging writes.

use std::collections::BTreeMap;
use std::ops::Deref;

use chrono::Duration;
use trailkeeper_analytics::engine::merger::{Finished, Merged, finish_periods, run_once};
use trailkeeper_analytics::engine::verify::{Difference, Verified, verify};
use trailkeeper_domain::Result;
use trailkeeper_domain::event::Event;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::ports::{MergePass, PostingRun, PostingRunKey, Scopes, SheetKey, SheetQuery, Store};
use trailkeeper_domain::scope::{Level, Part, Scope};
use trailkeeper_domain::time::TimeRange;
use trailkeeper_testkit::{DatabaseKind, at, open_store, tenant_id};

/// The number of tenants of the events, in addition to none and the system tenant.
const CUSTOMERS: u128 = 3;

pub(crate) struct World(trailkeeper_testkit::World);

impl Deref for World {
    type Target = trailkeeper_testkit::World;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// All rows that merging may change.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) sheets: BTreeMap<SheetKey, Vec<u8>>,
    pub(crate) runs: BTreeMap<PostingRunKey, PostingRun>,
    pub(crate) deltas: Vec<i64>,
    pub(crate) passes: Vec<MergePass>,
}

impl World {
    pub(crate) fn new(kind: DatabaseKind) -> Self {
        Self(trailkeeper_testkit::World::new(kind, |database| open_store!(database)))
    }

    /// Stores this many random events in one batch.
    pub(crate) fn insert(&self, events: u64) {
        let events: Vec<Event> = (0..events).map(|_| self.event()).collect();
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

    /// Finishes periods that are over; `false` if some are left.
    pub(crate) fn finish_periods(&self) -> bool {
        let (store, clock, entropy) = (self.store.as_ref(), self.clock.as_ref(), self.entropy.as_ref());
        finish_periods(store, clock, entropy, &|| false).unwrap() == Finished::All
    }

    /// Finishes all periods.
    pub(crate) fn finish_all(&self) {
        self.clock.set("2027-01-01T02:00:00Z");
        // Each call takes sixteen; the events lie in ninety days.
        let calls = (0..10).take_while(|_| !self.finish_periods()).count();
        assert!(calls < 10, "it comes to an end");
    }

    pub(crate) fn verify(&self) -> (Verified, Vec<Difference>) {
        let mut differences = Vec::new();
        let verified =
            verify(self.store.as_ref(), &mut |_| (), &mut |difference| differences.push(difference)).unwrap();
        assert_eq!(verified.differences, differences.len() as u64);
        (verified, differences)
    }

    #[track_caller]
    pub(crate) fn assert_clean(&self) -> Verified {
        let (verified, differences) = self.verify();
        assert_eq!(differences, []);
        verified
    }

    /// The sheets and runs of the current generation, the waiting deltas, and the passes that are not finished.
    pub(crate) fn kept(&self) -> Kept {
        let starts = TimeRange { start: at("1970-01-01T00:00:00Z"), end: at("9999-12-31T00:00:00Z") };
        self.store
            .reading(|tx| {
                let mut kept =
                    Kept { sheets: BTreeMap::new(), runs: BTreeMap::new(), deltas: Vec::new(), passes: Vec::new() };
                for scopes in [Scopes::One(Scope::Everyone), Scopes::EveryTenant] {
                    for level in Level::ALL {
                        for part in Part::ALL {
                            tx.sheets(&SheetQuery { scopes, level, part, starts }, &mut |key, payload| {
                                assert!(kept.sheets.insert(key, payload.to_vec()).is_none());
                                Ok(())
                            })?;
                        }
                    }
                }
                tx.all_deltas(&mut |delta| {
                    kept.deltas.push(delta.number);
                    Ok(())
                })?;
                kept.passes = tx.merge_passes()?;
                let generation = tx.generation()?;
                for scope in tx.posting_scopes(generation)? {
                    kept.runs.extend(tx.posting_runs(generation, scope, starts)?.into_iter().map(|run| (run.key, run)));
                }
                Ok(kept)
            })
            .unwrap()
    }

    pub(crate) fn generation(&self) -> i64 {
        self.store.reading(|tx| tx.generation()).unwrap()
    }

    /// A random event around the turn of a year, mostly in a few of its hours. Some are of the system tenant.
    pub(crate) fn event(&self) -> Event {
        let minutes = match self.entropy.below(3) {
            0 => self.entropy.below(90 * 24 * 60),
            _ => 45 * 24 * 60 + self.entropy.below(180),
        };
        let tenant = match self.entropy.below(8) {
            0 => TenantId::NONE,
            1 => TenantId::SYSTEM,
            number => tenant_id(u128::from(number) % CUSTOMERS),
        };
        let start = at("2025-11-17T00:00:00Z");
        self.random_event(tenant, start + Duration::minutes(i64::try_from(minutes).unwrap()))
    }
}
