//! The keys of pages: made by the rule of the database, and rewritten when that changes.

use std::collections::BTreeMap;

use trailkeeper_domain::Error;
use trailkeeper_domain::event::{Event, EventFilter, Values};
use trailkeeper_domain::page::{Page, PageHash, PageQueries, PageRule, PageRuleState, TrailingSlash};
use trailkeeper_domain::ports::Store;
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::time::{TimeRange, Timestamp};
use trailkeeper_domain::usecase::{PageSetting, PageSettings, settle_page_rule};
use trailkeeper_storage::StoreOptions;
use trailkeeper_testkit::{all_events, at, event, tenant_id};

use crate::TestStore;

trailkeeper_testkit::on_both!(crate::TestStore::new =>
    pages_that_are_one_are_counted_and_found_together,
    the_rule_holds_for_every_store_of_the_database,
    keys_are_rewritten_in_steps,
    pages_beyond_the_limit_get_another_chance,
    a_lost_name_does_not_stop_the_walk,
    nothing_groups_by_page_while_keys_are_rewritten,
    an_empty_database_takes_the_settings_and_another_one_keeps_its_rule,
    an_old_database_says_once_whether_it_keeps_queries,
);

const OLD: PageRule = PageRule {
    version: 0,
    queries: PageQueries::Dropped,
    trailing_slash: TrailingSlash::Kept,
    hash: PageHash::Dropped,
};
const KEEPING: PageRule = PageRule {
    version: 1,
    queries: PageQueries::Kept,
    trailing_slash: TrailingSlash::Kept,
    hash: PageHash::RoutesKept,
};
const SHORT: PageRule = PageRule {
    version: 1,
    queries: PageQueries::Dropped,
    trailing_slash: TrailingSlash::Dropped,
    hash: PageHash::Dropped,
};

/// Spellings of pages; the key of each by [`OLD`], the default rule, [`KEEPING`] and [`SHORT`].
const PAGES: [(&str, [&str; 4]); 10] = [
    ("/caf%C3%A9", ["/caf%C3%A9", "/café", "/café", "/café"]),
    ("/caf%c3%a9?x=1", ["/caf%c3%a9", "/café", "/café?x=1", "/café"]),
    ("/café", ["/café", "/café", "/café", "/café"]),
    ("/%66oo", ["/%66oo", "/foo", "/foo", "/foo"]),
    ("/a/../foo/#top", ["/a/../foo/", "/foo/", "/foo/", "/foo"]),
    ("/foo", ["/foo", "/foo", "/foo", "/foo"]),
    (
        "https://App.Example:443/a",
        ["https://App.Example:443/a", "https://app.example/a", "https://app.example/a", "https://app.example/a"],
    ),
    ("/app#/users", ["/app", "/app", "/app#/users", "/app"]),
    ("/a%2fb", ["/a%2fb", "/a%2Fb", "/a%2Fb", "/a%2Fb"]),
    ("/%zz", ["/%zz", "/%zz", "/%zz", "/%zz"]),
];

/// One event per page, on two days and in two tenants.
fn events() -> Vec<Event> {
    let event = |(number, (sent, _)): (u128, &(&str, _))| Event {
        tenant_id: tenant_id(1 + number % 2),
        occurred_at: at(if number % 3 == 0 { "2026-03-01T00:00:00Z" } else { "2026-04-01T00:00:00Z" }),
        page: Some(Page::parse("page", *sent).unwrap()),
        ..event(number)
    };
    (1..).zip(&PAGES).map(event).collect()
}

/// The number of events per counted page.
fn counted(store: &dyn Store) -> BTreeMap<String, usize> {
    let range = TimeRange { start: at("1970-01-01T00:00:00Z"), end: Timestamp::MAX_UTC };
    store
        .reading(|tx| {
            let mut ids = Vec::new();
            tx.facts(Scope::Everyone, range, &mut |fact| {
                ids.extend(fact.page);
                Ok(())
            })?;
            let names = tx.page_keys(&ids)?;
            let mut counts = BTreeMap::new();
            for id in &ids {
                *counts.entry(names.get(id).cloned().unwrap_or_else(|| format!("lost {id}"))).or_default() += 1;
            }
            Ok(counts)
        })
        .unwrap()
}

