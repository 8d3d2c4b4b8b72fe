//! A backup is one state of the database, and takes the place of a database that nobody uses.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use diesel::connection::SimpleConnection as _;
use diesel::sql_types::{BigInt, Binary};
use diesel::{Connection as _, QueryableByName, RunQueryDsl as _, SqliteConnection, sql_query};
use trailkeeper_domain::Error;
use trailkeeper_domain::ports::Store;
use trailkeeper_storage::{
    DatabaseUrl, StagedBackup, StoreOptions, migrate, open, partial_backup, stage_backup, write_backup,
};
use trailkeeper_testkit::{TempDatabase, all_events, event};

/// A database in a folder of its own, with room for backups.
struct World {
    folder: TempDatabase,
    url: DatabaseUrl,
}

impl World {
    fn new() -> Self {
        let folder = TempDatabase::sqlite();
        let url = DatabaseUrl::parse(folder.url()).unwrap();
        migrate(&url).unwrap();
        Self { folder, url }
    }

    fn store(&self) -> std::sync::Arc<dyn Store> {
        open(&self.url, &StoreOptions::default()).unwrap()
    }

    /// A path beside the database.
    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().with_file_name(name)
    }

    fn insert(&self, numbers: std::ops::RangeInclusive<u128>) {
        let events: Vec<_> = numbers.map(event).collect();
        self.store().writing(|tx| tx.insert_events(&events)).unwrap();
    }

    fn backup(&self, name: &str) -> std::path::PathBuf {
        let path = self.path(name);
        let written = write_backup(&self.url, &StoreOptions::default(), &path).unwrap();
        assert!(written.is_current(), "the schema is current");
        assert!(!path.exists(), "it has its name only when it is finished");
        written.finish().unwrap();
        path
    }

    fn stage(&self, from: &Path) -> Result<StagedBackup, Error> {
        stage_backup(&self.url, &StoreOptions::default(), from, &mut |_| ())
    }
}

fn count(store: &dyn Store) -> u64 {
    store.reading(|tx| tx.count_events(&all_events())).unwrap()
}

fn of_file(path: &Path) -> std::sync::Arc<dyn Store> {
    open(&DatabaseUrl::parse(&format!("sqlite:{}", path.display())).unwrap(), &StoreOptions::default()).unwrap()
}

fn sql(path: &Path, statements: &str) {
    SqliteConnection::establish(path.to_str().unwrap()).unwrap().batch_execute(statements).unwrap();
}

fn identity(path: &Path) -> Vec<u8> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Binary)]
        database_id: Vec<u8>,
    }
    let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    let row: Row = sql_query("SELECT database_id FROM content_version").get_result(&mut connection).unwrap();
    row.database_id
}

fn names(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_backup_is_one_state_while_others_write() {
    #[derive(QueryableByName)]
    struct Seqs {
        #[diesel(sql_type = BigInt)]
        events: i64,
        #[diesel(sql_type = BigInt)]
        last: i64,
    }
    let world = World::new();
    world.insert(1..=2_000);
    let store = world.store();
    let (done, stored) = (AtomicBool::new(false), AtomicU32::new(2_000));
    let mut before_and_after = (0, 0);
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in 10_000.. {
                assert_eq!(store.writing(|tx| tx.insert_events(&[event(number)])).unwrap(), [true]);
                stored.fetch_add(1, Ordering::SeqCst);
                if done.load(Ordering::SeqCst) {
                    break;
                }
            }
        });
        while stored.load(Ordering::SeqCst) < 2_050 {
            thread::yield_now();
        }
        before_and_after.0 = stored.load(Ordering::SeqCst);
        world.backup("copy.db");
        before_and_after.1 = stored.load(Ordering::SeqCst);
        done.store(true, Ordering::SeqCst);
    });
    let path = world.path("copy.db");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    let rows: Seqs =
        sql_query("SELECT count(*) AS events, max(seq) AS last FROM events").get_result(&mut connection).unwrap();
    assert_eq!(rows.events, rows.last, "no event is missing in between");
    // The writer counts after the commit, so one more may be there.
    let events = u32::try_from(rows.events).unwrap();
    assert!(before_and_after.0 <= events && events <= before_and_after.1 + 1, "{events}: {before_and_after:?}");
    drop(connection);
    let copy = of_file(&path);
    assert_eq!(count(&*copy), u64::from(events), "the index has them too");
    assert_eq!(copy.writing(|tx| tx.insert_events(&[event(7)])).unwrap(), [false], "and so have the ids");
}

#[test]
fn nothing_is_written_over() {
    let world = World::new();
    let path = world.path("there.db");
    fs::write(&path, "mine").unwrap();
    let error = write_backup(&world.url, &StoreOptions::default(), &path).unwrap_err();
    assert!(error.chain().to_string().contains("there.db: File exists"), "{}", error.chain());
    assert_eq!(fs::read(&path).unwrap(), b"mine");
    let postgres = DatabaseUrl::parse("postgres://tk@db.example/trailkeeper").unwrap();
    let error = write_backup(&postgres, &StoreOptions::default(), &world.path("x.db")).unwrap_err();
    assert!(matches!(error, Error::Invalid { .. }) && error.chain().to_string().contains("pg_dump"), "{error:?}");
}

