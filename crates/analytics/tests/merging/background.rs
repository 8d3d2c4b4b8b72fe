//! The merger's thread.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use trailkeeper_analytics::engine::merger::{Merger, MergerSettings};
use trailkeeper_domain::ports::Store;

use crate::stores::{Mishap, Unlucky, Watched};
use crate::world::World;

const FAST: MergerSettings = MergerSettings { every: Duration::from_millis(1) };

fn started(world: &World, store: Arc<dyn Store>) -> (Merger, Receiver<bool>) {
    let (told, writes) = channel();
    let watched = Arc::new(Watched { inner: store, told });
    let merger = Merger::start(watched, world.clock.clone(), world.entropy.clone(), FAST).unwrap();
    (merger, writes)
}

/// Waits for one write after the other, until nothing waits to be merged.
fn until_merged(world: &World, writes: &Receiver<bool>) {
    while !world.kept().deltas.is_empty() {
        writes.recv_timeout(Duration::from_mins(1)).unwrap();
    }
}

fn what_comes_is_merged_and_stopping_ends_it(world: &World) {
    let (merger, writes) = started(world, Arc::clone(&world.store));
    for _ in 0..3 {
        world.insert(30);
        until_merged(world, &writes);
        world.assert_clean();
    }
    merger.stop();
    merger.stop();
    // Nobody holds the lease: what comes now is merged here.
    world.insert(30);
    assert!(world.merge().deltas > 0);
    drop(merger);
    assert!(writes.into_iter().all(|good| good), "the sender is gone with the thread");
}

fn a_failed_write_is_tried_again(world: &World) {
    world.insert(30);
    let (_merger, writes) = started(world, Arc::new(Unlucky::new(&world.store, 3, Mishap::Fails)));
    let mut failed = 0;
    while !world.kept().deltas.is_empty() {
        failed += u32::from(!writes.recv_timeout(Duration::from_mins(1)).unwrap());
    }
    while failed == 0 {
        failed += u32::from(!writes.recv_timeout(Duration::from_mins(1)).unwrap());
    }
    assert_eq!(failed, 1);
    world.assert_clean();
}

fn sheets_of_a_rebuild_that_died_are_removed(world: &World) {
    world.insert(30);
    world.merge();
    let stray: Vec<_> = world.kept().sheets.into_iter().collect();
    let generation = world.generation() + 1;
    world.store.writing(|tx| tx.put_sheets(generation, &stray)).unwrap();
    let (merger, writes) = started(world, Arc::clone(&world.store));
    // The lease, the sheets, nothing left, the lease back.
    for _ in 0..4 {
        assert!(writes.recv_timeout(Duration::from_mins(1)).unwrap());
    }
    merger.stop();
    assert_eq!(world.store.writing(|tx| tx.delete_other_generations(None, 1)).unwrap(), 0);
    world.assert_clean();
}

on_both!(
    what_comes_is_merged_and_stopping_ends_it,
    a_failed_write_is_tried_again,
    sheets_of_a_rebuild_that_died_are_removed,
);