/// The number of events per key, where column `rule` of [`PAGES`] has the keys.
fn expected(rule: usize) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for (_, keys) in &PAGES {
        *counts.entry(keys[rule].to_owned()).or_default() += 1;
    }
    counts
}

fn found(store: &dyn Store, page: &str) -> usize {
    let filter = EventFilter { page: Values::only(page.to_owned()), ..all_events() };
    store.reading(|tx| tx.events(&filter, None, 100)).unwrap().len()
}

fn set(store: &dyn Store, rule: PageRule, rewriting: bool) {
    store.writing(|tx| tx.set_page_rule(&PageRuleState { rule, rewriting, presumed: false })).unwrap();
}

/// Rewrites all keys, `limit` events at a time. Returns how many events were read, were changed, and have no known page.
fn rewrite(store: &dyn Store, limit: usize) -> (u64, u64, u64) {
    let (mut after, mut read, mut changed, mut missing) = (None, 0, 0, 0);
    loop {
        let step = store.writing(|tx| tx.rewrite_page_keys(after.as_ref(), limit)).unwrap();
        assert!(step.read <= limit as u64);
        read += step.read;
        changed += step.changed;
        missing += step.missing;
        match step.next {
            Some(next) => after = Some(next),
            None => return (read, changed, missing),
        }
    }
}

fn sent(store: &dyn Store) -> Vec<String> {
    let mut stored = store.reading(|tx| tx.events(&all_events(), None, 100)).unwrap();
    stored.sort_by_key(|stored| stored.event.id);
    stored.into_iter().filter_map(|stored| stored.event.page).map(String::from).collect()
}

fn pages_that_are_one_are_counted_and_found_together(t: &TestStore) {
    let store = &*t.store;
    assert!(!store.reading(|tx| tx.has_pages()).unwrap());
    store.writing(|tx| tx.insert_events(&events())).unwrap();
    assert!(store.reading(|tx| tx.has_pages()).unwrap());
    assert_eq!(store.reading(|tx| tx.page_rule()).unwrap().rule, PageRule::default());
    assert_eq!(counted(store), expected(1));
    for (page, events) in
        [("/café", 3), ("/caf%C3%A9#x", 3), ("/%66%6f%6F", 2), ("https://APP.example/a", 1), ("/a/b", 0)]
    {
        assert_eq!(found(store, page), events, "{page}");
    }
    assert_eq!(sent(store), PAGES.map(|(sent, _)| sent));
}

fn the_rule_holds_for_every_store_of_the_database(t: &TestStore) {
    let other = t.another(&StoreOptions::default());
    let all = events();
    for ((chunk, rule), store) in all.chunks(4).zip([OLD, KEEPING, SHORT]).zip([&t.store, &other, &t.store]) {
        set(&**store, rule, false);
        for one in [&t.store, &other] {
            assert_eq!(one.reading(|tx| tx.page_rule()).unwrap().rule, rule);
        }
        // The store that did not set it.
        let storing = if std::sync::Arc::ptr_eq(store, &other) { &t.store } else { &other };
        storing.writing(|tx| tx.insert_events(chunk)).unwrap();
    }
    let mut wanted = BTreeMap::new();
    for (index, (_, keys)) in PAGES.iter().enumerate() {
        *wanted.entry(keys[[0, 2, 3][index / 4]].to_owned()).or_default() += 1;
    }
    assert_eq!(counted(&*t.store), wanted);
}

