//! Protection against brute force: which attempts are delayed, and for how long.

use chrono::TimeDelta;
use ring::digest::{SHA256, digest};
use trailkeeper_auth::{Access, AccessSettings, AccountChange, LoggedIn, Origin};
use trailkeeper_domain::account::Role;
use trailkeeper_domain::{Error, Result};
use trailkeeper_testkit::{Call, FaultyStore};

use crate::world::{EMAIL, PASSWORD, World, operator, origin};

const WRONG: &str = "wrong password";

pub fn from(source: &str) -> Origin {
    Origin { source: Some(source.parse().unwrap()), user_agent: None, trace_id: None }
}

/// The outcome of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attempt {
    Succeeded,
    Refused,
    /// Delayed for this many seconds.
    Throttled(u32),
}

fn outcome_of(outcome: Result<LoggedIn>) -> Attempt {
    match outcome {
        Ok(_) => Attempt::Succeeded,
        Err(Error::Unauthenticated(fault)) => {
            assert_eq!(fault.to_string(), "the user name or the password is wrong");
            Attempt::Refused
        }
        Err(Error::Throttled { detail: fault, retry_after_s }) => {
            assert_eq!(fault.code, "too_many_attempts");
            assert_eq!(
                fault.detail,
                format!(
                    "there were too many attempts with a wrong name or password; try again after {retry_after_s} s"
                )
            );
            Attempt::Throttled(retry_after_s)
        }
        Err(error) => panic!("{error}"),
    }
}

fn attempt(access: &Access, name: &str, password: &str, source: &str) -> Attempt {
    outcome_of(access.login(name, password, &from(source)))
}

/// Repeats failing attempts until one is throttled; returns its delay in seconds.
fn until_throttled(world: &World, name: &str, source: &str) -> u32 {
    for _ in 0..100 {
        if let Attempt::Throttled(seconds) = attempt(&world.access, name, WRONG, source) {
            return seconds;
        }
    }
    panic!("a hundred attempts in one instant");
}

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
        let metadata = event.metadata.as_ref().unwrap();
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

#[test]
fn attempts_in_a_stolen_session_are_throttled_without_delaying_the_owner() {
    let world = World::new();
    world.jane(Role::Admin);
    let [stolen, own] = [(); 2].map(|()| world.access.authenticate_bearer(&world.jane_logs_in().access_token).unwrap());
    let attempt_as = || world.access.change_own_password(&stolen, WRONG, "another good password", &from("203.0.113.1"));
    for _ in 0..5 {
        assert!(matches!(attempt_as(), Err(Error::Forbidden(_))));
    }
    assert!(matches!(attempt_as(), Err(Error::Throttled { retry_after_s: 1, .. })));
    assert_eq!(attempt(&world.access, EMAIL, PASSWORD, "192.0.2.9"), Attempt::Succeeded);
    // The owner changes the password in another session, which ends the stolen one.
    world.access.change_own_password(&own, PASSWORD, "another good password", &origin()).unwrap();
    world.advance(TimeDelta::seconds(1));
    assert!(matches!(attempt_as(), Err(Error::Forbidden(_))));
}

#[test]
fn a_new_password_equal_to_the_given_current_one_is_no_failure() {
    let world = World::new();
    world.jane(Role::Admin);
    let principal = world.access.authenticate_bearer(&world.jane_logs_in().access_token).unwrap();
    for same in [PASSWORD; 10].into_iter().chain(["no password of Jane's"; 10]) {
        // The same error whether it is the password or not: otherwise this would test passwords without an event.
        let error = world.access.change_own_password(&principal, same, same, &origin()).unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{error}");
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
