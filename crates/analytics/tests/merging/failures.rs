//! Failing writes, lost leases, and concurrent mergers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use chrono::Duration;
use trailkeeper_analytics::engine::{Summary, merger};
use trailkeeper_domain::clock::Clock as _;
use trailkeeper_domain::fact::EventFact;
use trailkeeper_domain::ports::{NewDelta, Summarizer};
use trailkeeper_domain::scope::Scope;
use trailkeeper_testkit::{Fault, FaultyStore, TestEntropy, tenant_id, uuid};

use crate::world::World;

fn a_write_that_fails_changes_nothing(world: &World) {
    for nth in 0.. {
        world.insert(30);
        let before = world.kept();
        let store = FaultyStore::over(&world.store);
        store.fail_write(nth, Fault::RolledBack);
        let merged = world.merge_in(&*store);
        world.assert_clean();
        match nth {
            // Taking the lease, and the only step.
            0 | 1 => {
                merged.unwrap_err();
                assert_eq!(world.kept(), before);
            }
            // Releasing the lease: it runs out instead.
            2 => {
                assert!(merged.unwrap().unwrap().finished);
                world.insert(1);
                assert_eq!(world.merge_in(world.store.as_ref()).unwrap(), None);
                world.clock.advance(Duration::seconds(31));
            }
            _ => {
                assert!(!store.has_struck());
                break;
            }
        }
    }
    world.merge();
    world.assert_clean();
}

fn a_merger_that_lost_its_lease_writes_nothing(world: &World) {
    world.insert(30);
    let before = world.kept();
    let (inner, clock) = (Arc::clone(&world.store), Arc::clone(&world.clock));
    let other = uuid(1);
    let take_lease = move |_: &FaultyStore| {
        clock.advance(Duration::seconds(31));
        let now = clock.now();
        assert!(inner.writing(|tx| tx.take_lease("sheets", other, now, now + Duration::seconds(30))).unwrap());
    };
    // The second write is the first step.
    let store = FaultyStore::over(&world.store);
    store.before_write(1, take_lease);
    let merged = world.merge_in(&*store).unwrap().unwrap();
    assert!(store.has_struck() && !merged.finished && merged.transactions == 0, "{merged:?}");
    assert_eq!(world.kept(), before);
    // It did not release the lease, which is the other's now.
    assert_eq!(world.merge_in(world.store.as_ref()).unwrap(), None);
    world.store.writing(|tx| tx.release_lease("sheets", other)).unwrap();
    world.merge();
    world.assert_clean();
}

fn two_mergers_and_a_writer_count_everything_once(world: &World) {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for seed in [1, 2] {
            let (done, world) = (&done, &world);
            scope.spawn(move || {
                let entropy = TestEntropy::new(seed);
                while !done.load(Ordering::SeqCst) {
                    merger::run_once(world.store.as_ref(), world.clock.as_ref(), &entropy).unwrap();
                    thread::yield_now();
                }
            });
        }
        for _ in 0..25 {
            world.insert(20);
            world.assert_clean();
        }
        done.store(true, Ordering::SeqCst);
    });
    world.merge();
    assert_eq!(world.assert_clean().deltas, 0);
}

/// Damages the deltas of one tenant.
struct Damaging;

impl Summarizer for Damaging {
    fn deltas(&self, facts: &[EventFact]) -> Vec<NewDelta> {
        let mut deltas = Summary.deltas(facts);
        for delta in deltas.iter_mut().filter(|delta| delta.scope == Scope::Tenant(tenant_id(1))) {
            delta.payload.pop();
        }
        deltas
    }
}

fn an_unreadable_delta_stops_only_its_scope(world: &World) {
    let damaged = world.store_with(Damaging);
    let events: Vec<_> = (0..60).map(|_| world.event()).collect();
    damaged.writing(|tx| tx.insert_events(&events)).unwrap();
    let merged = world.merge_in(world.store.as_ref()).unwrap().unwrap();
    let [(scope, row)] = merged.unreadable.as_slice() else { panic!("{merged:?}") };
    assert!(merged.finished && *scope == Scope::Tenant(tenant_id(1)), "{merged:?}");
    assert!(row.starts_with("delta ") && row.contains(&tenant_id(1).to_string()), "{row}");
    let kept = world.kept();
    assert!(kept.deltas.iter().all(|key| key.scope == *scope) && kept.deltas.len() == 1, "{:?}", kept.deltas);
    assert!(kept.sheets.keys().all(|key| key.scope != *scope) && !kept.sheets.is_empty());
    let (_, differences) = world.verify();
    assert!(differences[0].to_string().starts_with("delta "), "{}", differences[0]);
    assert!(differences.len() > 1);
}

trailkeeper_testkit::on_both!(crate::world::World::new =>
    a_write_that_fails_changes_nothing,
    a_merger_that_lost_its_lease_writes_nothing,
    two_mergers_and_a_writer_count_everything_once,
    an_unreadable_delta_stops_only_its_scope,
);
