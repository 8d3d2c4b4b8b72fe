//! A spent token whose successor was never used: the answer was lost on the way, or a thief has the token.

use std::sync::Arc;

use chrono::TimeDelta;
use trailkeeper_auth::{Access, AccessSettings, LoggedIn, MasterKey, MasterKeyPair, MasterKeys, SystemEntropy};
use trailkeeper_domain::account::Role;
use trailkeeper_domain::event::Outcome;

use crate::world::{EMAIL, World, operator, origin, unauthenticated};

fn refreshed(access: &Access, token: &LoggedIn) -> LoggedIn {
    access.refresh(&token.refresh_token, &origin()).unwrap()
}

fn recorded(world: &World) -> (usize, usize) {
    let kinds = world.system_kinds();
    let count = |name: &str| kinds.iter().filter(|kind| *kind == name).count();
    (count("refresh_token_reissue"), count("refresh_token_reuse"))
}

/// Asserts that the session has ended because of a reuse: none of its tokens is valid.
fn is_over(world: &World, tokens: &[&LoggedIn]) {
    assert_eq!(recorded(world).1, 1);
    for token in tokens {
        unauthenticated(world.access.refresh(&token.refresh_token, &origin()));
        unauthenticated(world.access.authenticate_bearer(&token.access_token));
    }
    assert_eq!(recorded(world).1, 1, "recorded once");
}

#[test]
fn a_lost_answer_is_replaced_once() {
    for world in World::on_both() {
        let jane = world.jane(Role::Analyst);
        let first = world.jane_logs_in();
        let lost = refreshed(&world.access, &first);
        world.advance(TimeDelta::hours(1));
        let second = refreshed(&world.access, &first);
        assert_ne!(second.refresh_token, lost.refresh_token);
        assert_eq!((second.session_id, &second.account), (first.session_id, &jane));
        assert_eq!(second.refresh_expires_at, world.now() + TimeDelta::days(30), "it prolongs the session");
        world.access.authenticate_bearer(&second.access_token).unwrap();

        let event = world.system_events().remove(0);
        assert_eq!((event.kind.as_str(), event.outcome), ("refresh_token_reissue", Outcome::Unknown));
        assert_eq!(event.user_name.as_deref(), Some(EMAIL));
        assert_eq!(event.session_id, Some(first.session_id.to_string()));
        assert_eq!(event.source, Some("203.0.113.7".parse().unwrap()));

        // The session goes on from there.
        world.advance(TimeDelta::hours(1));
        let third = refreshed(&world.access, &second);
        world.access.authenticate_bearer(&third.access_token).unwrap();
        assert_eq!(recorded(&world), (1, 0));
        // The token had its second chance, and the successor was used: an end in both respects.
        unauthenticated(world.access.refresh(&first.refresh_token, &origin()));
        is_over(&world, &[&first, &lost, &second, &third]);
    }
}

#[test]
fn the_second_answer_may_be_lost_for_ten_seconds_only() {
    for world in World::on_both() {
        world.jane(Role::Analyst);
        let first = world.jane_logs_in();
        refreshed(&world.access, &first);
        world.advance(TimeDelta::days(1));
        let second = refreshed(&world.access, &first);
        // Another tab, and the same tab again after a short break: the same answer.
        for microseconds in [0, 9_999_999] {
            world.advance(TimeDelta::microseconds(microseconds));
            let again = refreshed(&world.access, &first);
            assert_eq!(again.refresh_token, second.refresh_token);
            assert_eq!(again.refresh_expires_at, second.refresh_expires_at, "a repeated refresh does not prolong it");
        }
        assert_eq!(recorded(&world), (1, 0));
        world.advance(TimeDelta::microseconds(1));
        unauthenticated(world.access.refresh(&first.refresh_token, &origin()));
        is_over(&world, &[&first, &second]);
    }
}

#[test]
fn after_a_second_answer_the_grace_period_follows_its_chain() {
    let world = World::new();
    world.jane(Role::Analyst);
    let first = world.jane_logs_in();
    refreshed(&world.access, &first);
    world.advance(TimeDelta::hours(1));
    let second = refreshed(&world.access, &first);
    world.advance(TimeDelta::seconds(3));
    let third = refreshed(&world.access, &second);
    world.advance(TimeDelta::seconds(3));
    for token in [&first, &second] {
        assert_eq!(refreshed(&world.access, token).refresh_token, third.refresh_token);
    }
    assert_eq!(recorded(&world), (1, 0));
}

#[test]
fn every_token_of_a_session_has_its_second_chance() {
    let world = World::new();
    world.jane(Role::Analyst);
    let mut held = world.jane_logs_in();
    for round in 1..=5 {
        let lost = refreshed(&world.access, &held);
        world.advance(TimeDelta::minutes(10));
        let second = refreshed(&world.access, &held);
        assert_ne!(lost.refresh_token, second.refresh_token);
        assert_eq!(recorded(&world), (round, 0));
        held = second;
    }
}

