//! Questions that are asked again: they are answered from cached folds, and rightly whatever happened in between.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use trailkeeper_analytics::engine::read;
use trailkeeper_analytics::engine::rebuild::rebuild;
use trailkeeper_analytics::sheet::{Facet, Fold};
use trailkeeper_domain::Result;
use trailkeeper_domain::event::Event;
use trailkeeper_domain::id::{EnvId, EventId, TenantId};
use trailkeeper_domain::ports::SheetKey;
use trailkeeper_domain::scope::{Level, Part, Scope};
use trailkeeper_domain::time::TimeRange;
use trailkeeper_testkit::{TestClock, at, event, tenant_id, uuid};

use crate::folds::{check, check_cached};
use crate::world::World;

trailkeeper_testkit::on_both!(crate::world::World::with_history =>
    a_second_question_reads_no_sheet,
    only_changed_sheets_are_read_again,
    a_merge_leaves_only_the_changed_periods_of_a_range_to_be_read,
    a_rebuild_invalidates_the_cache,
    no_audience_gets_the_folds_of_another,
    a_fold_that_failed_is_not_cached,
);

const FACETS: [Facet; 3] = [Facet::Views, Facet::AllViews, Facet::Kind];

/// The days of the histories.
fn days() -> Vec<TimeRange> {
    let first = at("2025-12-30T00:00:00Z");
    let day = |number| TimeRange { start: first + TimeDelta::days(number), end: first + TimeDelta::days(number + 1) };
    (0..36).map(day).collect()
}

fn keys(world: &World, scope: Scope) -> Vec<SheetKey> {
    let starts = TimeRange { start: at("2025-01-01T00:00:00Z"), end: at("2027-01-01T00:00:00Z") };
    let mut keys = Vec::new();
    for level in Level::ALL {
        for part in Part::ALL {
            keys.extend(world.store.reading(|tx| tx.sheet_keys(scope, level, part, starts)).unwrap());
        }
    }
    keys
}

/// Replaces the bytes of sheets, which is forbidden otherwise: every reader of one of them fails.
fn ruin(world: &World, scope: Scope, which: impl Fn(&SheetKey) -> bool) {
    let keys: Vec<SheetKey> = keys(world, scope).into_iter().filter(which).collect();
    assert!(keys.len() > 5, "{keys:?}");
    let ruined: Vec<(SheetKey, Vec<u8>)> = keys.iter().map(|key| (*key, vec![1, 2, 3, 4, 5])).collect();
    let write = world.store.writing(|tx| {
        let generation = tx.generation()?;
        tx.delete_sheets(generation, &keys)?;
        tx.put_sheets(generation, &ruined)
    });
    write.unwrap();
}

fn uncached(world: &World, scope: Scope, buckets: &[TimeRange]) -> Result<Vec<Arc<Fold>>> {
    world.store.reading(|tx| read::folds::<Fold>(tx, &World::audience(scope, None), buckets, &FACETS))
}

fn a_second_question_reads_no_sheet(world: &mut World) {
    let year = [TimeRange { start: at("2025-11-01T00:00:00Z"), end: at("2026-11-01T00:00:00Z") }];
    let odd = [TimeRange { start: at("2025-12-30T22:17:00Z"), end: at("2026-02-02T05:43:21Z") }];
    let other = [TimeRange { start: at("2025-12-30T22:59:59Z"), end: at("2026-02-02T05:00:01Z") }];
    for scope in [Scope::Everyone, Scope::Tenant(tenant_id(1))] {
        for buckets in [&year[..], &odd, &days()] {
            check(world, scope, None, buckets, &FACETS);
        }
        ruin(world, scope, |_| true);
        assert!(uncached(world, scope, &year).is_err() && uncached(world, scope, &days()).is_err());
        // New events are added from their deltas and at the edges.
        for _ in 0..3 {
            // The same whole hours (of a tenant, days) between other edges have the same sheets.
            for buckets in [&year[..], &odd, &other, &days()] {
                check_cached(world, scope, None, buckets, &FACETS);
            }
            world.grow(40);
        }
    }
}

fn only_changed_sheets_are_read_again(world: &mut World) {
    let scope = Scope::Tenant(tenant_id(1));
    world.merge(scope);
    check(world, scope, None, &days(), &FACETS);
    let changed = TimeRange { start: at("2026-01-31T00:00:00Z"), end: at("2026-02-01T00:00:00Z") };
    ruin(world, scope, |key| key.level != Level::Day || key.start != changed.start);
    for number in 1..4 {
        let late = Event {
            id: EventId(uuid(number)),
            tenant_id: tenant_id(1),
            occurred_at: changed.start + TimeDelta::hours(3),
            ..event(number)
        };
        world.insert(&[late]);
        check_cached(world, scope, None, &days(), &FACETS);
        world.merge(scope);
        check_cached(world, scope, None, &days(), &FACETS);
        check(world, scope, None, &[changed], &FACETS);
    }
}

