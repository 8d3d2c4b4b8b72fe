//! Brute force: who has to wait, for how long, and who has not.

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

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Came {
    In,
    Refused,
    /// With the seconds to wait.
    Waits(u32),
}

fn came(outcome: Result<LoggedIn>) -> Came {
    match outcome {
        Ok(_) => Came::In,
        Err(Error::Unauthenticated(fault)) => {
            assert_eq!(fault.to_string(), "the user name or the password is wrong");
            Came::Refused
        }
        Err(Error::Throttled { fault, retry_after_s }) => {
            assert_eq!(fault.code, "too_many_attempts");
            assert_eq!(
                fault.detail,
                format!(
                    "there were too many attempts with a wrong name or password; try again after {retry_after_s} s"
                )
            );
            Came::Waits(retry_after_s)
        }
        Err(error) => panic!("{error}"),
    }
}

fn tries(access: &Access, name: &str, password: &str, source: &str) -> Came {
    came(access.login(name, password, &from(source)))
}

/// Tries until it has to wait; gives for how long.
fn until_blocked(world: &World, name: &str, source: &str) -> u32 {
    for _ in 0..100 {
        if let Came::Waits(seconds) = tries(&world.access, name, WRONG, source) {
            return seconds;
        }
    }
    panic!("a hundred attempts in one instant");
}

