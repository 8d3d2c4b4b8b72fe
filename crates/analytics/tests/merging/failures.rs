//! Failing writes, lost leases, and concurrent mergers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use chrono::Duration;
use trailkeeper_analytics::Audience;
use trailkeeper_analytics::engine::merger::{self, LeftOut};
use trailkeeper_analytics::engine::{TenantCells, per_tenant, read};
use trailkeeper_analytics::sheet::{Facet, Fact, Fold, Sheet};
use trailkeeper_domain::clock::Clock as _;
use trailkeeper_domain::event::Event;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::ports::{Scopes, SheetKey};
use trailkeeper_domain::scope::{Level, Scope};
use trailkeeper_domain::time::{TimeRange, Timestamp};
use trailkeeper_testkit::visibility::{EVERYTHING, of_tenant};
use trailkeeper_testkit::{Fault, FaultyStore, TestEntropy, at, tenant_id, uuid};

use crate::rebuilds::rebuilt;
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
                world.clock.advance(Duration::seconds(91));
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
        clock.advance(Duration::seconds(91));
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

fn an_unreadable_delta_is_left_out(world: &World) {
    world.insert(30);
    world.database.execute("UPDATE deltas SET payload = substr(payload, 1, length(payload) - 1)");
    let damaged = world.kept().deltas;
    for _ in 0..3 {
        world.insert(30);
        let merged = world.merge_in(world.store.as_ref()).unwrap().unwrap();
        let [(LeftOut::Delta(number), row)] = merged.unreadable.as_slice() else { panic!("{merged:?}") };
        assert!(merged.finished && merged.deltas == 1 && damaged == [*number], "{merged:?}");
        assert!(row.contains(&format!("delta {number}: unreadable")), "{row}");
        let kept = world.kept();
        assert!(kept.deltas == damaged && kept.passes.is_empty() && !kept.sheets.is_empty());
    }
    let (_, differences) = world.verify();
    assert!(differences[0].to_string().contains("delta "), "{}", differences[0]);
    assert!(differences.len() > 1);
    rebuilt(world, world.store.as_ref()).unwrap();
    assert_eq!(world.assert_clean().deltas, 0);
}

fn an_unreadable_sheet_stops_only_its_scope(world: &World) {
    let scope = Scope::Tenant(tenant_id(1));
    for _ in 0..3 {
        world.insert(60);
        world.merge();
    }
    let kept = world.kept();
    let newest = *kept.sheets.keys().rfind(|key| key.scope == scope).unwrap();
    let damaged = SheetKey { run: newest.run + 1, ..newest };
    let generation = world.generation();
    world.store.writing(|tx| tx.put_sheets(generation, &[(damaged, vec![1, 0, 0, 0, 0])])).unwrap();
    let mut open = 0;
    for _ in 0..4 {
        // Some of them are in the period of the damaged sheet, which every new run absorbs.
        let events = (0..40).map(|_| Event { occurred_at: damaged.start, ..world.event() });
        let events: Vec<Event> = events.map(|event| Event { tenant_id: tenant_id(1), ..event }).collect();
        world.store.writing(|tx| tx.insert_events(&events)).unwrap();
        world.insert(40);
        let merged = world.merge_in(world.store.as_ref()).unwrap().unwrap();
        open += 1;
        assert!(merged.finished && merged.unreadable.len() == open, "{merged:?}");
        assert!(merged.unreadable.iter().all(|(left_out, row)| {
            matches!(left_out, LeftOut::Pass(_))
                && row.contains("sheet of tenant")
                && row.contains(&tenant_id(1).to_string())
        }));
        let kept = world.kept();
        assert_eq!(kept.passes.len(), open);
        assert!(kept.passes.iter().all(|pass| !pass.merged.contains(&scope) && pass.merged.contains(&Scope::Everyone)));
        assert_answers(world, &[Scope::Everyone, Scope::Tenant(tenant_id(0)), Scope::Tenant(TenantId::NONE)]);
    }
    let (_, differences) = world.verify();
    assert!(differences.iter().all(|difference| difference.to_string().contains("sheet of tenant")), "{differences:?}");
    rebuilt(world, world.store.as_ref()).unwrap();
    let verified = world.assert_clean();
    assert_eq!((verified.deltas, world.kept().passes), (0, Vec::new()));
}

/// The tenants of [`insert_of_many`].
const MANY: u128 = 140;

/// Stores events of so many tenants that a pass needs several transactions.
fn insert_of_many(world: &World) {
    let events: Vec<Event> =
        (0..2 * MANY).map(|number| Event { tenant_id: tenant_id(number % MANY), ..world.event() }).collect();
    world.store.writing(|tx| tx.insert_events(&events)).unwrap();
    world.insert(5);
}

/// Answers of everyone, of some tenants, and of every tenant, from sheets and deltas only.
fn assert_answers_of_many(world: &World) {
    let some = [0, 1, 5, 64, 70, 139].map(|number| Scope::Tenant(tenant_id(number)));
    assert_answers(world, &[&[Scope::Everyone][..], &some].concat());
    let starts = always();
    let mut expected: BTreeMap<(TenantId, Timestamp), BTreeSet<u32>> = BTreeMap::new();
    let mut found = BTreeMap::new();
    world
        .store
        .reading(|tx| {
            tx.indexed_events(i64::MIN, usize::MAX, &mut |event| {
                let Some(fact) = event.fact() else { return Ok(()) };
                if let (Some(user), false) = (fact.user, fact.failed()) {
                    expected.entry((event.tenant_id, Level::Month.floor(fact.occurred_at))).or_default().insert(user);
                }
                Ok(())
            })?;
            let scopes = Scopes::EveryTenant;
            let wanted = TenantCells { scopes, level: Level::Month, starts, facet: Facet::ActiveAll, only: None };
            per_tenant(tx, &wanted, &mut |tenant, start, cell| {
                assert_eq!(found.insert((tenant, start), cell.distinct), None);
                Ok(())
            })
        })
        .unwrap();
    let expected: BTreeMap<_, u64> = expected.into_iter().map(|(key, users)| (key, users.len() as u64)).collect();
    assert_eq!(found, expected);
}

