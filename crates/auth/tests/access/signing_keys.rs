use chrono::TimeDelta;
use ring::hmac;
use trailkeeper_auth::{NewSigningKey, Permission, PrincipalKind, SignedRequest};
use trailkeeper_domain::Error;
use trailkeeper_domain::id::CredentialId;
use uuid::Uuid;

use crate::world::{TENANT, World, operator, unauthenticated};

pub const REQUEST: SignedRequest<'static> = SignedRequest {
    method: "PUT",
    host: "127.0.0.1:8080",
    path_and_query: "/v1/analysis/active-users?x=1",
    body: b"{}",
};

/// The header of [`REQUEST`] in the minute in which the world begins. Other tests check the formula against the vectors of
/// another implementation.
pub fn header(secret: &str, saas_id: &str, api_key: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let message = format!("202607231036{api_key}PUT127.0.0.1:8080/v1/analysis/active-users?x=1{{}}");
    let tag = hmac::sign(&key, message.as_bytes());
    let sig = tag.as_ref().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    format!("Sig={sig}, SaaSID={saas_id}, APIKey={api_key}")
}

#[test]
fn a_signed_request_authenticates_until_its_key_is_revoked() {
    let world = World::new();
    let new = NewSigningKey { name: "vendor".to_owned(), tenant_id: Some(TENANT) };
    let (key, secret) = world.access.create_signing_key(&operator(), new).unwrap();
    let right = header(secret.expose(), &key.saas_id, &key.api_key);

    let principal = world.access.authenticate_signature(&right, &REQUEST).unwrap();
    assert_eq!(principal.kind, PrincipalKind::SigningKey(key.id));
    assert_eq!((principal.name.as_str(), principal.tenant_id), ("vendor", Some(TENANT)));
    principal.require(Permission::WriteAnalytics).unwrap();
    principal.require(Permission::ReadAuditTrail).unwrap_err();

    let refused = |header: &str, request: &SignedRequest<'_>| {
        unauthenticated(world.access.authenticate_signature(header, request))
    };
    let text = refused(&header("sk_wrong", &key.saas_id, &key.api_key), &REQUEST);
    assert_eq!(text, refused(&header(secret.expose(), "saas_other", &key.api_key), &REQUEST), "a foreign SaaSID");
    assert_eq!(text, refused(&header(secret.expose(), &key.saas_id, "ak_other"), &REQUEST), "an unknown key");
    assert_eq!(text, refused(&right, &SignedRequest { body: b"{ }", ..REQUEST }), "another body");

    world.advance(TimeDelta::minutes(2));
    assert_eq!(text, refused(&right, &REQUEST), "two minutes later");
    world.advance(TimeDelta::minutes(-2));
    world.access.authenticate_signature(&right, &REQUEST).unwrap();
    world.access.revoke_signing_key(&operator(), key.id).unwrap();
    world.access.revoke_signing_key(&operator(), key.id).unwrap();
    assert_eq!(text, refused(&right, &REQUEST), "revoked");
    assert_eq!(world.system_kinds(), ["signing_key_create", "signing_key_revoke"]);
    let target = world.system_events().remove(0).target.unwrap();
    assert_eq!((target.kind.as_deref(), target.id), (Some("signing_key"), Some(key.id.to_string())));
}

#[test]
fn the_key_of_a_signed_request_can_be_checked_without_its_body() {
    let world = World::new();
    let new = NewSigningKey { name: "vendor".to_owned(), tenant_id: None };
    let (key, _) = world.access.create_signing_key(&operator(), new).unwrap();
    let check = |saas_id: &str, api_key: &str| world.access.check_signing_key(&header("sk_wrong", saas_id, api_key));
    check(&key.saas_id, &key.api_key).unwrap();
    let text = unauthenticated(check(&key.saas_id, "ak_other"));
    assert_eq!(text, unauthenticated(check("saas_other", &key.api_key)));
    world.access.revoke_signing_key(&operator(), key.id).unwrap();
    assert_eq!(text, unauthenticated(check(&key.saas_id, &key.api_key)));
    assert_eq!(text, unauthenticated(world.access.authenticate_signature(&header("x", "y", "z"), &REQUEST)));
}

#[test]
fn a_signature_with_the_placeholder_secret_is_refused() {
    let world = World::new();
    let nobodys = header(&format!("sk_{}", "0".repeat(43)), "saas_a", "ak_a");
    unauthenticated(world.access.authenticate_signature(&nobodys, &REQUEST));
}

#[test]
fn a_secret_that_does_not_open_is_an_internal_error() {
    let world = World::new();
    let new = NewSigningKey { name: "vendor".to_owned(), tenant_id: None };
    let (key, secret) = world.access.create_signing_key(&operator(), new).unwrap();
    let right = header(secret.expose(), &key.saas_id, &key.api_key);
    let error = world.server_with_another_master_key().authenticate_signature(&right, &REQUEST).unwrap_err();
    assert!(matches!(&error, Error::Internal { cause } if cause.to_string().contains("master key")), "{error}");
}

#[test]
fn keys_are_listed_and_unknown_ids_are_not_found() {
    let world = World::new();
    for name in ["a", "b", "c"] {
        world.advance(TimeDelta::milliseconds(1));
        let new = NewSigningKey { name: name.to_owned(), tenant_id: None };
        world.access.create_signing_key(&operator(), new).unwrap();
    }
    let first = world.access.signing_keys(None, 2).unwrap();
    let second = world.access.signing_keys(first.next.as_deref(), 2).unwrap();
    let names: Vec<_> = first.items.iter().chain(&second.items).map(|key| key.name.as_str()).collect();
    assert_eq!((names, second.next), (vec!["a", "b", "c"], None));
    let error = world.access.revoke_signing_key(&operator(), CredentialId(Uuid::nil())).unwrap_err();
    assert!(matches!(error, Error::NotFound(_)), "{error}");
}