/// Whether Jane's account or its pair with an IPv4 source is counted, and whether the source is known for it.
fn kept(world: &World, source: &str) -> (bool, bool) {
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
    let tries = |password| tries(&world.access, EMAIL, password, "203.0.113.1");
    assert_eq!([(); 5].map(|()| tries(WRONG)), [Came::Refused; 5]);
    let mut delays = Vec::new();
    for _ in 0..13 {
        let Came::Waits(seconds) = tries(PASSWORD) else { panic!("it does not wait") };
        delays.push(seconds);
        // A microsecond before it is over, it is not.
        world.advance(TimeDelta::seconds(seconds.into()) - TimeDelta::microseconds(1));
        assert_eq!(tries(PASSWORD), Came::Waits(1));
        world.advance(TimeDelta::microseconds(1));
        assert_eq!(tries(WRONG), Came::Refused);
    }
    assert_eq!(delays, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
    world.advance(TimeDelta::minutes(15));
    assert_eq!(tries(PASSWORD), Came::In);
    assert_eq!([(); 5].map(|()| tries(WRONG)), [Came::Refused; 5]);
    assert_eq!(tries(WRONG), Came::Waits(1));
    // After a day of rest all is forgotten.
    world.advance(TimeDelta::hours(24));
    assert_eq!([(); 5].map(|()| tries(WRONG)), [Came::Refused; 5]);
}

#[test]
fn names_that_nobody_has_are_answered_like_names_that_somebody_has() {
    let world = World::new();
    world.jane(Role::Admin);
    let gone = world.account("gone@example.com", Role::Analyst);
    let disabled = AccountChange { disabled: Some(true), ..AccountChange::default() };
    world.access.change_account(&operator(), gone.id, disabled).unwrap();
    // Each from a source of its own, so that they do not share one's counter.
    let names = [(EMAIL, "203.0.113.1"), ("gone@example.com", "203.0.113.2"), ("nobody@example.com", "203.0.113.3")];
    let mut refusals = 0;
    for step in 0..40 {
        let answers = names.map(|(name, source)| tries(&world.access, name, WRONG, source));
        assert_eq!(answers[0], answers[1], "step {step}");
        assert_eq!(answers[0], answers[2], "step {step}");
        refusals += u32::from(answers[0] == Came::Refused);
        world.advance(TimeDelta::seconds(3));
    }
    assert!((7..20).contains(&refusals), "{refusals}");
}

#[test]
fn an_attacker_elsewhere_does_not_keep_the_owner_out_at_home() {
    let world = World::new();
    world.jane(Role::Admin);
    let (home, elsewhere) = ("198.51.100.7", ["203.0.113.1", "203.0.113.2", "2001:db8::1"]);
    assert_eq!(tries(&world.access, EMAIL, PASSWORD, home), Came::In);
    for _ in 0..200 {
        for source in elsewhere {
            tries(&world.access, EMAIL, WRONG, source);
        }
        world.advance(TimeDelta::seconds(61));
    }
    assert!(matches!(tries(&world.access, EMAIL, PASSWORD, "192.0.2.9"), Came::Waits(_)), "on the road one waits");
    assert_eq!(tries(&world.access, EMAIL, PASSWORD, home), Came::In);
    // At home one waits for one's own mistakes alone.
    assert_eq!([(); 5].map(|()| tries(&world.access, EMAIL, WRONG, home)), [Came::Refused; 5]);
    assert_eq!(tries(&world.access, EMAIL, PASSWORD, home), Came::Waits(1));
    world.advance(TimeDelta::seconds(1));
    assert_eq!(tries(&world.access, EMAIL, PASSWORD, home), Came::In);
}

#[test]
fn who_shares_an_address_delays_only_those_whose_names_he_tries() {
    let world = World::new();
    world.jane(Role::Admin);
    world.account("joe@example.com", Role::Analyst);
    let office = "198.51.100.7";
    assert_eq!(tries(&world.access, EMAIL, PASSWORD, office), Came::In);
    for number in 0..25 {
        tries(&world.access, &format!("guess{number}@example.com"), WRONG, office);
    }
    assert!(matches!(tries(&world.access, "joe@example.com", PASSWORD, office), Came::Waits(_)), "not known there");
    assert_eq!(tries(&world.access, EMAIL, PASSWORD, office), Came::In);
}

#[test]
fn one_source_is_delayed_after_twenty_failures_on_whatever_names() {
    let world = World::new();
    world.jane(Role::Admin);
    let guess = |number: u32, source: &str| tries(&world.access, &format!("guess{number}@example.com"), WRONG, source);
    for number in 0..20 {
        // The addresses of one /64 are one source.
        assert_eq!(guess(number, &format!("2001:db8:1:2:{number}::1")), Came::Refused);
    }
    assert_eq!(guess(20, "2001:db8:1:2:ffff:ffff:ffff:ffff"), Came::Waits(1));
    assert_eq!(tries(&world.access, EMAIL, PASSWORD, "2001:db8:1:2::7"), Came::Waits(1));
    assert_eq!(guess(20, "2001:db8:1:3::1"), Came::Refused, "the /64 beside it is another one");
    assert_eq!(tries(&world.access, EMAIL, PASSWORD, "2001:db8:1:3::1"), Came::In);
}

#[test]
fn a_success_takes_back_ones_own_failures_of_the_source_and_no_others() {
    let world = World::new();
    world.jane(Role::Admin);
    let source = "203.0.113.1";
    for round in 0..10 {
        for _ in 0..4 {
            assert_eq!(tries(&world.access, EMAIL, WRONG, source), Came::Refused, "round {round}");
        }
        assert_eq!(tries(&world.access, EMAIL, PASSWORD, source), Came::In, "round {round}");
    }
    // A valid account does not wash away guesses at others.
    for number in 0..20 {
        assert_eq!(tries(&world.access, &format!("guess{number}@example.com"), WRONG, source), Came::Refused);
        world.access.login(EMAIL, PASSWORD, &from(source)).unwrap();
    }
    assert_eq!(tries(&world.access, "guess99@example.com", WRONG, source), Came::Waits(1));
}

#[test]
fn who_guesses_elsewhere_gains_nothing_by_the_logins_of_the_owner() {
    let world = World::new();
    world.jane(Role::Admin);
    let (home, elsewhere) = ("198.51.100.7", "203.0.113.1");
    assert_eq!(tries(&world.access, EMAIL, PASSWORD, home), Came::In);
    let mut hashed = 0;
    for minute in 0..60_u32 {
        for _ in 0..10 {
            hashed += u32::from(tries(&world.access, EMAIL, WRONG, elsewhere) == Came::Refused);
        }
        assert_eq!(tries(&world.access, EMAIL, PASSWORD, home), Came::In, "minute {minute}");
        world.advance(TimeDelta::minutes(1));
    }
    // Five at once, and then after 1, 2, 4, … 900 seconds.
    assert!((12..20).contains(&hashed), "{hashed}");
    // Nor by a login from a source that was not known, after which that one is.
    world.advance(TimeDelta::minutes(15));
    assert_eq!(tries(&world.access, EMAIL, PASSWORD, "192.0.2.9"), Came::In);
    assert_eq!(tries(&world.access, EMAIL, WRONG, elsewhere), Came::Refused);
    assert_eq!(tries(&world.access, EMAIL, WRONG, elsewhere), Came::Waits(900));
    assert_eq!(tries(&world.access, EMAIL, WRONG, "192.0.2.9"), Came::Refused);
}

#[test]
fn who_logs_in_where_others_failed_does_not_make_newcomers_wait() {
    let world = World::new();
    world.jane(Role::Admin);
    for name in ["joe@example.com", "jim@example.com"] {
        world.account(name, Role::Analyst);
    }
    let office = "198.51.100.7";
    for number in 0..20 {
        tries(&world.access, &format!("guess{number}@example.com"), WRONG, office);
    }
    assert_eq!(tries(&world.access, EMAIL, PASSWORD, office), Came::Waits(1));
    world.advance(TimeDelta::seconds(1));
    for name in [EMAIL, "joe@example.com", "jim@example.com"] {
        assert_eq!(tries(&world.access, name, PASSWORD, office), Came::In, "{name}");
    }
    assert_eq!(tries(&world.access, "guess99@example.com", WRONG, office), Came::Refused);
    assert_eq!(tries(&world.access, "guess99@example.com", WRONG, office), Came::Waits(2));
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
                        (0..6).filter(|_| tries(access, EMAIL, WRONG, "203.0.113.1") == Came::Refused).count()
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
            assert_eq!(tries(access, EMAIL, WRONG, "203.0.113.1"), Came::Refused);
        }
        assert_eq!(tries(&world.access, EMAIL, PASSWORD, "203.0.113.1"), Came::Waits(1));
        assert_eq!(tries(&other, EMAIL, PASSWORD, "203.0.113.1"), Came::Waits(1));
        world.advance(TimeDelta::seconds(1));
        assert_eq!(tries(&other, EMAIL, PASSWORD, "203.0.113.1"), Came::In);
        assert_eq!([(); 5].map(|()| tries(&world.access, EMAIL, WRONG, "203.0.113.1")), [Came::Refused; 5]);
    }
}

