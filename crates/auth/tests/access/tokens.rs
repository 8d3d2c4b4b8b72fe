use chrono::TimeDelta;
use trailkeeper_auth::{NewToken, PlainToken, PrincipalKind, SystemEntropy, TokenKind};
use trailkeeper_domain::Error;
use trailkeeper_domain::account::Role;
use trailkeeper_domain::id::{CredentialId, TenantId};
use trailkeeper_testkit::{Call, FaultyStore};
use uuid::Uuid;

use crate::world::{TENANT, World, operator, unauthenticated};

#[test]
fn a_token_authenticates_until_it_is_revoked() {
    let world = World::new();
    let new = NewToken { name: "importer".to_owned(), role: Role::Ingest, tenant_id: Some(TENANT), expires_at: None };
    let (token, plain) = world.access.create_token(&operator(), new).unwrap();
    let principal = world.access.authenticate_bearer(plain.expose()).unwrap();
    assert_eq!(principal.kind, PrincipalKind::Token(token.id));
    assert_eq!(
        (principal.name.as_str(), principal.role, principal.tenant_id),
        ("importer", Role::Ingest, Some(TENANT))
    );

    world.access.revoke_token(&operator(), token.id).unwrap();
    let revoked = unauthenticated(world.access.authenticate_bearer(plain.expose()));
    let unknown = PlainToken::generate(TokenKind::Api, &SystemEntropy::new());
    assert_eq!(revoked, unauthenticated(world.access.authenticate_bearer(unknown.expose())));
    assert_eq!(revoked, unauthenticated(world.access.authenticate_bearer("tk_")));
    assert_eq!(revoked, unauthenticated(world.access.authenticate_bearer("")));

    // A second revocation changes nothing and leaves no event.
    world.access.revoke_token(&operator(), token.id).unwrap();
    assert_eq!(world.system_kinds(), ["token_create", "token_revoke"]);
    for event in world.system_events() {
        let target = event.target.unwrap();
        assert_eq!(target.kind.as_deref(), Some("api_token"));
        assert_eq!(target.id, Some(token.id.to_string()));
        assert_eq!(target.name.as_deref(), Some("importer"));
        assert_eq!(event.user_id.unwrap().as_str(), "cli");
        assert_eq!(event.user_name.as_deref(), Some("command line"));
    }
    for unknown in [Uuid::nil(), Uuid::max(), Uuid::from_u128(token.id.0.as_u128() + 1)] {
        let error = world.access.revoke_token(&operator(), CredentialId(unknown)).unwrap_err();
        assert!(matches!(error, Error::NotFound(_)), "{error}");
    }
}

#[test]
fn a_token_expires_at_its_end() {
    let world = World::new();
    let (_, plain) = world.token(Role::Analyst, Some(world.now() + TimeDelta::hours(1)));
    world.advance(TimeDelta::microseconds(3_599_999_999));
    world.access.authenticate_bearer(plain.expose()).unwrap();
    world.advance(TimeDelta::microseconds(1));
    unauthenticated(world.access.authenticate_bearer(plain.expose()));
}

#[test]
fn the_last_use_is_stored_to_the_minute_and_a_failed_write_refuses_no_request() {
    let world = World::new();
    let (_, plain) = world.token(Role::Analyst, None);
    let last_used = || world.access.tokens(None, 10).unwrap().items.remove(0).last_used_at;
    assert_eq!(last_used(), None);
    let store = FaultyStore::over(&world.store);
    let access = world.server_over(store.clone());
    let first = world.now();
    access.authenticate_bearer(plain.expose()).unwrap();
    world.advance(TimeDelta::seconds(59));
    access.authenticate_bearer(plain.expose()).unwrap();
    assert_eq!(last_used(), Some(first));
    assert_eq!(store.calls(Call::Write), 1);
    world.advance(TimeDelta::seconds(1));
    store.fail_all(Call::Write);
    access.authenticate_bearer(plain.expose()).unwrap();
    assert_eq!((last_used(), store.calls(Call::Write)), (Some(first), 2));
    store.restore();
    access.authenticate_bearer(plain.expose()).unwrap();
    assert_eq!(last_used(), Some(world.now()));
    // A database that cannot be read must not look like an invalid token.
    store.fail_all(Call::Read);
    let error = access.authenticate_bearer(plain.expose()).unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
}

