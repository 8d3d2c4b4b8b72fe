//! A database with a random history, which is the same in every run.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

use chrono::TimeDelta;
use trailkeeper_analytics::engine::postings::MadeRun;
use trailkeeper_analytics::sheet::{Facet, Fact, Fold, Sheet};
use trailkeeper_analytics::{Audience, FoldCache};
use trailkeeper_domain::event::Event;
use trailkeeper_domain::id::{EnvId, TenantId};
use trailkeeper_domain::ports::{PostingRun, PostingRunKey, SheetKey};
use trailkeeper_domain::scope::{Level, Part, Scope};
use trailkeeper_domain::time::Timestamp;
use trailkeeper_postings::delta::Delta;
use trailkeeper_postings::run::RunBuilder;
use trailkeeper_testkit::visibility::{EVERYTHING, of_tenant};
use trailkeeper_testkit::{DatabaseKind, at, open_store, tenant_id};

/// A database, and the events that a test has put into it.
pub(crate) struct World {
    /// One cache for all questions.
    pub(crate) cache: Arc<FoldCache>,
    /// The stored events, each once.
    pub(crate) events: Vec<Event>,
    run: u32,
    base: trailkeeper_testkit::World,
}

impl Deref for World {
    type Target = trailkeeper_testkit::World;

    fn deref(&self) -> &Self::Target {
        &self.base
    }
}

impl World {
    /// A history of several batches, some of them merged.
    pub(crate) fn with_history(kind: DatabaseKind) -> Self {
        let mut world = Self::new(kind);
        for round in 0..7_u32 {
            world.grow(150);
            if round % 2 == 1 {
                world.merge(Scope::Everyone);
                world.merge(Scope::Tenant(tenant_id(u128::from(round / 2 % 2))));
                world.merge(Scope::Tenant(TenantId::NONE));
            }
        }
        world
    }

    /// An empty database.
    pub(crate) fn new(kind: DatabaseKind) -> Self {
        let base = trailkeeper_testkit::World::new(kind, |database| open_store!(database));
        Self { cache: Arc::new(FoldCache::new(64 << 20)), events: Vec::new(), run: 0, base }
    }

    /// Stores new events, and sends a known one again with everything but its id and tenant changed.
    pub(crate) fn grow(&mut self, count: usize) {
        let fresh: Vec<Event> = (0..count).map(|_| self.event()).collect();
        let mut sent = fresh.clone();
        if !self.events.is_empty() {
            let known = &self.events[self.below(self.events.len())];
            sent.push(Event { id: known.id, tenant_id: known.tenant_id, ..self.event() });
        }
        let new = self.store.writing(|tx| tx.insert_events(&sent)).unwrap();
        assert!(new.iter().enumerate().all(|(nth, new)| *new == (nth < count)), "{new:?}");
        self.events.extend(fresh);
    }

    /// Stores these events, which are new.
    pub(crate) fn insert(&mut self, events: &[Event]) {
        let new = self.store.writing(|tx| tx.insert_events(events)).unwrap();
        assert!(new.iter().all(|new| *new));
        self.events.extend_from_slice(events);
    }

