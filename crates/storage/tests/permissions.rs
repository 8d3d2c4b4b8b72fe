//! The files of a SQLite database are closed to other users.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use trailkeeper_domain::ports::Store;
use trailkeeper_storage::{DatabaseUrl, StoreOptions, migrate_with, open};
use trailkeeper_testkit::{TempDatabase, event};

const SUFFIXES: [&str; 3] = ["", "-wal", "-shm"];

fn path(database: &TempDatabase, suffix: &str) -> PathBuf {
    let mut path = database.path().into_os_string();
    path.push(suffix);
    path.into()
}

fn modes(database: &TempDatabase) -> [u32; 3] {
    SUFFIXES.map(|suffix| fs::metadata(path(database, suffix)).unwrap().permissions().mode() & 0o777)
}

fn set(database: &TempDatabase, mode: u32) {
    for suffix in SUFFIXES {
        fs::set_permissions(path(database, suffix), Permissions::from_mode(mode)).unwrap();
    }
}

fn opened(database: &TempDatabase, allow_group_read: bool) -> Arc<dyn Store> {
    let options = StoreOptions { allow_group_read, ..StoreOptions::default() };
    let url = DatabaseUrl::parse(database.url()).unwrap();
    migrate_with(&url, &options).unwrap();
    open(&url, &options).unwrap()
}

#[test]
fn files_are_closed_to_other_users() {
    for (allow_group_read, new) in [(false, 0o600), (true, 0o640)] {
        let database = TempDatabase::sqlite();
        // Keeps the log in place, with the wide mode that another program could have given it.
        let first = opened(&database, allow_group_read);
        first.writing(|tx| tx.insert_events(&[event(1)])).unwrap();
        assert_eq!(modes(&database), [new; 3], "new files");
        for (wide, expected) in [(0o666, new), (0o644, new), (0o640, new), (0o777, new)] {
            set(&database, wide);
            drop(opened(&database, allow_group_read));
            assert_eq!(modes(&database), [expected; 3], "{wide:o}");
        }
        set(&database, new);
        // The new log has the mode of the data file.
        drop(first);
        assert!(!path(&database, "-wal").exists());
        let again = opened(&database, allow_group_read);
        again.writing(|tx| tx.insert_events(&[event(2)])).unwrap();
        assert_eq!(modes(&database), [new; 3], "files that SQLite created again");
    }
}

#[test]
fn the_files_beside_the_target_of_a_link_are_closed_too() {
    let (database, folder) = (TempDatabase::sqlite(), TempDatabase::sqlite());
    let link = folder.path();
    let first = opened(&database, false);
    first.writing(|tx| tx.insert_events(&[event(1)])).unwrap();
    std::os::unix::fs::symlink(database.path(), &link).unwrap();
    set(&database, 0o644);
    let url = DatabaseUrl::parse(&format!("sqlite:{}", link.display())).unwrap();
    drop(open(&url, &StoreOptions::default()).unwrap());
    assert_eq!(modes(&database), [0o600; 3]);
}
