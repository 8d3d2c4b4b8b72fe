//! Costs, events and stored counters of attempts.

use chrono::TimeDelta;
use ring::digest::{SHA256, digest};
use trailkeeper_auth::AccessSettings;
use trailkeeper_domain::Error;
use trailkeeper_domain::account::Role;
use trailkeeper_testkit::{Call, FaultyStore, metadata_of};

use super::{Attempt, WRONG, attempt, from, until_throttled};
use crate::world::{EMAIL, PASSWORD, World};

/// Whether a counter of Jane's account or of its pair with this IPv4 source is stored, and whether the source is known.
fn stored_for(world: &World, source: &str) -> (bool, bool) {
    let hash = |text: &[u8]| <[u8; 32]>::try_from(digest(&SHA256, text).as_ref()).unwrap();
    let account = hash(format!("login\0{}", EMAIL.to_lowercase()).as_bytes());
    let pair = hash(&[b"pair\0", account.as_slice(), source.as_bytes()].concat());
    let address = source.parse().unwrap();
    world
        .store
        .reading(|tx| {
            let counted = tx.login_counters(&[account, pair])?.iter().any(Option::is_some);
            Ok((counted, tx.known_source(&account, address)?.is_some()))
        })
        .unwrap()
}

#[test]
fn a_throttled_attempt_costs_one_read_and_leaves_no_event() {
    let world = World::new();
    world.jane(Role::Admin);
    until_throttled(&world, EMAIL, "203.0.113.1");
    let store = FaultyStore::over(&world.store);
    let access = world.server_over(store.clone());
    let events = world.system_events().len();
    for name in [EMAIL, "JANE.DOE@example.com"] {
        assert!(matches!(attempt(&access, name, PASSWORD, "203.0.113.1"), Attempt::Throttled(_)));
        assert!(matches!(access.check_login(name, &from("203.0.113.1")), Err(Error::Throttled { .. })));
    }
    assert_eq!((store.calls(Call::Read), store.calls(Call::Write)), (4, 0));
    assert_eq!(world.system_events().len(), events);
}

#[test]
fn the_beginning_of_a_delay_is_recorded_once() {
    let world = World::new();
    let jane = world.jane(Role::Admin);
    for name in [EMAIL, "nobody@example.com"] {
        let before = world.system_events().len();
        until_throttled(&world, name, "203.0.113.1");
        let events = world.system_events();
        let kinds: Vec<&str> = events[..events.len() - before].iter().map(|event| event.kind.as_str()).collect();
        assert_eq!(kinds, [["login_blocked"].as_slice(), &["login_fail"; 5]].concat());
        let event = &events[0];
        assert_eq!(event.source, Some("203.0.113.1".parse().unwrap()));
        let metadata = metadata_of(event).unwrap();
        assert_eq!(
            (&metadata["delayed"], &metadata["failures"], &metadata["seconds"]),
            (&"account".into(), &5.into(), &1.into())
        );
        if name == EMAIL {
            assert_eq!(event.user_id.as_ref().unwrap().as_str(), jane.id.to_string());
        } else {
            assert_eq!((event.user_name.as_deref(), &metadata["typed_name"]), (Some("UNKNOWN USER"), &name.into()));
        }
    }
}

#[test]
fn housekeeping_deletes_only_counters_without_effect() {
    let world = World::new();
    world.jane(Role::Admin);
    assert_eq!(attempt(&world.access, EMAIL, PASSWORD, "198.51.100.7"), Attempt::Succeeded);
    until_throttled(&world, EMAIL, "203.0.113.1");
    world.access.delete_old_login_counters().unwrap();
    assert_eq!(stored_for(&world, "203.0.113.1"), (true, false));
    assert_eq!(stored_for(&world, "198.51.100.7"), (true, true));
    assert!(matches!(attempt(&world.access, EMAIL, WRONG, "203.0.113.1"), Attempt::Throttled(_)));
    assert_eq!(attempt(&world.access, EMAIL, WRONG, "198.51.100.7"), Attempt::Refused);
    world.advance(TimeDelta::days(91));
    world.access.housekeeping().unwrap();
    assert_eq!(stored_for(&world, "203.0.113.1"), (false, false));
    assert_eq!(stored_for(&world, "198.51.100.7"), (false, false));
}

#[test]
fn nothing_is_counted_while_delays_are_switched_off() {
    let world = World::new();
    world.jane(Role::Admin);
    let settings = AccessSettings { bcrypt_cost: 4, login_delays: false, ..AccessSettings::default() };
    let access = world.server_with_settings(settings);
    for _ in 0..30 {
        assert_eq!(attempt(&access, EMAIL, WRONG, "203.0.113.1"), Attempt::Refused);
    }
    assert_eq!(attempt(&access, EMAIL, PASSWORD, "203.0.113.1"), Attempt::Succeeded);
    assert_eq!(stored_for(&world, "203.0.113.1"), (false, false));
}
