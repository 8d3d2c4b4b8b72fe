//! Databases that are replaced while the server runs by one whose sheets have the same keys and other content.

use std::fs;
use std::sync::Arc;

use trailkeeper_analytics::engine::merger::run_once;
use trailkeeper_analytics::engine::read;
use trailkeeper_analytics::sheet::{Facet, Fold};
use trailkeeper_analytics::{Audience, FoldCache};
use trailkeeper_domain::event::Event;
use trailkeeper_domain::ports::Store;
use trailkeeper_domain::time::TimeRange;
use trailkeeper_storage::{DatabaseUrl, StoreOptions};
use trailkeeper_testkit::visibility::of_tenant;
use trailkeeper_testkit::{TempDatabase, TestClock, TestEntropy, at, event, run_on_postgres, tenant_id};

fn opened(database: &TempDatabase) -> Arc<dyn Store> {
    let url = DatabaseUrl::parse(database.url()).unwrap();
    trailkeeper_storage::migrate(&url).unwrap();
    trailkeeper_storage::open(&url, &StoreOptions::default()).unwrap()
}

/// Stores events of one hour and merges them.
fn fill(store: &dyn Store, numbers: std::ops::Range<u128>) {
    let at_once = |number| Event { tenant_id: tenant_id(1), occurred_at: at("2026-01-05T10:00:00Z"), ..event(number) };
    let events: Vec<Event> = numbers.map(at_once).collect();
    store.writing(|tx| tx.insert_events(&events)).unwrap();
    let merged = run_once(store, &TestClock::at("2026-01-06T00:00:00Z"), &TestEntropy::new(7)).unwrap().unwrap();
    assert!(merged.sheets_written > 0);
}

/// The events of the tenant, counted without a cache and with it.
fn counted(store: &dyn Store, cache: &Arc<FoldCache>) -> [u64; 2] {
    let range = TimeRange { start: at("2026-01-01T00:00:00Z"), end: at("2026-02-01T00:00:00Z") };
    let uncached = Audience::of(of_tenant(tenant_id(1)), None, None).unwrap();
    let cached = uncached.clone().with_folds(cache);
    [uncached, cached].map(|audience| {
        let fold = store.reading(|tx| read::fold::<Fold>(tx, &audience, range, &[Facet::Kind])).unwrap();
        fold.total(Facet::Kind).count
    })
}

#[test]
fn another_data_file_is_not_answered_from_the_folds_of_the_old_one() {
    let (database, other) = (TempDatabase::sqlite(), TempDatabase::sqlite());
    let (store, cache) = (opened(&database), Arc::new(FoldCache::new(64 << 20)));
    fill(store.as_ref(), 1..2);
    assert_eq!(counted(store.as_ref(), &cache), [1, 1]);
    let second = opened(&other);
    fill(second.as_ref(), 10..13);
    drop(second);
    // Like the restore of a backup: the old file and its log are removed, and the new file takes its place.
    for suffix in ["-wal", "-shm"] {
        let mut log = database.path().into_os_string();
        log.push(suffix);
        fs::remove_file(log).unwrap();
    }
    fs::rename(other.path(), database.path()).unwrap();
    assert_eq!(counted(store.as_ref(), &cache), [3, 3]);
}

#[test]
fn a_restored_content_is_not_answered_from_the_folds_of_the_replaced_one() {
    let database = TempDatabase::sqlite();
    let (store, cache) = (opened(&database), Arc::new(FoldCache::new(64 << 20)));
    let empty = database.back_up();
    fill(store.as_ref(), 1..2);
    assert_eq!(counted(store.as_ref(), &cache), [1, 1]);
    // The same file, with the same sheet keys, by another process.
    database.restore(&empty);
    fill(opened(&database).as_ref(), 10..13);
    assert_eq!(counted(store.as_ref(), &cache), [3, 3]);
    // And by this one.
    database.restore(&empty);
    fill(store.as_ref(), 20..25);
    assert_eq!(counted(store.as_ref(), &cache), [5, 5]);
}

#[test]
fn a_server_that_comes_back_without_the_last_commits_is_not_answered_from_their_folds() {
    let database = TempDatabase::postgres();
    let (store, cache) = (opened(&database), Arc::new(FoldCache::new(64 << 20)));
    fill(store.as_ref(), 1..2);
    assert_eq!(counted(store.as_ref(), &cache), [1, 1]);
    // The state of a replica that has not received these commits.
    for table in ["sheets", "deltas", "merge_passes", "merged_scopes", "events"] {
        run_on_postgres(database.url(), &format!("DELETE FROM {table}"));
    }
    database.end_connections();
    fill(store.as_ref(), 10..13);
    assert_eq!(counted(store.as_ref(), &cache), [3, 3]);
}
