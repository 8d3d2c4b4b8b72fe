//! The caller's own account.

use serde_json::{Value, json};
use trailkeeper_domain::account::Role;

use crate::support::{ACME, PASSWORD, TestApp};

const NEW: &str = "another horse entirely";

fn change(current: &str, new: &str) -> Value {
    json!({"current_password": current, "new_password": new})
}

#[test]
fn people_read_their_own_account_and_programs_have_none() {
    let app = TestApp::new();
    for role in Role::ALL {
        for tenant in [None, Some(ACME)] {
            let email = format!("{}@example.com", app.fresh_name());
            let person = app.person(&email, role, tenant);
            let own = person.caller.get("/v1/accounts/me").ok();
            assert_eq!((&own["account_id"], &own["email"]), (&json!(person.account_id), &json!(email)));
            assert_eq!((&own["role"], &own["tenant_id"]), (&json!(role.as_str()), &json!(tenant)));
            let program = app.token(role, tenant);
            for answer in [
                program.get("/v1/accounts/me"),
                program.put("/v1/accounts/me/password", &change(PASSWORD, NEW)),
                program.delete("/v1/sessions"),
                program.delete("/v1/sessions/current"),
            ] {
                let detail = answer.problem(403, "permission_denied", None);
                assert!(detail.contains("POST /v1/sessions"), "{detail}");
            }
        }
    }
}

#[test]
fn a_new_password_ends_the_other_sessions() {
    for app in TestApp::on_both() {
        let jane = app.person("jane@example.com", Role::Ingest, None);
        let elsewhere = app.again("jane@example.com");
        let bystander = app.person("joe@example.com", Role::Ingest, None);
        jane.caller.put("/v1/accounts/me/password", &change(PASSWORD, NEW)).no_content();
        assert!(jane.is_in() && bystander.is_in());
        assert!(!elsewhere.is_in());
        app.refresh(&elsewhere.refresh_token).problem(401, "unauthorized", None);
        app.refresh(&jane.refresh_token).ok();
        app.log_in("jane@example.com", PASSWORD).problem(401, "unauthorized", None);
        assert_eq!(app.log_in("jane@example.com", NEW).status, 201);
    }
}

#[test]
fn a_wrong_password_changes_nothing() {
    for app in TestApp::on_both() {
        let jane = app.person("jane@example.com", Role::Admin, None);
        let elsewhere = app.again("jane@example.com");
        let put = |body: &Value| jane.caller.put("/v1/accounts/me/password", body);
        let answer = put(&change("hunter2hunter2", NEW));
        answer.problem(403, "wrong_password", Some("current_password"));
        assert!(!answer.text().contains("hunter2") && !answer.text().contains(NEW), "{}", answer.text());
        for (body, field) in [
            (json!({"new_password": NEW}), "current_password"),
            (json!({"current_password": PASSWORD}), "new_password"),
            (change("", NEW), "current_password"),
            (change(PASSWORD, "hunter2hunt"), "new_password"),
            (change(PASSWORD, &"hunter2".repeat(11)), "new_password"),
            (change(PASSWORD, "Jane@Example.com"), "new_password"),
            (change(PASSWORD, "password1234"), "new_password"),
            (change(PASSWORD, PASSWORD), "new_password"),
            (json!({"current_password": PASSWORD, "new_password": ["hunter2hunter2"]}), "new_password"),
            (json!({"current_password": PASSWORD, "new_password": NEW, "email": "x@example.com"}), "email"),
        ] {
            let answer = put(&body);
            answer.problem(400, "invalid_parameter", Some(field));
            assert!(!answer.text().contains("hunter2") && !answer.text().contains(PASSWORD), "{}", answer.text());
        }
        put(&json!([])).problem(400, "not_an_object", None);
        assert!(jane.is_in() && elsewhere.is_in());
        assert_eq!(app.log_in("jane@example.com", PASSWORD).status, 201);
    }
}

#[test]
fn a_wrong_password_creates_one_audit_event() {
    for app in TestApp::on_both() {
        let jane = app.person("jane@example.com", Role::Admin, None);
        jane.caller.put("/v1/accounts/me/password", &change("hunter2hunter2", NEW)).problem(
            403,
            "wrong_password",
            Some("current_password"),
        );
        let message = app.admin().get("/v1/events?outcome=failure").ok();
        let kinds: Vec<_> = message["events"].as_array().unwrap().iter().map(|event| event["type"].clone()).collect();
        assert_eq!(kinds, ["account_password_change"]);
    }
}
