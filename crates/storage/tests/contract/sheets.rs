//! Sheets, and the names of ids.

use std::collections::{HashMap, HashSet};

use chrono::Duration;
use trailkeeper_domain::event::{Event, EventKind};
use trailkeeper_domain::fact::{EventFact, OTHER_PAGE, WELL_KNOWN_KINDS};
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::page::Page;
use trailkeeper_domain::ports::{Scopes, SheetKey, SheetQuery};
use trailkeeper_domain::scope::{Level, Part, Scope};
use trailkeeper_domain::time::{TimeRange, Timestamp};
use trailkeeper_domain::{Error, Result};
use trailkeeper_testkit::{at, event, tenant_id};

use crate::TestStore;
use crate::deltas::in_tenant;

trailkeeper_testkit::on_both!(crate::TestStore::new =>
    sheets_are_found_by_scope_level_part_and_start,
    sheets_of_every_tenant_are_ordered_by_period,
    a_long_list_of_sheets_skips_and_repeats_none,
    the_generation_that_answers_can_be_changed,
    other_generations_are_deleted_in_small_steps,
    ids_have_names,
    an_error_of_the_callback_ends_the_call,
);

pub(crate) const EVERYONE: Scope = Scope::Everyone;

pub(crate) fn of(number: u128) -> Scope {
    Scope::Tenant(tenant_id(number))
}

impl TestStore {
    /// The sheets. It checks that a list of keys gives the same keys.
    fn sheets(&self, query: SheetQuery) -> Vec<(SheetKey, Vec<u8>)> {
        self.store
            .reading(|tx| {
                let mut found = Vec::new();
                tx.sheets(&query, &mut |key, payload| {
                    found.push((key, payload.to_vec()));
                    Ok(())
                })?;
                if let Scopes::One(scope) = query.scopes {
                    let keys: Vec<SheetKey> = found.iter().map(|(key, _)| *key).collect();
                    assert_eq!(tx.sheet_keys(scope, query.level, query.part, query.starts)?, keys, "{query:?}");
                }
                Ok(found)
            })
            .unwrap()
    }

    pub(crate) fn put_sheets(&self, generation: i64, sheets: &[(SheetKey, Vec<u8>)]) {
        self.store.writing(|tx| tx.put_sheets(generation, sheets)).unwrap();
    }

    pub(crate) fn sheet(&self, generation: i64, key: SheetKey) -> Option<Vec<u8>> {
        self.store.reading(|tx| tx.sheets_by_key(generation, &[key])).unwrap().remove(&key)
    }
}

fn key(scope: Scope, level: Level, part: Part, start: &str, run: u32) -> SheetKey {
    SheetKey { scope, level, part, start: at(start), run }
}

pub(crate) fn day(scope: Scope, start: &str, run: u32) -> SheetKey {
    key(scope, Level::Day, Part::Totals, &format!("{start}T00:00:00Z"), run)
}

fn starts(first: &str, end: &str) -> TimeRange {
    TimeRange { start: at(first), end: at(end) }
}

fn february() -> TimeRange {
    starts("2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z")
}

fn days(scopes: Scopes) -> SheetQuery {
    SheetQuery { scopes, level: Level::Day, part: Part::Totals, starts: february() }
}

/// The keys with payloads that are all different.
pub(crate) fn with_payloads(keys: &[SheetKey]) -> Vec<(SheetKey, Vec<u8>)> {
    keys.iter().enumerate().map(|(nth, key)| (*key, format!("sheet {nth}").into_bytes())).collect()
}