    /// Merges the waiting events of one scope into sheets and into the index of events, as a new run of each period, as a
    /// merger might. The other scopes of their deltas keep waiting.
    pub(crate) fn merge(&mut self, scope: Scope) {
        self.run += 1;
        let run = self.run;
        self.store
            .writing(|tx| {
                let mut facts = BTreeMap::<SheetKey, Vec<Fact>>::new();
                let mut runs = BTreeMap::<PostingRunKey, RunBuilder>::new();
                tx.deltas(scope, &mut |waiting| {
                    let delta = Delta::read(waiting.payload).unwrap();
                    let events = delta.sections().flat_map(|section| section.events()).map(|event| event.unwrap());
                    for event in
                        events.filter(|event| [Scope::Everyone, Scope::Tenant(event.tenant_id)].contains(&scope))
                    {
                        let key = PostingRunKey { scope, month: Level::Month.floor(event.occurred_at), run };
                        runs.entry(key).or_insert_with(|| RunBuilder::new(scope)).add(&event)?;
                        let Some(fact) = event.fact() else { continue };
                        for level in scope.kind().levels() {
                            let start = level.floor(fact.occurred_at);
                            let key = SheetKey { scope, level: *level, part: Part::Totals, start, run };
                            facts.entry(key).or_default().push(Fact::from(&fact));
                        }
                    }
                    Ok(())
                })?;
                let generation = tx.generation()?;
                for (key, facts) in facts {
                    let (pages, totals) =
                        Sheet::of(scope.kind(), &facts).partition(|facet| facet.part() == Part::Pages);
                    for (part, sheet) in [(Part::Pages, pages), (Part::Totals, totals)] {
                        if !sheet.is_empty() {
                            tx.put_sheets(generation, &[(SheetKey { part, ..key }, sheet.encode())])?;
                        }
                    }
                }
                for (key, builder) in runs {
                    let (events, mut pages) = (u32::try_from(builder.len()).unwrap(), Vec::new());
                    let header = builder.finish(&mut |_, page| {
                        pages.push(page);
                        Ok(())
                    })?;
                    let run = PostingRun { key, events, header, removed: None };
                    MadeRun::write_all(tx, generation, &[MadeRun { run, pages, replaced: Vec::new() }])?;
                }
                let unclaimed = tx.unclaimed_deltas(i64::MIN, usize::MAX)?;
                if !unclaimed.is_empty() {
                    let numbers: Vec<i64> = unclaimed.iter().map(|size| size.number).collect();
                    tx.begin_merge_pass(&numbers)?;
                }
                for pass in tx.merge_passes()? {
                    if !pass.merged.contains(&scope) {
                        tx.mark_merged(pass.number, &[scope])?;
                    }
                }
                Ok(())
            })
            .unwrap();
    }

    /// Replaces the sheets of a scope's day by one of the same events, as a merger does.
    pub(crate) fn absorb(&mut self, scope: Scope, day: Timestamp) {
        self.run += 1;
        let run = self.run;
        for part in Part::ALL {
            self.store
                .writing(|tx| {
                    let generation = tx.generation()?;
                    let keys = tx.sheet_keys(scope, Level::Day, part, Level::Day.range(day))?;
                    let mut fold = Fold::new(&Facet::ALL);
                    for payload in tx.sheets_by_key(generation, &keys)?.values() {
                        fold.add(payload).unwrap();
                    }
                    let key = SheetKey { run, ..keys[0] };
                    tx.delete_sheets(generation, &keys)?;
                    tx.put_sheets(generation, &[(key, fold.into_sheet().encode())])
                })
                .unwrap();
        }
    }

    /// The audience of a scope, or of one environment of a tenant; without a cache.
    pub(crate) fn audience(scope: Scope, env: Option<EnvId>) -> Audience {
        let visibility = match scope {
            Scope::Everyone => EVERYTHING,
            Scope::Tenant(tenant) => of_tenant(tenant),
        };
        Audience::of(visibility, None, env).unwrap()
    }

    pub(crate) fn below(&self, end: usize) -> usize {
        usize::try_from(self.entropy.below(end as u64)).unwrap()
    }

    pub(crate) fn chance(&self, percent: u64) -> bool {
        self.entropy.chance(percent)
    }

    /// An instant at the turn of a month or of a year, often at or next to a full hour or midnight.
    pub(crate) fn instant(&self) -> Timestamp {
        let day = at(self.entropy.pick(&["2025-12-31T00:00:00Z", "2026-01-31T00:00:00Z", "2026-02-01T00:00:00Z"]));
        let hour = self.entropy.pick(&[0, 0, 1, 22, 23, 24, 30]);
        let micros = match self.entropy.below(6) {
            0 => 0,
            1 => -1,
            2 => 1,
            _ => i64::try_from(self.entropy.below(3_600_000_000)).unwrap(),
        };
        day + TimeDelta::hours(hour) + TimeDelta::microseconds(micros)
    }

    pub(crate) fn tenant(&self) -> TenantId {
        let tenants = [TenantId::NONE, tenant_id(0), tenant_id(1), tenant_id(1), tenant_id(2), TenantId::SYSTEM];
        self.entropy.pick(&tenants)
    }

    fn event(&self) -> Event {
        self.random_event(self.tenant(), self.instant())
    }
}
