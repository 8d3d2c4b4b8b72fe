//! The grace period of spent refresh tokens: tabs that refresh at the same moment, and reuse after it.

use chrono::TimeDelta;
use trailkeeper_auth::{Access, AccessSettings, LoggedIn, MasterKey, MasterKeyPair, MasterKeys, SystemEntropy};
use trailkeeper_domain::account::Role;
use trailkeeper_domain::id::SessionId;

use crate::world::{EMAIL, PASSWORD, World, operator, origin, unauthenticated};

fn refreshed(access: &Access, token: &str) -> LoggedIn {
    access.refresh(token, &origin()).unwrap()
}

fn session_of(world: &World, login: &LoggedIn) -> SessionId {
    world.access.authenticate_bearer(&login.access_token).unwrap().session_id.unwrap()
}

fn reuses(world: &World) -> usize {
    world.system_kinds().iter().filter(|kind| *kind == "refresh_token_reuse").count()
}

#[test]
fn a_spent_token_gets_the_same_successor_for_ten_seconds() {
    let world = World::new();
    world.jane(Role::Analyst);
    let other_server = world.server_over(world.store.clone());
    let first = world.jane_logs_in();
    let second = refreshed(&world.access, &first.refresh_token);
    for (server, microseconds) in [(&world.access, 0), (&other_server, 5_000_000), (&world.access, 4_999_999)] {
        world.advance(TimeDelta::microseconds(microseconds));
        let again = refreshed(server, &first.refresh_token);
        assert_eq!(again.refresh_token, second.refresh_token);
        assert_eq!(again.refresh_expires_at, second.refresh_expires_at, "a repeated refresh does not prolong it");
        server.authenticate_bearer(&again.access_token).unwrap();
    }
    assert_eq!(reuses(&world), 0);
    let third = refreshed(&other_server, &second.refresh_token);
    world.advance(TimeDelta::microseconds(1));
    unauthenticated(world.access.refresh(&first.refresh_token, &origin()));
    unauthenticated(world.access.authenticate_bearer(&second.access_token));
    // All tokens of the session are refused from now on, also those that were spent less than ten seconds ago or never.
    for token in [&first.refresh_token, &second.refresh_token, &third.refresh_token] {
        unauthenticated(world.access.refresh(token, &origin()));
    }
    assert_eq!(reuses(&world), 1, "recorded once");
}

#[test]
fn within_the_grace_period_a_spent_token_gets_the_end_of_its_chain() {
    let world = World::new();
    world.jane(Role::Analyst);
    let mut chain = vec![world.jane_logs_in().refresh_token];
    for _ in 0..3 {
        world.advance(TimeDelta::seconds(3));
        chain.push(refreshed(&world.access, chain.last().unwrap()).refresh_token);
    }
    // T0 was spent six seconds ago, T2 now; T3 is not spent yet.
    for token in &chain[..3] {
        assert_eq!(refreshed(&world.access, token).refresh_token, chain[3]);
    }
    world.advance(TimeDelta::seconds(4));
    unauthenticated(world.access.refresh(&chain[0], &origin()));
    assert_eq!(reuses(&world), 1);
    for token in &chain {
        unauthenticated(world.access.refresh(token, &origin()));
    }
}

#[test]
fn a_chain_that_is_too_long_is_refused_without_ending_the_session() {
    let world = World::new();
    world.jane(Role::Analyst);
    let first = world.jane_logs_in();
    let mut last = first.refresh_token.clone();
    for _ in 0..60 {
        last = refreshed(&world.access, &last).refresh_token;
    }
    unauthenticated(world.access.refresh(&first.refresh_token, &origin()));
    assert_eq!(reuses(&world), 0);
    refreshed(&world.access, &last);
}

