//! Deltas of an older version, which an upgrade finds.

use std::collections::BTreeMap;
use std::time::Duration;

use trailkeeper_analytics::engine::old_deltas::settle;
use trailkeeper_analytics::sheet::{Fact, Sheet};
use trailkeeper_domain::hex;
use trailkeeper_domain::scope::Scope;
use trailkeeper_postings::bits::{put_number, seal, zigzag};
use trailkeeper_postings::delta::Delta;
use trailkeeper_testkit::{DatabaseKind, Fault, FaultyStore};

use crate::rebuilds::rebuilt;
use crate::world::World;

/// The sheets of hours, which are given by their numbers since 1970, as version 1 wrote them.
fn encoded(hours: &BTreeMap<i64, Vec<Fact>>, scope: Scope) -> Vec<u8> {
    let sheets: Vec<(i64, Vec<u8>)> =
        hours.iter().map(|(hour, facts)| (*hour, Sheet::of(scope.kind(), facts).encode())).collect();
    let mut out = vec![1];
    put_number(&mut out, sheets.len() as u64);
    let mut next = None;
    for (hour, sheet) in &sheets {
        put_number(&mut out, next.map_or_else(|| zigzag(*hour), |next: i64| hour.abs_diff(next)));
        put_number(&mut out, sheet.len() as u64);
        next = Some(hour + 1);
    }
    seal(&mut out);
    out.extend(sheets.into_iter().flat_map(|(_, sheet)| sheet));
    out
}

/// Turns the waiting deltas into those of version 1.
fn make_old(world: &World) {
    let mut scopes: BTreeMap<(Scope, i64), BTreeMap<i64, Vec<Fact>>> = BTreeMap::new();
    let mut numbers = Vec::new();
    world
        .store
        .reading(|tx| {
            tx.all_deltas(&mut |waiting| {
                numbers.push(waiting.number);
                let delta = Delta::read(waiting.payload).unwrap();
                let events = delta.sections().flat_map(|section| section.events()).map(|event| event.unwrap());
                for (tenant, fact) in events.filter_map(|event| Some((event.tenant_id, event.fact()?))) {
                    let hour = fact.occurred_at.timestamp().div_euclid(3_600);
                    for scope in [Scope::Everyone, Scope::Tenant(tenant)] {
                        let hours = scopes.entry((scope, waiting.number)).or_default();
                        hours.entry(hour).or_default().push(Fact::from(&fact));
                    }
                }
                Ok(())
            })
        })
        .unwrap();
    for ((scope, number), hours) in scopes {
        let (id, payload) = (scope.key(), hex::encode(&encoded(&hours, scope)));
        world.database.execute(&match world.kind {
            DatabaseKind::Sqlite => format!(
                "INSERT INTO old_deltas SELECT id, {number}, x'{payload}' FROM dict_tenants WHERE tenant_id = x'{}'",
                id.0.simple()
            ),
            DatabaseKind::Postgres => {
                format!("INSERT INTO old_deltas VALUES ('{id}', {number}, decode('{payload}', 'hex'))")
            }
        });
    }
    world.store.writing(|tx| tx.delete_deltas(&numbers)).unwrap();
}

fn old(world: &World) -> usize {
    world.store.reading(|tx| tx.old_deltas(10_000)).unwrap().len()
}

fn an_upgrade_merges_the_deltas_of_the_older_version(world: &World) {
    world.insert(40);
    world.merge();
    for _ in 0..20 {
        world.insert(7);
    }
    make_old(world);
    world.insert(30);
    let waiting = old(world);
    assert!(waiting > 64, "more than one transaction merges: {waiting}");
    let (_, differences) = world.verify();
    assert!(!differences.is_empty());
    let settled = |store: &FaultyStore| settle(store, world.clock.as_ref(), world.entropy.as_ref(), Duration::ZERO);
    // It dies after its first step, and the next start goes on.
    let store = FaultyStore::over(&world.store);
    store.crash_at_write(2, Some(Fault::RolledBack));
    settled(&store).unwrap_err();
    let left = old(world);
    assert!(0 < left && left < waiting, "{left} of {waiting}");
    world.clock.advance(chrono::Duration::seconds(91));
    assert_eq!(settled(&FaultyStore::over(&world.store)).unwrap(), left as u64);
    assert_eq!(old(world), 0);
    world.assert_clean();
    assert_eq!(settled(&FaultyStore::over(&world.store)).unwrap(), 0);
    world.merge();
    world.assert_clean();
}

fn a_rebuild_replaces_unreadable_old_deltas(world: &World) {
    world.insert(40);
    make_old(world);
    world.database.execute("UPDATE old_deltas SET payload = substr(payload, 1, length(payload) - 1)");
    let failed = settle(world.store.as_ref(), world.clock.as_ref(), world.entropy.as_ref(), Duration::ZERO);
    let message = failed.unwrap_err().chain().to_string();
    assert!(message.contains("old delta ") && message.contains("unreadable at byte"), "{message}");
    rebuilt(world, world.store.as_ref()).unwrap();
    assert_eq!(old(world), 0);
    world.assert_clean();
}

trailkeeper_testkit::on_both!(crate::world::World::new =>
    an_upgrade_merges_the_deltas_of_the_older_version,
    a_rebuild_replaces_unreadable_old_deltas,
);