fn sheets_are_found_by_scope_level_part_and_start(t: &TestStore) {
    let inside = with_payloads(&[
        day(of(1), "2026-02-01", 0),
        day(of(1), "2026-02-01", 3),
        day(of(1), "2026-02-27", 1),
        day(of(1), "2026-02-28", 0),
    ]);
    let outside = with_payloads(&[
        day(of(1), "2026-01-31", 0),
        day(of(1), "2026-03-01", 0),
        day(of(2), "2026-02-03", 0),
        day(EVERYONE, "2026-02-03", 0),
        key(of(1), Level::Month, Part::Totals, "2026-02-01T00:00:00Z", 0),
        key(of(1), Level::Day, Part::Pages, "2026-02-01T00:00:00Z", 0),
        key(EVERYONE, Level::Hour, Part::Totals, "2026-02-01T07:00:00Z", 0),
    ]);
    t.put_sheets(1, &outside);
    t.put_sheets(1, &inside.iter().rev().cloned().collect::<Vec<_>>());
    t.put_sheets(2, &with_payloads(&[day(of(1), "2026-02-04", 0)]));
    assert_eq!(t.sheets(days(Scopes::One(of(1)))), inside, "ordered by start and run");
    let listed = t.store.reading(|tx| tx.sheet_keys(of(1), Level::Day, Part::Totals, february())).unwrap();
    assert_eq!(listed, inside.iter().map(|(key, _)| *key).collect::<Vec<_>>());
    assert_eq!(t.sheets(days(Scopes::One(of(9)))), []);
    let never = SheetQuery { level: Level::Hour, ..days(Scopes::EveryTenant) };
    assert_eq!(t.sheets(never), []);
    let hours = SheetQuery { level: Level::Hour, ..days(Scopes::One(EVERYONE)) };
    assert_eq!(t.sheets(hours), outside[6..]);
    let later = SheetQuery { starts: starts("2026-02-01T00:00:00.000001Z", "2026-02-28T00:00:00Z"), ..hours };
    assert_eq!(t.sheets(later), outside[6..]);
    let one_day = SheetQuery { starts: later.starts, ..days(Scopes::One(of(1))) };
    assert_eq!(t.sheets(one_day), inside[2..3], "a range is half-open");
    let none = SheetQuery { starts: starts("2026-02-28T00:00:00Z", "2026-02-28T00:00:00Z"), ..one_day };
    assert_eq!(t.sheets(none), []);
    let all: Vec<(SheetKey, Vec<u8>)> = inside.iter().chain(&outside).cloned().collect();
    let asked: Vec<SheetKey> = all
        .iter()
        .map(|(key, _)| *key)
        .chain([SheetKey { run: 1, ..inside[1].0 }, day(of(9), "2026-02-01", 0), day(of(1), "2026-02-04", 0)])
        .collect();
    let by_key = |generation, keys: &[SheetKey]| t.store.reading(|tx| tx.sheets_by_key(generation, keys)).unwrap();
    assert_eq!(by_key(1, &asked), all.into_iter().collect());
    assert_eq!(by_key(2, &asked), HashMap::from([(day(of(1), "2026-02-04", 0), b"sheet 0".to_vec())]));
    assert_eq!(by_key(1, &[]), HashMap::new());
}

fn sheets_of_every_tenant_are_ordered_by_period(t: &TestStore) {
    // Tenants get their numbers in the order of their first events, not in that of their ids.
    let tenants = [tenant_id(3), tenant_id(1), TenantId::NONE, tenant_id(2), tenant_id(7)].map(Scope::Tenant);
    let mut expected = Vec::new();
    for scope in tenants {
        for (start, run) in [("2026-02-09", 2), ("2026-02-02", 1), ("2026-02-09", 0), ("2026-02-03", 0)] {
            let named = format!("{scope:?} {start} {run}").into_bytes();
            // The payloads of two tenants are larger than a batch, those of the others are small.
            let filler = if [of(1), of(7)].contains(&scope) { 2 << 20 } else { 10 };
            expected.push((day(scope, start, run), [named, vec![b'.'; filler]].concat()));
        }
    }
    t.put_sheets(1, &expected);
    t.put_sheets(
        1,
        &with_payloads(&[day(EVERYONE, "2026-02-02", 0), day(of(2), "2026-01-02", 0), day(of(5), "2026-05-02", 0)]),
    );
    expected.sort();
    let mut found = t.sheets(days(Scopes::EveryTenant));
    // Tenants are in any order, but the runs of a period stay together.
    let starts: Vec<Timestamp> = found.iter().map(|(key, _)| key.start).collect();
    assert!(starts.is_sorted(), "ordered by period");
    let mut seen = HashSet::new();
    for runs in found.chunk_by(|(a, _), (b, _)| a.period() == b.period()) {
        assert!(seen.insert(runs[0].0.period()), "the runs of a period are not together");
        assert!(runs.is_sorted_by_key(|(key, _)| key.run));
    }
    found.sort();
    let keys = |sheets: &[(SheetKey, Vec<u8>)]| sheets.iter().map(|(key, _)| *key).collect::<Vec<_>>();
    assert_eq!(keys(&found), keys(&expected));
    assert!(found == expected, "a payload differs");
    let pages = SheetQuery { part: Part::Pages, ..days(Scopes::EveryTenant) };
    assert_eq!(t.sheets(pages), []);
}

fn a_long_list_of_sheets_skips_and_repeats_none(t: &TestStore) {
    // Batches end between runs of the same hour.
    let first = at("2026-02-01T00:00:00Z");
    let keys: Vec<SheetKey> = (0..200_u32)
        .map(|number| SheetKey {
            scope: EVERYONE,
            level: Level::Hour,
            part: Part::Pages,
            start: first + Duration::hours(i64::from(number / 7)),
            run: number % 7,
        })
        .collect();
    let sheets: Vec<(SheetKey, Vec<u8>)> =
        keys.iter().map(|key| (*key, format!("{key:?}").repeat(1_000).into_bytes())).collect();
    t.put_sheets(1, &sheets);
    let query = SheetQuery { scopes: Scopes::One(EVERYONE), level: Level::Hour, part: Part::Pages, starts: february() };
    let found = t.sheets(query);
    assert_eq!(found.iter().map(|(key, _)| *key).collect::<Vec<_>>(), keys);
    assert!(found == sheets, "a payload differs");
}