#[test]
fn an_ended_session_gives_no_successor() {
    let world = World::new();
    world.jane(Role::Analyst);
    world.account("other@example.com", Role::Admin);
    for end in ["logout", "disabled", "expired"] {
        let first = world.jane_logs_in();
        let second = refreshed(&world.access, &first.refresh_token);
        match end {
            "logout" => world.access.end_session(&operator(), session_of(&world, &second)).unwrap(),
            "disabled" => world.access.set_disabled(&operator(), EMAIL, true).unwrap(),
            _ => world.advance(TimeDelta::days(30)),
        }
        for token in [&first.refresh_token, &second.refresh_token] {
            unauthenticated(world.access.refresh(token, &origin()));
        }
        unauthenticated(world.access.authenticate_bearer(&second.access_token));
        if end == "disabled" {
            world.access.set_disabled(&operator(), EMAIL, false).unwrap();
        }
    }
    assert_eq!(reuses(&world), 0);
}

#[test]
fn each_refresh_prolongs_the_session() {
    let world = World::new();
    world.jane(Role::Analyst);
    let first = world.jane_logs_in();
    let id = session_of(&world, &first);
    let session = || world.store.reading(|tx| tx.session(id)).unwrap().unwrap();
    assert_eq!((session().refreshed_at, session().expires_at), (world.now(), first.refresh_expires_at));
    world.advance(TimeDelta::days(3));
    let second = refreshed(&world.access, &first.refresh_token);
    let prolonged = session();
    assert_eq!((prolonged.refreshed_at, prolonged.expires_at), (world.now(), world.now() + TimeDelta::days(30)));
    assert_eq!(second.refresh_expires_at, prolonged.expires_at);
    world.advance(TimeDelta::seconds(1));
    refreshed(&world.access, &first.refresh_token);
    assert_eq!(session(), prolonged, "a repeated refresh does not prolong it");
}

/// A spent token and the database do not suffice to compute its successor; the master key is needed too.
#[test]
fn successors_cannot_be_computed_without_the_master_key() {
    let world = World::new();
    world.jane(Role::Analyst);
    let first = world.jane_logs_in();
    let second = refreshed(&world.access, &first.refresh_token);
    let server = world.server_with_another_master_key();
    // It cannot sign either; this test is about the session, which it must not end.
    assert!(server.refresh(&first.refresh_token, &origin()).is_err());
    let found = world.bytes_on_disk();
    for token in [&first.refresh_token, &second.refresh_token] {
        assert!(!found.windows(token.len()).any(|window| window == token.as_bytes()));
    }
    refreshed(&world.access, &second.refresh_token);
}

#[test]
fn the_grace_period_outlasts_a_rotation_of_the_master_key() {
    let world = World::new();
    world.jane(Role::Analyst);
    let first = world.jane_logs_in();
    let second = refreshed(&world.access, &first.refresh_token);
    let entropy = SystemEntropy::new();
    let keys = MasterKeyPair {
        current: MasterKey::generate(&entropy),
        previous: Some(MasterKey::from_hex(&world.master).unwrap()),
    };
    let settings = AccessSettings { bcrypt_cost: 4, ..AccessSettings::default() };
    let rotated = Access::new(
        world.store.clone(),
        world.clock.clone(),
        std::sync::Arc::new(entropy),
        MasterKeys::fixed(keys),
        settings,
    );
    assert_eq!(refreshed(&rotated, &first.refresh_token).refresh_token, second.refresh_token);
    let third = refreshed(&rotated, &second.refresh_token);
    assert_eq!(
        refreshed(&rotated, &first.refresh_token).refresh_token,
        third.refresh_token,
        "each key computes one successor of the chain"
    );
    rotated.login(EMAIL, PASSWORD, &origin()).unwrap();
}

/// A token that was spent long ago must not get its successor again because a clock was set back.
#[test]
fn a_clock_that_is_behind_prolongs_the_grace_period_by_a_minute_at_most() {
    for (behind, given) in [(TimeDelta::seconds(60), true), (TimeDelta::microseconds(60_000_001), false)] {
        let world = World::new();
        world.jane(Role::Analyst);
        let first = world.jane_logs_in();
        world.advance(TimeDelta::hours(1));
        let second = refreshed(&world.access, &first.refresh_token);
        let third = refreshed(&world.access, &second.refresh_token);
        world.advance(-behind);
        match world.access.refresh(&first.refresh_token, &origin()) {
            Ok(again) if given => assert_eq!(again.refresh_token, third.refresh_token),
            Err(_) if !given => assert_eq!(reuses(&world), 1),
            other => panic!("{behind}: {other:?}"),
        }
    }
}
