//! Runs are built, merged and written over real databases.

use std::collections::{BTreeMap, BTreeSet};

use trailkeeper_domain::event::Event;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::indexed_event::IndexedEvent;
use trailkeeper_domain::ports::{PostingRunKey, Store};
use trailkeeper_domain::scope::{Level, Scope};
use trailkeeper_domain::time::{TimeRange, Timestamp};
use trailkeeper_domain::{Error, Result};
use trailkeeper_postings::run::{RunBuilder, RunReader};
use trailkeeper_testkit::{Fault, FaultyStore, World, at, tenant_id};

use super::*;
use crate::engine::lease::{Lease, LeaseWatch};

trailkeeper_testkit::on_both!(super::world =>
    the_runs_of_a_builder_have_every_event_of_their_scope,
    a_large_run_is_written_in_steps_and_shown_at_the_end,
    a_run_that_is_not_finished_is_never_seen,
    a_compaction_that_dies_loses_and_repeats_no_event,
    what_is_too_large_for_a_group_is_left_for_compaction,
);

fn world(kind: trailkeeper_testkit::DatabaseKind) -> World {
    World::new(kind, |database| trailkeeper_testkit::open_store!(database))
}

fn lease_on<'a>(world: &'a World, store: &'a dyn Store) -> Lease<'a> {
    Lease::take(store, world.clock.as_ref(), world.entropy.as_ref(), &LeaseWatch::default()).unwrap().unwrap()
}

fn all_months() -> TimeRange {
    TimeRange { start: at("1970-01-01T00:00:00Z"), end: at("9999-12-31T00:00:00Z") }
}

/// The events of all runs of a scope, by month, in the order of the runs.
fn events_of(store: &dyn Store, generation: i64, scope: Scope) -> BTreeMap<Timestamp, Vec<IndexedEvent>> {
    let mut found = BTreeMap::<Timestamp, Vec<IndexedEvent>>::new();
    for run in store.reading(|tx| tx.posting_runs(generation, scope, all_months())).unwrap() {
        let pages = StoredPages::new(store, generation, run.key);
        let mut reader = RunReader::open(&run.header, run.removed.as_deref(), pages).unwrap();
        let events = found.entry(run.key.month).or_default();
        let before = events.len();
        reader
            .events(scope, &mut |event| {
                events.push(*event);
                Ok(())
            })
            .unwrap();
        assert_eq!(events.len() - before, run.events as usize);
    }
    found
}

/// An event as the runs of a scope know it.
fn as_in(scope: Scope, event: &IndexedEvent) -> IndexedEvent {
    let tenant_id = match scope {
        Scope::Everyone if event.tenant_id != TenantId::SYSTEM => TenantId::NONE,
        _ => event.tenant_id,
    };
    IndexedEvent { tenant_id, ..*event }
}

fn the_runs_of_a_builder_have_every_event_of_their_scope(world: &mut World) {
    let tenants = [TenantId::NONE, TenantId::SYSTEM, tenant_id(1), tenant_id(2)];
    for _ in 0..12 {
        let events: Vec<Event> = (0..100)
            .map(|_| {
                // One tenant has most of the events.
                let tenant = world.entropy.pick(&[&tenants[..], &[tenant_id(1); 4]].concat());
                let minutes = i64::try_from(world.entropy.below(70 * 24 * 60)).unwrap();
                world.random_event(tenant, at("2025-11-17T00:00:00Z") + chrono::Duration::minutes(minutes))
            })
            .collect();
        world.store.writing(|tx| tx.insert_events(&events)).unwrap();
    }
    let store = world.store.as_ref();
    let lease = lease_on(world, store);
    let mut builder = PostingsBuilder::with_memory(store, &lease, 5, 600);
    let mut rows = Vec::new();
    store
        .reading(|tx| {
            tx.indexed_events(0, usize::MAX, &mut |event| {
                rows.push(*event);
                builder.add(event)
            })
        })
        .unwrap();
    assert_eq!(rows.len(), 1_200);
    let written = builder.finish().unwrap();
    let scopes: BTreeSet<Scope> =
        rows.iter().map(|event| Scope::of_key(event.tenant_id)).chain([Scope::Everyone]).collect();
    let (mut runs, mut most) = (0, 0);
    for scope in scopes.iter().copied() {
        let mut expected = BTreeMap::<Timestamp, Vec<IndexedEvent>>::new();
        for event in rows.iter().filter(|event| match scope {
            Scope::Everyone => true,
            Scope::Tenant(tenant) => tenant == event.tenant_id,
        }) {
            expected.entry(Level::Month.floor(event.occurred_at)).or_default().push(as_in(scope, event));
        }
        let mut found = events_of(store, 5, scope);
        for events in expected.values_mut().chain(found.values_mut()) {
            events.sort_unstable_by_key(|event| event.seq);
        }
        assert_eq!(found, expected, "{scope:?}");
        let keys = store.reading(|tx| tx.posting_run_keys(5, &[scope])).unwrap();
        runs += keys.len() as u64;
        for month in found.keys() {
            most = most.max(keys.iter().filter(|(key, ..)| key.month == *month).count());
        }
    }
    assert!(written.replaced > 10, "older runs were merged: {written:?}");
    assert_eq!(runs, written.runs - written.replaced);
    assert!((2..=7).contains(&most), "{most}");
    let system = Scope::Tenant(TenantId::SYSTEM);
    assert_eq!(system.key(), Scope::Everyone.key(), "the system tenant has no runs of its own");
    assert_eq!(store.writing(|tx| tx.sweep_posting_pages(10)).unwrap(), 0, "replaced pages are removed");
}

