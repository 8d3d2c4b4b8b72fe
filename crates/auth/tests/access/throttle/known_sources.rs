//! Sources from which an account logged in before, and attackers there and elsewhere.

use chrono::TimeDelta;
use trailkeeper_domain::account::Role;

use super::{Attempt, WRONG, attempt, until_throttled};
use crate::world::{EMAIL, PASSWORD, World};

#[test]
fn an_attack_from_elsewhere_does_not_delay_the_owner_at_home() {
    let world = World::new();
    world.jane(Role::Admin);
    let (home, elsewhere) = ("198.51.100.7", ["203.0.113.1", "203.0.113.2", "2001:db8::1"]);
    assert_eq!(attempt(&world.access, EMAIL, PASSWORD, home), Attempt::Succeeded);
    for _ in 0..200 {
        for source in elsewhere {
            attempt(&world.access, EMAIL, WRONG, source);
        }
        world.advance(TimeDelta::seconds(61));
    }
    assert!(
        matches!(attempt(&world.access, EMAIL, PASSWORD, "192.0.2.9"), Attempt::Throttled(_)),
        "delayed on the road"
    );
    assert_eq!(attempt(&world.access, EMAIL, PASSWORD, home), Attempt::Succeeded);
    // At home only the owner's own failures cause a delay.
    assert_eq!([(); 5].map(|()| attempt(&world.access, EMAIL, WRONG, home)), [Attempt::Refused; 5]);
    assert_eq!(attempt(&world.access, EMAIL, PASSWORD, home), Attempt::Throttled(1));
    world.advance(TimeDelta::seconds(1));
    assert_eq!(attempt(&world.access, EMAIL, PASSWORD, home), Attempt::Succeeded);
}

#[test]
fn an_attacker_at_a_shared_address_delays_only_the_names_that_he_tries() {
    let world = World::new();
    world.jane(Role::Admin);
    world.account("joe@example.com", Role::Analyst);
    let office = "198.51.100.7";
    assert_eq!(attempt(&world.access, EMAIL, PASSWORD, office), Attempt::Succeeded);
    for number in 0..25 {
        attempt(&world.access, &format!("attempt_as{number}@example.com"), WRONG, office);
    }
    assert!(
        matches!(attempt(&world.access, "joe@example.com", PASSWORD, office), Attempt::Throttled(_)),
        "this source is not known for the name"
    );
    assert_eq!(attempt(&world.access, EMAIL, PASSWORD, office), Attempt::Succeeded);
}

#[test]
fn logins_of_the_owner_give_an_attacker_elsewhere_no_further_attempts() {
    let world = World::new();
    world.jane(Role::Admin);
    let (home, elsewhere) = ("198.51.100.7", "203.0.113.1");
    assert_eq!(attempt(&world.access, EMAIL, PASSWORD, home), Attempt::Succeeded);
    let mut hashed = 0;
    for minute in 0..60_u32 {
        for _ in 0..10 {
            hashed += u32::from(attempt(&world.access, EMAIL, WRONG, elsewhere) == Attempt::Refused);
        }
        assert_eq!(attempt(&world.access, EMAIL, PASSWORD, home), Attempt::Succeeded, "minute {minute}");
        world.advance(TimeDelta::minutes(1));
    }
    // Five attempts at once, and then one after 1, 2, 4, … 900 seconds.
    assert!((12..20).contains(&hashed), "{hashed}");
    // A login from an unknown source makes that source known, and does not help the attacker either.
    world.advance(TimeDelta::minutes(15));
    assert_eq!(attempt(&world.access, EMAIL, PASSWORD, "192.0.2.9"), Attempt::Succeeded);
    assert_eq!(attempt(&world.access, EMAIL, WRONG, elsewhere), Attempt::Refused);
    assert_eq!(attempt(&world.access, EMAIL, WRONG, elsewhere), Attempt::Throttled(900));
    assert_eq!(attempt(&world.access, EMAIL, WRONG, "192.0.2.9"), Attempt::Refused);
}

#[test]
fn a_login_from_a_source_with_failures_does_not_delay_other_names_there() {
    let world = World::new();
    world.jane(Role::Admin);
    for name in ["joe@example.com", "jim@example.com"] {
        world.account(name, Role::Analyst);
    }
    let office = "198.51.100.7";
    for number in 0..20 {
        attempt(&world.access, &format!("attempt_as{number}@example.com"), WRONG, office);
    }
    assert_eq!(attempt(&world.access, EMAIL, PASSWORD, office), Attempt::Throttled(1));
    world.advance(TimeDelta::seconds(1));
    for name in [EMAIL, "joe@example.com", "jim@example.com"] {
        assert_eq!(attempt(&world.access, name, PASSWORD, office), Attempt::Succeeded, "{name}");
    }
    assert_eq!(attempt(&world.access, "user99@example.com", WRONG, office), Attempt::Refused);
    assert_eq!(attempt(&world.access, "user99@example.com", WRONG, office), Attempt::Throttled(2));
}

#[test]
fn the_last_twenty_sources_of_an_account_are_known_for_ninety_days() {
    let world = World::new();
    world.jane(Role::Admin);
    let source = |number: u32| format!("198.51.100.{number}");
    for number in 0..=20 {
        assert_eq!(attempt(&world.access, EMAIL, PASSWORD, &source(number)), Attempt::Succeeded);
        world.advance(TimeDelta::seconds(1));
    }
    until_throttled(&world, EMAIL, "203.0.113.1");
    assert!(
        matches!(attempt(&world.access, EMAIL, WRONG, &source(0)), Attempt::Throttled(_)),
        "displaced by the 21st source"
    );
    assert_eq!(attempt(&world.access, EMAIL, WRONG, &source(1)), Attempt::Refused);
    world.advance(TimeDelta::days(90));
    until_throttled(&world, EMAIL, "203.0.113.1");
    assert!(matches!(attempt(&world.access, EMAIL, WRONG, &source(20)), Attempt::Throttled(_)), "too long ago");
}
