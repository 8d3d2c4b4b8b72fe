//! The counters of names and sources, and their delays.

use chrono::TimeDelta;
use trailkeeper_auth::{Access, AccessSettings, AccountChange};
use trailkeeper_domain::Error;
use trailkeeper_domain::account::Role;

use super::{Attempt, WRONG, attempt, from};
use crate::world::{EMAIL, PASSWORD, World, new_account, operator};

#[test]
fn delays_grow_after_five_failures_and_a_success_ends_them() {
    let world = World::new();
    world.jane(Role::Admin);
    let attempt = |password| attempt(&world.access, EMAIL, password, "203.0.113.1");
    assert_eq!([(); 5].map(|()| attempt(WRONG)), [Attempt::Refused; 5]);
    let mut delays = Vec::new();
    for _ in 0..13 {
        let Attempt::Throttled(seconds) = attempt(PASSWORD) else { panic!("not throttled") };
        delays.push(seconds);
        // Still throttled a microsecond before the end.
        world.advance(TimeDelta::seconds(seconds.into()) - TimeDelta::microseconds(1));
        assert_eq!(attempt(PASSWORD), Attempt::Throttled(1));
        world.advance(TimeDelta::microseconds(1));
        assert_eq!(attempt(WRONG), Attempt::Refused);
    }
    assert_eq!(delays, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
    world.advance(TimeDelta::minutes(15));
    assert_eq!(attempt(PASSWORD), Attempt::Succeeded);
    assert_eq!([(); 5].map(|()| attempt(WRONG)), [Attempt::Refused; 5]);
    assert_eq!(attempt(WRONG), Attempt::Throttled(1));
    // A day without attempts resets the counters.
    world.advance(TimeDelta::hours(24));
    assert_eq!([(); 5].map(|()| attempt(WRONG)), [Attempt::Refused; 5]);
}

#[test]
fn unknown_names_are_answered_like_known_ones() {
    let world = World::new();
    world.jane(Role::Admin);
    let gone = world.account("gone@example.com", Role::Analyst);
    let disabled = AccountChange { disabled: Some(true), ..AccountChange::default() };
    world.access.change_account(&operator(), gone.id, disabled).unwrap();
    // Each from its own source, so that they share no counter.
    let names = [(EMAIL, "203.0.113.1"), ("gone@example.com", "203.0.113.2"), ("nobody@example.com", "203.0.113.3")];
    let mut refusals = 0;
    for step in 0..40 {
        let answers = names.map(|(name, source)| attempt(&world.access, name, WRONG, source));
        assert_eq!(answers[0], answers[1], "step {step}");
        assert_eq!(answers[0], answers[2], "step {step}");
        refusals += u32::from(answers[0] == Attempt::Refused);
        world.advance(TimeDelta::seconds(3));
    }
    assert!((7..20).contains(&refusals), "{refusals}");
}

#[test]
fn every_spelling_of_an_address_is_the_same_account_and_counter() {
    for world in World::on_both() {
        let spellings = ["Straße.ς@x.example", "STRASSE.Σ@X.EXAMPLE", "straẞe.σ@x.example"];
        let account = world.account(spellings[0], Role::Analyst);
        for spelling in spellings {
            assert_eq!(attempt(&world.access, spelling, PASSWORD, "203.0.113.1"), Attempt::Succeeded, "{spelling}");
            assert_eq!(world.access.account_with_email(spelling).unwrap().id, account.id);
            let new = new_account(spelling, Role::Analyst);
            let taken = world.access.create_account(&operator(), new).unwrap_err();
            assert!(matches!(taken, Error::Conflict(detail) if detail.code == "email_taken"));
        }
        // Each from its own source: only the address is common.
        for (number, spelling) in (1..).zip([spellings, spellings].concat()) {
            let expected = if number <= 5 { Attempt::Refused } else { Attempt::Throttled(1) };
            let source = format!("198.51.100.{number}");
            assert_eq!(attempt(&world.access, spelling, WRONG, &source), expected, "{number}");
        }
    }
}

#[test]
fn a_source_is_delayed_after_twenty_failures_with_any_names() {
    let world = World::new();
    world.jane(Role::Admin);
    let attempt_as =
        |number: u32, source: &str| attempt(&world.access, &format!("attempt_as{number}@example.com"), WRONG, source);
    for number in 0..20 {
        // The addresses of one /64 are one source.
        assert_eq!(attempt_as(number, &format!("2001:db8:1:2:{number}::1")), Attempt::Refused);
    }
    assert_eq!(attempt_as(20, "2001:db8:1:2:ffff:ffff:ffff:ffff"), Attempt::Throttled(1));
    assert_eq!(attempt(&world.access, EMAIL, PASSWORD, "2001:db8:1:2::7"), Attempt::Throttled(1));
    assert_eq!(attempt_as(20, "2001:db8:1:3::1"), Attempt::Refused, "the next /64 is another source");
    assert_eq!(attempt(&world.access, EMAIL, PASSWORD, "2001:db8:1:3::1"), Attempt::Succeeded);
}

#[test]
fn a_success_takes_back_only_the_failures_of_its_own_name_from_the_source() {
    let world = World::new();
    world.jane(Role::Admin);
    let source = "203.0.113.1";
    for round in 0..10 {
        for _ in 0..4 {
            assert_eq!(attempt(&world.access, EMAIL, WRONG, source), Attempt::Refused, "round {round}");
        }
        assert_eq!(attempt(&world.access, EMAIL, PASSWORD, source), Attempt::Succeeded, "round {round}");
    }
    // A success does not take back failures with other names.
    for number in 0..20 {
        assert_eq!(attempt(&world.access, &format!("attempt_as{number}@example.com"), WRONG, source), Attempt::Refused);
        world.access.login(EMAIL, PASSWORD, &from(source)).unwrap();
    }
    assert_eq!(attempt(&world.access, "user99@example.com", WRONG, source), Attempt::Throttled(1));
}

#[test]
fn attempts_at_the_same_instant_do_not_exceed_the_allowance() {
    for world in World::on_both() {
        world.jane(Role::Admin);
        let others: Vec<Access> = (0..8).map(|_| world.server_over(world.store.clone())).collect();
        let hashed: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = others
                .iter()
                .map(|access| {
                    scope.spawn(|| {
                        (0..6).filter(|_| attempt(access, EMAIL, WRONG, "203.0.113.1") == Attempt::Refused).count()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(hashed, 5);
    }
}

#[test]
fn servers_of_one_database_share_the_counters() {
    for world in World::on_both() {
        world.jane(Role::Admin);
        let other = world.server_over(world.another_store());
        for access in [&world.access, &other, &world.access, &other, &other] {
            assert_eq!(attempt(access, EMAIL, WRONG, "203.0.113.1"), Attempt::Refused);
        }
        assert_eq!(attempt(&world.access, EMAIL, PASSWORD, "203.0.113.1"), Attempt::Throttled(1));
        assert_eq!(attempt(&other, EMAIL, PASSWORD, "203.0.113.1"), Attempt::Throttled(1));
        world.advance(TimeDelta::seconds(1));
        assert_eq!(attempt(&other, EMAIL, PASSWORD, "203.0.113.1"), Attempt::Succeeded);
        assert_eq!([(); 5].map(|()| attempt(&world.access, EMAIL, WRONG, "203.0.113.1")), [Attempt::Refused; 5]);
    }
}

#[test]
fn only_logins_with_one_name_from_one_source_share_a_lock_key() {
    let world = World::new();
    let lock_key = |name: &str, source: &str| world.access.login_lock_key(name, &from(source)).unwrap();
    assert_eq!(lock_key(EMAIL, "2001:db8::1"), lock_key(&EMAIL.to_uppercase(), "2001:db8::2"));
    assert_ne!(lock_key(EMAIL, "203.0.113.1"), lock_key(EMAIL, "203.0.113.2"));
    assert_ne!(lock_key(EMAIL, "203.0.113.1"), lock_key("joe@example.com", "203.0.113.1"));
    let settings = AccessSettings { bcrypt_cost: 4, login_delays: false, ..AccessSettings::default() };
    assert_eq!(world.server_with_settings(settings).login_lock_key(EMAIL, &from("203.0.113.1")), None);
}
