//! The move of events that an older version stored in a table per month: every question is answered exactly meanwhile, and
//! every event stays stored once. Only PostgreSQL has such events.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::Months;
use trailkeeper_domain::event::{Event, EventFilter, StoredEvent, Values};
use trailkeeper_domain::page::{Page, PageQueries, PageRule, PageRuleState};
use trailkeeper_domain::ports::{Moving, Store};
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::time::{TimeRange, Timestamp};
use trailkeeper_storage::{DatabaseUrl, StoreOptions, migrate, open};
use trailkeeper_testkit::visibility::of_tenant;
use trailkeeper_testkit::{DatabaseKind, TempDatabase, all_events, at, event, run_on_postgres, tenant_id, user_id};

/// The migration of the one table.
const FIRST: &str = "2026-11-29-0033";
/// Events of the older version.
const OLD: u128 = 90;
/// The longest time for which a test tries to go on.
const PATIENCE: Duration = Duration::from_mins(1);

/// An event of one of five months, one of three tenants and one of four users, with a page or a session. Every tenth has
/// the id of its predecessor.
fn numbered(number: u128) -> Event {
    let months = Months::new(u32::try_from(number % 5).unwrap());
    let id = if number % 10 == 9 { number - 1 } else { number };
    Event {
        tenant_id: tenant_id(number % 3),
        occurred_at: at("2026-10-31T23:59:59Z") - months,
        user_id: Some(user_id(&format!("user-{}", number % 4))),
        page: number.is_multiple_of(2).then(|| Page::parse("page", format!("/{}?q={number}", number % 6)).unwrap()),
        session_id: (!number.is_multiple_of(2)).then(|| format!("session-{}", number % 7)),
        ..event(id)
    }
}

fn numbers(range: std::ops::Range<u128>) -> Vec<Event> {
    range.map(numbered).collect()
}

fn opened(database: &TempDatabase) -> Arc<dyn Store> {
    let url = DatabaseUrl::parse(database.url()).unwrap();
    open(&url, &StoreOptions::default()).unwrap()
}

fn ask(database: &TempDatabase, sql: &str) -> Vec<Vec<Option<String>>> {
    run_on_postgres(database.url(), sql)
}

fn event_log(database: &TempDatabase) -> Vec<Vec<Option<String>>> {
    ask(database, "SELECT to_jsonb(e) FROM event_log AS e ORDER BY seq")
}

/// The tables that a finished move leaves.
fn tables(database: &TempDatabase) -> Vec<String> {
    let names = ask(database, "SELECT tablename FROM pg_tables WHERE tablename LIKE 'event%' ORDER BY 1");
    names.into_iter().flatten().flatten().collect()
}

/// A database of the older version with [`OLD`] events, migrated.
fn migrated() -> TempDatabase {
    let database = TempDatabase::new(DatabaseKind::Postgres);
    let url = DatabaseUrl::parse(database.url()).unwrap();
    migrate(&url).unwrap();
    let all = numbers(0..OLD);
    for batch in all.chunks(16) {
        assert!(opened(&database).writing(|tx| tx.insert_events(batch)).unwrap().iter().all(|new| *new));
    }
    let before = event_log(&database);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations/postgres");
    let mut names: Vec<String> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    for name in names.iter().rev().take_while(|name| name.as_str() >= FIRST) {
        ask(&database, &fs::read_to_string(folder.join(name).join("down.sql")).unwrap());
        let (version, _) = name.split_once('_').unwrap();
        let version = version.replace('-', "");
        ask(&database, &format!("DELETE FROM __diesel_schema_migrations WHERE version = '{version}'"));
    }
    let months = ask(&database, "SELECT relid FROM pg_partition_tree('events') WHERE isleaf");
    assert_eq!(months.len(), 5);
    // A month that the older version created ahead of time.
    let ahead = "PARTITION OF events FOR VALUES FROM ('2027-01-01T00:00:00Z') TO ('2027-02-01T00:00:00Z')";
    ask(&database, &format!("CREATE TABLE events_2027_01 {ahead}"));
    assert_eq!(event_log(&database), before);
    migrate(&url).unwrap();
    assert_eq!(event_log(&database), before);
    database
}

