//! Background work, and the structure that finds events by their ids.

use trailkeeper_domain::ports::Store;
use trailkeeper_testkit::{DatabaseKind, event, tenant_id};

use crate::TestStore;

trailkeeper_testkit::on_both!(crate::TestStore::new => ids_are_checked_and_made_again);

fn ids_are_checked_and_made_again(t: &TestStore) {
    let store: &dyn Store = t.store.as_ref();
    let events: Vec<_> = (1..=50).map(event).collect();
    store.writing(|tx| tx.insert_events(&events)).unwrap();
    while store.maintain().unwrap() {}
    let made = store.rebuild_ids().unwrap();
    assert_eq!(made.is_some(), t.kind == DatabaseKind::Sqlite);
    let mut faults = Vec::new();
    store.reading(|tx| tx.check_ids(&mut |fault| faults.push(fault))).unwrap();
    assert_eq!(faults, []);
    assert!(store.writing(|tx| tx.insert_events(&events)).unwrap().iter().all(|new| !new));
    let found = store.reading(|tx| tx.events_by_id(events[7].id, Some(events[7].tenant_id))).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].event, events[7]);
    assert!(store.reading(|tx| tx.events_by_id(events[7].id, Some(tenant_id(99)))).unwrap().is_empty());
}