/// Pages of 10 MiB.
fn pages() -> Vec<Vec<u8>> {
    (0..320_u32).map(|number| number.to_be_bytes().repeat(8_192)).collect()
}

fn write_large(writer: &mut RunWriter<'_>, key: PostingRunKey) -> Result<()> {
    writer.write(key, Vec::new(), |sink| {
        for (number, page) in (0..).zip(pages()) {
            sink(number, page)?;
        }
        Ok((9, b"header".to_vec()))
    })?;
    writer.flush()
}

fn key() -> PostingRunKey {
    PostingRunKey { scope: Scope::Everyone, month: at("2026-02-01T00:00:00Z"), run: 0 }
}

fn a_large_run_is_written_in_steps_and_shown_at_the_end(world: &mut World) {
    let counting = FaultyStore::over(&world.store);
    let store: &dyn Store = counting.as_ref();
    let lease = lease_on(world, store);
    let before = counting.commits();
    let mut writer = RunWriter::new(store, &lease, 1);
    write_large(&mut writer, key()).unwrap();
    assert_eq!(counting.commits() - before, 4, "three of pages, one that shows the run");
    let expected = WrittenRuns { runs: 1, replaced: 0, bytes: 320 * 32_768 + 6 };
    assert_eq!(writer.written(), expected);
    let sizes = store.reading(|tx| tx.posting_run_keys(1, &[Scope::Everyone])).unwrap();
    assert_eq!(sizes, [(key(), 9, expected.bytes)]);
    let all: Vec<u32> = (0..320).collect();
    assert!(store.reading(|tx| tx.posting_pages(1, key(), &all)).unwrap() == pages(), "a page differs");
}

fn a_run_that_is_not_finished_is_never_seen(world: &mut World) {
    for nth in 0..4 {
        let faulty = FaultyStore::over(&world.store);
        let store: &dyn Store = faulty.as_ref();
        let lease = lease_on(world, store);
        faulty.crash_at_write(nth, Some(Fault::RolledBack));
        assert!(write_large(&mut RunWriter::new(store, &lease, 1), key()).is_err());
        drop(lease);
        // The lease of the dead writer runs out.
        world.clock.advance(chrono::Duration::seconds(91));
        assert_eq!(world.store.reading(|tx| tx.posting_run_keys(1, &[Scope::Everyone])).unwrap(), []);
        let mut swept = 0;
        loop {
            match world.store.writing(|tx| tx.sweep_posting_pages(100)).unwrap() {
                0 => break,
                some => swept += some,
            }
        }
        assert_eq!(swept > 0, nth > 0, "{nth}");
        let lost = world.store.reading(|tx| tx.posting_pages(1, key(), &[0]));
        assert!(matches!(lost, Err(Error::Internal { .. })), "{lost:?}");
    }
    let lease = lease_on(world, world.store.as_ref());
    write_large(&mut RunWriter::new(world.store.as_ref(), &lease, 1), key()).unwrap();
}

/// Random events of one tenant in one month, with ascending numbers from `seq` on.
fn events_from(world: &World, seq: i64, count: i64) -> Vec<IndexedEvent> {
    let number = |end: u64| u32::try_from(world.entropy.below(end)).unwrap();
    let event = |seq| IndexedEvent {
        seq,
        occurred_at: key().month + chrono::Duration::seconds(i64::from(number(28 * 86_400))),
        tenant_id: TENANT,
        env: trailkeeper_domain::id::EnvId(number(3)),
        kind: number(4),
        outcome: trailkeeper_domain::event::Outcome::Success,
        user: Some(number(500)),
        source: Some(number(5_000)),
        page: Some(number(40)),
        other_page: None,
        session: Some(number(1 << 30)),
        target_type: None,
        target_id: None,
    };
    (seq..seq + count).map(event).collect()
}

