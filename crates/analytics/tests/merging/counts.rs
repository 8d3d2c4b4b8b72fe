//! The counts of all tenants are those of the sheets, at any time.

use std::collections::BTreeMap;

use trailkeeper_analytics::engine::merger::{Finished, finish_periods};
use trailkeeper_analytics::engine::verify::Difference;
use trailkeeper_analytics::engine::{TenantCells, per_tenant};
use trailkeeper_analytics::sheet::Facet;
use trailkeeper_domain::clock::Clock as _;
use trailkeeper_domain::event::Event;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::ports::{Scopes, Store};
use trailkeeper_domain::scope::{Level, Scope};
use trailkeeper_domain::time::{TimeRange, Timestamp};
use trailkeeper_testkit::{FaultyStore, at, tenant_id, uuid};

use crate::world::World;

fn counted(world: &World, level: Level) -> Vec<Timestamp> {
    world.store.reading(|tx| tx.counted_periods(level)).unwrap()
}

/// The users per period, tenant and id of the cell, asked of every tenant at once or of one after the other. Only the
/// first question uses the counts of all tenants.
fn users(world: &World, level: Level, scopes: &[Scopes]) -> BTreeMap<(Timestamp, TenantId, u64), (u64, u64)> {
    let starts = TimeRange { start: at("2025-11-01T00:00:00Z"), end: at("2026-04-01T00:00:00Z") };
    let mut users = BTreeMap::new();
    for scopes in scopes {
        for facet in [Facet::Active, Facet::Userinfo] {
            let wanted = TenantCells { scopes: *scopes, level, starts, facet, only: None };
            world
                .store
                .reading(|tx| {
                    per_tenant(tx, &wanted, &mut |tenant, start, cell| {
                        let key = (start, tenant, cell.id << 8 | u64::from(facet.code()));
                        assert_eq!(users.insert(key, (cell.count, cell.distinct)), None, "{key:?}");
                        Ok(())
                    })
                })
                .unwrap();
        }
    }
    users
}

#[track_caller]
fn assert_exact(world: &World) {
    let each: Vec<Scopes> = [TenantId::NONE, tenant_id(0), tenant_id(1), tenant_id(2)]
        .map(|tenant| Scopes::One(Scope::Tenant(tenant)))
        .to_vec();
    for level in [Level::Day, Level::Month] {
        assert_eq!(users(world, level, &[Scopes::EveryTenant]), users(world, level, &each), "{level:?}");
    }
    world.assert_clean();
}

fn periods_that_are_over_get_counts(world: &World) {
    world.insert(300);
    let last = ["2025-12-30T01:02:03Z", "2025-12-31T01:02:03Z"].map(|time| world.random_event(tenant_id(1), at(time)));
    world.store.writing(|tx| tx.insert_events(&last)).unwrap();
    world.merge();
    // The events lie in the ninety days from 2025-11-17 on.
    world.clock.set("2026-01-01T00:59:59Z");
    while !world.finish_periods() {}
    let days = counted(world, Level::Day);
    assert_eq!(
        days.last(),
        Some(&at("2025-12-30T00:00:00Z")),
        "the last day of December is over since less than an hour"
    );
    assert_eq!(counted(world, Level::Month), [at("2025-11-01T00:00:00Z")]);
    assert_exact(world);
    world.finish_all();
    assert!(counted(world, Level::Day).len() > days.len() && counted(world, Level::Month).len() == 4);
    assert_exact(world);
}

