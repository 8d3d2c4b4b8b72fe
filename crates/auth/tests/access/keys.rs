//! Token keys across the servers of one database.

use chrono::TimeDelta;
use trailkeeper_auth::jwt::{self, AUDIENCE, Claims, KeyPair};
use trailkeeper_auth::{MasterKey, MasterKeys, SystemEntropy};
use trailkeeper_domain::Error;
use trailkeeper_domain::account::{Account, Role, TokenKey};
use trailkeeper_domain::id::{AccountId, SessionId};
use trailkeeper_testkit::{Call, FaultyStore};
use uuid::Uuid;

use crate::world::{EMAIL, PASSWORD, World, origin, unauthenticated};

#[test]
fn all_servers_of_a_database_share_one_key() {
    let world = World::new();
    world.jane(Role::Analyst);
    let second = world.server_over(world.store.clone());
    let by_first = world.jane_logs_in();
    let by_second = second.login(EMAIL, PASSWORD, &origin()).unwrap();
    assert_eq!(jwt::kid_of(&by_first.access_token), jwt::kid_of(&by_second.access_token));
    assert_eq!(world.store.reading(|tx| tx.token_keys()).unwrap().len(), 1);
    second.authenticate_bearer(&by_first.access_token).unwrap();
    world.access.authenticate_bearer(&by_second.access_token).unwrap();
    // A server that has just started and has signed nothing yet.
    world.server_over(world.store.clone()).authenticate_bearer(&by_first.access_token).unwrap();
}

#[test]
fn invalid_tokens_cost_no_query_beyond_one_per_snapshot_of_the_keys() {
    let world = World::new();
    world.jane(Role::Analyst);
    let logged_in = world.jane_logs_in();
    let store = FaultyStore::over(&world.store);
    let access = world.server_over(store.clone());
    access.authenticate_bearer(&logged_in.access_token).unwrap();
    let reads = store.calls(Call::Read);
    for _ in 0..200 {
        unauthenticated(access.authenticate_bearer(&foreign_token(&world).0));
        unauthenticated(access.authenticate_bearer("junk"));
        unauthenticated(access.authenticate_bearer("tk_junk"));
        unauthenticated(access.refresh("rt_junk", &origin()));
    }
    assert_eq!(store.calls(Call::Read), reads);
    world.advance(TimeDelta::seconds(5));
    unauthenticated(access.authenticate_bearer(&foreign_token(&world).0));
    unauthenticated(access.authenticate_bearer(&foreign_token(&world).0));
    assert_eq!(store.calls(Call::Read), reads + 1);
}

/// A token with the present time and a real session, signed with a foreign key.
pub fn foreign_token(world: &World) -> (String, KeyPair) {
    let pair = KeyPair::generate(&SystemEntropy::new()).unwrap();
    let now = world.now().timestamp();
    let claims = Claims {
        iss: "trailkeeper".to_owned(),
        aud: AUDIENCE.to_owned(),
        sub: "00000000-0000-0000-0000-00000000000a".to_owned(),
        sid: "00000000-0000-0000-0000-00000000000b".to_owned(),
        jti: "j".to_owned(),
        iat: now,
        nbf: now,
        exp: now + 60,
    };
    (jwt::issue(&pair, &claims).unwrap(), pair)
}

/// The key pairs in the database, opened as a server does.
pub fn key_pairs(world: &World) -> Vec<KeyPair> {
    let master = MasterKeys::from(MasterKey::from_hex(&world.master).unwrap());
    let rows = world.store.reading(|tx| tx.token_keys()).unwrap();
    rows.iter().map(|row| KeyPair::open(&master, row).unwrap()).collect()
}

/// A valid token for this account and session, signed with this key.
pub fn token_for(world: &World, pair: &KeyPair, about: (AccountId, SessionId)) -> String {
    let end = world.now() + TimeDelta::hours(1);
    let claims = Claims::new(world.clock.as_ref(), &SystemEntropy::new(), "trailkeeper", about, end);
    jwt::issue(pair, &claims).unwrap()
}

