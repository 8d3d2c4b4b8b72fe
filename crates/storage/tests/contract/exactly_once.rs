//! Events of any time are stored exactly once.

use std::sync::Barrier;

use chrono::Months;
use trailkeeper_domain::event::{Event, EventFilter};
use trailkeeper_domain::id::EventId;
use trailkeeper_domain::ports::Moving;
use trailkeeper_storage::StoreOptions;
use trailkeeper_testkit::{all_events, at, event, uuid};

use crate::TestStore;

trailkeeper_testkit::on_both!(crate::TestStore::new =>
    events_of_all_times_are_listed_in_order,
    one_id_in_several_months_is_stored_once,
    two_stores_store_an_id_of_several_months_once,
    a_new_database_has_nothing_to_move,
    a_vacuum_changes_no_event,
);

fn when(number: u128, time: &str) -> Event {
    Event { occurred_at: at(time), ..event(number) }
}

fn events_of_all_times_are_listed_in_order(t: &TestStore) {
    let times = [
        "9999-12-31T23:59:59.999999Z",
        "9999-12-01T00:00:00Z",
        "2026-03-01T00:00:00Z",
        "2026-02-28T23:59:59.999999Z",
        "2000-02-29T12:00:00Z",
        "1999-12-31T23:59:59.999999Z",
        "1970-02-01T00:00:00Z",
        "1970-01-31T23:59:59.999999Z",
        "1970-01-01T00:00:00Z",
    ];
    let events: Vec<Event> = (1..).zip(times).map(|(number, time)| when(number, time)).collect();
    let mut sent = events.clone();
    sent.rotate_left(4);
    assert_eq!(t.insert(&sent), [true; 9]);
    let list = |filter: &EventFilter| -> Vec<Event> {
        let listed = t.store.reading(|tx| tx.events(filter, None, 100)).unwrap();
        listed.into_iter().map(|stored| stored.event).collect()
    };
    assert_eq!(list(&all_events()), events);
    let until = Some(at("2026-03-01T00:00:00Z"));
    assert_eq!(list(&EventFilter { until, ..all_events() }), events[3..]);
    assert_eq!(list(&EventFilter { from: until, ..all_events() }), events[..3]);
    for event in &events {
        let found = t.store.reading(|tx| tx.events_by_id(event.id, None)).unwrap();
        assert_eq!(found.iter().map(|stored| &stored.event).collect::<Vec<_>>(), [event]);
    }
}

fn one_id_in_several_months_is_stored_once(t: &TestStore) {
    assert_eq!(t.insert(&[when(1, "2026-01-31T00:00:00Z")]), [true]);
    assert_eq!(t.insert(&[when(2, "2026-02-01T00:00:00Z"), when(1, "2026-02-01T00:00:00Z")]), [true, false]);
    assert_eq!(t.insert(&[when(1, "1980-02-01T00:00:00Z"), when(2, "1980-02-01T00:00:00Z")]), [false, false]);
    let found = t.store.reading(|tx| tx.events_by_id(EventId(uuid(1)), None)).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].event, when(1, "2026-01-31T00:00:00Z"));
    assert_eq!(t.store.reading(|tx| tx.events(&all_events(), None, 10)).unwrap().len(), 2);
}

fn two_stores_store_an_id_of_several_months_once(t: &TestStore) {
    let stores = [t.another(&StoreOptions::default()), t.another(&StoreOptions::default())];
    let start = Barrier::new(4);
    let kept: usize = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..4_u32)
            .map(|writer| {
                let (store, start) = (&stores[writer as usize % 2], &start);
                scope.spawn(move || {
                    start.wait();
                    let mut new = 0;
                    for round in 0..10_u128 {
                        // Each writer sends the same ids in other months and in another order.
                        let mut batch: Vec<Event> = (0..30)
                            .map(|number| event(round * 30 + number))
                            .map(|event| Event { occurred_at: event.occurred_at - Months::new(writer), ..event })
                            .collect();
                        batch.rotate_left(writer as usize * 7);
                        new += store.writing(|tx| tx.insert_events(&batch)).unwrap().iter().filter(|new| **new).count();
                    }
                    new
                })
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).sum()
    });
    assert_eq!(kept, 300);
    let mut ids: Vec<EventId> = t
        .store
        .reading(|tx| tx.events(&all_events(), None, 10_000))
        .unwrap()
        .into_iter()
        .map(|stored| stored.event.id)
        .collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 300);
}

fn a_new_database_has_nothing_to_move(t: &TestStore) {
    assert_eq!(t.store.move_rows(1).unwrap(), Moving::Done);
    t.insert(&[event(1)]);
    assert_eq!(t.store.move_rows(1).unwrap(), Moving::Done);
}

fn a_vacuum_changes_no_event(t: &TestStore) {
    t.insert(&(1..=20).map(event).collect::<Vec<_>>());
    let before = t.list(&all_events());
    let space = t.store.space().unwrap();
    t.store.vacuum().unwrap();
    assert_eq!(t.store.space().unwrap().map(|space| space.free), space.map(|_| 0));
    assert_eq!(t.list(&all_events()), before);
    assert_eq!(t.insert(&[event(7), event(21)]), [false, true]);
}
