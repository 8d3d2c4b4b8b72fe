//! Random filters over random events: lists, counts, histograms and numbers of users, compared with a brute-force scan.

use std::collections::HashSet;

use trailkeeper_domain::event::{Event, EventFilter, EventKind, StoredEvent, Values};
use trailkeeper_domain::page::Page;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_storage::StoreOptions;
use trailkeeper_testkit::{TestEntropy, all_events, at, event, user_id};

use crate::TestStore;
use crate::events::matches;

trailkeeper_testkit::on_both!(crate::TestStore::new =>
    lists_and_numbers_of_random_filters_agree_with_a_scan,
    pages_of_filtered_lists_join_to_the_whole_list,
    edges_of_a_histogram_belong_to_the_bucket_that_they_begin,
    a_negation_keeps_events_without_the_field,
    pages_that_count_as_other_are_found_and_excluded_one_by_one,
    fifty_values_of_each_field_are_one_list,
    numbers_belong_to_one_snapshot,
);

/// The events that match, newest first; of two events of the same time the one that was stored later comes first.
fn scan<'e>(filter: &EventFilter, events: &'e [Event]) -> Vec<&'e Event> {
    let mut found: Vec<&Event> = events.iter().filter(|event| matches(filter, event)).rev().collect();
    // The sort is stable.
    found.sort_by_key(|event| std::cmp::Reverse(event.occurred_at));
    found
}

/// Ascending times, some of them those of events, some of them outside any.
fn edges(random: &TestEntropy, events: &[Event]) -> Vec<Timestamp> {
    let mut edges: Vec<Timestamp> = (0..random.below(9))
        .map(|_| match random.below(3) {
            0 => crate::random::time(random),
            _ => events[usize::try_from(random.below(events.len() as u64)).unwrap()].occurred_at,
        })
        .collect();
    edges.sort_unstable();
    edges.dedup();
    edges
}

pub(crate) fn lists_and_numbers_of_random_filters_agree_with_a_scan(t: &TestStore) {
    let random = TestEntropy::new(7);
    let events = crate::random::events(&random, 500);
    t.insert(&events);
    let (mut found, mut in_buckets, mut users) = (0, 0, 0);
    for _ in 0..400 {
        let filter = crate::random::filter(&random);
        let expected = scan(&filter, &events);
        let listed = t.list(&filter);
        assert_eq!(listed.iter().map(|stored| &stored.event).collect::<Vec<_>>(), expected, "{filter:?}");
        found += listed.len();
        let edges = edges(&random, &events);
        let (count, histogram, distinct) = t
            .store
            .reading(|tx| {
                Ok((tx.count_events(&filter)?, tx.event_histogram(&filter, &edges)?, tx.distinct_users(&filter)?))
            })
            .unwrap();
        assert_eq!(count, expected.len() as u64, "{filter:?}");
        let inside = |start, end| expected.iter().filter(|one| (start..end).contains(&one.occurred_at)).count() as u64;
        let buckets: Vec<u64> = edges.windows(2).map(|pair| inside(pair[0], pair[1])).collect();
        assert_eq!(histogram, buckets, "{filter:?} {edges:?}");
        in_buckets += buckets.iter().sum::<u64>();
        let names: HashSet<_> = expected.iter().filter_map(|one| one.user_id.as_ref()).collect();
        assert_eq!(distinct, names.len() as u64, "{filter:?}");
        users += distinct;
    }
    assert!(found > 8_000 && in_buckets > 3_000 && users > 500, "too few events: {found} {in_buckets} {users}");
}

pub(crate) fn pages_of_filtered_lists_join_to_the_whole_list(t: &TestStore) {
    let random = TestEntropy::new(8);
    t.insert(&crate::random::events(&random, 300));
    for _ in 0..60 {
        let filter = crate::random::filter(&random);
        let (mut walked, mut after) = (Vec::<StoredEvent>::new(), None);
        loop {
            let page = t.store.reading(|tx| tx.events(&filter, after, 7)).unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.position());
            walked.extend(page);
        }
        assert_eq!(walked, t.list(&filter), "{filter:?}");
        let skipped = walked.len() / 2;
        let offset = u64::try_from(skipped).unwrap();
        let rest = t.store.reading(|tx| tx.events_at_offset(&filter, offset, 1_000)).unwrap();
        assert_eq!(rest, walked[skipped..], "{filter:?}");
    }
}

pub(crate) fn edges_of_a_histogram_belong_to_the_bucket_that_they_begin(t: &TestStore) {
    let times = ["2026-03-01T00:00:00Z", "2026-03-01T00:00:00.000001Z", "2026-03-02T00:00:00Z"].map(at);
    t.insert(&(0..9_usize).map(|n| Event { occurred_at: times[n % 3], ..event(n as u128 + 1) }).collect::<Vec<_>>());
    let end = at("2026-03-03T00:00:00Z");
    let histogram =
        |filter: &EventFilter, edges: &[Timestamp]| t.store.reading(|tx| tx.event_histogram(filter, edges)).unwrap();
    assert_eq!(histogram(&all_events(), &[times[0], times[1], times[2], end]), [3, 3, 3]);
    assert_eq!(histogram(&all_events(), &times), [3, 3]);
    assert_eq!(histogram(&all_events(), &times[..1]), [0; 0]);
    assert_eq!(histogram(&all_events(), &[]), [0; 0]);
    let narrower = EventFilter { from: Some(times[1]), until: Some(times[2]), ..all_events() };
    assert_eq!(histogram(&narrower, &[times[0], times[2], end]), [3, 0]);
}

