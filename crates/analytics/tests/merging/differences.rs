//! Verification finds differences, and a rebuild repairs them.

use std::time::Duration;

use trailkeeper_analytics::engine::merger::LeftOut;
use trailkeeper_analytics::engine::rebuild::rebuild;
use trailkeeper_analytics::engine::verify::{Counts, Difference};
use trailkeeper_analytics::sheet::{Cell, CellKey, Facet, Fold, Sheet};
use trailkeeper_domain::Result;
use trailkeeper_domain::ports::{SheetKey, WriteTx};
use trailkeeper_domain::scope::{Level, Part, Scope};
use trailkeeper_testkit::{at, tenant_id};

use crate::world::World;

/// The largest sheet of one part of everyone's days, with its payload.
fn some_sheet(world: &World, wanted: Part) -> (SheetKey, Vec<u8>) {
    let fits = |key: &SheetKey| key.scope == Scope::Everyone && key.level == Level::Day && key.part == wanted;
    world.kept().sheets.into_iter().filter(|(key, _)| fits(key)).max_by_key(|(_, payload)| payload.len()).unwrap()
}

/// Changes the database, and returns the differences that a verification reports.
fn found(world: &World, mut change: impl FnMut(&mut dyn WriteTx, i64) -> Result<()>) -> Vec<Difference> {
    world.assert_clean();
    world
        .store
        .writing(|tx| {
            let generation = tx.generation()?;
            change(tx, generation)
        })
        .unwrap();
    let (_, differences) = world.verify();
    rebuild(world.store.as_ref(), world.clock.as_ref(), world.entropy.as_ref(), Duration::ZERO, &mut |_| ()).unwrap();
    world.assert_clean();
    differences
}

fn filled(world: &World) -> &World {
    world.insert(100);
    world.merge();
    world
}

fn a_missing_sheet_is_reported_cell_by_cell(world: &World) {
    let (key, payload) = some_sheet(filled(world), Part::Totals);
    let differences = found(world, |tx, generation| tx.delete_sheets(generation, &[key]));
    let lost = Sheet::decode(&payload).unwrap();
    let reported: Vec<(CellKey, Counts, Counts)> = differences
        .iter()
        .map(|difference| match difference {
            Difference::Cell { scope: Scope::Everyone, level: Level::Day, start, cell, sheets, events } => {
                assert_eq!(*start, key.start);
                (*cell, *sheets, *events)
            }
            other => panic!("{other}"),
        })
        .collect();
    assert_eq!(
        reported.iter().map(|(cell, ..)| *cell).collect::<Vec<_>>(),
        lost.cells().map(|(key, _)| key).collect::<Vec<_>>()
    );
    for (cell, sheets, events) in reported {
        let Cell { count, set } = lost.get(cell).unwrap();
        assert_eq!((events.count - sheets.count, sheets.distinct <= events.distinct), (*count, true));
        assert!(set.len() as u64 <= events.distinct);
    }
}

fn different_users_are_reported_although_their_number_is_right(world: &World) {
    let (key, payload) = some_sheet(filled(world), Part::Pages);
    let sheet = Sheet::decode(&payload).unwrap();
    // The same number of users, none of whom exists: the fold of facts with other ordinals.
    let mut forged = Fold::new(&Facet::ALL);
    for (cell, counted) in sheet.cells() {
        let page = u32::try_from(cell.id).unwrap();
        let facts = (0..counted.count).map(|number| trailkeeper_analytics::sheet::Fact {
            page: Some(page),
            env: 1,
            kind: 1,
            userinfo: false,
            login: None,
            failed: false,
            user: u32::try_from(number)
                .ok()
                .filter(|number| (*number as usize) < counted.set.len())
                .map(|n| n + 500_000),
            source: None,
        });
        let (views, _) =
            Sheet::of(key.scope.kind(), &facts.collect::<Vec<_>>()).partition(|facet| facet == Facet::Views);
        forged.add_sheet(&views);
    }
    let forged = forged.into_sheet().encode();
    let differences = found(world, |tx, generation| {
        tx.delete_sheets(generation, &[key])?;
        tx.put_sheets(generation, &[(key, forged.clone())])
    });
    assert!(!differences.is_empty());
    for difference in differences {
        let Difference::Cell { cell, sheets, events, .. } = &difference else { panic!("{difference}") };
        assert_eq!((cell.facet, sheets), (Facet::Views, events));
        assert!(difference.to_string().ends_with("different users"), "{difference}");
    }
}

