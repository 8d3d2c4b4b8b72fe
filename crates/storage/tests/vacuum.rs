//! Free space of a data file is given back while others use it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use trailkeeper_domain::Error;
use trailkeeper_domain::ports::Store;
use trailkeeper_testkit::{DatabaseKind, World, all_events, event, open_store};

const MIB: u64 = 1 << 20;

fn count(store: &dyn Store) -> u64 {
    store.reading(|tx| tx.count_events(&all_events())).unwrap()
}

#[test]
fn free_space_is_given_back_while_others_read_and_write() {
    let world = World::new(DatabaseKind::Sqlite, |database| open_store!(database));
    world.store.writing(|tx| tx.insert_events(&(1..=500).map(event).collect::<Vec<_>>()).map(drop)).unwrap();
    let mut other = SqliteConnection::establish(world.database.path().to_str().unwrap()).unwrap();
    other
        .batch_execute(
            "CREATE TABLE filler (bytes BLOB); INSERT INTO filler VALUES (zeroblob(8388608)); DROP TABLE filler;",
        )
        .unwrap();
    let before = world.store.space().unwrap().unwrap();
    assert!(before.free > 8 * MIB && before.bytes > before.free, "{before:?}");

    let (begun, done) = (Barrier::new(3), AtomicBool::new(false));
    let stored = thread::scope(|scope| {
        let reader = scope.spawn(|| {
            begun.wait();
            loop {
                assert!(count(&*world.store) >= 500);
                if done.load(Ordering::SeqCst) {
                    break;
                }
            }
        });
        let writer = scope.spawn(|| {
            let mut stored = 0;
            begun.wait();
            for number in 1_000.. {
                match world.store.writing(|tx| tx.insert_events(&[event(number)])) {
                    Ok(new) => stored += u64::from(new == [true]),
                    Err(error) => assert!(matches!(error, Error::Overloaded { .. }), "{error:?}"),
                }
                if done.load(Ordering::SeqCst) {
                    break;
                }
            }
            stored
        });
        begun.wait();
        world.store.vacuum().unwrap();
        done.store(true, Ordering::SeqCst);
        reader.join().unwrap();
        writer.join().unwrap()
    });
    assert_eq!(count(&*world.store), 500 + stored);
    // A reader at the end of the first one may have kept the file from becoming shorter.
    world.store.vacuum().unwrap();
    let after = world.store.space().unwrap().unwrap();
    assert_eq!(after.free, 0);
    assert!(after.bytes < 4 * MIB, "{after:?}");
    assert_eq!(std::fs::metadata(world.database.path()).unwrap().len(), after.bytes);
    // Repeated ids are still found.
    assert_eq!(world.store.writing(|tx| tx.insert_events(&[event(7)])).unwrap(), [false]);
}

#[test]
fn postgres_has_nothing_to_give_back() {
    let world = World::new(DatabaseKind::Postgres, |database| open_store!(database));
    assert_eq!(world.store.space().unwrap(), None);
    world.store.vacuum().unwrap();
}
