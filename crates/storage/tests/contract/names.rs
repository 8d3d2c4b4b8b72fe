//! Dictionaries: a name has one number, a number from a rolled-back transaction is never cached, and names are stored in
//! full.

use std::collections::BTreeSet;
use std::sync::Barrier;

use trailkeeper_domain::address::AddressRange;
use trailkeeper_domain::event::{Event, EventFilter, EventKind, StoredEvent, Target, Values};
use trailkeeper_domain::fact::OTHER_PAGE;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::page::Page;
use trailkeeper_domain::ports::{ReadTx, Store};
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::time::{TimeRange, Timestamp};
use trailkeeper_domain::{Error, Result};
use trailkeeper_storage::StoreOptions;
use trailkeeper_testkit::{DatabaseKind, TestEntropy, all_events, at, event, tenant_id, user_id, visibility};

use crate::TestStore;
use crate::events::matches;

trailkeeper_testkit::on_both!(crate::TestStore::new =>
    numbers_of_a_failed_transaction_are_given_again,
    numbers_of_a_transaction_that_panics_are_given_again,
    two_stores_give_each_name_one_number,
    one_transaction_may_add_names_many_times,
    a_small_cache_changes_no_result,
    an_unknown_name_matches_no_event,
    pages_beyond_the_limit_count_as_other,
    with_a_limit_of_zero_every_event_keeps_its_page,
    a_page_within_the_quota_of_one_tenant_counts_for_all,
    a_page_with_the_name_other_is_found,
    events_are_shown_in_words,
);

/// An event with a name for every dictionary, made from `name`.
pub(crate) fn named(number: u128, name: &str) -> Event {
    Event {
        tenant_id: tenant_id(number),
        user_id: Some(user_id(&format!("user {name}"))),
        user_name: Some(format!("User {name}")),
        kind: EventKind::known(format!("kind.{name}")),
        source: Some(std::net::IpAddr::from(u32::try_from(number).unwrap().to_be_bytes())),
        user_agent: Some(format!("agent {name}")),
        page: Some(page(&format!("/{name}"))),
        ..event(number)
    }
}

pub(crate) fn page(sent: &str) -> Page {
    Page::parse("page", sent).unwrap()
}

fn viewed(number: u128, tenant: u128, sent: &str) -> Event {
    Event { tenant_id: tenant_id(tenant), page: Some(page(sent)), ..event(number) }
}

pub(crate) fn insert(store: &dyn Store, events: &[Event]) -> Vec<bool> {
    store.writing(|tx| tx.insert_events(events)).unwrap()
}

fn all(store: &dyn Store) -> Vec<Event> {
    let mut stored = store.reading(|tx| tx.events(&all_events(), None, 10_000)).unwrap();
    stored.sort_by_key(|stored| stored.event.id);
    stored.into_iter().map(|stored| stored.event).collect()
}

fn on_page(tx: &mut dyn ReadTx, key: &str) -> Result<usize> {
    let filter = EventFilter { page: Values::only(key.to_owned()), ..all_events() };
    let listed = tx.events(&filter, None, 1_000)?;
    // Pages of one event each and offsets give the same.
    let mut after = None;
    for expected in &listed {
        let next = tx.events(&filter, after, 1)?;
        assert_eq!(next.first(), Some(expected));
        after = next.first().map(StoredEvent::position);
    }
    for offset in 0..listed.len() {
        let found = tx.events_at_offset(&filter, offset as u64, 2)?;
        assert_eq!(found, listed[offset..listed.len().min(offset + 2)]);
    }
    Ok(listed.len())
}

/// The numbers of the counted pages, ordered by time.
fn counted(store: &dyn Store) -> Vec<Option<u32>> {
    let range = TimeRange { start: at("1970-01-01T00:00:00Z"), end: Timestamp::MAX_UTC };
    let mut pages = Vec::new();
    store
        .read(&mut |tx| {
            pages.clear();
            tx.facts(Scope::Everyone, range, &mut |fact| {
                pages.push(fact.page);
                Ok(())
            })
        })
        .unwrap();
    pages
}