fn an_unreadable_sheet_is_named(world: &World) {
    let (key, payload) = some_sheet(filled(world), Part::Totals);
    let differences = found(world, |tx, generation| {
        tx.delete_sheets(generation, &[key])?;
        tx.put_sheets(generation, &[(key, payload[..payload.len() - 1].to_vec())])
    });
    let [Difference::Unreadable { row }] = differences.as_slice() else { panic!("{differences:?}") };
    assert!(row.starts_with("sheet of everyone, day 202") && row.contains("unreadable"), "{row}");
}

fn sheets_of_times_without_events_are_reported(world: &World) {
    let (key, payload) = some_sheet(filled(world), Part::Totals);
    for (level, start) in [
        (Level::Day, at("1999-03-04T00:00:00Z")),
        (Level::Month, at("2031-03-01T00:00:00Z")),
        (Level::Hour, at("2026-01-30T23:30:00Z")),
    ] {
        let stray = SheetKey { level, start, ..key };
        let differences = found(world, |tx, generation| tx.put_sheets(generation, &[(stray, payload.clone())]));
        let expected = Difference::Stray { scope: Scope::Everyone, level, part: Part::Totals, start };
        assert_eq!(differences, [expected]);
    }
}

fn an_unreadable_sheet_stops_only_its_scope(world: &World) {
    let (key, payload) = some_sheet(filled(world), Part::Totals);
    world
        .store
        .writing(|tx| {
            let generation = tx.generation()?;
            tx.delete_sheets(generation, &[key])?;
            tx.put_sheets(generation, &[(key, payload[..3].to_vec())])
        })
        .unwrap();
    // Every day gets more events, the damaged one too.
    world.insert(400);
    let merged = world.merge_in(world.store.as_ref()).unwrap().unwrap();
    let [(LeftOut::Pass(pass), row)] = merged.unreadable.as_slice() else { panic!("{merged:?}") };
    assert!(merged.finished && row.starts_with("sheet of everyone, day "), "{row}");
    let kept = world.kept();
    let [open] = kept.passes.as_slice() else { panic!("{:?}", kept.passes) };
    assert!(open.number == *pass && kept.deltas == open.deltas && !open.merged.contains(&Scope::Everyone), "{open:?}");
    let scopes: Vec<Scope> = (0..3).map(|number| Scope::Tenant(tenant_id(number))).collect();
    assert!(scopes.iter().all(|scope| open.merged.contains(scope)), "{open:?}");
}

fn columns_of_waiting_deltas_are_compared_with_rows(world: &World) {
    world.insert(40);
    world.assert_clean();
    world.database.execute("UPDATE events SET session_id = 'another' WHERE seq = (SELECT max(seq) FROM events)");
    let (_, differences) = world.verify();
    let [Difference::Column { delta, event, has_row: true }] = differences.as_slice() else {
        panic!("{differences:?}")
    };
    assert_eq!((delta, world.kept().deltas), (event, vec![*event]), "the number of a delta is that of its last event");
    assert_eq!(differences[0].to_string(), format!("delta {event}: event {event} differs from its row"));
    world.database.execute("DELETE FROM events WHERE seq = (SELECT max(seq) FROM events)");
    let (_, differences) = world.verify();
    assert!(
        differences.contains(&Difference::Column { delta: *delta, event: *event, has_row: false }),
        "{differences:?}"
    );
}

trailkeeper_testkit::on_both!(crate::world::World::new =>
    a_missing_sheet_is_reported_cell_by_cell,
    different_users_are_reported_although_their_number_is_right,
    an_unreadable_sheet_is_named,
    sheets_of_times_without_events_are_reported,
    an_unreadable_sheet_stops_only_its_scope,
    columns_of_waiting_deltas_are_compared_with_rows,
);