pub(crate) fn a_negation_keeps_events_without_the_field(t: &TestStore) {
    let bare = Event { user_id: None, ..event(1) };
    let full = Event { page: Some(Page::parse("page", "/a").unwrap()), session_id: Some("s".into()), ..event(2) };
    t.insert(&[bare.clone(), full]);
    for filter in [
        EventFilter { user_id: Values::none_of([event(2).user_id.unwrap()]), ..all_events() },
        EventFilter { page: Values::none_of(["/a".to_owned()]), ..all_events() },
        EventFilter { session_id: Values::none_of(["s".to_owned()]), ..all_events() },
    ] {
        let listed = t.list(&filter);
        assert_eq!(listed.iter().map(|stored| &stored.event).collect::<Vec<_>>(), [&bare], "{filter:?}");
    }
}

pub(crate) fn pages_that_count_as_other_are_found_and_excluded_one_by_one(t: &TestStore) {
    let store = t.another(&StoreOptions { new_pages_per_day: 1, ..StoreOptions::default() });
    let viewed = |(number, page)| Event { page: Some(Page::parse("page", page).unwrap()), ..event(number) };
    let pages = ["/a", "/b", "/c", "/b?x=1", "(other)", "/a", "/d"];
    let mut events: Vec<Event> = (1..).zip(pages).map(viewed).collect();
    events.push(event(100));
    store.writing(|tx| tx.insert_events(&events)).unwrap();
    assert_eq!(t.ask("SELECT count(*) FROM events WHERE page_ref = 1"), [["5"]], "only the first page is counted");
    let choices: [&[&str]; 7] =
        [&[], &["/a"], &["/b"], &["/a", "/c"], &["(other)"], &["/none"], &["/b", "(other)", "/d"]];
    for any_of in choices {
        for none_of in choices {
            let texts = |pages: &[&str]| pages.iter().map(|page| (*page).to_owned()).collect();
            let page = Values { any_of: texts(any_of), none_of: texts(none_of) };
            let filter = EventFilter { page, ..all_events() };
            let expected = scan(&filter, &events);
            let (listed, count) =
                store.reading(|tx| Ok((tx.events(&filter, None, 100)?, tx.count_events(&filter)?))).unwrap();
            assert_eq!(listed.iter().map(|stored| &stored.event).collect::<Vec<_>>(), expected, "{filter:?}");
            assert_eq!(count, expected.len() as u64, "{filter:?}");
        }
    }
}

pub(crate) fn fifty_values_of_each_field_are_one_list(t: &TestStore) {
    let random = TestEntropy::new(9);
    let events = crate::random::events(&random, 200);
    t.insert(&events);
    let names = |known: &[&str]| -> Vec<String> {
        let known = known.iter().map(|name| (*name).to_owned());
        known.chain((0..).map(|number| format!("unknown{number}"))).take(50).collect()
    };
    let users: Vec<_> = names(&["ann", "bob"]).iter().map(|name| user_id(name)).collect();
    let kinds: Vec<_> = names(&["logout", "userinfo"]).into_iter().map(EventKind::known).collect();
    for filter in [
        EventFilter { user_id: Values::any_of(users.clone()), ..all_events() },
        EventFilter { user_id: Values::none_of(users), ..all_events() },
        EventFilter { kind: Values::any_of(kinds.clone()), ..all_events() },
        EventFilter { kind: Values::none_of(kinds), ..all_events() },
        EventFilter { page: Values::any_of(names(&["/", "/users"])), ..all_events() },
        EventFilter { session_id: Values::any_of(names(&["s1"])), ..all_events() },
    ] {
        let expected = scan(&filter, &events);
        assert!(!expected.is_empty() && expected.len() < 200);
        let listed = t.list(&filter);
        assert_eq!(listed.iter().map(|stored| &stored.event).collect::<Vec<_>>(), expected, "{filter:?}");
        assert_eq!(t.store.reading(|tx| tx.count_events(&filter)).unwrap(), expected.len() as u64, "{filter:?}");
    }
}

pub(crate) fn numbers_belong_to_one_snapshot(t: &TestStore) {
    t.insert(&(1..=10).map(event).collect::<Vec<_>>());
    let edges = [at("2020-01-01T00:00:00Z"), at("2030-01-01T00:00:00Z")];
    let other = t.another(&StoreOptions::default());
    let mut batch = 10;
    let numbers = t
        .store
        .reading(|tx| {
            let before = tx.count_events(&all_events())?;
            batch += 10;
            other.writing(|tx| tx.insert_events(&(batch..batch + 5).map(event).collect::<Vec<_>>()))?;
            let listed = tx.events(&all_events(), None, 100)?.len() as u64;
            Ok([before, tx.count_events(&all_events())?, tx.event_histogram(&all_events(), &edges)?[0], listed])
        })
        .unwrap();
    assert_eq!(numbers, [10; 4]);
    assert_eq!(t.store.reading(|tx| tx.count_events(&all_events())).unwrap(), 15);
}
