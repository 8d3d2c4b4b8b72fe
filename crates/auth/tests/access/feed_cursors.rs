//! Sealed cursors of the feed.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use trailkeeper_auth::{MasterKey, Principal, SystemEntropy};
use trailkeeper_domain::account::Role;
use trailkeeper_domain::cursor::{FeedPosition, PlainCursor};
use trailkeeper_domain::{Error, Result};
use trailkeeper_testkit::{Call, Fault, FaultyStore};
use uuid::Uuid;

use crate::master_keys::{Files, over, server};
use crate::sealed_cursors::{OTHER, caller, refused};
use crate::world::{TENANT, World, operator};

fn scoped() -> Principal {
    caller(Some(TENANT))
}

fn position(after: i64) -> String {
    let position = FeedPosition { history: Uuid::from_u128(7), after, removed: 3, reader: 0xfeed };
    PlainCursor::of_feed(&position).to_string()
}

fn stored_key(world: &World) -> Option<Vec<u8>> {
    world.store.reading(|tx| tx.cursor_key()).unwrap()
}

#[track_caller]
fn does_not_open<T>(answer: Result<T>) {
    let Some(Error::Internal { cause }) = answer.err() else { panic!("not an internal error") };
    let text = cause.to_string();
    assert!(text.contains("cannot open the sealed value 'cursor_key:feed'") && text.contains("key file"), "{text}");
}

#[test]
fn a_cursor_of_the_feed_opens_only_for_its_tenant() {
    let World { access, .. } = &World::new();
    let (own, plain) = (scoped(), position(42));
    let sealed = access.seal_feed_cursor(&own, &plain).unwrap();
    assert_eq!(access.open_feed_cursor(&own, "cursor", &sealed).unwrap(), plain);
    let colleague = Principal { role: Role::Auditor, name: "jane".to_owned(), ..own.clone() };
    assert_eq!(access.open_feed_cursor(&colleague, "cursor", &sealed).unwrap(), plain);

    refused(access.open_feed_cursor(&caller(Some(OTHER)), "cursor", &sealed));
    refused(access.open_feed_cursor(&caller(None), "cursor", &sealed));
    refused(access.open_feed_cursor(&own, "cursor", &plain));
    // Cursors of lists have other keys, whatever the list is called.
    refused(access.open_cursor(&own, "feed", "cursor", &sealed));
    refused(access.open_feed_cursor(&own, "cursor", &access.seal_cursor(&own, "feed", &plain).unwrap()));
}

#[test]
fn callers_of_all_tenants_get_plain_cursors_and_need_no_key() {
    let world = World::new();
    let (everyone, plain) = (caller(None), position(42));
    assert_eq!(world.access.seal_feed_cursor(&everyone, &plain).unwrap(), plain);
    assert_eq!(world.access.open_feed_cursor(&everyone, "cursor", &plain).unwrap(), plain);
    assert_eq!(stored_key(&world), None);
}

#[test]
fn a_changed_or_cut_cursor_is_refused() {
    let World { access, .. } = &World::new();
    let own = scoped();
    let sealed = access.seal_feed_cursor(&own, &position(42)).unwrap();
    for at in 0..sealed.len() {
        let (head, tail) = (&sealed[..at], &sealed[at + 1..]);
        let other = if sealed[at..].starts_with('0') { '1' } else { '0' };
        refused(access.open_feed_cursor(&own, "cursor", &format!("{head}{other}{tail}")));
        refused(access.open_feed_cursor(&own, "cursor", head));
    }
    let long = "x".repeat(1 << 20);
    for strange in ["", "x", "xé", "xgg", "x00", &sealed.to_uppercase(), &format!("{sealed}00"), &long] {
        refused(access.open_feed_cursor(&own, "cursor", strange));
    }
}

#[test]
fn cursors_of_small_and_large_numbers_have_one_length() {
    let World { access, .. } = &World::new();
    let page = access.feed_sealer(&scoped()).unwrap();
    let greatest = FeedPosition { history: Uuid::max(), after: i64::MAX, removed: u64::MAX, reader: u64::MAX };
    let least = FeedPosition { history: Uuid::nil(), after: 0, removed: 0, reader: 0 };
    let mut plain: Vec<String> = [0, 1, 9, 10, 999_999, i64::MAX].map(position).to_vec();
    plain.extend([greatest, least].map(|position| PlainCursor::of_feed(&position).to_string()));
    let sealed: Vec<String> = plain.iter().map(|plain| page.seal(plain).unwrap()).collect();
    assert!(sealed.iter().all(|text| text.len() == 137), "{sealed:#?}");
    let starts: BTreeSet<&str> = sealed.iter().map(|text| &text[..9]).collect();
    assert_eq!(starts.len(), sealed.len(), "different cursors have different nonces");
    for (plain, sealed) in plain.iter().zip(&sealed) {
        assert_eq!(access.open_feed_cursor(&scoped(), "cursor", sealed).unwrap(), *plain);
        let again = access.seal_feed_cursor(&scoped(), plain).unwrap();
        assert_ne!(again, *sealed, "nobody sees that a position is the same");
        assert_eq!(access.open_feed_cursor(&scoped(), "cursor", &again).unwrap(), *plain);
    }
}