fn keys_are_rewritten_in_steps(t: &TestStore) {
    let store = &*t.store;
    set(store, OLD, false);
    store.writing(|tx| tx.insert_events(&events())).unwrap();
    assert_eq!(counted(store), expected(0));
    for (column, rule, limit) in
        [(1, PageRule::default(), 1), (2, KEEPING, 3), (3, SHORT, 100), (0, OLD, 2), (2, KEEPING, 1)]
    {
        let before = counted(store);
        set(store, rule, true);
        // An interrupted walk is begun again.
        store.writing(|tx| tx.rewrite_page_keys(None, limit)).unwrap();
        let (read, _, missing) = rewrite(store, limit);
        assert!(read >= PAGES.len() as u64 && missing == 0);
        assert_eq!(rewrite(store, limit).1, 0);
        set(store, rule, false);
        assert_ne!(counted(store), before);
        assert_eq!(counted(store), expected(column), "{rule}");
        assert_eq!(sent(store), PAGES.map(|(sent, _)| sent), "pages stay as they were sent");
        for (sent, keys) in &PAGES {
            assert_eq!(found(store, sent), expected(column)[keys[column]], "{sent} by {rule}");
        }
    }
}

fn pages_beyond_the_limit_get_another_chance(t: &TestStore) {
    let store = t.another(&StoreOptions { new_pages_per_day: 2, ..StoreOptions::default() });
    let store = &*store;
    let page = |number: u128, sent: &str| Event { page: Some(Page::parse("page", sent).unwrap()), ..event(number) };
    set(store, OLD, false);
    let all = [page(1, "/%61"), page(2, "/%62"), page(3, "/a"), page(4, "/c"), page(5, "/%61")];
    store.writing(|tx| tx.insert_events(&all)).unwrap();
    let count = |pages: &[(&str, usize)]| pages.iter().map(|(page, count)| ((*page).to_owned(), *count)).collect();
    assert_eq!(counted(store), count(&[("(other)", 2), ("/%61", 2), ("/%62", 1)]));
    set(store, PageRule::default(), true);
    store.writing(|tx| tx.forget_new_pages()).unwrap();
    rewrite(store, 2);
    set(store, PageRule::default(), false);
    // The pages that were counted come first, so they use up the limit.
    assert_eq!(counted(store), count(&[("(other)", 1), ("/a", 3), ("/b", 1)]));
    assert_eq!((found(store, "/a"), found(store, "/c")), (3, 1));
    // More pages are allowed now: another walk counts the rest.
    let store = t.another(&StoreOptions::default());
    set(&*store, PageRule::default(), true);
    assert_eq!(rewrite(&*store, 100).1, 1);
    set(&*store, PageRule::default(), false);
    assert_eq!(counted(&*store), count(&[("/a", 3), ("/b", 1), ("/c", 1)]));
}

fn a_lost_name_does_not_stop_the_walk(t: &TestStore) {
    let page = |(number, sent)| Event { page: Some(Page::parse("page", sent).unwrap()), ..event(number) };
    let all: Vec<Event> = (1..).zip(["/lost/", "/lost/?x=1", "/kept/"]).map(page).collect();
    t.store.writing(|tx| tx.insert_events(&all)).unwrap();
    let number = t.ask("SELECT id FROM dict_pages WHERE name = '/lost/'")[0][0].clone();
    t.ask("DELETE FROM dict_pages WHERE name = '/lost/'");
    // Without the names that the first store remembers.
    let store = t.another(&StoreOptions::default());
    let store = &*store;
    set(store, SHORT, true);
    // An event that has the page as it was sent gets the key of that.
    for changed in [2, 0] {
        assert_eq!(rewrite(store, 1), (3, changed, 1));
    }
    set(store, SHORT, false);
    let wanted = [(format!("lost {number}"), 1), ("/lost".to_owned(), 1), ("/kept".to_owned(), 1)];
    assert_eq!(counted(store), BTreeMap::from(wanted));
    assert_eq!(sent(store), ["/lost/?x=1", "/kept/"]);
    assert_eq!((found(store, "/lost"), found(store, "/kept/")), (1, 1));
}

