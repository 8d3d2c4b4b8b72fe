//! Compares every analytic answer, list and number of events with a brute-force recount, over random histories on both databases: late, repeated
//! and rolled-back events; merges, rebuilds and faults at random moments; concurrent readers.
//!
//! `TRAILKEEPER_EXACTNESS_HISTORIES` sets the number of histories per database, `TRAILKEEPER_EXACTNESS_SEED` the first
//! seed. A failure prints the seed of its history and the step.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on should say where")]

mod history;
mod lists;
mod model;
mod native;
mod people;
mod random;
mod saasus;
mod seen;
mod step;

use trailkeeper_testkit::DatabaseKind;

use history::History;
use seen::Seen;

/// The number of steps of one history.
const STEPS: usize = 28;

#[test]
fn every_answer_is_the_recount_on_sqlite() {
    histories(DatabaseKind::Sqlite, 10);
}

#[test]
fn every_answer_is_the_recount_on_postgres() {
    histories(DatabaseKind::Postgres, 5);
}

#[test]
fn answers_stay_the_recount_when_the_rule_of_pages_changes_on_sqlite() {
    changing_rules(DatabaseKind::Sqlite, 4);
}

#[test]
fn answers_stay_the_recount_when_the_rule_of_pages_changes_on_postgres() {
    changing_rules(DatabaseKind::Postgres, 2);
}

fn changing_rules(kind: DatabaseKind, histories: u64) {
    let first = setting("TRAILKEEPER_EXACTNESS_SEED").unwrap_or(20_261_129);
    for seed in first..first + histories {
        let seen = History::with_changing_rules(kind, seed).run(STEPS);
        println!("{kind:?}, seed {seed}: {seen:?}");
        assert!(seen.changed_rules > 0, "the rule never changed: {seen:?}");
    }
}

fn histories(kind: DatabaseKind, default: u64) {
    let first = setting("TRAILKEEPER_EXACTNESS_SEED").unwrap_or(20_261_122);
    let count = setting("TRAILKEEPER_EXACTNESS_HISTORIES").unwrap_or(default);
    let mut seen = Seen::default();
    for seed in first..first + count {
        seen += History::new(kind, seed).run(STEPS);
    }
    println!("{kind:?}, seeds {first} to {}: {seen:?}", first + count - 1);
    // Histories in which something never happened do not test it. A single history may miss something.
    if count >= default {
        seen.covers_everything();
    }
}

fn setting(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name} is '{value}'; set a whole number")))
}
