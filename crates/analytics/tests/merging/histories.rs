//! Random batches, merged at random moments.

use std::collections::BTreeMap;

use trailkeeper_domain::event::Event;
use trailkeeper_domain::ports::SheetKey;
use trailkeeper_testkit::{DatabaseKind, Fault, FaultyStore, tenant_id};

use crate::rebuilds::rebuilt;
use crate::world::World;

fn every_step_leaves_sheets_and_deltas_that_equal_the_events(world: &World) {
    for _ in 0..30 {
        match world.entropy.below(5) {
            0 | 1 => drop(world.merge()),
            2 => world.insert(1),
            _ => world.insert(1 + world.entropy.below(80)),
        }
        world.assert_clean();
    }
    world.merge();
    let verified = world.assert_clean();
    assert!(verified.events > 100 && verified.sheets > 100 && verified.deltas == 0, "{verified:?}");
    assert_eq!(world.kept().deltas, [0; 0]);
}

fn runs_of_a_period_grow_by_more_than_twice(world: &World) {
    for _ in 0..40 {
        world.insert(1 + world.entropy.below(20));
        world.merge();
        let mut sizes: BTreeMap<SheetKey, Vec<usize>> = BTreeMap::new();
        for (key, payload) in world.kept().sheets {
            sizes.entry(SheetKey { run: 0, ..key }).or_default().push(payload.len());
        }
        for (period, mut sizes) in sizes {
            sizes.sort_unstable();
            assert!(sizes.is_sorted_by(|a, b| 2 * a < *b), "{period:?}: {sizes:?}");
        }
    }
}

/// A server caches folds of sheets by the keys of the sheets.
fn a_key_never_has_another_content(world: &World) {
    let mut known: BTreeMap<(i64, SheetKey), Vec<u8>> = BTreeMap::new();
    let mut generations = Vec::new();
    let mut replaced = 0;
    for round in 0..40 {
        world.insert(1 + world.entropy.below(12));
        match round % 10 {
            9 => {
                // A rebuild that dies while it writes sheets, and the next one, which uses the same generation again.
                let store = FaultyStore::over(&world.store);
                store.crash_at_write(2, Some(Fault::RolledBack));
                assert!(rebuilt(world, &*store).is_err());
                world.clock.advance(chrono::Duration::seconds(91));
                rebuilt(world, world.store.as_ref()).unwrap();
            }
            _ => replaced += world.merge().sheets_replaced,
        }
        let generation = world.generation();
        generations.push(generation);
        for (key, payload) in world.kept().sheets {
            let before = known.insert((generation, key), payload.clone());
            assert!(before.is_none_or(|before| before == payload), "{key:?} of generation {generation}");
        }
    }
    generations.dedup();
    assert!(generations.is_sorted_by(|a, b| a < b) && generations.len() == 5, "{generations:?}");
    assert!(replaced > 100, "{replaced}");
}

fn nothing_to_merge_writes_nothing(world: &World) {
    assert_eq!(world.merge().transactions, 0);
    world.insert(10);
    let first = world.merge();
    assert_eq!(first.transactions, 1);
    assert!(first.deltas == 1 && first.sheets_written > 0 && first.bytes_written > 0, "{first:?}");
    let before = world.kept();
    assert_eq!(world.merge().transactions, 0);
    assert_eq!(world.kept(), before);
}

fn many_tenants_are_merged_in_groups(world: &World) {
    for round in 0..3 {
        let events: Vec<Event> =
            (0..300).map(|number| Event { tenant_id: tenant_id(number % 150), ..world.event() }).collect();
        world.store.writing(|tx| tx.insert_events(&events)).unwrap();
        let merged = world.merge();
        assert!((3..20).contains(&merged.transactions), "{merged:?}");
        assert_eq!((merged.deltas, merged.sheets_replaced > 0), (1, round > 0), "{merged:?}");
        assert_eq!(world.kept().passes, []);
        assert_eq!(world.assert_clean().deltas, 0);
    }
}

trailkeeper_testkit::on_both!(crate::world::World::new =>
    a_key_never_has_another_content,
    many_tenants_are_merged_in_groups,
    every_step_leaves_sheets_and_deltas_that_equal_the_events,
    runs_of_a_period_grow_by_more_than_twice,
    nothing_to_merge_writes_nothing,
);

#[test]
fn a_large_backlog_is_merged_in_several_steps() {
    let world = World::new(DatabaseKind::Sqlite);
    world.store.writing(|tx| (0..5_000).try_for_each(|_| tx.insert_events(&[world.event()]).map(drop))).unwrap();
    let merged = world.merge();
    assert!(merged.transactions > 1 && merged.deltas == 5_000, "{merged:?}");
    assert_eq!(world.kept().deltas, [0; 0]);
    world.assert_clean();
}
