//! A SQLite file whose content is replaced under a running server: nothing that was remembered of the old content
//! answers questions about the new one.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::sync::Arc;

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use trailkeeper_domain::event::{Event, EventFilter, Values};
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::page::Page;
use trailkeeper_domain::ports::Store;
use trailkeeper_testkit::visibility::of_tenant;
use trailkeeper_testkit::{TempDatabase, all_events, event, open_store, tenant_id, user_id};

/// The event of this number, of a tenant, a user and a page of its own.
fn own_event(number: u128) -> Event {
    Event {
        tenant_id: tenant_id(number),
        user_id: Some(user_id(&format!("user-{number}"))),
        page: Some(Page::parse("page", format!("/of/{number}")).unwrap()),
        user_agent: Some(format!("agent of {number}")),
        source: Some([203, 0, 113, u8::try_from(number).unwrap()].into()),
        ..event(number)
    }
}

fn write(store: &Arc<dyn Store>, number: u128) {
    assert_eq!(store.writing(|tx| tx.insert_events(&[own_event(number)])).unwrap(), [true]);
}

fn listed(store: &Arc<dyn Store>, filter: &EventFilter) -> Vec<Event> {
    let stored = store.reading(|tx| tx.events(filter, None, 100)).unwrap();
    stored.into_iter().map(|stored| stored.event).collect()
}

fn of(store: &Arc<dyn Store>, tenant: TenantId) -> Vec<Event> {
    listed(store, &EventFilter { visibility: of_tenant(tenant), ..all_events() })
}

fn of_user(store: &Arc<dyn Store>, user: &str) -> Vec<Event> {
    listed(store, &EventFilter { user_id: Values::only(user_id(user)), ..all_events() })
}

/// Checks that exactly the events of these tenants are stored, each under its own names.
#[track_caller]
fn only(store: &Arc<dyn Store>, numbers: &[u128]) {
    for number in 1..=4 {
        let expected: Vec<Event> = numbers.iter().filter(|own| **own == number).map(|own| own_event(*own)).collect();
        assert_eq!(of(store, tenant_id(number)), expected, "tenant {number}");
        assert_eq!(of_user(store, &format!("user-{number}")), expected, "user {number}");
    }
    assert_eq!(listed(store, &all_events()).len(), numbers.len());
}

/// A store that has read the events 1 and 2, and whose file then got a backup with only event 1.
fn restored() -> (TempDatabase, Arc<dyn Store>) {
    let database = TempDatabase::sqlite();
    let store = open_store!(database);
    write(&store, 1);
    let backup = database.back_up();
    write(&store, 2);
    only(&store, &[1, 2]);
    database.restore(&backup);
    (database, store)
}

#[test]
fn names_after_a_restore_do_not_get_what_was_remembered_of_others() {
    let (_database, store) = restored();
    // Its names get the numbers that those of event 2 had.
    write(&store, 3);
    only(&store, &[1, 3]);
    write(&store, 2);
    only(&store, &[1, 2, 3]);
}

#[test]
fn reads_after_a_restore_forget_too() {
    let (_database, store) = restored();
    only(&store, &[1]);
}

/// A restored copy that another process then wrote to has as many changes as the old content had.
#[test]
fn a_restored_file_with_the_same_number_of_changes_is_noticed_by_reads() {
    let (database, store) = restored();
    let other = open_store!(database);
    write(&other, 3);
    only(&store, &[1, 3]);
    only(&other, &[1, 3]);
    // Both go on writing, and see each other's events under the right names.
    write(&store, 4);
    only(&other, &[1, 3, 4]);
    write(&other, 2);
    only(&store, &[1, 2, 3, 4]);
}

#[test]
fn another_database_inside_the_same_file_is_noticed() {
    let (database, other) = (TempDatabase::sqlite(), TempDatabase::sqlite());
    let store = open_store!(database);
    write(&store, 1);
    let second = open_store!(other);
    for number in [4, 3, 2] {
        write(&second, number);
    }
    only(&store, &[1]);
    database.restore(&other.back_up());
    only(&store, &[2, 3, 4]);
    write(&store, 1);
    only(&store, &[1, 2, 3, 4]);
}

/// A program that does not count its changes is noticed by the next write.
#[test]
fn a_name_that_a_program_changed_by_hand_is_read_again_after_the_next_write() {
    let database = TempDatabase::sqlite();
    let store = open_store!(database);
    write(&store, 1);
    only(&store, &[1]);
    let mut shell = SqliteConnection::establish(database.path().to_str().unwrap()).unwrap();
    shell.batch_execute("UPDATE dict_user_agents SET name = 'changed by hand'").unwrap();
    store.writing(|tx| tx.insert_events(&[event(9)])).unwrap();
    let agent = of(&store, tenant_id(1)).pop().unwrap().user_agent;
    assert_eq!(agent.as_deref(), Some("changed by hand"));
}

/// The writes of the store itself make nobody forget.
#[test]
fn own_writes_keep_what_is_remembered() {
    let database = TempDatabase::sqlite();
    let store = open_store!(database);
    let epoch = || store.reading(|tx| Ok(tx.epoch())).unwrap();
    let first = epoch();
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..3).map(|_| scope.spawn(|| (0..200).all(|_| epoch() == first))).collect();
        for number in 1..=100 {
            write(&store, number);
        }
        assert!(readers.into_iter().all(|reader| reader.join().unwrap()), "a reader forgot");
    });
    assert_eq!(store.writing(|tx| Ok(tx.epoch())).unwrap(), first);
}