#[test]
fn an_attempt_that_waits_costs_one_read_and_leaves_no_trace() {
    let world = World::new();
    world.jane(Role::Admin);
    until_blocked(&world, EMAIL, "203.0.113.1");
    let store = FaultyStore::over(&world.store);
    let access = world.server_over(store.clone());
    let trail = world.system_events().len();
    for name in [EMAIL, "JANE.DOE@example.com"] {
        assert!(matches!(tries(&access, name, PASSWORD, "203.0.113.1"), Came::Waits(_)));
        assert!(matches!(access.check_login(name, &from("203.0.113.1")), Err(Error::Throttled { .. })));
    }
    assert_eq!((store.calls(Call::Read), store.calls(Call::Write)), (4, 0));
    assert_eq!(world.system_events().len(), trail);
}

#[test]
fn the_beginning_of_a_delay_is_recorded_once() {
    let world = World::new();
    let jane = world.jane(Role::Admin);
    for name in [EMAIL, "nobody@example.com"] {
        let before = world.system_events().len();
        until_blocked(&world, name, "203.0.113.1");
        let trail = world.system_events();
        let kinds: Vec<&str> = trail[..trail.len() - before].iter().map(|event| event.kind.as_str()).collect();
        assert_eq!(kinds, [["login_blocked"].as_slice(), &["login_fail"; 5]].concat());
        let event = &trail[0];
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
fn a_source_is_known_for_ninety_days_and_twenty_of_an_account() {
    let world = World::new();
    world.jane(Role::Admin);
    let source = |number: u32| format!("198.51.100.{number}");
    for number in 0..=20 {
        assert_eq!(tries(&world.access, EMAIL, PASSWORD, &source(number)), Came::In);
        world.advance(TimeDelta::seconds(1));
    }
    until_blocked(&world, EMAIL, "203.0.113.1");
    assert!(matches!(tries(&world.access, EMAIL, WRONG, &source(0)), Came::Waits(_)), "pushed out by the 21st");
    assert_eq!(tries(&world.access, EMAIL, WRONG, &source(1)), Came::Refused);
    world.advance(TimeDelta::days(90));
    until_blocked(&world, EMAIL, "203.0.113.1");
    assert!(matches!(tries(&world.access, EMAIL, WRONG, &source(20)), Came::Waits(_)), "too long ago");
}

#[test]
fn housekeeping_forgets_what_nobody_needs_and_nothing_else() {
    let world = World::new();
    world.jane(Role::Admin);
    assert_eq!(tries(&world.access, EMAIL, PASSWORD, "198.51.100.7"), Came::In);
    until_blocked(&world, EMAIL, "203.0.113.1");
    world.access.delete_old_login_counters().unwrap();
    assert_eq!(kept(&world, "203.0.113.1"), (true, false));
    assert_eq!(kept(&world, "198.51.100.7"), (true, true));
    assert!(matches!(tries(&world.access, EMAIL, WRONG, "203.0.113.1"), Came::Waits(_)));
    assert_eq!(tries(&world.access, EMAIL, WRONG, "198.51.100.7"), Came::Refused);
    world.advance(TimeDelta::days(91));
    world.access.housekeeping().unwrap();
    assert_eq!(kept(&world, "203.0.113.1"), (false, false));
    assert_eq!(kept(&world, "198.51.100.7"), (false, false));
}

#[test]
fn where_delays_are_switched_off_nothing_is_counted() {
    let world = World::new();
    world.jane(Role::Admin);
    let settings = AccessSettings { bcrypt_cost: 4, login_delays: false, ..AccessSettings::default() };
    let access = world.server_set(settings);
    for _ in 0..30 {
        assert_eq!(tries(&access, EMAIL, WRONG, "203.0.113.1"), Came::Refused);
    }
    assert_eq!(tries(&access, EMAIL, PASSWORD, "203.0.113.1"), Came::In);
    assert_eq!(kept(&world, "203.0.113.1"), (false, false));
}

#[test]
fn whoever_has_a_session_cannot_guess_its_password_and_does_not_delay_its_owner() {
    let world = World::new();
    world.jane(Role::Admin);
    let [stolen, own] = [(); 2].map(|()| world.access.authenticate_bearer(&world.jane_logs_in().access_token).unwrap());
    let guess = || world.access.change_own_password(&stolen, WRONG, "another good password", &from("203.0.113.1"));
    for _ in 0..5 {
        assert!(matches!(guess(), Err(Error::Forbidden(_))));
    }
    assert!(matches!(guess(), Err(Error::Throttled { retry_after_s: 1, .. })));
    assert_eq!(tries(&world.access, EMAIL, PASSWORD, "192.0.2.9"), Came::In);
    // The owner's own session changes the password, which ends the other one.
    world.access.change_own_password(&own, PASSWORD, "another good password", &origin()).unwrap();
    world.advance(TimeDelta::seconds(1));
    assert!(matches!(guess(), Err(Error::Forbidden(_))));
}

#[test]
fn a_new_password_that_is_the_current_one_is_no_failure() {
    let world = World::new();
    world.jane(Role::Admin);
    let principal = world.access.authenticate_bearer(&world.jane_logs_in().access_token).unwrap();
    for same in [PASSWORD; 10].into_iter().chain(["no password of Jane's"; 10]) {
        // The same whether it is the password or not, so that nobody learns it without a trace.
        let error = world.access.change_own_password(&principal, same, same, &origin()).unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{error}");
    }
}

#[test]
fn only_logins_of_one_name_from_one_source_take_turns() {
    let world = World::new();
    let turn = |name: &str, source: &str| world.access.login_lock_key(name, &from(source)).unwrap();
    assert_eq!(turn(EMAIL, "2001:db8::1"), turn(&EMAIL.to_uppercase(), "2001:db8::2"));
    assert_ne!(turn(EMAIL, "203.0.113.1"), turn(EMAIL, "203.0.113.2"));
    assert_ne!(turn(EMAIL, "203.0.113.1"), turn("joe@example.com", "203.0.113.1"));
    let settings = AccessSettings { bcrypt_cost: 4, login_delays: false, ..AccessSettings::default() };
    assert_eq!(world.server_set(settings).login_lock_key(EMAIL, &from("203.0.113.1")), None);
}
