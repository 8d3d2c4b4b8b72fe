//! Leases.

use chrono::Duration;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_testkit::{at, uuid};

use crate::TestStore;

trailkeeper_testkit::on_both!(crate::TestStore::new =>
    a_lease_has_one_holder,
    a_lost_lease_stays_lost,
    the_holder_of_a_lease_can_be_read,
    a_lease_of_a_clock_that_is_far_ahead_has_run_out
);

fn minute(minute: i64) -> Timestamp {
    at("2026-02-01T00:00:00Z") + Duration::minutes(minute)
}

fn a_lease_has_one_holder(t: &TestStore) {
    let (ann, bob) = (uuid(1), uuid(2));
    let take = |name: &str, holder, now, until| {
        t.store.writing(|tx| tx.take_lease(name, holder, minute(now), minute(until))).unwrap()
    };
    assert!(take("sheets", ann, 0, 10));
    assert!(!take("sheets", bob, 9, 20));
    assert!(take("other", bob, 9, 20), "another lease");
    assert!(take("sheets", ann, 9, 15), "the holder's own lease");
    assert!(!take("sheets", bob, 14, 20));
    assert!(take("sheets", bob, 15, 20), "the lease has run out");
    assert!(!take("sheets", ann, 16, 30));
    t.store.writing(|tx| tx.release_lease("sheets", ann)).unwrap();
    assert!(!take("sheets", ann, 16, 30), "only the holder can release a lease");
    t.store.writing(|tx| tx.release_lease("sheets", bob)).unwrap();
    assert!(take("sheets", ann, 16, 30));
}

fn a_lost_lease_stays_lost(t: &TestStore) {
    let (ann, bob) = (uuid(1), uuid(2));
    let take =
        |holder, now, until| t.store.writing(|tx| tx.take_lease("sheets", holder, minute(now), minute(until))).unwrap();
    let keep = |holder, until| t.store.writing(|tx| tx.keep_lease("sheets", holder, minute(until))).unwrap();
    assert!(!keep(ann, 5), "never taken");
    assert!(take(ann, 0, 5));
    assert!(keep(ann, 10));
    assert!(!keep(bob, 10));
    assert!(!take(bob, 9, 20), "prolonged");
    assert!(take(bob, 10, 20));
    assert!(!keep(ann, 30), "another holder has it");
    t.store.writing(|tx| tx.release_lease("sheets", bob)).unwrap();
    assert!(!keep(ann, 30), "the lease is free again, but a result that was computed before may be stale");
    assert!(take(ann, 21, 30));
    assert!(keep(ann, 40));
}

fn the_holder_of_a_lease_can_be_read(t: &TestStore) {
    let (ann, bob) = (uuid(1), uuid(2));
    let seen = || t.store.reading(|tx| tx.lease("sheets")).unwrap();
    let take = |name: &str, holder, now, until| {
        t.store.writing(|tx| tx.take_lease(name, holder, minute(now), minute(until))).unwrap()
    };
    assert!(take("other", bob, 0, 99));
    assert_eq!(seen(), None);
    assert!(take("sheets", ann, 0, 5));
    assert_eq!(seen(), Some((ann, minute(5))));
    assert!(t.store.writing(|tx| tx.keep_lease("sheets", ann, minute(10))).unwrap());
    assert_eq!(seen(), Some((ann, minute(10))));
    assert!(take("sheets", bob, 10, 20));
    assert_eq!(seen(), Some((bob, minute(20))));
    t.store.writing(|tx| tx.release_lease("sheets", bob)).unwrap();
    assert_eq!(seen(), None);
}

fn a_lease_of_a_clock_that_is_far_ahead_has_run_out(t: &TestStore) {
    let (ann, bob, cid) = (uuid(1), uuid(2), uuid(3));
    let take =
        |holder, now, until| t.store.writing(|tx| tx.take_lease("sheets", holder, minute(now), minute(until))).unwrap();
    assert!(take(ann, 10, 11));
    assert!(!take(bob, 0, 1), "clocks may differ by ten minutes");
    assert!(take(ann, 540, 541));
    assert!(take(bob, 0, 1));
    assert!(!t.store.writing(|tx| tx.keep_lease("sheets", ann, minute(542))).unwrap(), "it is lost");
    assert!(!take(cid, 0, 1));
}