/// Checks that numbers are dense and that no name has two.
fn assert_dense(t: &TestStore) {
    for (table, name) in [
        ("dict_users", "name"),
        ("dict_pages", "name"),
        ("dict_kinds", "name"),
        ("dict_user_agents", "name"),
        ("dict_user_names", "name"),
        ("dict_sources", "address"),
    ] {
        let found = t.ask(&format!(
            "SELECT CAST(count(*) AS text), CAST(count(DISTINCT {name}) AS text), \
             CAST(coalesce(max(id), 0) AS text) FROM {table}"
        ));
        assert!(found[0].iter().all(|number| *number == found[0][0]), "{table}: {found:?}");
    }
}

fn numbers_of_a_failed_transaction_are_given_again(t: &TestStore) {
    let mine = EventFilter { user_id: Values::only(user_id("user a")), ..all_events() };
    let outcome: Result<()> = t.store.writing(|tx| {
        tx.insert_events(&[named(1, "a"), named(2, "b")])?;
        // Inside the transaction they are found, by name and by number.
        assert_eq!(tx.events(&mine, None, 10)?[0].event, named(1, "a"));
        Err(Error::unauthenticated("changed my mind"))
    });
    assert!(matches!(outcome, Err(Error::Unauthenticated(_))), "{outcome:?}");
    assert_eq!(t.store.reading(|tx| tx.events(&mine, None, 10)).unwrap(), []);
    // Other names get the free numbers.
    insert(&*t.store, &[named(3, "c"), named(4, "d")]);
    insert(&*t.store, &[named(2, "b"), named(1, "a")]);
    assert_eq!(all(&*t.store), [named(1, "a"), named(2, "b"), named(3, "c"), named(4, "d")]);
    for (number, name) in [(1, "a"), (2, "b"), (3, "c"), (4, "d")] {
        let filter = EventFilter {
            visibility: visibility::of_tenant(tenant_id(number)),
            user_id: Values::only(user_id(&format!("user {name}"))),
            ..all_events()
        };
        let found = t.store.reading(|tx| tx.events(&filter, None, 10)).unwrap();
        assert_eq!(found.into_iter().map(|stored| stored.event).collect::<Vec<_>>(), [named(number, name)]);
    }
    assert_dense(t);
    // A store that did not see the failure reads the same.
    assert_eq!(all(&*t.another(&StoreOptions::default())), all(&*t.store));
}

fn numbers_of_a_transaction_that_panics_are_given_again(t: &TestStore) {
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        t.store.writing::<()>(|tx| {
            tx.insert_events(&[named(1, "a")])?;
            panic!("a defect in the middle of a transaction");
        })
    }));
    assert!(outcome.is_err());
    insert(&*t.store, &[named(2, "b")]);
    insert(&*t.store, &[named(1, "a")]);
    assert_eq!(all(&*t.store), [named(1, "a"), named(2, "b")]);
    assert_dense(t);
}

fn two_stores_give_each_name_one_number(t: &TestStore) {
    let stores = [t.another(&StoreOptions::default()), t.another(&StoreOptions::default())];
    let start = Barrier::new(4);
    std::thread::scope(|scope| {
        for writer in 0..4_u128 {
            let (store, start) = (&stores[usize::try_from(writer % 2).unwrap()], &start);
            scope.spawn(move || {
                start.wait();
                for round in 0..10_u128 {
                    // The same names as those of the other writers, in another order.
                    let mut batch: Vec<Event> = (0..20)
                        .map(|one| {
                            let name = round * 20 + one;
                            Event {
                                id: event(writer * 1_000 + name).id,
                                occurred_at: at("2026-01-15T00:00:00Z")
                                    + chrono::Duration::days(i64::try_from(name).unwrap()),
                                ..named(name, &format!("n{name}"))
                            }
                        })
                        .collect();
                    batch.rotate_left(usize::try_from(writer).unwrap() * 5);
                    assert!(insert(&**store, &batch).into_iter().all(|new| new));
                }
            });
        }
    });
    assert_dense(t);
    let found = all(&*t.store);
    assert_eq!(found.len(), 800);
    for store in &stores {
        assert_eq!(all(&**store), found);
    }
    for one in found {
        let name = one.page.as_ref().unwrap().as_str().trim_start_matches("/n").parse().unwrap();
        let expected = named(name, &format!("n{name}"));
        assert_eq!(Event { id: expected.id, occurred_at: expected.occurred_at, ..one }, expected);
    }
}

