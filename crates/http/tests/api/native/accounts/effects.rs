//! Effects of account changes: the last administrator, sessions, tenant scope.

use serde_json::{Value, json};
use trailkeeper_domain::account::Role;

use crate::support::{ACME, OTHER, PASSWORD, Person, TestApp, numbered};

fn path_of(person: &Person<'_>) -> String {
    format!("/v1/accounts/{}", person.account_id)
}

#[test]
fn the_last_administrator_cannot_be_removed() {
    for app in TestApp::on_both() {
        let root = app.person("root@example.com", Role::Admin, None);
        // None of these counts as an administrator: other roles, a tenant-scoped one, a disabled one, a program.
        app.person("analyst@example.com", Role::Analyst, None);
        app.person("scoped@example.com", Role::Admin, Some(ACME));
        let away = app.person("away@example.com", Role::Admin, None);
        let program = app.admin();
        program.patch(&path_of(&away), &json!({"disabled": true})).ok();
        for caller in [&root.caller, &program] {
            for (change, field) in [
                (json!({"role": "auditor"}), "role"),
                (json!({"tenant_id": ACME}), "tenant_id"),
                (json!({"disabled": true}), "disabled"),
                (json!({"disabled": true, "display_name": "Gone", "password": "another horse entirely"}), "disabled"),
            ] {
                let detail = caller.patch(&path_of(&root), &change).problem(409, "last_administrator", Some(field));
                assert!(detail.contains("make another one first"), "{detail}");
            }
            caller.delete(&path_of(&root)).problem(409, "last_administrator", None);
        }
        assert!(root.is_in());
        let unchanged = root.caller.get("/v1/accounts/me").ok();
        assert_eq!((&unchanged["display_name"], &unchanged["disabled"]), (&json!("root@example.com"), &json!(false)));

        program.patch(&path_of(&away), &json!({"disabled": false})).ok();
        let away = app.again("away@example.com");
        assert_eq!(away.caller.patch(&path_of(&root), &json!({"role": "auditor"})).ok()["role"], "auditor");
        assert!(!root.is_in());
        away.caller.delete(&path_of(&away)).problem(409, "last_administrator", None);
        program.patch(&path_of(&root), &json!({"role": "admin"})).ok();
        away.caller.delete(&path_of(&away)).no_content();
        assert!(!away.is_in());
    }
}

#[test]
fn changes_of_permissions_end_the_accounts_sessions_and_others_do_not() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        for (change, goes_on) in [
            (json!({}), true),
            (json!({"display_name": "Jane"}), true),
            (json!({"role": "auditor", "tenant_id": null, "disabled": false}), true),
            (json!({"role": null, "disabled": null, "email": null, "password": null, "display_name": null}), true),
            (json!({"role": "analyst"}), false),
            (json!({"role": "ingest"}), false),
            (json!({"tenant_id": ACME}), false),
            (json!({"disabled": true}), false),
            (json!({"password": "another horse entirely"}), false),
        ] {
            let email = format!("{}@example.com", app.fresh_name());
            let person = app.person(&email, Role::Auditor, None);
            let bystander = app.person(&format!("other-{email}"), Role::Auditor, None);
            admin.patch(&path_of(&person), &change).ok();
            assert_eq!(person.is_in(), goes_on, "{change}");
            let refreshed = app.refresh(&person.refresh_token);
            if goes_on {
                refreshed.ok();
            } else {
                refreshed.problem(401, "unauthorized", None);
            }
            assert!(bystander.is_in(), "{change}");
        }
    }
}

#[test]
fn null_clears_the_tenant_and_an_omitted_field_keeps_it() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        let jane = app.person("jane@example.com", Role::Auditor, Some(ACME));
        let tenant = |change: Value| admin.patch(&path_of(&jane), &change).ok()["tenant_id"].clone();
        assert_eq!(tenant(json!({"display_name": "Jane"})), ACME);
        assert_eq!(tenant(json!({"tenant_id": OTHER})), OTHER);
        assert_eq!(tenant(json!({"tenant_id": null})), Value::Null);
        assert_eq!(tenant(json!({})), Value::Null);
    }
}

#[test]
fn a_tenant_scoped_administrator_manages_no_credentials() {
    let app = TestApp::new();
    let victim = app.person("victim@example.com", Role::Ingest, Some(ACME));
    let tenant_scoped = app.person("scoped@example.com", Role::Admin, Some(ACME));
    for caller in [&tenant_scoped.caller, &app.token(Role::Admin, Some(ACME))] {
        for (method, path, body) in [
            ("GET", "/v1/accounts".to_owned(), None),
            ("POST", "/v1/accounts".to_owned(), Some(json!({"email": "new@example.com", "role": "admin"}))),
            ("GET", path_of(&victim), None),
            ("PATCH", path_of(&victim), Some(json!({"role": "admin"}))),
            ("PATCH", path_of(&tenant_scoped), Some(json!({"tenant_id": null}))),
            ("DELETE", path_of(&victim), None),
            ("GET", "/v1/tokens".to_owned(), None),
            ("POST", "/v1/tokens".to_owned(), Some(json!({"name": "x", "role": "ingest", "tenant_id": ACME}))),
            ("DELETE", format!("/v1/tokens/{}", numbered(1)), None),
            ("GET", "/v1/signing-keys".to_owned(), None),
            ("POST", "/v1/signing-keys".to_owned(), Some(json!({"name": "x", "tenant_id": ACME}))),
            ("DELETE", format!("/v1/signing-keys/{}", numbered(1)), None),
            ("GET", "/v1/sessions?all=true".to_owned(), None),
            ("GET", format!("/v1/sessions?account_id={}", victim.account_id), None),
        ] {
            let call = caller.call(method, &path);
            let answer = if let Some(body) = &body { call.json(body).send() } else { call.send() };
            answer.problem(403, "permission_denied", None);
        }
    }
    assert!(victim.is_in());
    assert_eq!(app.admin().get("/v1/accounts").ok()["accounts"].as_array().unwrap().len(), 2);
    assert_eq!(app.log_in("scoped@example.com", PASSWORD).status, 201, "it can use its own account");
    assert_eq!(tenant_scoped.caller.get("/v1/sessions").ok()["sessions"].as_array().unwrap().len(), 2);
}
