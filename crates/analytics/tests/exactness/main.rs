//! Every analytic answer against a brute-force recount, over random histories on both databases: late, repeated,
//! rolled-back events; merges, rebuilds and faults at random moments; readers beside them.
//!
//! `TRAILKEEPER_EXACTNESS_HISTORIES` sets how many histories each database gets, `TRAILKEEPER_EXACTNESS_SEED` with
//! which they begin. A failure prints the seed of its history and the step.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on should say where")]

mod history;
mod model;
mod native;
mod people;
mod random;
mod saasus;

use trailkeeper_testkit::DatabaseKind;

use history::History;

/// Steps of one history.
const STEPS: usize = 28;

#[test]
fn every_answer_is_the_recount_on_sqlite() {
    histories(DatabaseKind::Sqlite, 10);
}

#[test]
fn every_answer_is_the_recount_on_postgres() {
    histories(DatabaseKind::Postgres, 5);
}

fn histories(kind: DatabaseKind, default: u64) {
    let first = setting("TRAILKEEPER_EXACTNESS_SEED").unwrap_or(20_261_122);
    let count = setting("TRAILKEEPER_EXACTNESS_HISTORIES").unwrap_or(default);
    let mut seen = history::Seen::default();
    for seed in first..first + count {
        seen += History::new(kind, seed).run(STEPS);
    }
    println!("{kind:?}, seeds {first} to {}: {seen:?}", first + count - 1);
    // A history that never came to what it is about proves nothing. One alone may miss something.
    if count >= default {
        seen.covers_everything();
    }
}

fn setting(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name} is '{value}'; set a whole number")))
}
