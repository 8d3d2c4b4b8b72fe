//! A database or a file that goes away makes calls unavailable. Everything works once it is back.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use trailkeeper_domain::event::Event;
use trailkeeper_domain::ports::Store;
use trailkeeper_domain::{Error, Result};
use trailkeeper_storage::{DatabaseUrl, StoreOptions, migrate, open};
use trailkeeper_testkit::{TempDatabase, all_events, event, open_store, run_on_postgres, tenant, tenant_id};

fn impatient() -> StoreOptions {
    StoreOptions {
        busy_timeout: Duration::from_millis(200),
        checkout_timeout: Duration::from_millis(200),
        ..StoreOptions::default()
    }
}

fn write(store: &Arc<dyn Store>, number: u128) -> Result<Vec<bool>> {
    store.writing(|tx| tx.insert_events(&[event(number)]))
}

fn count(store: &Arc<dyn Store>) -> Result<usize> {
    store.reading(|tx| Ok(tx.events(&all_events(), None, 10_000)?.len()))
}

#[track_caller]
fn is_unavailable<T: std::fmt::Debug>(outcome: &Result<T>) {
    assert!(matches!(outcome, Err(Error::Unavailable { .. })), "{outcome:?}");
}

#[track_caller]
fn is_overloaded<T: std::fmt::Debug>(outcome: &Result<T>) {
    assert!(matches!(outcome, Err(Error::Overloaded { .. })), "{outcome:?}");
}

#[test]
fn a_restart_of_postgres_fails_no_call() {
    let database = TempDatabase::postgres();
    let store = open_store!(database);
    // The pool then has several connections, and all of them die at once.
    std::thread::scope(|scope| {
        for number in 1..=6 {
            let store = &store;
            scope.spawn(move || write(store, number).unwrap());
        }
    });
    for round in 0..5 {
        database.end_connections();
        assert_eq!(write(&store, 100 + round).unwrap(), [true]);
        assert!(count(&store).unwrap() > 6);
        store.ready().unwrap();
    }
}

#[test]
fn calls_fail_at_once_while_postgres_is_down() {
    let database = TempDatabase::postgres();
    let store = open_store!(database);
    write(&store, 1).unwrap();
    database.allow_connections(false);
    database.end_connections();
    let asked = Instant::now();
    is_unavailable(&write(&store, 2));
    is_unavailable(&count(&store));
    is_unavailable(&store.ready());
    assert!(asked.elapsed() < Duration::from_secs(4), "calls fail at once, not after a timeout");
    database.allow_connections(true);
    assert_eq!(write(&store, 2).unwrap(), [true]);
    assert_eq!(count(&store).unwrap(), 2);
}

#[test]
fn a_connection_that_ends_inside_a_transaction_stores_nothing() {
    let database = TempDatabase::postgres();
    let store = open_store!(database);
    let outcome = store.writing(|tx| {
        tx.insert_events(&[event(1)])?;
        database.end_connections();
        tx.insert_events(&[event(2)])
    });
    is_unavailable(&outcome);
    assert_eq!(count(&store).unwrap(), 0);
}

#[test]
fn a_port_without_a_server_is_unavailable() {
    let url = DatabaseUrl::parse("postgres://nobody@127.0.0.1:1/none").unwrap();
    let store = open(&url, &StoreOptions::default()).unwrap();
    is_unavailable(&store.ready());
    is_unavailable(&migrate(&url));
}

/// A server that accepts connections, sends `greeting` to each, and then says nothing. It lives as long as its listener.
fn silent_server(greeting: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        // Kept open: a closed connection would be an answer.
        let mut open = Vec::new();
        for accepted in listener.incoming() {
            let mut stream = accepted.unwrap();
            stream.write_all(greeting).unwrap();
            open.push(stream);
        }
    });
    port
}