fn merged_events_remove_the_counts_of_their_periods(world: &World) {
    world.insert(300);
    world.merge();
    world.finish_all();
    let (days, months) = (counted(world, Level::Day), counted(world, Level::Month));
    let late: Vec<Event> = (0..3).map(|_| world.random_event(tenant_id(1), days[days.len() / 2])).collect();
    world.store.writing(|tx| tx.insert_events(&late)).unwrap();
    assert_eq!((counted(world, Level::Day), counted(world, Level::Month)), (days.clone(), months.clone()));
    assert_exact(world);
    world.merge();
    let day = days[days.len() / 2];
    assert_eq!(counted(world, Level::Day), days.iter().copied().filter(|other| *other != day).collect::<Vec<_>>());
    let month = Level::Month.floor(day);
    assert_eq!(
        counted(world, Level::Month),
        months.iter().copied().filter(|other| *other != month).collect::<Vec<_>>()
    );
    assert_exact(world);
    world.finish_all();
    assert_eq!((counted(world, Level::Day), counted(world, Level::Month)), (days, months));
    assert_exact(world);
}

/// More tenants than are looked up one by one.
fn many_tenants_may_have_waiting_events(world: &World) {
    let day = at("2025-12-05T10:00:00Z");
    let of_tenants = |tenants: std::ops::Range<u128>| {
        let events: Vec<Event> = tenants.map(|number| world.random_event(tenant_id(number), day)).collect();
        world.store.writing(|tx| tx.insert_events(&events)).unwrap();
    };
    of_tenants(0..40);
    world.insert(200);
    world.merge();
    world.finish_all();
    let each: Vec<Scopes> = (0..60).map(|number| Scopes::One(Scope::Tenant(tenant_id(number)))).collect();
    let each = [each, vec![Scopes::One(Scope::Tenant(TenantId::NONE))]].concat();
    for waiting in [30..31, 31..38, 35..60] {
        of_tenants(waiting);
        for level in [Level::Day, Level::Month] {
            assert_eq!(users(world, level, &[Scopes::EveryTenant]), users(world, level, &each), "{level:?}");
        }
    }
    world.assert_clean();
}

fn wrong_counts_are_found_and_made_again_by_a_rebuild(world: &World) {
    world.insert(300);
    world.merge();
    world.finish_all();
    world.assert_clean();
    world.database.execute(
        "UPDATE tenant_counts SET payload = (SELECT payload FROM tenant_counts WHERE level = 3 ORDER BY start LIMIT 1) \
         WHERE level = 3",
    );
    let (_, differences) = world.verify();
    let wrong = |start| Difference::TenantCounts { level: Level::Month, start };
    let expected = ["2025-12-01", "2026-01-01", "2026-02-01"].map(|month| wrong(at(&format!("{month}T00:00:00Z"))));
    assert_eq!(differences, expected);
    assert_eq!(
        differences[0].to_string(),
        "counts of all tenants, month 2025-12-01T00:00:00Z: they are not those of the sheets"
    );
    crate::rebuilds::rebuilt(world, world.store.as_ref()).unwrap();
    assert!(counted(world, Level::Month).is_empty(), "the new generation has none yet");
    world.assert_clean();
    world.finish_all();
    assert_exact(world);
}

fn only_the_holder_of_the_lease_finishes_periods(world: &World) {
    world.insert(50);
    world.merge();
    world.clock.set("2027-01-01T00:00:00Z");
    let now = world.clock.now();
    let until = now + chrono::Duration::seconds(30);
    assert!(world.store.writing(|tx| tx.take_lease("sheets", uuid(1), now, until)).unwrap());
    assert!(!world.finish_periods());
    assert!(counted(world, Level::Day).is_empty());
    world.store.writing(|tx| tx.release_lease("sheets", uuid(1))).unwrap();
    world.finish_all();
    let faulty = FaultyStore::over(&world.store);
    let store: &dyn Store = &*faulty;
    let finished = finish_periods(store, world.clock.as_ref(), world.entropy.as_ref(), &|| false).unwrap();
    assert_eq!(finished, Finished::All);
    assert_eq!(faulty.commits(), 0, "nothing is left to do, so nothing is written");
}

trailkeeper_testkit::on_both!(crate::world::World::new =>
    periods_that_are_over_get_counts,
    merged_events_remove_the_counts_of_their_periods,
    many_tenants_may_have_waiting_events,
    wrong_counts_are_found_and_made_again_by_a_rebuild,
    only_the_holder_of_the_lease_finishes_periods,
);