/// Moves events until everything is moved. Statistics that the database collects by itself can delay the end.
fn finish(store: &dyn Store, limit: usize) {
    let start = Instant::now();
    while store.move_rows(limit).unwrap() != Moving::Done {
        assert!(start.elapsed() < PATIENCE, "the move does not end");
    }
}

/// Compares every way to find events with a list of all that are stored, in the order of storage.
#[track_caller]
fn check(store: &dyn Store, stored: &[Event]) {
    let listed = |filter: EventFilter, is: &dyn Fn(&Event) -> bool| {
        let mut expected: Vec<&Event> = stored.iter().rev().filter(|event| is(event)).collect();
        expected.sort_by_key(|event| std::cmp::Reverse(event.occurred_at));
        let found = store.reading(|tx| tx.events(&filter, None, 1_000)).unwrap();
        assert_eq!(found.iter().map(|stored| &stored.event).collect::<Vec<_>>(), expected, "{filter:?}");
        let paged = pages(store, &filter);
        assert_eq!(paged, found);
    };
    listed(all_events(), &|_| true);
    let tenant = tenant_id(1);
    listed(EventFilter { visibility: of_tenant(tenant), ..all_events() }, &|event| event.tenant_id == tenant);
    let user = user_id("user-2");
    listed(EventFilter { user_id: Values::only(user.clone()), ..all_events() }, &|event| {
        event.user_id.as_ref() == Some(&user)
    });
    listed(EventFilter { session_id: Values::only("session-3".into()), ..all_events() }, &|event| {
        event.session_id.as_deref() == Some("session-3")
    });
    listed(EventFilter { page: Values::only("/4".into()), ..all_events() }, &|event| {
        event.page.as_ref().is_some_and(|page| page.as_str().starts_with("/4?"))
    });
    let from = at("2026-08-01T00:00:00Z");
    listed(EventFilter { from: Some(from), ..all_events() }, &|event| event.occurred_at >= from);
    for event in stored {
        let same: BTreeSet<_> =
            stored.iter().filter(|other| other.id == event.id).map(|other| other.tenant_id).collect();
        let found = store.reading(|tx| tx.events_by_id(event.id, None)).unwrap();
        assert_eq!(found.iter().map(|found| found.event.tenant_id).collect::<Vec<_>>(), Vec::from_iter(same));
        let found = store.reading(|tx| tx.events_by_id(event.id, Some(event.tenant_id))).unwrap();
        assert_eq!(found.iter().map(|found| &found.event).collect::<Vec<_>>(), [event]);
    }
    let range = TimeRange { start: at("1970-01-01T00:00:00Z"), end: Timestamp::MAX_UTC };
    let mut facts = 0;
    store
        .reading(|tx| {
            facts = 0;
            tx.facts(Scope::Everyone, range, &mut |_| {
                facts += 1;
                Ok(())
            })
        })
        .unwrap();
    assert_eq!(facts, stored.len());
}

/// A whole list, seven events at a time.
fn pages(store: &dyn Store, filter: &EventFilter) -> Vec<StoredEvent> {
    let mut all: Vec<StoredEvent> = Vec::new();
    loop {
        let after = all.last().map(StoredEvent::position);
        let next = store.reading(|tx| tx.events(filter, after, 7)).unwrap();
        if next.is_empty() {
            return all;
        }
        all.extend(next);
    }
}

#[test]
fn every_answer_is_exact_between_any_two_steps() {
    let database = migrated();
    let mut stored = numbers(0..OLD);
    check(&*opened(&database), &stored);
    let (mut moved, mut next, start) = (0, OLD, Instant::now());
    loop {
        // Each step is the last one of a server that is killed then.
        let store = opened(&database);
        let step = store.move_rows(13).unwrap();
        if let Moving::Moved(events) = step {
            moved += events;
        }
        let before = event_log(&database);
        let old = numbers(0..OLD);
        assert_eq!(store.writing(|tx| tx.insert_events(&old)).unwrap(), vec![false; old.len()]);
        let both = [numbered(3), numbered(next), numbered(OLD - 2), numbered(next)];
        assert_eq!(store.writing(|tx| tx.insert_events(&both)).unwrap(), [false, true, false, false]);
        stored.push(numbered(next));
        next += 11;
        let after = event_log(&database);
        assert_eq!(after[..before.len()], before);
        assert_eq!(after.len(), stored.len());
        check(&*store, &stored);
        if step == Moving::Done {
            break;
        }
        assert!(start.elapsed() < PATIENCE, "the move does not end");
    }
    assert_eq!(u128::from(moved), OLD);
    assert_eq!(tables(&database), ["events"]);
    let store = opened(&database);
    assert_eq!(store.move_rows(1).unwrap(), Moving::Done);
    check(&*store, &stored);
}

