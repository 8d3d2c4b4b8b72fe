//! The contract of the ports: every case runs on both databases.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on should say where")]

/// One test per case and database.
macro_rules! on_both {
    ($($case:ident),* $(,)?) => {
        mod sqlite {
            $(#[test] fn $case() { super::$case(&$crate::TestStore::new(trailkeeper_testkit::DatabaseKind::Sqlite)); })*
        }
        mod postgres {
            $(#[test] fn $case() { super::$case(&$crate::TestStore::new(trailkeeper_testkit::DatabaseKind::Postgres)); })*
        }
    };
}

mod access;
mod activity;
mod directory;
mod events;
mod ingest;
mod random;
mod transactions;

use std::sync::Arc;

use trailkeeper_domain::ports::Store;
use trailkeeper_storage::{DatabaseUrl, StoreOptions, migrate, open};
use trailkeeper_testkit::{DatabaseKind, TempDatabase};

/// A migrated, empty database.
pub(crate) struct TestStore {
    pub(crate) store: Arc<dyn Store>,
    /// Dropped last: the connections go first.
    _database: TempDatabase,
}

impl TestStore {
    pub(crate) fn new(kind: DatabaseKind) -> Self {
        let database = TempDatabase::new(kind);
        let url = DatabaseUrl::parse(database.url()).unwrap();
        migrate(&url).unwrap();
        Self { store: open(&url, &StoreOptions::default()).unwrap(), _database: database }
    }
}

/// A method of a port that no case calls is a method that no one has seen work.
#[test]
fn every_method_of_every_port_has_a_case() {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read_all = |folder: std::path::PathBuf| -> String {
        std::fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
            .collect()
    };
    let ports = read_all(here.join("../domain/src/ports"));
    let cases = read_all(here.join("tests/contract"));
    let methods: Vec<&str> = ports
        .lines()
        .filter_map(|line| line.trim().strip_prefix("fn "))
        .filter_map(|rest| rest.split_once('(').map(|(name, _)| name))
        .collect();
    assert!(methods.len() > 40, "the ports were not read: {methods:?}");
    let missing: Vec<_> = methods.into_iter().filter(|name| !cases.contains(&format!(".{name}("))).collect();
    assert!(missing.is_empty(), "no case calls {missing:?}");
}