fn the_generation_that_answers_can_be_changed(t: &TestStore) {
    let (old, new) = (with_payloads(&[day(of(1), "2026-02-02", 0)]), with_payloads(&[day(of(1), "2026-02-03", 0)]));
    t.put_sheets(1, &old);
    t.put_sheets(2, &new);
    assert_eq!(t.store.reading(|tx| tx.generation()).unwrap(), 1);
    assert_eq!((t.sheets(days(Scopes::One(of(1)))), t.sheets(days(Scopes::EveryTenant))), (old.clone(), old));
    t.store.writing(|tx| tx.set_generation(2, false)).unwrap();
    assert_eq!(t.store.reading(|tx| tx.generation()).unwrap(), 2);
    assert_eq!((t.sheets(days(Scopes::One(of(1)))), t.sheets(days(Scopes::EveryTenant))), (new.clone(), new));
}

fn other_generations_are_deleted_in_small_steps(t: &TestStore) {
    let keys: Vec<SheetKey> = (1..=10).map(|number| day(of(number), "2026-02-02", 0)).collect();
    for generation in 1..=6 {
        t.put_sheets(generation, &with_payloads(&keys));
    }
    t.store.writing(|tx| tx.set_generation(3, false)).unwrap();
    let delete = |keep, limit| t.store.writing(|tx| tx.delete_other_generations(keep, limit)).unwrap();
    let left = || -> Vec<usize> {
        let there = |generation, key: &&SheetKey| t.sheet(generation, **key).is_some();
        (1..=6).map(|generation| keys.iter().filter(|key| there(generation, key)).count()).collect()
    };
    assert_eq!(delete(Some(5), 7), 7);
    assert_eq!(left().iter().sum::<usize>(), 53);
    assert_eq!(delete(Some(5), 30), 30);
    assert_eq!(delete(Some(5), 30), 3);
    assert_eq!(left(), [0, 0, 10, 0, 10, 0]);
    assert_eq!(delete(Some(5), 30), 0);
    assert_eq!(delete(None, 0), 0);
    assert_eq!(delete(None, 30), 10);
    assert_eq!(left(), [0, 0, 10, 0, 0, 0]);
}

fn ids_have_names(t: &TestStore) {
    let page = |sent: &str| Some(Page::parse("page", sent).unwrap());
    t.insert(&[
        Event { page: page("/a?b=c"), source: Some("192.0.2.7".parse().unwrap()), ..event(1) },
        Event { page: page("/Ä"), source: Some("2001:db8::1".parse().unwrap()), ..event(2) },
        Event { kind: EventKind::known("invoice.paid"), ..event(3) },
    ]);
    let facts = t.facts(EVERYONE, starts("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"));
    let ids = |of: fn(&EventFact) -> Option<u32>| -> Vec<u32> {
        facts.iter().filter_map(of).chain([4_000_000_000, 1_000_000]).collect()
    };
    let (pages, kinds, sources) = (ids(|fact| fact.page), ids(|fact| Some(fact.kind)), ids(|fact| fact.source));
    let sorted = |names: HashMap<u32, String>| {
        let mut names: Vec<String> = names.into_values().collect();
        names.sort();
        names
    };
    let named = t.store.reading(|tx| tx.page_keys(&pages)).unwrap();
    assert_eq!(sorted(named), ["/a", "/Ä"]);
    let named = t.store.reading(|tx| tx.kind_names(&kinds)).unwrap();
    assert_eq!(sorted(named), ["invoice.paid", "login_success"]);
    let named = t.store.reading(|tx| tx.source_names(&sources)).unwrap();
    assert_eq!(sorted(named), ["192.0.2.7", "2001:db8::1"]);
    let other = t.store.reading(|tx| tx.page_keys(&[OTHER_PAGE])).unwrap();
    assert_eq!(other, HashMap::from([(OTHER_PAGE, "(other)".to_owned())]));
    let known: HashMap<u32, String> = (1..).zip(WELL_KNOWN_KINDS.map(str::to_owned)).collect();
    assert_eq!(t.store.reading(|tx| tx.kind_names(&[1, 2, 3, 4, 5, 6])).unwrap(), known);
    assert!(t.store.reading(|tx| tx.source_names(&[])).unwrap().is_empty());
}

fn an_error_of_the_callback_ends_the_call(t: &TestStore) {
    t.insert(&(1..=3).map(|number| in_tenant(number, tenant_id(number))).collect::<Vec<_>>());
    t.put_sheets(1, &with_payloads(&[day(of(1), "2026-02-02", 0), day(of(2), "2026-02-02", 0)]));
    let year = starts("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z");
    let mut calls = 0;
    let mut stop = || -> Result<()> {
        calls += 1;
        Err(Error::internal("enough"))
    };
    assert!(t.store.reading(|tx| tx.facts(EVERYONE, year, &mut |_| stop())).is_err());
    assert!(t.store.reading(|tx| tx.deltas(EVERYONE, &mut |_| stop())).is_err());
    assert!(t.store.reading(|tx| tx.sheets(&days(Scopes::EveryTenant), &mut |_, _| stop())).is_err());
    assert!(t.store.reading(|tx| tx.all_deltas(&mut |_| stop())).is_err());
    assert_eq!(calls, 4);
}