fn one_transaction_may_add_names_many_times(t: &TestStore) {
    let events: Vec<Event> = (1..=5)
        .map(|number| Event {
            occurred_at: at("2026-01-15T00:00:00Z") + chrono::Duration::days(40 * number),
            ..named(u128::from(number.unsigned_abs()), &format!("n{number}"))
        })
        .collect();
    t.store.write(&mut |tx| events.chunks(1).try_for_each(|one| tx.insert_events(one).map(drop))).unwrap();
    assert_eq!(all(&*t.store), events);
}

fn a_small_cache_changes_no_result(t: &TestStore) {
    let random = TestEntropy::new(11);
    let events = crate::random::events(&random, 200);
    for cached_names in [0, 1, 3] {
        let small = t.another(&StoreOptions { cached_names, ..StoreOptions::default() });
        for batch in events.chunks(67) {
            insert(&*small, batch);
        }
        assert_eq!(all(&*small), events);
        for _ in 0..30 {
            let filter = crate::random::filter(&random);
            let listed = small.reading(|tx| tx.events(&filter, None, 1_000)).unwrap();
            assert_eq!(listed.len(), events.iter().filter(|event| matches(&filter, event)).count(), "{filter:?}");
        }
    }
    assert_dense(t);
}

fn an_unknown_name_matches_no_event(t: &TestStore) {
    let any = all_events;
    let filters = [
        EventFilter { visibility: visibility::of_tenant(tenant_id(77)), ..any() },
        EventFilter { user_id: Values::only(user_id("nobody")), ..any() },
        EventFilter { kind: Values::any_of([EventKind::known("nothing"), EventKind::known("never")]), ..any() },
        EventFilter { source: Values::only(AddressRange::parse("source", "203.0.113.7").unwrap()), ..any() },
        EventFilter { source: Values::only(AddressRange::parse("source", "203.0.113.0/24").unwrap()), ..any() },
        EventFilter { page: Values::only("/nowhere".to_owned()), ..any() },
    ];
    let [of_system, of_none] =
        [(3, TenantId::SYSTEM), (4, TenantId::NONE)].map(|(number, tenant_id)| Event { tenant_id, ..event(number) });
    insert(&*t.store, &[named(1, "a"), event(2), of_system, of_none]);
    for filter in filters {
        assert_eq!(t.store.reading(|tx| tx.events(&filter, None, 10)).unwrap(), [], "{filter:?}");
        assert_eq!(t.store.reading(|tx| tx.events_at_offset(&filter, 0, 10)).unwrap(), [], "{filter:?}");
    }
    // A known type together with an unknown one.
    let kind = Values::any_of([EventKind::known("nothing"), EventKind::known("kind.a")]);
    let filter = EventFilter { kind, ..any() };
    assert_eq!(t.store.reading(|tx| tx.events(&filter, None, 10)).unwrap().len(), 1);
}

fn pages_beyond_the_limit_count_as_other(t: &TestStore) {
    let store = t.another(&StoreOptions { new_pages_per_day: 2, ..StoreOptions::default() });
    let later = |event: Event| Event { received_at: at("2026-11-23T00:00:00Z"), ..event };
    let batches = [
        vec![viewed(1, 1, "/a?q"), viewed(2, 1, "/b"), viewed(3, 1, "/c?q#f"), viewed(4, 1, "/a")],
        vec![viewed(5, 1, "/c"), viewed(6, 1, "/d"), viewed(7, 1, "/b#x")],
        // Another tenant and the next day have quotas of their own.
        vec![viewed(8, 2, "/d"), viewed(9, 1, "/d"), later(viewed(10, 1, "/e"))],
        vec![later(viewed(11, 1, "/c")), later(viewed(12, 1, "/f"))],
    ];
    for batch in &batches {
        assert!(insert(&*store, batch).into_iter().all(|new| new));
    }
    assert_eq!(all(&*store), batches.concat());
    // The times are equal, so the events are in the order of storage. 1 is (other).
    let expected = [2, 3, 1, 2, 1, 1, 3, 4, 4, 5, 6, 1].map(Some);
    assert_eq!(counted(&*store), expected);
    store
        .read(&mut |tx| {
            for (key, views) in [("/a", 2), ("/b", 2), ("/c", 3), ("/d", 3), ("/e", 1), ("/f", 1), ("(other)", 0)] {
                assert_eq!(on_page(tx, key)?, views, "{key}");
            }
            Ok(())
        })
        .unwrap();
    // Known pages do not use up the quota.
    assert_eq!(insert(&*store, &[later(viewed(1, 1, "/a?q"))]), [false]);
    let brought = t.ask("SELECT CAST(pages AS text) FROM new_pages ORDER BY pages");
    assert_eq!(brought, [["1"], ["2"], ["2"]]);
    assert_dense(t);
}