#[test]
fn pages_read_the_key_at_most_once_in_two_seconds() {
    let world = World::new();
    let store = FaultyStore::over(&world.store);
    let access = world.server_over(store.clone());
    let page = || {
        let page = access.feed_sealer(&scoped()).unwrap();
        let sealed: BTreeSet<String> = (0..1000).map(|number| page.seal(&position(number)).unwrap()).collect();
        assert_eq!(sealed.len(), 1000);
        access.open_feed_cursor(&scoped(), "cursor", &sealed.into_iter().next().unwrap()).unwrap();
    };
    page();
    let (reads, commits) = (store.calls(Call::Read), store.commits());
    assert_eq!(commits, 1, "the key is made");
    page();
    assert_eq!(store.calls(Call::Read), reads);
    world.advance(TimeDelta::seconds(2));
    page();
    page();
    assert_eq!((store.calls(Call::Read), store.commits()), (reads + 1, commits));
}

#[test]
fn servers_of_one_database_share_the_key() {
    for world in World::on_both() {
        let second = world.server_over(world.another_store());
        let sealed = world.access.seal_feed_cursor(&scoped(), &position(1)).unwrap();
        assert_eq!(second.open_feed_cursor(&scoped(), "cursor", &sealed).unwrap(), position(1));
        let by_second = second.seal_feed_cursor(&scoped(), &position(2)).unwrap();
        assert_eq!(world.access.open_feed_cursor(&scoped(), "cursor", &by_second).unwrap(), position(2));
    }
}

/// The second server finds no key, and then waits until the first one has made one.
#[test]
fn a_server_whose_key_came_second_uses_the_first() {
    let world = World::new();
    let store = FaultyStore::over(&world.store);
    let second = world.server_over(store.clone());
    let first = world.server_over(world.store.clone());
    let (made, by_first) = std::sync::mpsc::channel();
    store.before_write(0, move |_| made.send(first.seal_feed_cursor(&scoped(), &position(1)).unwrap()).unwrap());
    let by_second = second.seal_feed_cursor(&scoped(), &position(1)).unwrap();
    for sealed in [by_first.try_recv().unwrap(), by_second] {
        for server in [&second, &world.access] {
            assert_eq!(server.open_feed_cursor(&scoped(), "cursor", &sealed).unwrap(), position(1));
        }
    }
}

#[test]
fn a_key_whose_commit_is_in_doubt_is_used_if_it_was_stored() {
    for (fault, stored) in [(Fault::RolledBack, false), (Fault::CommitLost, true)] {
        let world = World::new();
        let store = FaultyStore::over(&world.store);
        let access = world.server_over(store.clone());
        store.fail_write(0, fault);
        assert!(access.feed_sealer(&scoped()).is_err());
        assert_eq!(stored_key(&world).is_some(), stored);
        let sealed = access.seal_feed_cursor(&scoped(), &position(1)).unwrap();
        assert_eq!(world.access.open_feed_cursor(&scoped(), "cursor", &sealed).unwrap(), position(1));
    }
}

#[test]
fn a_cursor_survives_any_number_of_rotations() {
    let world = World::new();
    let files = Files::of(&world);
    let running = over(&world, &files);
    running.check_master_key().unwrap();
    let sealed = running.seal_feed_cursor(&scoped(), &position(42)).unwrap();
    for number in 1..=3 {
        let before = stored_key(&world);
        files.rotate();
        assert_eq!(over(&world, &files).sealed_with_previous().unwrap(), 2, "the token key and the cursor key");
        assert_eq!(over(&world, &files).reseal(&operator()).unwrap(), 2);
        assert_ne!(stored_key(&world), before, "sealed again");
        // Only the current master key is left.
        let restarted = server(&world, files.current().into());
        restarted.check_master_key().unwrap();
        assert_eq!(restarted.open_feed_cursor(&scoped(), "cursor", &sealed).unwrap(), position(42), "{number}");
        world.advance(TimeDelta::seconds(3));
        assert_eq!(running.open_feed_cursor(&scoped(), "cursor", &sealed).unwrap(), position(42), "{number}");
    }
}