#[test]
fn a_transaction_reads_the_rows_that_were_moved_after_it_began() {
    let database = migrated();
    let (store, other) = (opened(&database), opened(&database));
    let found = store.reading(|tx| {
        // Fixes the snapshot without a look at events.
        tx.page_rule()?;
        while other.move_rows(1_000)? != Moving::Waiting {}
        assert_eq!(ask(&database, "SELECT count(*) FROM ONLY events_2026_06"), [[Some("0".to_owned())]]);
        assert_eq!(other.move_rows(1_000)?, Moving::Waiting, "a month is dropped only when no snapshot needs it");
        tx.events(&all_events(), None, 1_000)
    });
    assert_eq!(found.unwrap().len(), numbers(0..OLD).len());
    finish(&*store, 1_000);
    assert_eq!(tables(&database), ["events"]);
}

#[test]
fn servers_move_store_and_read_at_once() {
    let database = migrated();
    let done = AtomicBool::new(false);
    let old = numbers(0..OLD);
    let new: usize = std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                finish(&*opened(&database), 3);
                done.store(true, Ordering::SeqCst);
            });
        }
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let store = opened(&database);
                    let mut least = usize::try_from(OLD).unwrap();
                    let mut is_last = false;
                    while !is_last {
                        is_last = done.load(Ordering::SeqCst);
                        let listed = store.reading(|tx| tx.events(&all_events(), None, 10_000)).unwrap();
                        let keys: BTreeSet<_> =
                            listed.iter().map(|stored| (stored.event.tenant_id, stored.event.id)).collect();
                        assert_eq!(keys.len(), listed.len(), "an event is listed twice");
                        assert!(listed.len() >= least, "{} of {least}", listed.len());
                        least = listed.len();
                    }
                })
            })
            .collect();
        let writers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let store = opened(&database);
                    let mut new = 0;
                    for number in 0.. {
                        // Both writers send the same events.
                        let batch = [&old[..], &numbers(OLD + number * 10..OLD + number * 10 + 10)].concat();
                        let stored = store.writing(|tx| tx.insert_events(&batch)).unwrap();
                        assert_eq!(stored[..old.len()], vec![false; old.len()]);
                        new += stored.iter().filter(|new| **new).count();
                        if done.load(Ordering::SeqCst) && number > 20 {
                            break;
                        }
                    }
                    new
                })
            })
            .collect();
        let new = writers.into_iter().map(|writer| writer.join().unwrap()).sum();
        for reader in readers {
            reader.join().unwrap();
        }
        new
    });
    let log = ask(&database, "SELECT count(*), count(DISTINCT (tenant_id, id)), count(DISTINCT seq) FROM event_log");
    let all = (old.len() + new).to_string();
    assert_eq!(log, [vec![Some(all.clone()), Some(all.clone()), Some(all)]]);
    assert_eq!(tables(&database), ["events"]);
}

#[test]
fn pages_get_other_keys_wherever_their_events_are() {
    let database = migrated();
    let store = opened(&database);
    for _ in 0..3 {
        store.move_rows(13).unwrap();
    }
    let rule = PageRule { queries: PageQueries::Kept, ..PageRule::default() };
    store.writing(|tx| tx.set_page_rule(&PageRuleState { rule, rewriting: true, presumed: false })).unwrap();
    let mut after = None;
    loop {
        let step = store.writing(|tx| tx.rewrite_page_keys(after.as_ref(), 5)).unwrap();
        store.move_rows(5).unwrap();
        let Some(next) = step.next else { break };
        after = Some(next);
    }
    store.writing(|tx| tx.set_page_rule(&PageRuleState { rule, rewriting: false, presumed: false })).unwrap();
    let wrong = "SELECT count(*) FROM event_log WHERE counted_page IS DISTINCT FROM page";
    assert_eq!(ask(&database, wrong), [[Some("0".to_owned())]]);
    finish(&*store, 1_000);
    assert_eq!(ask(&database, wrong), [[Some("0".to_owned())]]);
}
