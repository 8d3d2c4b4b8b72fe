//! Rotation of token keys across the servers of one database.

use chrono::TimeDelta;
use trailkeeper_auth::{Access, OldKeys, jwt};
use trailkeeper_domain::Error;
use trailkeeper_domain::account::{Role, TokenKey};
use trailkeeper_testkit::{Call, FaultyStore, metadata_of};

use crate::keys::{foreign_token, key_pairs};
use crate::world::{EMAIL, PASSWORD, World, operator, origin, unauthenticated};

fn kid(token: &str) -> String {
    jwt::kid_of(token).unwrap()
}

fn login(access: &Access) -> String {
    access.login(EMAIL, PASSWORD, &origin()).unwrap().access_token
}

#[test]
fn a_rotation_takes_effect_on_every_server_within_five_seconds_and_refuses_no_token() {
    let world = World::new();
    world.jane(Role::Analyst);
    let other = world.server_over(world.store.clone());
    let servers = [&world.access, &other];
    let old = servers.map(login);
    world.advance(TimeDelta::hours(1));
    // Both have just read the keys, so neither must read them when the new key is there.
    for (server, token) in servers.iter().zip(&old) {
        server.authenticate_bearer(token).unwrap();
    }
    let rotated = world.access.rotate_token_key(&operator(), OldKeys::Keep).unwrap();
    assert_eq!(rotated.revoked, Vec::<String>::new());
    let mut tokens = Vec::from(old);
    for _ in 0..6 {
        for server in servers {
            tokens.push(login(server));
            for token in &tokens {
                for server in servers {
                    server.authenticate_bearer(token).unwrap();
                }
            }
        }
        world.advance(TimeDelta::seconds(1));
    }
    for server in servers {
        assert_eq!(kid(&login(server)), rotated.kid, "it signs on every server now");
    }
    let event = world.system_events().into_iter().find(|event| event.kind.as_str() == "token_key_rotate").unwrap();
    assert_eq!(event.target.as_ref().unwrap().id, Some(rotated.kid));
    assert_eq!(event.user_name.as_deref(), Some("command line"));
    assert_eq!(metadata_of(&event), Some(serde_json::json!({"revoked": []})));
}

#[test]
fn revoked_keys_stop_working_within_five_seconds_on_every_server_and_refreshes_go_on() {
    let world = World::new();
    world.jane(Role::Analyst);
    let other = world.server_over(world.store.clone());
    let before = world.jane_logs_in();
    for server in [&world.access, &other] {
        server.authenticate_bearer(&before.access_token).unwrap();
    }
    let old = kid(&before.access_token);
    let rotated = world.access.rotate_token_key(&operator(), OldKeys::Revoke).unwrap();
    assert_eq!(rotated.revoked, [old]);
    // The server that did it knows at once, the other one within two seconds.
    unauthenticated(world.access.authenticate_bearer(&before.access_token));
    world.advance(TimeDelta::milliseconds(1_800));
    unauthenticated(other.authenticate_bearer(&before.access_token));
    let after = other.refresh(&before.refresh_token, &origin()).unwrap();
    assert_eq!(kid(&after.access_token), rotated.kid, "there is no older key to wait for");
    for server in [&world.access, &other] {
        server.authenticate_bearer(&after.access_token).unwrap();
    }
    let event = world.system_events().into_iter().find(|event| event.kind.as_str() == "token_key_rotate").unwrap();
    assert_eq!(metadata_of(&event), Some(serde_json::json!({"revoked": rotated.revoked})));
}

/// Another server revokes all keys and makes a new one. A flood of unknown key ids must not hide the new key for longer
/// than a second.
#[test]
fn a_flood_of_unknown_key_ids_hides_no_new_key() {
    let world = World::new();
    world.jane(Role::Analyst);
    let other = world.server_over(world.store.clone());
    other.authenticate_bearer(&login(&world.access)).unwrap();
    unauthenticated(other.authenticate_bearer(&foreign_token(&world).0));
    world.access.rotate_token_key(&operator(), OldKeys::Revoke).unwrap();
    let fresh = login(&world.access);
    world.advance(TimeDelta::seconds(1));
    other.authenticate_bearer(&fresh).unwrap();
}

#[test]
fn a_replaced_key_verifies_until_its_last_token_has_expired_and_no_longer() {
    let world = World::new();
    world.jane(Role::Analyst);
    let first = login(&world.access);
    world.advance(TimeDelta::seconds(10));
    world.access.rotate_token_key(&operator(), OldKeys::Keep).unwrap();
    let listed = world.access.token_keys().unwrap();
    assert_eq!(listed.iter().map(|key| key.signs).collect::<Vec<_>>(), [false, true], "the new one waits 5 s");
    let made = listed[0].created_at;
    assert_eq!(listed[0].verifies_until, None);
    assert_eq!(listed[1].verifies_until, Some(made + TimeDelta::minutes(130)));
    assert_eq!(listed[1].kid, kid(&first));
    let published = || world.access.jwks().unwrap().keys.iter().map(|key| key.kid.clone()).collect::<Vec<_>>();
    assert_eq!(published(), [listed[0].kid.clone(), listed[1].kid.clone()]);
    world.advance(TimeDelta::seconds(5));
    assert_eq!(world.access.token_keys().unwrap().iter().map(|key| key.signs).collect::<Vec<_>>(), [true, false]);

    // A token with a longer lifetime than ours, signed with the old key, for example by a thief of that key.
    let old = key_pairs(&world).into_iter().find(|pair| pair.kid() == listed[1].kid).unwrap();
    let about = jwt::verify(&first, &old, "trailkeeper", world.now()).unwrap();
    let claims = jwt::Claims::new(
        world.clock.as_ref(),
        &trailkeeper_auth::SystemEntropy::new(),
        "trailkeeper",
        about,
        world.now() + TimeDelta::days(1),
    );
    let stolen = jwt::issue(&old, &claims).unwrap();
    world.advance(TimeDelta::minutes(130) - TimeDelta::seconds(6));
    world.access.authenticate_bearer(&stolen).unwrap();
    world.advance(TimeDelta::seconds(1));
    unauthenticated(world.access.authenticate_bearer(&stolen));
    assert_eq!(published(), [listed[0].kid.clone()]);
}