#[test]
fn a_key_that_another_server_has_made_meanwhile_is_found() {
    let world = World::new();
    let jane = world.jane(Role::Analyst);
    let logged_in = world.jane_logs_in();
    world.access.authenticate_bearer(&logged_in.access_token).unwrap();
    let about = jwt::verify(&logged_in.access_token, &key_pairs(&world)[0], "trailkeeper", world.now()).unwrap();

    let fresh = KeyPair::generate(&SystemEntropy::new()).unwrap();
    let master = MasterKeys::from(MasterKey::from_hex(&world.master).unwrap());
    let row = fresh.seal(&master, &SystemEntropy::new(), world.now()).unwrap();
    world.store.writing(|tx| tx.insert_token_key(&row)).unwrap();
    let principal = world.access.authenticate_bearer(&token_for(&world, &fresh, about)).unwrap();
    assert_eq!(principal.name, jane.email);
    // Tokens of the old key are still valid.
    world.access.authenticate_bearer(&logged_in.access_token).unwrap();
}

#[test]
fn a_token_with_our_signature_needs_a_live_session_and_account() {
    let world = World::new();
    let jane = world.jane(Role::Analyst);
    let other = world.account("other@example.com", Role::Admin);
    let logged_in = world.jane_logs_in();
    let pair = key_pairs(&world).remove(0);
    let (account, session) = jwt::verify(&logged_in.access_token, &pair, "trailkeeper", world.now()).unwrap();
    assert_eq!(account, jane.id);
    let nobody = Uuid::from_u128(1);
    for about in [(other.id, session), (AccountId(nobody), session), (account, SessionId(nobody))] {
        unauthenticated(world.access.authenticate_bearer(&token_for(&world, &pair, about)));
    }
    world.access.authenticate_bearer(&token_for(&world, &pair, (account, session))).unwrap();
    // Disabled directly in the store: `set_disabled` would also have ended the session.
    let disabled = Account { disabled_at: Some(world.now()), ..jane };
    assert!(world.store.writing(|tx| tx.update_account(&disabled)).unwrap());
    unauthenticated(world.access.authenticate_bearer(&logged_in.access_token));
}

#[test]
fn a_key_row_that_was_written_without_the_master_key_is_refused() {
    let world = World::new();
    world.jane(Role::Analyst);
    let (token, pair) = foreign_token(&world);
    let forged = TokenKey {
        kid: pair.kid().to_owned(),
        sealed_private: vec![1; 77],
        public: pair.public().to_vec(),
        created_at: world.now(),
    };
    world.store.writing(|tx| tx.insert_token_key(&forged)).unwrap();
    let error = world.access.authenticate_bearer(&token).unwrap_err();
    assert!(matches!(&error, Error::Internal { cause } if cause.to_string().contains("master key")), "{error}");
}

#[test]
fn a_wrong_master_key_is_an_internal_error_and_no_failed_login() {
    let world = World::new();
    world.jane(Role::Analyst);
    world.jane_logs_in();
    let error = world.server_with_another_master_key().login(EMAIL, PASSWORD, &origin()).unwrap_err();
    assert!(matches!(&error, Error::Internal { cause } if cause.to_string().contains("master key")), "{error}");
}

#[test]
fn a_valid_token_is_not_refused_while_the_database_is_unreachable() {
    let world = World::new();
    world.jane(Role::Analyst);
    let logged_in = world.jane_logs_in();
    let store = FaultyStore::over(&world.store);
    let access = world.server_over(store.clone());
    store.fail_all(Call::Read);
    for _ in 0..3 {
        let error = access.authenticate_bearer(&logged_in.access_token).unwrap_err();
        assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    }
    store.restore();
    access.authenticate_bearer(&logged_in.access_token).unwrap();
}

#[test]
fn a_server_with_another_master_key_fails_at_start() {
    let world = World::new();
    world.access.check_master_key().unwrap();
    assert_eq!(world.store.reading(|tx| tx.token_keys()).unwrap().len(), 1);
    world.server_over(world.store.clone()).check_master_key().unwrap();
    let other = world.server_with_another_master_key();
    assert!(matches!(other.check_master_key(), Err(Error::Internal { .. })));
}