/// The thief has a spent token, and comes while its successor waits in the browser of its owner.
#[test]
fn a_thief_with_a_spent_token_is_detected_at_the_next_refresh_of_the_owner() {
    for world in World::on_both() {
        world.jane(Role::Analyst);
        let first = world.jane_logs_in();
        let owner = refreshed(&world.access, &first);
        world.advance(TimeDelta::minutes(5));
        let thief = refreshed(&world.access, &first);
        world.advance(TimeDelta::minutes(5));
        let thief_again = refreshed(&world.access, &thief);
        world.advance(TimeDelta::minutes(5));
        unauthenticated(world.access.refresh(&owner.refresh_token, &origin()));
        is_over(&world, &[&owner, &thief, &thief_again]);
    }
}

/// The same within ten seconds of the theft: a superseded token has no grace period.
#[test]
fn a_superseded_token_ends_the_session_at_once() {
    let world = World::new();
    world.jane(Role::Analyst);
    let first = world.jane_logs_in();
    let owner = refreshed(&world.access, &first);
    world.advance(TimeDelta::minutes(5));
    let thief = refreshed(&world.access, &first);
    unauthenticated(world.access.refresh(&owner.refresh_token, &origin()));
    is_over(&world, &[&owner, &thief]);
}

/// The thief uses a token before its owner does.
#[test]
fn a_thief_who_comes_first_is_detected_at_the_next_refresh_of_the_thief() {
    for world in World::on_both() {
        world.jane(Role::Analyst);
        let first = world.jane_logs_in();
        let thief = refreshed(&world.access, &first);
        world.advance(TimeDelta::minutes(5));
        let owner = refreshed(&world.access, &first);
        world.access.authenticate_bearer(&owner.access_token).unwrap();
        world.advance(TimeDelta::minutes(5));
        unauthenticated(world.access.refresh(&thief.refresh_token, &origin()));
        is_over(&world, &[&thief, &owner]);
    }
}

/// The thief has refreshed twice before the owner comes: the successor was used.
#[test]
fn a_used_successor_ends_the_session() {
    for world in World::on_both() {
        world.jane(Role::Analyst);
        let first = world.jane_logs_in();
        let thief = refreshed(&world.access, &first);
        let thief_again = refreshed(&world.access, &thief);
        world.advance(TimeDelta::seconds(10));
        unauthenticated(world.access.refresh(&first.refresh_token, &origin()));
        is_over(&world, &[&first, &thief, &thief_again]);
        assert_eq!(recorded(&world), (0, 1));
    }
}

/// Two parties who share a chain of tokens, each one step behind the other, would never be detected if a second successor
/// were the first one again.
#[test]
fn two_parties_cannot_go_on_side_by_side() {
    let world = World::new();
    world.jane(Role::Analyst);
    let stolen = world.jane_logs_in().refresh_token;
    let mut tokens = [stolen.clone(), stolen];
    let mut refreshes = 0;
    for turn in 0.. {
        world.advance(TimeDelta::hours(1));
        let party = turn % 2;
        match world.access.refresh(&tokens[party], &origin()) {
            Ok(next) => tokens[party] = next.refresh_token,
            Err(_) => break,
        }
        refreshes += 1;
    }
    assert_eq!(refreshes, 2, "each party refreshed once");
    assert_eq!(recorded(&world), (1, 1));
}

/// The master key is replaced between the two answers, and the old one is deleted.
#[test]
fn a_lost_answer_outlasts_a_rotation_of_the_master_key() {
    let world = World::new();
    world.jane(Role::Analyst);
    let first = world.jane_logs_in();
    let lost = refreshed(&world.access, &first);
    let entropy = SystemEntropy::new();
    let fresh = MasterKey::generate(&entropy).to_hex();
    let server = |previous: Option<&str>| {
        let key = |hex: &str| MasterKey::from_hex(hex).unwrap();
        let keys = MasterKeyPair { current: key(&fresh), previous: previous.map(key) };
        let settings = AccessSettings { bcrypt_cost: 4, ..AccessSettings::default() };
        let entropy = Arc::new(SystemEntropy::new());
        Access::new(world.store.clone(), world.clock.clone(), entropy, MasterKeys::fixed(keys), settings)
    };
    let rotating = server(Some(&world.master));
    rotating.reseal(&operator()).unwrap();
    let rotated = server(None);
    world.advance(TimeDelta::hours(1));
    let second = refreshed(&rotated, &first);
    assert_ne!(second.refresh_token, lost.refresh_token);
    assert_eq!(refreshed(&rotated, &first).refresh_token, second.refresh_token, "within the grace period");
    world.advance(TimeDelta::hours(1));
    let third = refreshed(&rotated, &second);
    unauthenticated(rotated.refresh(&lost.refresh_token, &origin()));
    unauthenticated(rotated.refresh(&third.refresh_token, &origin()));
    assert_eq!(recorded(&world), (1, 1));
}

#[test]
fn an_expired_token_has_no_second_chance() {
    let world = World::new();
    world.jane(Role::Analyst);
    let first = world.jane_logs_in();
    world.advance(TimeDelta::days(29));
    refreshed(&world.access, &first);
    world.advance(TimeDelta::days(1));
    unauthenticated(world.access.refresh(&first.refresh_token, &origin()));
    assert_eq!(recorded(&world).0, 0);
}
