//! The merger's thread.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use chrono::TimeDelta;
use trailkeeper_analytics::engine::merger::{Merger, MergerSettings};
use trailkeeper_domain::clock::Clock as _;
use trailkeeper_domain::scope::{Level, Part, Scope};
use trailkeeper_domain::time::TimeRange;
use trailkeeper_testkit::{Call, Fault, FaultyStore, at, uuid};

use crate::world::World;

const FAST: MergerSettings = MergerSettings { every: Duration::from_millis(1), events: 1, within: Duration::ZERO };

fn started(world: &World, store: &Arc<FaultyStore>) -> Merger {
    Merger::start(store.clone(), world.clock.clone(), world.entropy.clone(), FAST, &Arc::default()).unwrap()
}

/// Waits for one write of the merger after the other, until every delta is merged.
fn until_merged(world: &World, store: &FaultyStore) {
    for writes in 1.. {
        if world.kept().deltas.is_empty() {
            break;
        }
        store.wait_for_writes(writes);
    }
}

fn new_events_are_merged_until_the_merger_stops(world: &World) {
    let store = FaultyStore::over(&world.store);
    let merger = started(world, &store);
    for _ in 0..3 {
        world.insert(30);
        until_merged(world, &store);
        world.assert_clean();
    }
    merger.stop();
    merger.stop();
    // The lease is free: this thread merges the next events.
    world.insert(30);
    assert!(world.merge().deltas > 0);
    drop(merger);
    assert_eq!(store.failures(), 0);
    assert_eq!(Arc::strong_count(&store), 1, "the merger's thread released its store");
}

fn a_failed_write_is_retried(world: &World) {
    world.insert(30);
    let store = FaultyStore::over(&world.store);
    store.fail_write(3, Fault::RolledBack);
    let _merger = started(world, &store);
    until_merged(world, &store);
    store.wait_for_writes(4);
    assert_eq!(store.failures(), 1);
    world.assert_clean();
}

fn sheets_of_an_interrupted_rebuild_are_removed(world: &World) {
    world.insert(30);
    world.merge();
    let stray: Vec<_> = world.kept().sheets.into_iter().collect();
    let generation = world.generation() + 1;
    world.store.writing(|tx| tx.put_sheets(generation, &stray)).unwrap();
    let store = FaultyStore::over(&world.store);
    let merger = started(world, &store);
    // The writes: take the lease, remove the sheets, find none left, release the lease.
    store.wait_for_writes(4);
    assert_eq!(store.failures(), 0);
    merger.stop();
    assert_eq!(world.store.writing(|tx| tx.delete_other_generations(None, 1)).unwrap(), 0);
    world.assert_clean();
}

fn periods_are_finished_without_pauses_between_them(world: &World) {
    world.insert(300);
    world.merge();
    world.clock.set("2027-01-01T02:00:00Z");
    let days = world.store.reading(|tx| {
        let all = TimeRange { start: at("1970-01-01T00:00:00Z"), end: at("2027-01-01T00:00:00Z") };
        tx.sheet_keys(Scope::Everyone, Level::Day, Part::Totals, all)
    });
    let days: BTreeSet<_> = days.unwrap().into_iter().map(|key| key.start).collect();
    assert!(days.len() > 50, "several calls are necessary, each of which finishes 16");
    let store = FaultyStore::over(&world.store);
    let hourly = MergerSettings { every: Duration::from_hours(1), ..FAST };
    let _merger =
        Merger::start(store.clone(), world.clock.clone(), world.entropy.clone(), hourly, &Arc::default()).unwrap();
    for writes in 1.. {
        if world.store.reading(|tx| tx.counted_periods(Level::Day)).unwrap().len() == days.len() {
            break;
        }
        store.wait_for_writes(writes);
    }
}

/// Nothing is due here for years; but what a dead process was merging is due at once.
fn the_work_of_a_dead_merger_is_continued(world: &World) {
    let store = FaultyStore::over(&world.store);
    let never = Duration::from_hours(1_000_000);
    let settings = MergerSettings { every: Duration::from_hours(1), events: u64::MAX, within: never };
    let _merger =
        Merger::start(store.clone(), world.clock.clone(), world.entropy.clone(), settings, &Arc::default()).unwrap();
    // Its housekeeping at the start.
    store.wait_for_writes(3);
    world.insert(30);
    let (other, now) = (uuid(1), world.clock.now());
    let take = || world.store.writing(|tx| tx.take_lease("sheets", other, now, now + TimeDelta::seconds(3))).unwrap();
    while !take() {
        thread::yield_now();
    }
    let waiting = world.kept().deltas;
    assert!(!waiting.is_empty());
    for reads in store.calls(Call::Read) + 1.. {
        if world.kept().deltas.is_empty() {
            break;
        }
        store.wait_for_calls(Call::Read, reads);
        world.clock.advance(TimeDelta::seconds(1));
    }
    assert!(world.store.reading(|tx| tx.lease("sheets")).unwrap().is_none_or(|(holder, _)| holder != other));
    world.assert_clean();
}

trailkeeper_testkit::on_both!(crate::world::World::new =>
    new_events_are_merged_until_the_merger_stops,
    a_failed_write_is_retried,
    sheets_of_an_interrupted_rebuild_are_removed,
    periods_are_finished_without_pauses_between_them,
    the_work_of_a_dead_merger_is_continued,
);
