//! Filters in front of runs of ids: without them, each new id reads a page of every run.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::cell::Cell;
use std::ops::Range;
use std::sync::Arc;

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use trailkeeper_domain::ports::Store;
use trailkeeper_storage::{DatabaseUrl, StoreOptions, migrate, open};
use trailkeeper_testkit::{TempDatabase, event};

/// So many ids are a run.
const IN_MEMORY: usize = 8;

thread_local! {
    static PAGES_READ: Cell<usize> = const { Cell::new(0) };
}

/// Counts the reads of pages of runs.
struct CountPages;

impl Instrumentation for CountPages {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        let InstrumentationEvent::StartQuery { query, .. } = event else { return };
        let text = query.to_string();
        if text.starts_with("SELECT") && text.contains("id_pages") {
            PAGES_READ.set(PAGES_READ.get() + 1);
        }
    }
}

fn insert(store: &dyn Store, numbers: Range<u128>) {
    for number in numbers {
        assert_eq!(store.writing(|tx| tx.insert_events(&[event(number)])).unwrap(), [true]);
    }
}

/// The pages that four new events read: too few of them for a step that makes a filter.
fn pages_read(store: &dyn Store, first: u128) -> usize {
    PAGES_READ.set(0);
    insert(store, first..first + 4);
    PAGES_READ.get()
}

/// A store that was opened has no filters.
#[test]
fn the_first_maintenance_makes_the_filters_of_all_runs() {
    set_default_instrumentation(|| Some(Box::new(CountPages))).unwrap();
    let database = TempDatabase::sqlite();
    let url = DatabaseUrl::parse(database.url()).unwrap();
    let opened = || -> Arc<dyn Store> {
        open(&url, &StoreOptions { ids_in_memory: IN_MEMORY, ..StoreOptions::default() }).unwrap()
    };
    migrate(&url).unwrap();
    let store = opened();
    insert(store.as_ref(), 0..104);
    while store.maintain().unwrap() {}
    drop(store);
    let without = pages_read(opened().as_ref(), 200);
    assert!(without > 4, "several runs are read for each id");
    let store = opened();
    store.maintain().unwrap();
    let with = pages_read(store.as_ref(), 300);
    assert!(with * 4 <= without, "{with} pages with filters, {without} without");
}
