use chrono::TimeDelta;
use serde_json::json;
use trailkeeper_auth::{NewAccount, Origin, PrincipalKind};
use trailkeeper_domain::Error;
use trailkeeper_domain::account::Role;
use trailkeeper_domain::event::Outcome;
use trailkeeper_domain::id::{EnvId, TenantId};
use trailkeeper_testkit::{Call, FaultyStore, metadata_of};

use crate::world::{EMAIL, PASSWORD, TENANT, World, new_account, operator, origin, unauthenticated};

#[test]
fn a_login_gives_valid_tokens_and_is_recorded_with_its_origin() {
    let world = World::new();
    let jane = world.jane(Role::Analyst);
    let logged_in = world.access.login("jane.doe@EXAMPLE.com", PASSWORD, &origin()).unwrap();

    assert_eq!(logged_in.account, jane);
    assert_eq!(logged_in.access_expires_at.to_rfc3339(), "2026-07-23T12:36:37+00:00");
    assert_eq!(logged_in.refresh_expires_at, world.now() + TimeDelta::days(30));
    let principal = world.access.authenticate_bearer(&logged_in.access_token).unwrap();
    assert_eq!(principal.kind, PrincipalKind::Account(jane.id));
    assert_eq!((principal.name.as_str(), principal.role, principal.tenant_id), (EMAIL, Role::Analyst, None));

    let event = world.system_events().remove(0);
    assert_eq!((event.kind.as_str(), event.outcome), ("login_success", Outcome::Success));
    assert_eq!((event.tenant_id, event.env_id), (TenantId::SYSTEM, EnvId(1)));
    assert_eq!(event.user_id.unwrap().as_str(), jane.id.to_string());
    assert_eq!(event.user_name.as_deref(), Some(EMAIL));
    assert_eq!(event.source, Some("203.0.113.7".parse().unwrap()));
    assert_eq!(event.user_agent.as_deref(), Some("curl/8.14  X-Forged: 1"));
    assert_eq!(event.trace_id.as_deref(), Some("trace-1"));
    assert_eq!((event.occurred_at, event.received_at), (world.now(), world.now()));
    assert_eq!((event.metadata, event.target), (None, None));
    assert_eq!(event.session_id, Some(logged_in.session_id.to_string()));
    assert_eq!(principal.session_id, Some(logged_in.session_id));
}

#[test]
fn every_failure_has_one_text_and_is_recorded() {
    let world = World::new();
    let jane = world.jane(Role::Admin);
    world.account("gone@example.com", Role::Analyst);
    world.access.set_disabled(&operator(), "gone@example.com", true).unwrap();
    let before = world.system_events().len();

    let long = "p".repeat(100);
    let attempts = [
        (EMAIL, "wrong password"),
        (EMAIL, ""),
        (EMAIL, long.as_str()),
        (EMAIL, "correct horse battery\0correct horse battery"),
        ("gone@example.com", PASSWORD),
        ("nobody@example.com", PASSWORD),
        ("", ""),
        ("not an e-mail", PASSWORD),
        ("nul\0@example.com", PASSWORD),
    ];
    for (name, password) in attempts {
        let text = unauthenticated(world.access.login(name, password, &origin()));
        assert_eq!(text, "the user name or the password is wrong", "{name:?}");
    }

    let events = world.system_events();
    assert_eq!(events.len(), before + attempts.len());
    let (known, unknown): (Vec<_>, Vec<_>) =
        events.iter().take(attempts.len()).partition(|event| event.user_id.is_some());
    assert_eq!((known.len(), unknown.len()), (5, 4));
    for event in &events[..attempts.len()] {
        assert_eq!((event.kind.as_str(), event.outcome), ("login_fail", Outcome::Failure));
        assert_eq!(event.source, Some("203.0.113.7".parse().unwrap()));
        assert_eq!(event.session_id, None, "no session began");
    }
    assert!(known.iter().all(|event| event.metadata.is_none()));
    assert_eq!(known.iter().filter(|event| event.user_name.as_deref() == Some(EMAIL)).count(), 4);
    assert!(known.iter().any(|event| event.user_id.as_ref().unwrap().as_str() == jane.id.to_string()));
    assert!(unknown.iter().all(|event| event.user_name.as_deref() == Some("UNKNOWN USER")));
}

