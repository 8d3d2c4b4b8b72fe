//! Names that the database has lost: lists mark their events, and the names are found.

use std::collections::BTreeSet;

use trailkeeper_domain::event::{Event, EventKind, NamedField, PAGE_LOAD, StoredEvent};
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::ports::SourceQuery;
use trailkeeper_domain::time::TimeRange;
use trailkeeper_storage::StoreOptions;
use trailkeeper_testkit::{DatabaseKind, all_events, at, user_id};

use crate::TestStore;
use crate::names::{insert, named, page};

trailkeeper_testkit::on_both!(crate::TestStore::new => lost_names_are_marked_and_found);

/// Removes the last row of a dictionary, and returns its number.
fn lose(t: &TestStore, table: &str) -> u32 {
    let number = t.ask(&format!("SELECT max(id) FROM {table}"))[0][0].parse().unwrap();
    t.ask(&format!("DELETE FROM {table} WHERE id = {number}"));
    number
}

fn lost_names_are_marked_and_found(t: &TestStore) {
    let kept = named(1, "kept");
    let viewer = Event { kind: EventKind::known(PAGE_LOAD), page: Some(page("/lost")), ..named(3, "kept") };
    let lost = named(4, "lost");
    insert(t.store.as_ref(), &[kept.clone(), viewer.clone(), lost.clone()]);
    let tables = ["dict_users", "dict_user_names", "dict_kinds", "dict_sources", "dict_user_agents", "dict_pages"];
    let mut fields = NamedField::ALL.to_vec();
    let mut numbers: Vec<(&str, u32)> = tables.map(|table| (table, lose(t, table))).to_vec();
    let mut tenant = lost.tenant_id;
    if t.kind == DatabaseKind::Sqlite {
        numbers.insert(0, ("dict_tenants", lose(t, "dict_tenants")));
        tenant = TenantId::missing(numbers[0].1);
    } else {
        fields.remove(0);
    }
    // Without the names that the first store remembers.
    let store = t.another(&StoreOptions::default());
    let number_of = |wanted: &str| numbers.iter().find(|(table, _)| *table == wanted).unwrap().1;
    let marked = Event {
        tenant_id: tenant,
        user_id: None,
        user_name: None,
        kind: EventKind::known(format!("missing_{}", number_of("dict_kinds"))),
        source: None,
        user_agent: None,
        page: None,
        ..lost.clone()
    };
    let expected = [
        (marked, fields.clone()),
        (Event { page: None, ..viewer.clone() }, vec![NamedField::Page]),
        (kept.clone(), Vec::new()),
    ];
    let shown = |stored: Vec<StoredEvent>| -> Vec<_> {
        stored.into_iter().map(|stored| (stored.event, stored.missing_names)).collect()
    };
    assert_eq!(shown(store.reading(|tx| tx.events(&all_events(), None, 10)).unwrap()), expected);
    assert_eq!(shown(store.reading(|tx| tx.events_by_id(lost.id, None)).unwrap()), expected[..1]);

    // The view for other tools shows the same.
    let rows = t.ask(
        "SELECT lower(CAST(id AS text)), CAST(tenant_id AS text), type, user_id, page FROM event_log ORDER BY seq",
    );
    let in_words = |event: &Event| {
        let user = event.user_id.as_ref().map_or("", |user| user.as_str());
        let page = event.page.as_ref().map_or("", |page| page.as_str());
        [&event.id.to_string(), &event.tenant_id.to_string(), event.kind.as_str(), user, page].map(str::to_owned)
    };
    assert_eq!(rows, [&kept, &expected[1].0, &expected[0].0].map(in_words));

    let found = store.reading(|tx| tx.missing_names(10)).unwrap();
    let found_numbers: Vec<_> = found.iter().map(|name| (name.table, u32::try_from(name.number).unwrap())).collect();
    assert_eq!(found_numbers, numbers);
    assert_eq!(found.iter().map(|name| name.field).collect::<Vec<_>>(), fields);
    for name in &found {
        let (events, first) = if name.field == NamedField::Page { (2, &viewer) } else { (1, &lost) };
        assert_eq!((name.events, name.first), (events, (first.occurred_at, first.id)), "{}", name.table);
    }
    assert_eq!(store.reading(|tx| tx.missing_names(0)).unwrap(), []);

    let range = TimeRange { start: at("2026-01-01T00:00:00Z"), end: at("2027-01-01T00:00:00Z") };
    let pages = store.reading(|tx| tx.behaviors(&user_id("user kept"), range, None)).unwrap();
    let pages: Vec<_> = pages.into_iter().map(|behavior| behavior.page).collect();
    assert_eq!(pages, [format!("(missing {})", number_of("dict_pages"))]);
    let query = SourceQuery { tenant_id: None, env_id: None, range, previous_start: None };
    let sources = store.reading(|tx| tx.source_activity(&query, 10)).unwrap();
    let sources: Vec<_> = sources.into_iter().map(|source| source.source).collect();
    assert_eq!(sources, [kept.source, viewer.source, None]);
    let mut tenants = BTreeSet::new();
    store
        .reading(|tx| {
            tx.indexed_events(i64::MIN, 10, &mut |event| {
                tenants.insert(event.tenant_id);
                Ok(())
            })
        })
        .unwrap();
    assert_eq!(tenants, BTreeSet::from([kept.tenant_id, viewer.tenant_id, tenant]));
}