/// Compares the folds of all whole months with a recount of the facts.
fn assert_answers(world: &World, scopes: &[Scope]) {
    for scope in scopes {
        let visibility = match scope {
            Scope::Everyone => EVERYTHING,
            Scope::Tenant(tenant) => of_tenant(*tenant),
        };
        let audience = Audience::of(visibility, None, None).unwrap();
        let mut facts = Vec::new();
        let fold = world.store.reading(|tx| {
            facts.clear();
            tx.facts(*scope, always(), &mut |fact| {
                facts.push(Fact::from(fact));
                Ok(())
            })?;
            read::fold::<Fold>(tx, &audience, always(), &Facet::ALL)
        });
        let fold = Fold::clone(&fold.unwrap()).into_sheet();
        assert_eq!(fold, Sheet::of(scope.kind(), &facts), "{scope:?}");
    }
}

/// Whole months around all events.
fn always() -> TimeRange {
    TimeRange { start: at("2025-01-01T00:00:00Z"), end: at("2027-01-01T00:00:00Z") }
}

fn a_pass_that_died_is_continued(world: &World) {
    let mut open = 0;
    for nth in 0.. {
        insert_of_many(world);
        let store = FaultyStore::over(&world.store);
        // From this write on, all fail.
        store.crash_at_write(nth, Some(Fault::RolledBack));
        let outcome = world.merge_in(&*store);
        open += usize::from(!world.kept().passes.is_empty());
        assert_answers_of_many(world);
        world.assert_clean();
        world.clock.advance(Duration::seconds(91));
        // With new events before the next merger comes.
        insert_of_many(world);
        world.merge();
        assert_answers_of_many(world);
        if outcome.is_ok() {
            break;
        }
    }
    assert!(open >= 2, "{open}");
    insert_of_many(world);
    assert_answers_of_many(world);
    world.merge();
    assert_answers_of_many(world);
    let kept = world.kept();
    assert_eq!((kept.deltas, kept.passes), (Vec::new(), Vec::new()));
    assert_eq!(world.assert_clean().deltas, 0);
}

fn a_pass_without_its_lease_is_continued_by_another(world: &World) {
    let mut open = 0;
    for nth in 1..6 {
        insert_of_many(world);
        let (inner, clock) = (Arc::clone(&world.store), Arc::clone(&world.clock));
        let other = uuid(1);
        let store = FaultyStore::over(&world.store);
        store.before_write(nth, move |_: &FaultyStore| {
            clock.advance(Duration::seconds(91));
            let now = clock.now();
            assert!(inner.writing(|tx| tx.take_lease("sheets", other, now, now + Duration::seconds(30))).unwrap());
        });
        let merged = world.merge_in(&*store).unwrap().unwrap();
        let before = world.kept();
        open += usize::from(!before.passes.is_empty());
        assert_answers_of_many(world);
        if store.has_struck() {
            world.store.writing(|tx| tx.release_lease("sheets", other)).unwrap();
        } else {
            assert!(merged.finished);
        }
        // A rebuild between two groups, and a merger.
        if nth % 2 == 0 {
            rebuilt(world, world.store.as_ref()).unwrap();
        } else {
            world.merge();
        }
        let kept = world.kept();
        assert_eq!((kept.deltas, kept.passes), (Vec::new(), Vec::new()));
        assert_answers_of_many(world);
        world.assert_clean();
    }
    assert!(open >= 2, "{open}");
}

fn a_rebuild_takes_over_what_a_dead_pass_has_claimed(world: &World) {
    insert_of_many(world);
    let store = FaultyStore::over(&world.store);
    store.crash_at_write(2, Some(Fault::RolledBack));
    world.merge_in(&*store).unwrap_err();
    world.clock.advance(Duration::seconds(91));
    assert_eq!(world.kept().passes.len(), 1);
    insert_of_many(world);
    // It also merges first, and dies before the new generation answers.
    for nth in 1..5 {
        let store = FaultyStore::over(&world.store);
        store.crash_at_write(nth, Some(Fault::RolledBack));
        rebuilt(world, &*store).unwrap_err();
        world.clock.advance(Duration::seconds(91));
        assert_answers_of_many(world);
        world.assert_clean();
    }
    rebuilt(world, world.store.as_ref()).unwrap();
    let kept = world.kept();
    assert_eq!((kept.deltas, kept.passes), (Vec::new(), Vec::new()));
    assert_answers_of_many(world);
    world.assert_clean();
}

trailkeeper_testkit::on_both!(crate::world::World::new =>
    a_write_that_fails_changes_nothing,
    a_merger_that_lost_its_lease_writes_nothing,
    two_mergers_and_a_writer_count_everything_once,
    an_unreadable_delta_is_left_out,
    an_unreadable_sheet_stops_only_its_scope,
    a_pass_that_died_is_continued,
    a_pass_without_its_lease_is_continued_by_another,
    a_rebuild_takes_over_what_a_dead_pass_has_claimed,
);