/// The scope of [`events_from`].
const SCOPE: Scope = Scope::Tenant(TENANT);
const TENANT: TenantId = TenantId(uuid::Uuid::from_u128(7));

fn builder_of(events: &[IndexedEvent]) -> RunBuilder {
    let mut builder = RunBuilder::new(SCOPE);
    for event in events {
        builder.add(event).unwrap();
    }
    builder
}

/// Writes a run of these events in generation 1, which absorbs at most this many bytes. Returns the place if it needs a
/// compaction.
fn add_run(store: &dyn Store, lease: &Lease<'_>, events: &[IndexedEvent], most: u64) -> BTreeSet<Place> {
    let place = (SCOPE, key().month);
    let older = by_place(store.reading(|tx| tx.posting_run_keys(1, &[SCOPE])).unwrap());
    let runs =
        NewRuns::make(store, 1, vec![(place, vec![builder_of(events)])], &older, &BTreeSet::new(), most).unwrap();
    assert_eq!(runs.unreadable, []);
    lease.writing(|tx| runs.write(tx, 1)).unwrap().unwrap();
    assert!(remove_replaced_pages(store, lease).unwrap());
    runs.to_compact
}

fn found(store: &dyn Store) -> Vec<IndexedEvent> {
    let mut events = events_of(store, 1, SCOPE).remove(&key().month).unwrap_or_default();
    events.sort_unstable_by_key(|event| event.seq);
    events
}

fn a_compaction_that_dies_loses_and_repeats_no_event(world: &mut World) {
    let all = events_from(world, 1, 6_000);
    let place = (SCOPE, key().month);
    {
        let lease = lease_on(world, world.store.as_ref());
        for some in all.chunks(1_500) {
            add_run(world.store.as_ref(), &lease, some, 0);
        }
    }
    let (mut died, runs) = (0, || world.store.reading(|tx| tx.posting_run_keys(1, &[SCOPE])).unwrap());
    assert_eq!(runs().len(), 4);
    for nth in 0.. {
        let faulty = FaultyStore::over(&world.store);
        let lease = lease_on(world, faulty.as_ref());
        faulty.crash_at_write(nth, Some(Fault::RolledBack));
        let outcome = sweep_pages(faulty.as_ref(), &lease).and_then(|_| compact(faulty.as_ref(), &lease, 1, place));
        drop(lease);
        world.clock.advance(chrono::Duration::seconds(91));
        assert_eq!(found(world.store.as_ref()), all, "{nth}");
        if outcome.is_ok() {
            break;
        }
        died += 1;
    }
    assert!(died >= 2, "{died}");
    assert_eq!(runs().len(), 1);
    // It is the same run, byte for byte, as that of all events.
    let mut pages = Vec::new();
    let header = builder_of(&all).finish(&mut |_, page| {
        pages.push(page);
        Ok(())
    });
    let stored = world.store.reading(|tx| tx.posting_runs(1, SCOPE, all_months())).unwrap().remove(0);
    assert_eq!(stored.header, header.unwrap());
    let numbers: Vec<u32> = (0..u32::try_from(pages.len()).unwrap()).collect();
    assert!(pages == world.store.reading(|tx| tx.posting_pages(1, stored.key, &numbers)).unwrap(), "a page differs");
    let hidden = world.store.reading(|tx| tx.has_hidden_posting_pages());
    assert!(!hidden.unwrap(), "the pages of the merged runs are removed");
}

fn what_is_too_large_for_a_group_is_left_for_compaction(world: &mut World) {
    let store = world.store.as_ref();
    let lease = lease_on(world, store);
    let all = events_from(world, 1, 3_000);
    let mut left = 0;
    for some in all.chunks(100) {
        for place in add_run(store, &lease, some, 20_000) {
            left += 1;
            compact(store, &lease, 1, place).unwrap();
        }
        let mut runs: Vec<u32> = events_in_runs(store);
        runs.sort_unstable();
        assert!(runs.is_sorted_by(|small, large| *large > 2 * small), "{runs:?}");
    }
    assert!((2..15).contains(&left), "{left}");
    assert_eq!(found(store), all);
}

fn events_in_runs(store: &dyn Store) -> Vec<u32> {
    let keys = store.reading(|tx| tx.posting_run_keys(1, &[SCOPE])).unwrap();
    keys.into_iter().map(|(_, events, _)| events).collect()
}
