use chrono::TimeDelta;
use trailkeeper_auth::{AuditContext, NewAccount};
use trailkeeper_domain::Error;
use trailkeeper_domain::account::{Actor, Role};
use trailkeeper_domain::id::TenantId;

use crate::world::{EMAIL, PASSWORD, TENANT, World, conflict, new_account, operator, origin, unauthenticated};

#[test]
fn an_account_is_created_once_and_recorded() {
    let world = World::new();
    let jane = world.jane(Role::Admin);
    assert_eq!((jane.email.as_str(), jane.display_name.as_str()), (EMAIL, EMAIL));
    assert_eq!((jane.created_at, jane.disabled_at), (world.now(), None));
    let fault = conflict(world.access.create_account(&operator(), new_account("JANE.DOE@EXAMPLE.COM", Role::Analyst)));
    assert_eq!((fault.code, fault.field.as_deref()), ("email_taken", Some("email")));

    let events = world.system_events();
    assert_eq!(events.len(), 1, "the refused ones left no event");
    let target = events[0].target.clone().unwrap();
    assert_eq!(events[0].kind.as_str(), "account_create");
    assert_eq!((target.kind.as_deref(), target.id), (Some("account"), Some(jane.id.to_string())));
    assert_eq!(target.name.as_deref(), Some(EMAIL));
    assert_eq!(events[0].user_id.as_ref().unwrap().as_str(), "cli");
    assert_eq!(events[0].user_name.as_deref(), Some("command line"));
}

#[test]
fn an_invalid_field_is_named_and_nothing_is_stored() {
    let world = World::new();
    let good = || new_account(EMAIL, Role::Admin);
    for (field, bad) in [
        ("email", NewAccount { email: "jane".to_owned(), ..good() }),
        ("email", NewAccount { email: format!("{}@example.com", "x".repeat(243)), ..good() }),
        ("display_name", NewAccount { display_name: Some(String::new()), ..good() }),
        ("display_name", NewAccount { display_name: Some("a\0".to_owned()), ..good() }),
        ("password", NewAccount { password: "short".to_owned(), ..good() }),
        ("password", NewAccount { password: EMAIL.to_lowercase(), ..good() }),
        ("tenant_id", NewAccount { tenant_id: Some(TenantId::SYSTEM), ..good() }),
    ] {
        let error = world.access.create_account(&operator(), bad).unwrap_err();
        assert!(error.to_string().starts_with(&format!("{field}: ")), "{error}");
    }
    let nobody = AuditContext::from(Actor { id: String::new(), name: "x".to_owned() });
    assert!(world.access.create_account(&nobody, good()).is_err(), "an actor without an id");
    assert!(world.access.accounts(None, 10).unwrap().items.is_empty());
    assert!(world.system_events().is_empty());
}

#[test]
fn a_new_password_ends_the_sessions_and_replaces_the_old_one() {
    let world = World::new();
    world.jane(Role::Analyst);
    let logged_in = world.jane_logs_in();
    world.access.set_password(&operator(), "JANE.doe@example.com", "another good password").unwrap();

    unauthenticated(world.access.authenticate_bearer(&logged_in.access_token));
    unauthenticated(world.access.refresh(&logged_in.refresh_token, &origin()));
    unauthenticated(world.access.login(EMAIL, PASSWORD, &origin()));
    world.access.login(EMAIL, "another good password", &origin()).unwrap();
    assert_eq!(
        world.system_kinds(),
        ["account_create", "login_success", "account_password_change", "login_fail", "login_success"]
    );

    for bad in ["short", "jane.doe@example.com"] {
        let error = world.access.set_password(&operator(), EMAIL, bad).unwrap_err();
        assert!(error.to_string().starts_with("password: "), "{error}");
    }
    let error = world.access.set_password(&operator(), "nobody@example.com", PASSWORD).unwrap_err();
    assert!(matches!(error, Error::NotFound(_)), "{error}");
}

#[test]
fn the_last_administrator_cannot_be_disabled() {
    let world = World::new();
    world.jane(Role::Admin);
    let tenant_scoped = NewAccount { tenant_id: Some(TENANT), ..new_account("scoped@example.com", Role::Admin) };
    world.access.create_account(&operator(), tenant_scoped).unwrap();
    world.account("analyst@example.com", Role::Analyst);

    let fault = conflict(world.access.set_disabled(&operator(), EMAIL, true));
    assert_eq!((fault.code, fault.field.as_deref()), ("last_administrator", Some("disabled")));
    world.jane_logs_in();

    world.account("second@example.com", Role::Admin);
    world.access.set_disabled(&operator(), EMAIL, true).unwrap();
    conflict(world.access.set_disabled(&operator(), "second@example.com", true));
    world.access.set_disabled(&operator(), EMAIL, false).unwrap();
    world.access.set_disabled(&operator(), "second@example.com", true).unwrap();
    world.access.set_disabled(&operator(), "analyst@example.com", true).unwrap();
    world.access.set_disabled(&operator(), "scoped@example.com", true).unwrap();
}

#[test]
fn two_administrators_cannot_disable_each_other_at_once() {
    let world = World::new();
    world.jane(Role::Admin);
    world.account("second@example.com", Role::Admin);
    let answers: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = [EMAIL, "second@example.com"]
            .map(|email| scope.spawn(|| world.access.set_disabled(&operator(), email, true)))
            .into_iter()
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
}

#[test]
fn disabling_twice_leaves_one_event() {
    let world = World::new();
    world.jane(Role::Analyst);
    for disabled in [false, true, true, false, false] {
        world.access.set_disabled(&operator(), EMAIL, disabled).unwrap();
    }
    assert_eq!(world.system_kinds(), ["account_create", "account_disable", "account_enable"]);
    assert!(
        world.system_events().iter().all(|event| event.target.as_ref().unwrap().kind.as_deref() == Some("account"))
    );
    let error = world.access.set_disabled(&operator(), "nobody@example.com", true).unwrap_err();
    assert!(matches!(error, Error::NotFound(_)), "{error}");
}

#[test]
fn accounts_are_listed_page_by_page() {
    let world = World::new();
    for email in ["a@x", "b@x", "c@x"] {
        world.advance(TimeDelta::milliseconds(1));
        world.account(email, Role::Analyst);
    }
    let first = world.access.accounts(None, 2).unwrap();
    let second = world.access.accounts(first.next.as_deref(), 2).unwrap();
    let emails: Vec<_> = first.items.iter().chain(&second.items).map(|account| account.email.as_str()).collect();
    assert_eq!((emails, second.next), (vec!["a@x", "b@x", "c@x"], None));
}