fn with_a_limit_of_zero_every_event_keeps_its_page(t: &TestStore) {
    let store = t.another(&StoreOptions { new_pages_per_day: 0, ..StoreOptions::default() });
    let batch = [viewed(1, 1, "/a"), viewed(2, 1, "/a?q"), event(3)];
    insert(&*store, &batch);
    assert_eq!(all(&*store), batch);
    assert_eq!(counted(&*store), [Some(OTHER_PAGE), Some(OTHER_PAGE), None]);
    assert_eq!(store.reading(|tx| on_page(tx, "/a")).unwrap(), 2);
}

fn a_page_within_the_quota_of_one_tenant_counts_for_all(t: &TestStore) {
    let store = t.another(&StoreOptions { new_pages_per_day: 1, ..StoreOptions::default() });
    let batch = [viewed(1, 1, "/a"), viewed(2, 1, "/b"), viewed(3, 2, "/b"), viewed(4, 2, "/c")];
    insert(&*store, &batch);
    assert_eq!(counted(&*store), [Some(2), Some(3), Some(3), Some(OTHER_PAGE)]);
}

fn a_page_with_the_name_other_is_found(t: &TestStore) {
    let batch = [viewed(1, 1, "(other)"), viewed(2, 1, "(other)?q"), viewed(3, 1, "/a")];
    insert(&*t.store, &batch);
    assert_eq!(all(&*t.store), batch);
    assert_eq!(t.store.reading(|tx| on_page(tx, "(other)")).unwrap(), 2);
}

/// The view for other tools.
fn events_are_shown_in_words(t: &TestStore) {
    let target = Some(Target { kind: Some("invoice".into()), id: Some("7".into()), name: None });
    let session_id = Some("s".to_owned());
    let full = Event { page: Some(page("/a?q")), target, session_id, ..named(1, "a") };
    let store = t.another(&StoreOptions { new_pages_per_day: 1, ..StoreOptions::default() });
    insert(&*store, &[full.clone(), viewed(2, 1, "/b?q"), Event { user_id: None, ..event(3) }]);
    let rows = t.ask(
        "SELECT lower(CAST(tenant_id AS text)), lower(CAST(id AS text)), user_id, user_name, type, outcome, \
         user_agent, page, page_key, counted_page, session_id, target_type, target_id FROM event_log ORDER BY seq",
    );
    let [one, two, three] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!(one[..2], [full.tenant_id.to_string(), full.id.to_string()]);
    assert_eq!(one[2..], ["user a", "User a", "kind.a", "success", "agent a", "/a?q", "/a", "/a", "s", "invoice", "7"]);
    assert_eq!(two[7..10], ["/b?q", "/b", "(other)"]);
    assert_eq!(three[0], TenantId::NONE.to_string());
    assert_eq!(three[2..5], ["", "", "login_success"]);
    let times: BTreeSet<String> =
        t.ask("SELECT CAST(occurred_at AS text) FROM event_log").concat().into_iter().collect();
    let expected = match t.kind {
        DatabaseKind::Sqlite => "2026-11-22T12:00:00.000000Z",
        DatabaseKind::Postgres => "2026-11-22 12:00:00+00",
    };
    // The cluster of the tests may have another time zone.
    assert!(times.len() == 1 && (t.kind == DatabaseKind::Postgres || times.contains(expected)), "{times:?}");
}
