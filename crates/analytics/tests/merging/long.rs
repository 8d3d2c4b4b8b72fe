//! The sheets of quarters and years are those of their months, at any time, and answer in place of them.

use std::collections::BTreeSet;

use trailkeeper_analytics::Audience;
use trailkeeper_analytics::engine::read;
use trailkeeper_analytics::engine::verify::Difference;
use trailkeeper_analytics::sheet::{Facet, Fact, Fold, Numbers, Sheet};
use trailkeeper_domain::event::Event;
use trailkeeper_domain::ports::SheetKey;
use trailkeeper_domain::scope::{Level, Part, Scope};
use trailkeeper_domain::time::{TimeRange, Timestamp};
use trailkeeper_testkit::visibility::EVERYTHING;
use trailkeeper_testkit::{at, tenant_id};

use crate::world::World;

/// Whole years around all events, which lie in the ninety days from 2025-11-17 on.
fn years() -> TimeRange {
    TimeRange { start: at("2025-01-01T00:00:00Z"), end: at("2027-01-01T00:00:00Z") }
}

fn keys(world: &World, level: Level) -> Vec<SheetKey> {
    let of_part = |part| world.store.reading(|tx| tx.sheet_keys(Scope::Everyone, level, part, years())).unwrap();
    Part::ALL.into_iter().flat_map(of_part).collect()
}

/// The quarters and years that have sheets.
fn long(world: &World) -> BTreeSet<(Level, Timestamp)> {
    Level::LONG.into_iter().flat_map(|level| keys(world, level)).map(|key| (key.level, key.start)).collect()
}

fn periods(periods: &[(Level, &str)]) -> BTreeSet<(Level, Timestamp)> {
    periods.iter().map(|(level, day)| (*level, at(&format!("{day}T00:00:00Z")))).collect()
}

/// Compares the numbers and folds of several ranges with a recount of the facts.
#[track_caller]
fn assert_exact(world: &World) {
    let audience = Audience::of(EVERYTHING, None, None).unwrap();
    for (start, end) in [("2025-01-01", "2027-01-01"), ("2025-10-01", "2026-01-01"), ("2025-09-30", "2026-04-02")] {
        let range = TimeRange { start: at(&format!("{start}T00:00:00Z")), end: at(&format!("{end}T00:00:00Z")) };
        let mut facts = Vec::new();
        let (fold, numbers) = world
            .store
            .reading(|tx| {
                facts.clear();
                tx.facts(Scope::Everyone, range, &mut |fact| {
                    facts.push(Fact::from(fact));
                    Ok(())
                })?;
                let fold = read::fold::<Fold>(tx, &audience, range, &Facet::ALL)?;
                Ok((fold, read::fold::<Numbers>(tx, &audience, range, &Facet::ALL)?))
            })
            .unwrap();
        for facet in Facet::ALL {
            assert_eq!(numbers.cells(facet), fold.cells(facet), "{facet:?}");
        }
        assert_eq!(Fold::clone(&fold).into_sheet(), Sheet::of(Scope::Everyone.kind(), &facts), "{start} to {end}");
    }
    world.assert_clean();
}

fn insert_at(world: &World, time: &str) {
    let late: Vec<Event> = (0..3).map(|_| world.random_event(tenant_id(1), at(time))).collect();
    world.store.writing(|tx| tx.insert_events(&late)).unwrap();
}

fn quarters_and_years_get_sheets_when_they_are_over(world: &World) {
    world.insert(300);
    world.merge();
    world.clock.set("2026-01-01T00:59:59Z");
    while !world.finish_periods() {}
    assert!(long(world).is_empty(), "they are over since less than an hour");
    world.clock.set("2026-01-01T01:00:00Z");
    while !world.finish_periods() {}
    let of_2025 = [(Level::Quarter, "2025-10-01"), (Level::Year, "2025-01-01")];
    assert_eq!(long(world), periods(&of_2025));
    assert_exact(world);
    world.finish_all();
    let of_2026 = [(Level::Quarter, "2026-01-01"), (Level::Year, "2026-01-01")];
    assert_eq!(long(world), periods(&[of_2025, of_2026].concat()));
    assert_exact(world);
}

