//! Counters of login attempts and requests.

use std::net::IpAddr;

use chrono::Duration;
use trailkeeper_domain::ports::{CounterKey, RequestCount};
use trailkeeper_domain::throttle::LoginCounter;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_storage::StoreOptions;
use trailkeeper_testkit::at;

use crate::TestStore;

trailkeeper_testkit::on_both!(crate::TestStore::new =>
    counters_are_stored_replaced_and_removed,
    counters_are_deleted_by_age_and_number,
    attempts_at_the_same_instant_all_count,
    the_latest_sources_of_a_name_stay,
    known_sources_are_deleted_by_age,
    requests_of_all_servers_are_added_up,
);

fn minute(minute: i64) -> Timestamp {
    at("2026-02-01T00:00:00Z") + Duration::minutes(minute)
}

fn key(number: u8) -> CounterKey {
    [number; 32]
}

fn counter(failures: u32, at: i64) -> LoginCounter {
    LoginCounter { failures, counted_at: minute(at), blocked_until: None }
}

fn counters(t: &TestStore, keys: &[u8]) -> Vec<Option<LoginCounter>> {
    let keys: Vec<CounterKey> = keys.iter().map(|number| key(*number)).collect();
    t.store.reading(|tx| tx.login_counters(&keys)).unwrap()
}

fn counters_are_stored_replaced_and_removed(t: &TestStore) {
    let blocked = LoginCounter { blocked_until: Some(minute(9)), ..counter(u32::MAX, 5) };
    t.store
        .writing(|tx| {
            tx.put_login_counter(&key(1), &counter(1, 0))?;
            tx.put_login_counter(&key(2), &blocked)
        })
        .unwrap();
    assert_eq!(counters(t, &[2, 3, 1]), [Some(blocked), None, Some(counter(1, 0))]);
    assert_eq!(counters(t, &[]), []);
    t.store
        .writing(|tx| {
            tx.put_login_counter(&key(2), &counter(2, 6))?;
            tx.delete_login_counter(&key(1))?;
            tx.delete_login_counter(&key(3))
        })
        .unwrap();
    assert_eq!(counters(t, &[1, 2]), [None, Some(counter(2, 6))]);
}

fn counters_are_deleted_by_age_and_number(t: &TestStore) {
    let numbers: Vec<u8> = (1..=9).collect();
    t.store
        .writing(|tx| numbers.iter().try_for_each(|n| tx.put_login_counter(&key(*n), &counter(1, i64::from(*n)))))
        .unwrap();
    let left = || -> Vec<u8> {
        numbers.iter().zip(counters(t, &numbers)).filter(|(_, counter)| counter.is_some()).map(|(n, _)| *n).collect()
    };
    t.store.writing(|tx| tx.delete_login_counters(minute(3), 100)).unwrap();
    assert_eq!(left(), [3, 4, 5, 6, 7, 8, 9]);
    t.store.writing(|tx| tx.delete_login_counters(minute(3), 4)).unwrap();
    assert_eq!(left(), [6, 7, 8, 9]);
    t.store.writing(|tx| tx.delete_login_counters(minute(8), 4)).unwrap();
    assert_eq!(left(), [8, 9]);
    t.store.writing(|tx| tx.delete_login_counters(minute(0), 0)).unwrap();
    assert_eq!(left(), [0; 0]);
}

fn attempts_at_the_same_instant_all_count(t: &TestStore) {
    let others: Vec<_> = (0..4).map(|_| t.another(&StoreOptions::default())).collect();
    std::thread::scope(|scope| {
        for store in &others {
            scope.spawn(|| {
                for _ in 0..10 {
                    store
                        .writing(|tx| {
                            tx.lock_login_counters()?;
                            let counted = tx.login_counters(&[key(1)])?[0].map_or(0, |counter| counter.failures);
                            tx.put_login_counter(&key(1), &counter(counted + 1, 0))
                        })
                        .unwrap();
                }
            });
        }
    });
    assert_eq!(counters(t, &[1]), [Some(counter(40, 0))]);
}

fn source(number: u8) -> IpAddr {
    format!("203.0.113.{number}").parse().unwrap()
}

fn the_latest_sources_of_a_name_stay(t: &TestStore) {
    let known = |name: u8, source: IpAddr| t.store.reading(|tx| tx.known_source(&key(name), source)).unwrap();
    let note = |name: u8, source: IpAddr, at: i64| {
        t.store.writing(|tx| tx.put_known_source(&key(name), source, minute(at), 3)).unwrap();
    };
    let v6: IpAddr = "2001:db8:1:2::".parse().unwrap();
    assert_eq!(known(1, v6), None);
    note(1, v6, 0);
    note(2, source(1), 0);
    for number in 1..=2 {
        note(1, source(number), i64::from(number));
    }
    assert_eq!(known(1, v6), Some(minute(0)));
    note(1, v6, 3);
    note(1, source(9), 4);
    assert_eq!(known(1, source(1)), None, "the oldest source is removed");
    assert_eq!(known(1, source(2)), Some(minute(2)));
    assert_eq!(known(1, v6), Some(minute(3)));
    assert_eq!(known(1, source(9)), Some(minute(4)));
    assert_eq!(known(2, source(1)), Some(minute(0)), "a source of another name stays");
}

fn known_sources_are_deleted_by_age(t: &TestStore) {
    let known = |number| t.store.reading(|tx| tx.known_source(&key(1), source(number))).unwrap();
    for number in 1..=3 {
        t.store.writing(|tx| tx.put_known_source(&key(1), source(number), minute(number.into()), 20)).unwrap();
    }
    t.store.writing(|tx| tx.delete_known_sources(minute(3))).unwrap();
    assert_eq!((1..=3).map(known).collect::<Vec<_>>(), [None, None, Some(minute(3))]);
}

fn requests_of_all_servers_are_added_up(t: &TestStore) {
    let count =
        |key: &str, at: i64, requests: u64| RequestCount { key: key.to_owned(), starts_at: minute(at), requests };
    let counted = |at: i64, keys: &[&str]| {
        let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        t.store.reading(|tx| tx.request_counts(minute(at), &keys)).unwrap()
    };
    t.store
        .writing(|tx| tx.add_requests(&[count("read:b", 0, 5), count("read:a", 0, 7), count("read:a", 1, 1)]))
        .unwrap();
    let another = t.another(&StoreOptions::default());
    another.writing(|tx| tx.add_requests(&[count("read:a", 0, 3), count("read:a", 0, 30)])).unwrap();
    another.writing(|tx| tx.add_requests(&[])).unwrap();
    assert_eq!(counted(0, &["read:a", "read:c", "read:b"]), [40, 0, 5]);
    assert_eq!(counted(1, &["read:a", "read:b"]), [1, 0]);
    assert_eq!(counted(1, &[]), [0; 0]);
    let keys = |prefix: &str, since| t.store.reading(|tx| tx.request_count_keys(prefix, minute(since))).unwrap();
    assert_eq!((keys("read:", 0), keys("read:", 1), keys("read:b", 0), keys("server:", 0)), (2, 1, 1, 0));
    t.store.writing(|tx| tx.delete_request_counts(minute(1))).unwrap();
    assert_eq!(counted(0, &["read:a", "read:b"]), [0, 0]);
    assert_eq!(counted(1, &["read:a"]), [1]);
}
