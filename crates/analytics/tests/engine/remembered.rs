//! The same questions again: from folds that are remembered, and right whatever has happened meanwhile.

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

use crate::folds::{check, check_by};
use crate::world::World;

on_both!(
    a_second_question_reads_no_sheet,
    what_changed_alone_is_read_again,
    a_rebuild_is_another_question,
    nobody_is_given_the_folds_of_others,
    what_was_read_in_part_is_not_remembered,
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

/// Puts other bytes in place of sheets, as nobody may: whoever reads one of them fails.
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

fn asked_without(world: &World, scope: Scope, buckets: &[TimeRange]) -> Result<Vec<Arc<Fold>>> {
    world.store.reading(|tx| read::folds(tx, None, scope, None, buckets, &FACETS))
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
        assert!(asked_without(world, scope, &year).is_err() && asked_without(world, scope, &days()).is_err());
        // Events that come meanwhile are added, by their deltas and at the edges.
        for _ in 0..3 {
            // The same whole hours between other edges are the same sheets; of a tenant, the same days.
            for buckets in [&year[..], &odd, &other, &days()] {
                check_by(world, Some(&world.cache), scope, None, buckets, &FACETS);
            }
            world.grow(40);
        }
    }
}

fn what_changed_alone_is_read_again(world: &mut World) {
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
        check_by(world, Some(&world.cache), scope, None, &days(), &FACETS);
        world.merge(scope);
        check_by(world, Some(&world.cache), scope, None, &days(), &FACETS);
        check(world, scope, None, &[changed], &FACETS);
    }
}

fn a_rebuild_is_another_question(world: &mut World) {
    for round in 0..3 {
        world.grow(60);
        for scope in [Scope::Everyone, Scope::Tenant(TenantId::NONE), Scope::Tenant(tenant_id(1))] {
            world.merge(scope);
            check(world, scope, None, &days(), &FACETS);
            if round == 1 {
                // What is in sheets now must not matter to what comes after them.
                ruin(world, scope, |_| true);
            }
        }
        let clock = TestClock::at("2026-11-22T00:00:00Z");
        rebuild(world.store.as_ref(), &clock, &world.entropy, Duration::ZERO, &mut |_| ()).unwrap();
        for scope in [Scope::Everyone, Scope::Tenant(TenantId::NONE), Scope::Tenant(tenant_id(1))] {
            check_by(world, Some(&world.cache), scope, None, &days(), &FACETS);
            check(world, scope, None, &days(), &FACETS);
        }
    }
}

fn nobody_is_given_the_folds_of_others(world: &mut World) {
    let buckets = days();
    for _ in 0..2 {
        let tenants = [TenantId::NONE, tenant_id(0), tenant_id(1), tenant_id(2), tenant_id(99), TenantId::SYSTEM];
        for scope in [Scope::Everyone].into_iter().chain(tenants.map(Scope::Tenant)) {
            for facets in [&[Facet::ActiveAll][..], &[Facet::Active], &[Facet::ActiveAll, Facet::Kind], &FACETS] {
                check_by(world, Some(&world.cache), scope, None, &buckets, facets);
                let envs = (1..4).filter(|_| scope != Scope::Everyone);
                envs.for_each(|env| check_by(world, Some(&world.cache), scope, Some(EnvId(env)), &buckets, facets));
            }
        }
    }
    assert!(world.cache.counts().recalled > 100, "{:?}", world.cache.counts());
}

fn what_was_read_in_part_is_not_remembered(world: &mut World) {
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
        let asked = world.store.reading(|tx| read::folds(tx, Some(&world.cache), scope, None, &range, &FACETS));
        assert!(asked.is_err());
    }
    put(whole);
    check(world, scope, None, &range, &FACETS);
}
