//! The indexes by which rows answer lists go once nothing needs them, and not before.

use trailkeeper_testkit::{DatabaseKind, event};

use crate::TestStore;

trailkeeper_testkit::on_both!(crate::TestStore::new => unneeded_indexes_are_dropped_one_after_the_other);

const OF_LISTS: [&str; 7] = [
    "events_by_kind",
    "events_by_page",
    "events_by_session",
    "events_by_source",
    "events_by_tenant",
    "events_by_time",
    "events_by_user",
];

impl TestStore {
    /// The indexes of events that this test has made and that are left.
    fn made_indexes(&self) -> Vec<String> {
        let sql = match self.kind {
            DatabaseKind::Sqlite => "SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'events'",
            DatabaseKind::Postgres => {
                "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema() AND tablename = 'events'"
            }
        };
        let mut names: Vec<String> = self.ask(sql).into_iter().map(|mut row| row.remove(0)).collect();
        names.retain(|name| OF_LISTS.contains(&name.as_str()) || name.starts_with("my_"));
        names.sort_unstable();
        names
    }
}

fn unneeded_indexes_are_dropped_one_after_the_other(t: &TestStore) {
    t.insert(&(1..=30).map(event).collect::<Vec<_>>());
    assert_eq!(t.made_indexes(), [""; 0]);
    // As an older version leaves the table, with an index of the operator.
    for name in OF_LISTS.iter().chain(&["my_events_by_user"]) {
        t.database.execute(&format!("CREATE INDEX {name} ON events (user_ref)"));
    }
    t.store.writing(|tx| tx.set_generation(2, false)).unwrap();
    while t.store.maintain().unwrap() {}
    assert_eq!(t.made_indexes().len(), 8, "rows answer, and need them");
    t.store.writing(|tx| tx.set_generation(3, true)).unwrap();
    for left in (0..OF_LISTS.len()).rev() {
        assert!(t.store.maintain().unwrap());
        assert_eq!(t.made_indexes().len(), left + 1);
    }
    assert!(!t.store.maintain().unwrap());
    assert_eq!(t.made_indexes(), ["my_events_by_user"]);
}
