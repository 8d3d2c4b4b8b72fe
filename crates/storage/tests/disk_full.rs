//! A full disk: writes are unavailable, reads go on, and writes work again once there is room.
//!
//! The test limits the size of its files, and the operating system then fails a write as on a full disk. The limit
//! belongs to the process, so the test runs in a child process. The child ignores the signal that comes with the
//! failure, and `prlimit` changes its limit.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::process::{Command, id};
use std::{env, fs};

use trailkeeper_domain::event::{Event, Target};
use trailkeeper_domain::{Error, Result};
use trailkeeper_testkit::{TempDatabase, all_events, event, open_store};

const CHILD: &str = "TRAILKEEPER_TEST_DISK_FULL_CHILD";

fn main() {
    if env::var_os(CHILD).is_some() {
        return fill_up();
    }
    let status = Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$0\""])
        .arg(env::current_exe().unwrap())
        .env(CHILD, "1")
        .status()
        .unwrap();
    assert!(status.success(), "{status}");
    println!("a full disk fails writes and no reads ... ok");
}

/// Limits the size of this process's files, in bytes.
fn limit_files(bytes: &str) {
    let status = Command::new("prlimit").args(["--pid", &id().to_string(), &format!("--fsize={bytes}:")]).status();
    assert!(status.unwrap().success());
}

/// A target that makes its row large.
fn large() -> Target {
    Target { kind: None, id: Some("x".repeat(250)), name: Some("x".repeat(250)) }
}

fn batch(from: u128) -> Vec<Event> {
    (from..from + 5_000)
        .map(|number| Event { trace_id: Some("x".repeat(128)), target: Some(large()), ..event(number) })
        .collect()
}

fn fill_up() {
    let database = TempDatabase::sqlite();
    let store = open_store!(database);
    let write = |from| store.writing(|tx| tx.insert_events(&batch(from)));
    let count = || -> Result<usize> { store.reading(|tx| Ok(tx.events(&all_events(), None, 1_000_000)?.len())) };
    write(1).unwrap();

    let largest = fs::read_dir(database.path().parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .max()
        .unwrap();
    limit_files(&(largest + 4_096).to_string());
    let mut acknowledged = 5_000;
    let mut refused = 0;
    for round in 1..=5 {
        match write(round * 5_000 + 1) {
            Ok(_) => acknowledged += 5_000,
            Err(Error::Unavailable { cause, .. }) => {
                assert!(cause.to_string().contains("disk"), "{cause}");
                refused += 1;
            }
            Err(other) => panic!("{other:?}"),
        }
        assert_eq!(count().unwrap(), acknowledged, "reads see exactly the acknowledged events");
    }
    assert!(refused > 0, "the disk was never full");

    limit_files("unlimited");
    for round in 1..=5 {
        write(round * 5_000 + 1).unwrap();
    }
    assert_eq!(count().unwrap(), 30_000);
}