#[test]
fn a_server_that_accepts_and_says_nothing_is_unavailable_after_the_connect_timeout() {
    // Silence after the request to log in, after the request for TLS, and inside the handshake of TLS.
    for (mode, greeting) in [("disable", b"".as_slice()), ("require", b""), ("require", b"S"), ("prefer", b"S")] {
        let port = silent_server(greeting);
        for host in ["127.0.0.1", "localhost"] {
            let url = format!("postgres://nobody@{host}:{port}/none?sslmode={mode}&connect_timeout=1");
            let store = open(&DatabaseUrl::parse(&url).unwrap(), &StoreOptions::default()).unwrap();
            let asked = Instant::now();
            match store.ready() {
                Err(Error::Unavailable { cause, .. }) => {
                    assert!(cause.to_string().contains("handshake within 1 s"), "{url}: {cause}");
                }
                other => panic!("{url}: {other:?}"),
            }
            let waited = asked.elapsed();
            assert!(waited >= Duration::from_secs(1) && waited < Duration::from_secs(4), "{url}: {waited:?}");
        }
    }
}

#[test]
fn a_statement_that_takes_too_long_is_ended() {
    let database = TempDatabase::postgres();
    let options = StoreOptions { statement_timeout: Duration::from_millis(200), ..StoreOptions::default() };
    let store = open_store!(database, &options);
    write(&store, 1).unwrap();
    // Another session locks the table for longer than the timeout.
    std::thread::scope(|scope| {
        scope.spawn(|| {
            run_on_postgres(database.url(), "BEGIN; LOCK TABLE events; SELECT pg_sleep(1.5); COMMIT");
        });
        let mut refused = false;
        let end = Instant::now() + Duration::from_secs(10);
        let mut number = 2;
        while !refused && Instant::now() < end {
            refused = matches!(write(&store, number), Err(Error::Unavailable { .. }));
            number += 1;
        }
        assert!(refused, "the timeout never ended a statement");
    });
    assert_eq!(write(&store, 1).unwrap(), [false]);
}

#[test]
fn a_transaction_in_a_deadlock_is_run_again() {
    let database = TempDatabase::postgres();
    let store = open_store!(database);
    store.writing(|tx| [tenant(1), tenant(2)].iter().try_for_each(|one| tx.put_tenant(one))).unwrap();
    let barrier = std::sync::Barrier::new(2);
    // Two transactions lock two rows in opposite order, at the same moment in their first run.
    std::thread::scope(|scope| {
        for order in [[1, 2], [2, 1]] {
            let (store, barrier) = (&store, &barrier);
            scope.spawn(move || {
                let mut first = true;
                store
                    .writing(|tx| {
                        tx.put_tenant(&tenant(order[0]))?;
                        if std::mem::take(&mut first) {
                            barrier.wait();
                        }
                        tx.put_tenant(&tenant(order[1]))
                    })
                    .unwrap();
            });
        }
    });
}

#[test]
fn calls_fail_while_the_data_file_is_elsewhere() {
    let database = TempDatabase::sqlite();
    let store = open_store!(database);
    write(&store, 1).unwrap();
    let (path, elsewhere) = (database.path(), database.path().with_extension("moved"));
    fs::rename(&path, &elsewhere).unwrap();
    is_unavailable(&write(&store, 2));
    is_unavailable(&count(&store));
    is_unavailable(&store.ready());
    assert!(!path.exists(), "no empty database takes its place");
    fs::rename(&elsewhere, &path).unwrap();
    assert_eq!(write(&store, 2).unwrap(), [true]);
    assert_eq!(count(&store).unwrap(), 2);
}

#[test]
fn a_data_file_that_is_removed_during_a_transaction_fails_it() {
    let database = TempDatabase::sqlite();
    let store = open_store!(database);
    let outcome = store.writing(|tx| {
        tx.insert_events(&[event(1)])?;
        fs::remove_file(database.path()).unwrap();
        Ok(())
    });
    is_unavailable(&outcome);
}

#[test]
fn a_data_file_that_was_replaced_is_opened() {
    let (database, other) = (TempDatabase::sqlite(), TempDatabase::sqlite());
    let store = open_store!(database);
    write(&store, 1).unwrap();
    drop(open_store!(other));
    // An operator restores a backup so: remove the old file and its log, and put the new file in its place.
    for suffix in ["-wal", "-shm"] {
        let mut log = database.path().into_os_string();
        log.push(suffix);
        fs::remove_file(log).unwrap();
    }
    fs::rename(other.path(), database.path()).unwrap();
    assert_eq!(count(&store).unwrap(), 0);
    assert_eq!(write(&store, 1).unwrap(), [true]);
    assert_eq!(count(&store).unwrap(), 1);
}