#[test]
fn a_backup_that_is_not_finished_is_removed() {
    let world = World::new();
    let before = names(world.folder.path().parent().unwrap());
    let written = write_backup(&world.url, &StoreOptions::default(), &world.path("copy.db")).unwrap();
    assert_eq!(written.path(), partial_backup(&world.path("copy.db")));
    assert!(written.path().exists());
    drop(written);
    assert_eq!(names(world.folder.path().parent().unwrap()), before);
    // What an interrupted one left is replaced.
    fs::write(partial_backup(&world.path("copy.db")), "a part").unwrap();
    assert_eq!(count(&*of_file(&world.backup("copy.db"))), 0);
}

#[test]
fn a_backup_takes_the_place_of_the_database() {
    let world = World::new();
    world.insert(1..=30);
    let backup = world.backup("copy.db");
    let bytes = fs::read(&backup).unwrap();
    world.insert(31..=50);
    let mut copied = Vec::new();
    let staged = stage_backup(&world.url, &StoreOptions::default(), &backup, &mut |bytes| copied.push(bytes)).unwrap();
    assert!(staged.is_current());
    assert_eq!(copied.last(), Some(&(bytes.len() as u64)));
    assert_eq!(count(&*world.store()), 50, "nothing happens before the end");
    let former = staged.put_in_place(".former").unwrap().unwrap();
    assert_eq!((count(&*world.store()), count(&*of_file(&former))), (30, 50));
    assert_eq!(fs::read(&backup).unwrap(), bytes, "the backup stays as it is");
    assert_ne!(identity(&world.folder.path()), identity(&former), "positions of later events are given again");
    assert_eq!(fs::metadata(world.folder.path()).unwrap().permissions().mode() & 0o777, 0o600);
    world.insert(31..=40);
    assert_eq!(count(&*world.store()), 40);
}

#[test]
fn a_missing_database_is_restored_too() {
    let world = World::new();
    world.insert(1..=30);
    let backup = world.backup("copy.db");
    let elsewhere = DatabaseUrl::parse(&format!("sqlite:{}", world.path("other.db").display())).unwrap();
    let staged = stage_backup(&elsewhere, &StoreOptions::default(), &backup, &mut |_| ()).unwrap();
    assert_eq!(staged.put_in_place(".former").unwrap(), None);
    assert_eq!(count(&*of_file(&world.path("other.db"))), 30);
}

#[test]
fn a_database_in_use_stays() {
    let world = World::new();
    world.insert(1..=30);
    let backup = world.backup("copy.db");
    let server = world.store();
    assert_eq!(count(&*server), 30);
    let before = names(world.folder.path().parent().unwrap());
    let error = world.stage(&backup).unwrap().put_in_place(".former").unwrap_err();
    assert!(error.chain().to_string().contains("is in use; stop the server"), "{}", error.chain());
    assert_eq!(names(world.folder.path().parent().unwrap()), before, "nothing is left behind");
    assert_eq!(server.writing(|tx| tx.insert_events(&[event(31)])).unwrap(), [true]);
    drop(server);
    world.stage(&backup).unwrap().put_in_place(".former").unwrap();
    assert_eq!(count(&*world.store()), 30);
}

#[test]
fn files_that_are_no_backup_are_refused_and_leave_nothing() {
    let world = World::new();
    world.insert(1..=3);
    let other = world.path("other.db");
    sql(&other, "CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('mine');");
    let newer = world.backup("newer.db");
    sql(&newer, "INSERT INTO __diesel_schema_migrations (version) VALUES ('99991231235959')");
    fs::write(world.path("text.db"), "This is no database at all.").unwrap();
    fs::write(world.path("empty.db"), "").unwrap();
    let before = names(world.folder.path().parent().unwrap());
    for (name, message) in [
        ("missing.db", "missing.db: No such file"),
        ("text.db", "text.db is no SQLite file"),
        ("empty.db", "empty.db is no SQLite file"),
        ("other.db", "other.db is no database of Trailkeeper"),
        ("newer.db", "a newer version of trailkeeper has migrated the database"),
    ] {
        let error = world.stage(&world.path(name)).unwrap_err().chain().to_string();
        assert!(error.contains(message), "{name}: {error}");
    }
    fs::write(world.path("newer.db-wal"), "frames").unwrap();
    let error = world.stage(&newer).unwrap_err().chain().to_string();
    assert!(error.contains("newer.db-wal belongs to"), "{error}");
    fs::remove_file(world.path("newer.db-wal")).unwrap();
    assert_eq!(names(world.folder.path().parent().unwrap()), before);
    assert_eq!(count(&*world.store()), 3);
}

#[test]
fn an_older_backup_is_restored_and_then_migrated() {
    let world = World::new();
    world.insert(1..=3);
    let backup = world.backup("older.db");
    let last = fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../migrations/sqlite/2026-11-30-0038_allow_long_sheets/down.sql"),
    );
    sql(&backup, &last.unwrap());
    sql(&backup, "DELETE FROM __diesel_schema_migrations WHERE version = '202611300038'");
    let staged = world.stage(&backup).unwrap();
    assert!(!staged.is_current());
    staged.put_in_place(".former").unwrap();
    assert_eq!(migrate(&world.url).unwrap(), ["2026-11-30-0038_allow_long_sheets"]);
    assert_eq!(count(&*world.store()), 3);
}