#[test]
fn an_event_keeps_the_cleaned_beginning_of_an_unknown_name() {
    let world = World::new();
    let typed = format!("a\u{1b}[31m\nb{}", "é".repeat(200));
    unauthenticated(world.access.login(&typed, PASSWORD, &Origin::default()));
    let event = world.system_events().remove(0);
    let kept = format!("a [31m b{}…", "é".repeat(119));
    assert_eq!(kept.chars().count(), 128);
    assert_eq!(metadata_of(&event), Some(json!({"typed_name": kept})));
    assert_eq!((event.user_id, event.source, event.user_agent, event.trace_id), (None, None, None, None));
}

#[test]
fn a_token_that_was_typed_as_a_name_is_not_stored() {
    let world = World::new();
    let token = format!("tk_{}", "a".repeat(49));
    let origin = Origin { user_agent: Some(format!("probe {token}")), ..Origin::default() };
    unauthenticated(world.access.login(&token, PASSWORD, &origin));
    let event = world.system_events().remove(0);
    let hidden = json!({"typed_name": "(a token, hidden)"});
    assert_eq!(metadata_of(&event), Some(hidden));
    assert_eq!(event.user_agent.as_deref(), Some("(a token, hidden)"));
}

#[test]
fn a_long_user_agent_is_cut_and_the_login_succeeds() {
    let world = World::new();
    world.jane(Role::Admin);
    let origin = Origin { source: None, user_agent: Some("ü".repeat(5000)), trace_id: Some("\0".to_owned()) };
    world.access.login(EMAIL, PASSWORD, &origin).unwrap();
    let event = world.system_events().remove(0);
    assert_eq!(event.user_agent.unwrap().chars().count(), 1024);
    assert_eq!(event.trace_id, None);
}

#[test]
fn an_access_token_is_valid_for_two_hours_while_its_account_is_enabled() {
    let world = World::new();
    world.jane(Role::Admin);
    world.account("other@example.com", Role::Admin);
    let logged_in = world.jane_logs_in();
    world.advance(TimeDelta::seconds(7199));
    world.access.authenticate_bearer(&logged_in.access_token).unwrap();
    world.advance(TimeDelta::seconds(1));
    unauthenticated(world.access.authenticate_bearer(&logged_in.access_token));

    let logged_in = world.jane_logs_in();
    world.access.authenticate_bearer(&logged_in.access_token).unwrap();
    world.access.set_disabled(&operator(), EMAIL, true).unwrap();
    unauthenticated(world.access.authenticate_bearer(&logged_in.access_token));
    world.access.set_disabled(&operator(), EMAIL, false).unwrap();
    // Disabling ended the session; enabling the account does not restore it.
    unauthenticated(world.access.authenticate_bearer(&logged_in.access_token));
    world.jane_logs_in();
}

#[test]
fn the_principal_of_a_tenant_scoped_account_is_tenant_scoped() {
    let world = World::new();
    let new = NewAccount { tenant_id: Some(TENANT), ..new_account(EMAIL, Role::Admin) };
    world.access.create_account(&operator(), new).unwrap();
    let principal = world.access.authenticate_bearer(&world.jane_logs_in().access_token).unwrap();
    assert_eq!(principal.tenant_id, Some(TENANT));
}

#[test]
fn a_login_that_cannot_be_recorded_fails() {
    let world = World::new();
    world.jane(Role::Admin);
    let store = FaultyStore::over(&world.store);
    let access = world.server_over(store.clone());
    access.login(EMAIL, PASSWORD, &origin()).unwrap();
    store.fail_all(Call::Write);
    for password in [PASSWORD, "wrong password"] {
        let error = access.login(EMAIL, password, &origin()).unwrap_err();
        assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    }
}

#[test]
fn no_transaction_is_open_while_a_password_is_hashed() {
    let world = World::new();
    world.jane(Role::Admin);
    let store = FaultyStore::over(&world.store);
    let access = world.server_over(store.clone());
    access.login(EMAIL, PASSWORD, &origin()).unwrap();
    let (reads, writes) = (store.calls(Call::Read), store.calls(Call::Write));
    access.login(EMAIL, PASSWORD, &origin()).unwrap();
    access.login(EMAIL, "wrong password", &origin()).unwrap_err();
    access.login("nobody@example.com", "wrong password", &origin()).unwrap_err();
    // One read, one write that counts the attempt, then the hash, then one write: the same for all three.
    assert_eq!(store.calls(Call::Read), reads + 3);
    assert_eq!(store.calls(Call::Write), writes + 6);
}