fn merged_events_remove_the_sheets_of_their_periods(world: &World) {
    world.insert(300);
    world.merge();
    world.finish_all();
    let (before, first) = (long(world), [keys(world, Level::Quarter), keys(world, Level::Year)].concat());
    insert_at(world, "2025-12-31T23:59:59Z");
    assert_eq!(long(world), before, "they wait");
    assert_exact(world);
    world.merge();
    assert_eq!(long(world), periods(&[(Level::Quarter, "2026-01-01"), (Level::Year, "2026-01-01")]));
    assert_exact(world);
    world.finish_all();
    assert_eq!(long(world), before);
    assert_exact(world);
    // A key names the same content for all time: folds of it may be cached.
    let second = [keys(world, Level::Quarter), keys(world, Level::Year)].concat();
    let of_2025 = |key: &&SheetKey| key.start < at("2026-01-01T00:00:00Z");
    assert!(second.iter().filter(of_2025).filter(|key| key.part == Part::Totals).all(|key| !first.contains(key)));
    assert!(second.iter().filter(|key| !of_2025(key)).all(|key| first.contains(key)));
}

fn answers_come_from_the_longest_sheets(world: &World) {
    world.insert(300);
    world.merge();
    world.finish_all();
    // Nobody reads these any more.
    world.database.execute("UPDATE sheets SET payload = substr(payload, 1, 9) WHERE level < 4");
    let audience = Audience::of(EVERYTHING, None, None).unwrap();
    let fold = |start: &str, end: &str| {
        let range = TimeRange { start: at(start), end: at(end) };
        world.store.reading(|tx| read::fold::<Fold>(tx, &audience, range, &[Facet::Views, Facet::ActiveAll]))
    };
    assert!(fold("2025-01-01T00:00:00Z", "2027-01-01T00:00:00Z").is_ok());
    assert!(fold("2025-10-01T00:00:00Z", "2026-04-01T00:00:00Z").is_ok());
    assert!(fold("2025-10-01T00:00:00Z", "2026-03-01T00:00:00Z").is_err(), "January and February have no quarter");
    world.database.execute("UPDATE sheets SET payload = substr(payload, 1, 9) WHERE level = 4");
    assert!(fold("2025-01-01T00:00:00Z", "2027-01-01T00:00:00Z").is_ok(), "years are used before quarters");
    assert!(fold("2025-10-01T00:00:00Z", "2026-04-01T00:00:00Z").is_err());
}

fn wrong_sheets_are_found_and_made_again_by_a_rebuild(world: &World) {
    world.insert(300);
    world.merge();
    world.finish_all();
    world.assert_clean();
    world.database.execute(
        "UPDATE sheets SET payload = (SELECT payload FROM sheets WHERE level = 3 ORDER BY start LIMIT 1) WHERE level = 4 AND part = 2",
    );
    world.database.execute("DELETE FROM sheets WHERE level = 5 AND part = 1");
    let (_, differences) = world.verify();
    let wrong = |level, day: &str| Difference::LongSheets { level, start: at(&format!("{day}T00:00:00Z")) };
    let expected = [
        wrong(Level::Quarter, "2025-10-01"),
        wrong(Level::Quarter, "2026-01-01"),
        wrong(Level::Year, "2025-01-01"),
        wrong(Level::Year, "2026-01-01"),
    ];
    assert_eq!(differences, expected);
    assert_eq!(
        differences[0].to_string(),
        "sheets of everyone, quarter 2025-10-01T00:00:00Z: they are not those of its months"
    );
    crate::rebuilds::rebuilt(world, world.store.as_ref()).unwrap();
    assert!(long(world).is_empty(), "the new generation has none yet");
    world.assert_clean();
    world.finish_all();
    assert_exact(world);
}

fn tenants_have_no_sheets_of_quarters(world: &World) {
    world.insert(100);
    world.merge();
    world.finish_all();
    let scope = Scope::Tenant(tenant_id(1));
    for level in Level::LONG {
        let keys = world.store.reading(|tx| tx.sheet_keys(scope, level, Part::Totals, years())).unwrap();
        assert_eq!(keys, [], "{level:?}");
    }
}

trailkeeper_testkit::on_both!(crate::world::World::new =>
    quarters_and_years_get_sheets_when_they_are_over,
    merged_events_remove_the_sheets_of_their_periods,
    answers_come_from_the_longest_sheets,
    wrong_sheets_are_found_and_made_again_by_a_rebuild,
    tenants_have_no_sheets_of_quarters,
);