#[test]
fn during_a_rotation_both_master_keys_open_the_key() {
    let world = World::new();
    let files = Files::of(&world);
    let sealed = over(&world, &files).seal_feed_cursor(&scoped(), &position(42)).unwrap();
    let running = over(&world, &files);
    files.rotate();
    // The key is not sealed again yet.
    for server in [&running, &over(&world, &files)] {
        assert_eq!(server.open_feed_cursor(&scoped(), "cursor", &sealed).unwrap(), position(42));
    }
    // A server on another machine, which has not read the cursor key.
    let elsewhere = Files::of(&world);
    let late = over(&world, &elsewhere);
    over(&world, &files).reseal(&operator()).unwrap();
    does_not_open(late.open_feed_cursor(&scoped(), "cursor", &sealed));
    elsewhere.copy(&files);
    assert_eq!(late.open_feed_cursor(&scoped(), "cursor", &sealed).unwrap(), position(42), "it reads the files again");
}

#[test]
fn without_the_right_master_key_the_error_names_the_key() {
    let world = World::new();
    let sealed = world.access.seal_feed_cursor(&scoped(), &position(42)).unwrap();
    let stored = stored_key(&world);
    // The second rotation did not seal it again.
    let files = Files::of(&world);
    files.rotate();
    files.rotate();
    for wrong in [world.server_with_another_master_key(), over(&world, &files)] {
        does_not_open(wrong.feed_sealer(&scoped()));
        does_not_open(wrong.seal_feed_cursor(&scoped(), &position(42)));
        does_not_open(wrong.open_feed_cursor(&scoped(), "cursor", &sealed));
        does_not_open(wrong.reseal(&operator()));
        does_not_open(wrong.check_master_key());
        // What is no sealed cursor needs no key.
        refused(wrong.open_feed_cursor(&scoped(), "cursor", &position(42)));
        assert_eq!(wrong.seal_feed_cursor(&caller(None), &position(42)).unwrap(), position(42));
    }
    assert_eq!(stored_key(&world), stored, "it is not replaced");
}

#[test]
fn a_running_server_keeps_its_key_when_it_cannot_read_it_again() {
    let world = World::new();
    let store = FaultyStore::over(&world.store);
    let running = world.server_over(store.clone());
    let sealed = running.seal_feed_cursor(&scoped(), &position(42)).unwrap();
    let opens = || {
        world.advance(TimeDelta::seconds(3));
        assert_eq!(running.open_feed_cursor(&scoped(), "cursor", &sealed).unwrap(), position(42));
    };
    store.fail_all(Call::Read);
    opens();
    store.restore();
    // Another machine has the new master key, this one does not yet.
    let files = Files::of(&world);
    files.rotate();
    over(&world, &files).reseal(&operator()).unwrap();
    does_not_open(world.server_over(world.store.clone()).open_feed_cursor(&scoped(), "cursor", &sealed));
    opens();
}

#[test]
fn servers_follow_the_removal_of_the_key_within_two_seconds() {
    let world = World::new();
    let second = world.server_over(world.another_store());
    let old = world.access.seal_feed_cursor(&scoped(), &position(42)).unwrap();
    second.open_feed_cursor(&scoped(), "cursor", &old).unwrap();
    world.database.execute("DELETE FROM cursor_keys");
    world.advance(TimeDelta::seconds(2));
    let new = second.seal_feed_cursor(&scoped(), &position(42)).unwrap();
    assert_ne!(new, old);
    for server in [&world.access, &second] {
        refused(server.open_feed_cursor(&scoped(), "cursor", &old));
        assert_eq!(server.open_feed_cursor(&scoped(), "cursor", &new).unwrap(), position(42));
    }
}

/// Clients keep these cursors for as long as they like. The expected text was computed in Python (hmac, hashlib, and
/// ChaCha20-Poly1305 of `cryptography`), from the formulas in the modules `sealed_cursor` and `feed_cursor`.
#[test]
fn the_sealed_text_follows_the_formula() {
    let world = World::new();
    let entropy = SystemEntropy::new();
    let master = MasterKey::from_hex(&world.master).unwrap();
    let key = master.seal(&entropy, "cursor_key:feed", &[0xcd; 32]).unwrap();
    assert!(world.store.writing(|tx| tx.insert_cursor_key(&key)).unwrap());
    assert_eq!(world.access.open_feed_cursor(&scoped(), "cursor", VECTOR).unwrap(), position(42));
}

const VECTOR: &str = "x000102030405060708090a0bab99a3e5e8a3e9d83df3846478147e3c74284d58507a1b856ab05aa5ef5ac0fc79104b1482c7986a049322c932ea3ec23c44c9f553be7a3e";