/// The path of a file beside the data file.
fn beside(database: &TempDatabase, suffix: &str) -> std::path::PathBuf {
    let mut path = database.path().into_os_string();
    path.push(suffix);
    path.into()
}

#[test]
fn a_log_that_is_removed_loses_no_event() {
    // Removed by hand, removed with its index, and replaced by another file.
    for (removed, replaced) in [(&["-wal"][..], false), (&["-wal", "-shm"], false), (&["-wal"], true)] {
        let database = TempDatabase::sqlite();
        let store = open_store!(database);
        let mut stored = 0;
        for round in 0..3 {
            for _ in 0..5 {
                stored += 1;
                write(&store, stored).unwrap();
                assert_eq!(count(&store).unwrap() as u128, stored);
            }
            for suffix in removed {
                fs::remove_file(beside(&database, suffix)).unwrap();
            }
            if replaced {
                fs::write(beside(&database, "-wal"), b"not a log").unwrap();
            }
            // Readiness and writes notice it; a refused event is not stored, and may be sent again.
            is_unavailable(&if round == 1 { store.ready() } else { write(&store, stored + 1).map(drop) });
            assert_eq!(count(&store).unwrap() as u128, stored, "{removed:?}");
            // As after a loss of power: what another process sees is in the files.
            let copy = TempDatabase::sqlite();
            fs::copy(database.path(), copy.path()).unwrap();
            assert_eq!(count(&open_store!(copy)).unwrap() as u128, stored, "{removed:?}");
            store.ready().unwrap();
        }
        assert_eq!(write(&store, 1).unwrap(), [false]);
    }
}

#[test]
fn calls_fail_without_the_folder_and_do_not_make_it() {
    let database = TempDatabase::sqlite();
    let store = open_store!(database);
    fs::remove_dir_all(database.path().parent().unwrap()).unwrap();
    is_unavailable(&write(&store, 1));
    is_unavailable(&count(&store));
    assert!(!database.path().parent().unwrap().exists());
}

#[test]
fn opening_reports_a_file_that_is_no_database() {
    let database = TempDatabase::sqlite();
    fs::write(database.path(), vec![b'x'; 8192]).unwrap();
    let url = DatabaseUrl::parse(database.url()).unwrap();
    let error = open(&url, &StoreOptions::default()).err().unwrap().chain().to_string();
    assert!(error.contains("not a database"), "{error}");
}

#[test]
fn a_writer_of_another_process_blocks_writes_and_no_reads() {
    let database = TempDatabase::sqlite();
    let store = open_store!(database, &impatient());
    let mut other = SqliteConnection::establish(database.path().to_str().unwrap()).unwrap();
    other.batch_execute("BEGIN IMMEDIATE").unwrap();
    is_overloaded(&write(&store, 1));
    assert_eq!(count(&store).unwrap(), 0, "readers do not wait for writers");
    other.batch_execute("ROLLBACK").unwrap();
    assert_eq!(write(&store, 1).unwrap(), [true]);
}

#[test]
fn a_call_without_a_free_connection_fails() {
    let database = TempDatabase::sqlite();
    let store = open_store!(database, &impatient());
    store
        .writing(|tx| {
            tx.put_tenant(&tenant(1))?;
            std::thread::scope(|scope| scope.spawn(|| is_overloaded(&write(&store, 1))).join().unwrap());
            Ok(())
        })
        .unwrap();
    assert!(store.reading(|tx| tx.tenant(tenant_id(1))).unwrap().is_some());
}

/// The error of a row that another program changed names the row.
#[test]
fn an_unreadable_row_names_table_column_and_id() {
    let database = TempDatabase::sqlite();
    let store = open_store!(database);
    let events: Vec<Event> = vec![event(1)];
    store.writing(|tx| tx.insert_events(&events)).unwrap();
    let mut other = SqliteConnection::establish(database.path().to_str().unwrap()).unwrap();
    other.batch_execute("PRAGMA ignore_check_constraints = ON; UPDATE events SET outcome = 7").unwrap();
    match count(&store) {
        Err(Error::Internal { cause }) => {
            let id = event(1).id.to_string();
            assert!(
                ["table events", "column outcome", id.as_str()].iter().all(|part| cause.to_string().contains(part)),
                "{cause}"
            );
        }
        other => panic!("{other:?}"),
    }
}
