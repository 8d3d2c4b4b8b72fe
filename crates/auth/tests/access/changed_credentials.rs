//! Changes of API tokens (name and end of validity) and of signing keys (name).

use chrono::TimeDelta;
use serde_json::json;
use trailkeeper_auth::{NewSigningKey, TokenChange};
use trailkeeper_domain::account::Role;
use trailkeeper_domain::id::CredentialId;
use trailkeeper_domain::{Error, time};
use trailkeeper_testkit::metadata_of;
use uuid::Uuid;

use crate::world::{World, conflict, context_of, operator, unauthenticated};

fn name(name: &str) -> TokenChange {
    TokenChange { name: Some(name.to_owned()), expires_at: None }
}

#[test]
fn name_and_end_of_a_token_can_change() {
    for world in World::on_both() {
        let boss = world.account("boss@example.com", Role::Admin);
        let (token, plain) = world.token(Role::Ingest, None);
        world.access.authenticate_bearer(plain.expose()).unwrap();
        let end = world.now() + TimeDelta::hours(1);
        let change = TokenChange { expires_at: Some(Some(end)), ..name("hourly import") };
        let changed = world.access.change_token(&context_of(&boss), token.id, change).unwrap();
        assert_eq!((changed.name.as_str(), changed.expires_at), ("hourly import", Some(end)));
        assert_eq!(changed.role, token.role);
        assert_eq!(
            world.access.token(token.id).unwrap(),
            trailkeeper_domain::account::ApiToken { last_used_at: Some(world.now()), ..changed }
        );
        // The cached token is invalidated.
        assert_eq!(world.access.recall_bearer(plain.expose()), None);
        assert_eq!(world.access.authenticate_bearer(plain.expose()).unwrap().name, "hourly import");

        let event = world.system_events().remove(0);
        assert_eq!(event.kind.as_str(), "token_change");
        assert_eq!(event.user_id.as_ref().unwrap().as_str(), boss.id.to_string());
        assert_eq!(event.source, Some("203.0.113.7".parse().unwrap()));
        assert_eq!(event.target.as_ref().unwrap().name.as_deref(), Some("nightly import"));
        assert_eq!(
            metadata_of(&event),
            Some(json!({
                "changed": ["expires_at", "name"],
                "expires_at": {"from": null, "to": time::rfc3339(end)},
                "name": {"from": "nightly import", "to": "hourly import"},
            }))
        );
        let before = world.system_events().len();
        world.access.change_token(&operator(), token.id, name("hourly import")).unwrap();
        world.access.change_token(&operator(), token.id, TokenChange::default()).unwrap();
        assert_eq!(world.system_events().len(), before, "no change, no event");

        let for_ever = TokenChange { name: None, expires_at: Some(None) };
        assert_eq!(world.access.change_token(&operator(), token.id, for_ever).unwrap().expires_at, None);
        world.advance(TimeDelta::hours(2));
        world.access.authenticate_bearer(plain.expose()).unwrap();
    }
}

#[test]
fn a_revoked_or_expired_token_cannot_change() {
    for world in World::on_both() {
        let (revoked, plain) = world.token(Role::Ingest, None);
        world.access.revoke_token(&operator(), revoked.id).unwrap();
        let (expired, _) = world.token(Role::Ingest, Some(world.now() + TimeDelta::seconds(1)));
        world.advance(TimeDelta::seconds(1));
        let before = world.system_events().len();
        for (id, code) in [(revoked.id, "token_revoked"), (expired.id, "token_expired")] {
            for change in [name("x"), TokenChange { name: None, expires_at: Some(None) }, TokenChange::default()] {
                assert_eq!(conflict(world.access.change_token(&operator(), id, change)).code, code);
            }
        }
        assert_eq!(world.system_events().len(), before);
        unauthenticated(world.access.authenticate_bearer(plain.expose()));
    }
}

#[test]
fn a_wrong_change_of_a_token_names_its_field() {
    let world = World::new();
    let (token, _) = world.token(Role::Ingest, None);
    let now = TokenChange { name: None, expires_at: Some(Some(world.now())) };
    for (field, wrong) in [("name", name("")), ("name", name(&"x".repeat(129))), ("expires_at", now)] {
        let error = world.access.change_token(&operator(), token.id, wrong).unwrap_err();
        assert!(error.to_string().starts_with(&format!("{field}: ")), "{error}");
    }
    let nobody = CredentialId(Uuid::from_u128(7));
    for answer in
        [world.access.token(nobody).map(|_| ()), world.access.change_token(&operator(), nobody, name("x")).map(|_| ())]
    {
        assert!(matches!(&answer, Err(Error::NotFound(fault)) if fault.code == "token_not_found"), "{answer:?}");
    }
    assert_eq!(world.access.token(token.id).unwrap(), token);
}

#[test]
fn a_signing_key_is_renamed_until_it_is_revoked() {
    for world in World::on_both() {
        let boss = world.account("boss@example.com", Role::Admin);
        let new = NewSigningKey { name: "vendor".to_owned(), tenant_id: None };
        let (key, _) = world.access.create_signing_key(&operator(), new).unwrap();
        let renamed = world.access.rename_signing_key(&context_of(&boss), key.id, "vendor 2").unwrap();
        assert_eq!((renamed.name.as_str(), renamed.sealed_secret.clone()), ("vendor 2", key.sealed_secret.clone()));
        assert_eq!(world.access.signing_key(key.id).unwrap(), renamed);
        let event = world.system_events().remove(0);
        assert_eq!((event.kind.as_str(), event.source.is_some()), ("signing_key_change", true));
        assert_eq!(event.target.as_ref().unwrap().name.as_deref(), Some("vendor"));
        assert_eq!(
            metadata_of(&event),
            Some(json!({"changed": ["name"], "name": {"from": "vendor", "to": "vendor 2"}}))
        );
        let before = world.system_events().len();
        world.access.rename_signing_key(&operator(), key.id, "vendor 2").unwrap();
        assert_eq!(world.system_events().len(), before);

        let error = world.access.rename_signing_key(&operator(), key.id, "").unwrap_err();
        assert!(error.to_string().starts_with("name: "), "{error}");
        world.access.revoke_signing_key(&operator(), key.id).unwrap();
        let fault = conflict(world.access.rename_signing_key(&operator(), key.id, "vendor 3"));
        assert_eq!(fault.code, "signing_key_revoked");
        let nobody = CredentialId(Uuid::from_u128(7));
        for answer in [world.access.signing_key(nobody), world.access.rename_signing_key(&operator(), nobody, "x")] {
            assert!(
                matches!(&answer, Err(Error::NotFound(fault)) if fault.code == "signing_key_not_found"),
                "{answer:?}"
            );
        }
    }
}