fn nothing_groups_by_page_while_keys_are_rewritten(t: &TestStore) {
    let store = &*t.store;
    store.writing(|tx| tx.insert_events(&events())).unwrap();
    set(store, KEEPING, true);
    let by_page = EventFilter { page: Values::only("/foo".to_owned()), ..all_events() };
    for refused in
        [store.reading(|tx| tx.page_keys(&[2]).map(drop)), store.reading(|tx| tx.events(&by_page, None, 10).map(drop))]
    {
        assert!(matches!(refused, Err(Error::Overloaded { .. })), "{refused:?}");
    }
    assert_eq!(sent(store).len(), PAGES.len(), "lists do not depend on keys");
    // New events have keys of the new rule already.
    let late = Event { page: Some(Page::parse("page", "/late?x=%31").unwrap()), ..event(100) };
    store.writing(|tx| tx.insert_events(std::slice::from_ref(&late))).unwrap();
    set(store, KEEPING, false);
    assert_eq!(counted(store).get("/late?x=1"), Some(&1));
}

fn an_empty_database_takes_the_settings_and_another_one_keeps_its_rule(t: &TestStore) {
    let store = &*t.store;
    let drop = PageSettings { trailing_slash: Some(TrailingSlash::Dropped), ..PageSettings::default() };
    let keep = PageSettings { trailing_slash: Some(TrailingSlash::Kept), ..PageSettings::default() };
    for settings in [drop, keep, drop] {
        let (state, differences) = settle_page_rule(store, &settings).unwrap();
        assert_eq!(Some(state.rule.trailing_slash), settings.trailing_slash);
        assert_eq!((differences.as_slice(), state.rule.version), (&[][..], PageRule::VERSION));
    }
    store.writing(|tx| tx.insert_events(&events())).unwrap();
    assert_eq!(counted(store), expected(3));
    let (state, differences) = settle_page_rule(store, &keep).unwrap();
    assert_eq!(state.rule, SHORT);
    let [difference] = differences[..] else { panic!("{differences:?}") };
    assert_eq!(
        (difference.setting, difference.wanted, difference.stored),
        (PageSetting::TrailingSlash, "keep", "drop")
    );
    // Settings that are not given follow the database.
    assert_eq!(settle_page_rule(store, &PageSettings::default()).unwrap(), (state, vec![]));
    // While keys are rewritten, a database without pages keeps its rule too.
    t.ask("UPDATE events SET page_ref = NULL, page = NULL, page_key = NULL");
    set(store, SHORT, true);
    assert_eq!(settle_page_rule(store, &keep).unwrap().1.len(), 1);
}

fn an_old_database_says_once_whether_it_keeps_queries(t: &TestStore) {
    let store = &*t.store;
    store.writing(|tx| tx.insert_events(&events())).unwrap();
    let presumed = PageRuleState { rule: OLD, rewriting: false, presumed: true };
    store
        .writing(|tx| {
            tx.lock_page_rule()?;
            tx.set_page_rule(&presumed)
        })
        .unwrap();
    assert_eq!(store.reading(|tx| tx.page_rule()).unwrap(), presumed);
    let keeping = PageSettings { queries: Some(PageQueries::Kept), ..PageSettings::default() };
    let settled =
        PageRuleState { rule: PageRule { queries: PageQueries::Kept, ..OLD }, rewriting: false, presumed: false };
    assert_eq!(settle_page_rule(store, &keeping).unwrap(), (settled, vec![]));
    assert_eq!(settle_page_rule(store, &PageSettings::default()).unwrap(), (settled, vec![]));
    let dropping = PageSettings { queries: Some(PageQueries::Dropped), ..PageSettings::default() };
    assert_eq!(settle_page_rule(store, &dropping).unwrap().1.len(), 1);
}