#[test]
fn a_new_key_of_a_server_whose_clock_is_behind_is_still_the_newest() {
    let world = World::new();
    world.jane(Role::Analyst);
    login(&world.access);
    world.advance(TimeDelta::minutes(-3));
    let rotated = world.access.rotate_token_key(&operator(), OldKeys::Keep).unwrap();
    assert_eq!(world.access.token_keys().unwrap()[0].kid, rotated.kid);
    world.advance(TimeDelta::minutes(3) + TimeDelta::seconds(6));
    assert_eq!(kid(&login(&world.access)), rotated.kid);
}

#[test]
fn busy_servers_read_the_keys_every_second_and_idle_ones_not_at_all() {
    let world = World::new();
    world.jane(Role::Analyst);
    let token = login(&world.access);
    let store = FaultyStore::over(&world.store);
    let access = world.server_over(store.clone());
    access.authenticate_bearer(&token).unwrap();
    let reads = || store.calls(Call::Read);
    for (wait, expected) in [(0, 1), (999, 1), (1, 2), (0, 1), (1_799, 2), (3_600_000, 2)] {
        world.advance(TimeDelta::milliseconds(wait));
        let before = reads();
        access.authenticate_bearer(&token).unwrap();
        assert_eq!(reads() - before, expected, "after {wait} ms: the account's session, and perhaps the keys");
    }
}

/// A snapshot that is younger than 1.8 s may be used while the database is unreachable; the keys of an older one may
/// have been revoked.
#[test]
fn keys_that_cannot_be_read_again_are_used_for_less_than_two_seconds() {
    let world = World::new();
    world.jane(Role::Analyst);
    login(&world.access);
    let store = FaultyStore::over(&world.store);
    let access = world.server_over(store.clone());
    let before = access.jwks().unwrap();
    store.fail_all(Call::Read);
    world.advance(TimeDelta::milliseconds(1_799));
    assert_eq!(access.jwks().unwrap(), before);
    world.advance(TimeDelta::milliseconds(1));
    assert!(matches!(access.jwks().unwrap_err(), Error::Unavailable { .. }));
}

#[test]
fn one_damaged_key_does_not_invalidate_the_tokens_of_others() {
    let world = World::new();
    world.jane(Role::Analyst);
    let good = login(&world.access);
    let (bad, pair) = foreign_token(&world);
    let row = TokenKey {
        kid: pair.kid().to_owned(),
        sealed_private: vec![1; 77],
        public: pair.public().to_vec(),
        created_at: world.now() - TimeDelta::minutes(1),
    };
    world.store.writing(|tx| tx.insert_token_key(&row)).unwrap();
    let access = world.server_over(world.store.clone());
    access.authenticate_bearer(&good).unwrap();
    assert!(matches!(access.authenticate_bearer(&bad).unwrap_err(), Error::Internal { .. }));
    assert_eq!(access.jwks().unwrap().keys.len(), 1, "a key that does not open is not published");
    assert!(access.check_master_key().is_err(), "and fails the check at start");
}

/// Access tokens of a disabled account or an ended session must stop working within 2 s on every server. They do so at once,
/// because account and session are looked up at each request.
#[test]
fn disabled_accounts_and_ended_sessions_are_refused_at_once_on_every_server() {
    let world = World::new();
    world.jane(Role::Analyst);
    world.account("other@example.com", Role::Admin);
    let other = world.server_over(world.store.clone());
    let servers = [&world.access, &other];
    for end in ["session", "disabled"] {
        let logged_in = world.jane_logs_in();
        for server in servers {
            server.authenticate_bearer(&logged_in.access_token).unwrap();
        }
        let session = other.authenticate_bearer(&logged_in.access_token).unwrap().session_id.unwrap();
        match end {
            "session" => world.access.end_session(&operator(), session).unwrap(),
            _ => world.access.set_disabled(&operator(), EMAIL, true).unwrap(),
        }
        for server in servers {
            unauthenticated(server.authenticate_bearer(&logged_in.access_token));
            unauthenticated(server.refresh(&logged_in.refresh_token, &origin()));
        }
    }
}

/// A server whose clock was a year ahead made a key. It signs in a year, and until then no newer key can be made.
#[test]
fn revoking_all_keys_removes_one_with_a_time_far_ahead() {
    let world = World::new();
    world.jane(Role::Analyst);
    login(&world.access);
    world.advance(TimeDelta::days(365));
    world.access.rotate_token_key(&operator(), OldKeys::Keep).unwrap();
    world.advance(TimeDelta::days(-365));
    let rotated = world.access.rotate_token_key(&operator(), OldKeys::Revoke).unwrap();
    let listed = world.access.token_keys().unwrap();
    assert_eq!(listed.iter().map(|key| key.created_at).collect::<Vec<_>>(), [world.now()]);
    assert_eq!(kid(&login(&world.access)), rotated.kid);
    world.advance(TimeDelta::days(30));
    assert!(world.access.housekeeping().unwrap().new_token_key.is_some());
    world.advance(TimeDelta::seconds(5));
    assert_ne!(kid(&login(&world.access)), rotated.kid);
}