fn a_merge_leaves_only_the_changed_periods_of_a_range_to_be_read(world: &mut World) {
    let scope = Scope::Tenant(tenant_id(1));
    world.merge(scope);
    let last = at("2026-02-01T00:00:00Z");
    let range = [TimeRange { start: at("2025-12-30T00:00:00Z"), end: last + TimeDelta::days(1) }];
    // The same range until the present of another moment, which has the same beginning.
    let later = [TimeRange { end: last + TimeDelta::days(2), ..range[0] }];
    check(world, scope, None, &range, &FACETS);
    for number in 1..6 {
        let new = Event {
            id: EventId(uuid(number)),
            tenant_id: tenant_id(1),
            occurred_at: last + TimeDelta::hours(3),
            ..event(number)
        };
        world.insert(&[new]);
        // First a further sheet, then sheets that replace those of the day.
        world.merge(scope);
        if number > 1 {
            world.absorb(scope, last);
        }
        // The first replaced sheet shows which other ones stay.
        if number == 3 {
            ruin(world, scope, |key| key.level != Level::Day || key.start < last);
        }
        check_cached(world, scope, None, &range, &FACETS);
    }
    check_cached(world, scope, None, &later, &FACETS);
    assert!(uncached(world, scope, &range).is_err());
}

fn a_rebuild_invalidates_the_cache(world: &mut World) {
    for round in 0..3 {
        world.grow(60);
        for scope in [Scope::Everyone, Scope::Tenant(TenantId::NONE), Scope::Tenant(tenant_id(1))] {
            world.merge(scope);
            check(world, scope, None, &days(), &FACETS);
            if round == 1 {
                // The old generation's sheets must not be read for the next one.
                ruin(world, scope, |_| true);
            }
        }
        let clock = TestClock::at("2026-11-22T00:00:00Z");
        rebuild(world.store.as_ref(), &clock, &*world.entropy, Duration::ZERO, &mut |_| ()).unwrap();
        for scope in [Scope::Everyone, Scope::Tenant(TenantId::NONE), Scope::Tenant(tenant_id(1))] {
            check_cached(world, scope, None, &days(), &FACETS);
            check(world, scope, None, &days(), &FACETS);
        }
    }
}

fn no_audience_gets_the_folds_of_another(world: &mut World) {
    let buckets = days();
    for _ in 0..2 {
        let tenants = [TenantId::NONE, tenant_id(0), tenant_id(1), tenant_id(2), tenant_id(99), TenantId::SYSTEM];
        for scope in [Scope::Everyone].into_iter().chain(tenants.map(Scope::Tenant)) {
            for facets in [&[Facet::ActiveAll][..], &[Facet::Active], &[Facet::ActiveAll, Facet::Kind], &FACETS] {
                check_cached(world, scope, None, &buckets, facets);
                let envs = (1..4).filter(|_| scope != Scope::Everyone);
                envs.for_each(|env| check_cached(world, scope, Some(EnvId(env)), &buckets, facets));
            }
        }
    }
    // Folds of the same sheets without deltas are the same memory, if and only if they come from the cache.
    world.merge(Scope::Everyone);
    let audience = World::audience(Scope::Everyone, None).with_folds(&world.cache);
    let fold = || world.store.reading(|tx| read::folds::<Fold>(tx, &audience, &buckets, &FACETS)).unwrap();
    assert!(fold().iter().zip(fold()).filter(|(one, other)| Arc::ptr_eq(one, other)).count() > 3);
}

fn a_fold_that_failed_is_not_cached(world: &mut World) {
    let (scope, range) = (Scope::Tenant(tenant_id(1)), days());
    let last = *keys(world, scope).iter().rfind(|key| key.level == Level::Day && key.part == Part::Totals).unwrap();
    let put = |payload: Vec<u8>| {
        let write = world.store.writing(|tx| {
            let generation = tx.generation()?;
            let before = tx.sheets_by_key(generation, &[last])?.remove(&last);
            tx.delete_sheets(generation, &[last])?;
            tx.put_sheets(generation, &[(last, payload.clone())])?;
            Ok(before)
        });
        write.unwrap().unwrap()
    };
    let whole = put(vec![1, 2, 3]);
    for _ in 0..2 {
        let audience = World::audience(scope, None).with_folds(&world.cache);
        let folded = world.store.reading(|tx| read::folds::<Fold>(tx, &audience, &range, &FACETS));
        assert!(folded.is_err());
    }
    put(whole);
    check(world, scope, None, &range, &FACETS);
}