#[test]
fn pages_follow_each_other_and_hold_every_token_once() {
    let world = World::new();
    let made: Vec<CredentialId> = (0..5)
        .map(|_| {
            world.advance(TimeDelta::milliseconds(1));
            world.token(Role::Analyst, None).0.id
        })
        .collect();
    let mut listed = Vec::new();
    let mut cursor = None;
    loop {
        let page = world.access.tokens(cursor.as_deref(), 2).unwrap();
        listed.extend(page.items.iter().map(|token| token.id));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(listed, made);
    for limit in [0, 1001] {
        assert!(world.access.tokens(None, limit).unwrap_err().to_string().starts_with("limit: "));
    }
    let foreign = trailkeeper_domain::cursor::encode('s', &Uuid::nil().to_string());
    let forged = trailkeeper_domain::cursor::encode('k', "not an id");
    for bad in ["", "k", "x00", foreign.as_str(), forged.as_str()] {
        assert!(world.access.tokens(Some(bad), 2).unwrap_err().to_string().starts_with("cursor: "), "{bad}");
    }
}

#[test]
fn a_token_with_invalid_properties_is_not_created() {
    let world = World::new();
    let good = NewToken { name: "n".to_owned(), role: Role::Admin, tenant_id: None, expires_at: None };
    for (field, bad) in [
        ("name", NewToken { name: String::new(), ..good.clone() }),
        ("name", NewToken { name: "x".repeat(129), ..good.clone() }),
        ("name", NewToken { name: "a\nb".to_owned(), ..good.clone() }),
        ("expires_at", NewToken { expires_at: Some(world.now()), ..good.clone() }),
        ("tenant_id", NewToken { tenant_id: Some(TenantId::SYSTEM), ..good.clone() }),
        ("tenant_id", NewToken { tenant_id: Some(TenantId::NONE), ..good }),
    ] {
        let error = world.access.create_token(&operator(), bad).unwrap_err();
        assert!(error.to_string().starts_with(&format!("{field}: ")), "{error}");
    }
    assert!(world.access.tokens(None, 10).unwrap().items.is_empty());
    assert!(world.system_events().is_empty());
}

#[test]
fn a_valid_token_is_recalled_for_almost_two_seconds_without_the_database() {
    let world = World::new();
    let (_, plain) = world.token(Role::Ingest, None);
    let store = FaultyStore::over(&world.store);
    let access = world.server_over(store.clone());
    assert_eq!(access.recall_bearer(plain.expose()), None);
    let principal = access.authenticate_bearer(plain.expose()).unwrap();
    let before = (store.calls(Call::Read), store.calls(Call::Write));
    world.advance(TimeDelta::microseconds(1_899_999));
    assert_eq!(access.recall_bearer(plain.expose()), Some(principal));
    assert_eq!((store.calls(Call::Read), store.calls(Call::Write)), before);
    world.advance(TimeDelta::microseconds(1));
    assert_eq!(access.recall_bearer(plain.expose()), None);
}

#[test]
fn a_revoked_token_stops_at_once_here_and_within_two_seconds_on_every_server() {
    let world = World::new();
    let (token, plain) = world.token(Role::Ingest, None);
    let other = world.server_over(world.store.clone());
    for server in [&world.access, &other] {
        server.authenticate_bearer(plain.expose()).unwrap();
    }
    world.access.revoke_token(&operator(), token.id).unwrap();
    assert_eq!(world.access.recall_bearer(plain.expose()), None);
    assert!(other.recall_bearer(plain.expose()).is_some());
    world.advance(TimeDelta::seconds(2));
    for server in [&world.access, &other] {
        assert_eq!(server.recall_bearer(plain.expose()), None);
        unauthenticated(server.authenticate_bearer(plain.expose()));
        assert_eq!(server.recall_bearer(plain.expose()), None);
    }
}

#[test]
fn expired_tokens_and_access_tokens_are_not_recalled() {
    let world = World::new();
    let (_, plain) = world.token(Role::Ingest, Some(world.now() + TimeDelta::seconds(2)));
    world.access.authenticate_bearer(plain.expose()).unwrap();
    world.advance(TimeDelta::seconds(2));
    assert_eq!(world.access.recall_bearer(plain.expose()), None);

    world.jane(Role::Admin);
    let logged_in = world.jane_logs_in();
    world.access.authenticate_bearer(&logged_in.access_token).unwrap();
    assert_eq!(world.access.recall_bearer(&logged_in.access_token), None);
}
