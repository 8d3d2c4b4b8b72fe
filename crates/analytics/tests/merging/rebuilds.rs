//! Rebuilding all sheets.

use std::cell::Cell;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use trailkeeper_analytics::engine::rebuild::{Rebuilt, rebuild, rebuild_in_background};
use trailkeeper_domain::clock::Clock as _;
use trailkeeper_domain::ports::Store;
use trailkeeper_domain::time::rfc3339;
use trailkeeper_domain::{Error, Result};
use trailkeeper_testkit::{Fault, FaultyStore, uuid};

use crate::world::World;

pub(crate) fn rebuilt(world: &World, store: &dyn Store) -> Result<Rebuilt> {
    rebuild(store, world.clock.as_ref(), world.entropy.as_ref(), Duration::ZERO, &mut |_| ())
}

fn a_rebuild_counts_every_event_again(world: &World) {
    assert_eq!(rebuilt(world, world.store.as_ref()).unwrap().events, 0);
    for _ in 0..5 {
        world.insert(50);
        world.merge();
    }
    world.insert(50);
    let mut last = None;
    let done =
        rebuild(world.store.as_ref(), world.clock.as_ref(), world.entropy.as_ref(), Duration::ZERO, &mut |progress| {
            last = Some(progress);
        })
        .unwrap();
    let verified = world.assert_clean();
    assert_eq!((done.events, done.sheets, verified.deltas), (verified.events, verified.sheets, 0));
    let bytes: usize = world.kept().sheets.values().map(Vec::len).sum();
    assert_eq!((done.bytes, done.generation), (bytes as u64, world.generation()));
    let last = last.unwrap();
    assert_eq!((last.done, last.events), (last.of, done.events));
    // The lease is free again, and new events are added to the new sheets.
    world.insert(50);
    world.merge();
    world.assert_clean();
}

fn events_stored_during_a_rebuild_are_counted_once(world: &World) {
    world.insert(200);
    thread::scope(|scope| {
        // More batches than rebuilds, but a bounded number for a slow machine.
        let writer = scope.spawn(|| (0..200).for_each(|_| world.insert(5)));
        while !writer.is_finished() {
            rebuilt(world, world.store.as_ref()).unwrap();
            world.assert_clean();
        }
    });
    world.assert_clean();
    world.merge();
    world.assert_clean();
}

fn a_rebuild_that_dies_leaves_the_old_sheets(world: &World) {
    world.insert(100);
    world.merge();
    let before = world.kept();
    let generation = world.generation();
    let mut died = 0;
    for nth in 0.. {
        let store = FaultyStore::over(&world.store);
        store.crash_at_write(nth, Some(Fault::RolledBack));
        let outcome = rebuilt(world, &*store);
        world.assert_clean();
        // The lease of the dead rebuild runs out.
        world.clock.advance(chrono::Duration::seconds(91));
        if world.generation() != generation {
            // It died only after the new generation was made the current one.
            outcome.unwrap_err();
            break;
        }
        outcome.unwrap_err();
        assert_eq!(world.kept(), before);
        died += 1;
    }
    assert!(died >= 4, "{died}");
    let done = rebuilt(world, world.store.as_ref()).unwrap();
    assert_eq!(world.assert_clean().sheets, done.sheets);
    assert_eq!(world.store.writing(|tx| tx.delete_other_generations(None, 1)).unwrap(), 0);
}

fn a_rebuild_waits_for_the_lease_only_for_the_given_time(world: &World) {
    let now = world.clock.now();
    let taken = world.store.writing(|tx| tx.take_lease("sheets", uuid(1), now, now + chrono::Duration::seconds(30)));
    assert!(taken.unwrap());
    let Err(Error::Unavailable { cause, .. }) = rebuilt(world, world.store.as_ref()) else { panic!("not refused") };
    let until = rfc3339(now + chrono::Duration::seconds(30));
    assert!(cause.to_string().contains("lease") && cause.to_string().contains(&until), "{cause}");
    world.clock.advance(chrono::Duration::seconds(90));
    rebuilt(world, world.store.as_ref()).unwrap();
}

/// A server indexes the events of an older version by itself. It can be stopped at any event.
fn a_rebuild_in_the_background_can_be_stopped_and_begins_again(world: &World) {
    for _ in 0..3 {
        world.insert(150);
    }
    world.merge();
    let generation = world.generation() + 1;
    world.store.writing(|tx| tx.set_generation(generation, false)).unwrap();
    let in_background = |stopped: &dyn Fn() -> bool| {
        let (store, clock, entropy) = (world.store.as_ref(), world.clock.as_ref(), world.entropy.as_ref());
        rebuild_in_background(store, clock, entropy, &Arc::default(), stopped, &mut |_| ()).unwrap()
    };
    let has_postings = || world.store.reading(|tx| tx.has_postings()).unwrap();
    let calls = &Cell::new(0);
    let after = |most: u32| {
        calls.set(0);
        move || calls.replace(calls.get() + 1) >= most
    };
    for most in 0..3 {
        assert_eq!(in_background(&after(most)), None, "it was stopped");
        assert_eq!((world.generation(), has_postings()), (generation, false));
    }
    let now = world.clock.now();
    let until = now + chrono::Duration::seconds(30);
    assert!(world.store.writing(|tx| tx.take_lease("sheets", uuid(1), now, until)).unwrap());
    assert_eq!(in_background(&|| false), None, "another process has the lease");
    world.store.writing(|tx| tx.release_lease("sheets", uuid(1))).unwrap();
    let done = in_background(&|| false).unwrap();
    assert_eq!((done.generation, has_postings()), (generation + 1, true));
    assert_eq!(done.events, world.assert_clean().events);
}

trailkeeper_testkit::on_both!(crate::world::World::new =>
    a_rebuild_counts_every_event_again,
    events_stored_during_a_rebuild_are_counted_once,
    a_rebuild_that_dies_leaves_the_old_sheets,
    a_rebuild_in_the_background_can_be_stopped_and_begins_again,
    a_rebuild_waits_for_the_lease_only_for_the_given_time,
);
