//! Sessions of other accounts: administrators list and end them; for everyone else they do not exist.

use chrono::TimeDelta;
use serde_json::{Value, json};
use trailkeeper_domain::account::Role;

use crate::support::{ACME, TestApp, numbered};

#[test]
fn the_session_of_another_account_does_not_exist() {
    for app in TestApp::on_both() {
        let victim = app.person("victim@example.com", Role::Ingest, Some(ACME));
        let path = format!("/v1/sessions/{}", victim.session_id);
        for (role, tenant) in
            [(Role::Analyst, None), (Role::Auditor, None), (Role::Ingest, None), (Role::Admin, Some(ACME))]
        {
            let email = format!("{}@example.com", app.fresh_name());
            let caller = app.person(&email, role, tenant).caller;
            for method in ["GET", "DELETE"] {
                let detail = caller.call(method, &path).send().problem(404, "session_not_found", None);
                let unknown = caller.call(method, &format!("/v1/sessions/{}", numbered(1))).send();
                let unknown = unknown.problem(404, "session_not_found", None);
                assert_eq!(
                    detail.replace(&victim.session_id, &numbered(1)),
                    unknown,
                    "it reads as one that is not there"
                );
            }
            let own = caller.get("/v1/sessions?past=true").ok();
            assert_eq!(own["sessions"].as_array().unwrap().len(), 1);
            assert!(!own.to_string().contains(&victim.session_id));
            for query in ["all=true".to_owned(), format!("account_id={}", victim.account_id)] {
                caller.get(&format!("/v1/sessions?{query}")).problem(403, "permission_denied", None);
            }
        }
        assert!(victim.is_in());
    }
}

#[test]
fn administrators_see_and_end_all_sessions() {
    for app in TestApp::on_both() {
        let victim = app.person("victim@example.com", Role::Ingest, Some(ACME));
        let elsewhere = app.again("victim@example.com");
        let root = app.person("root@example.com", Role::Admin, None);
        let count = |path: &str| root.caller.get(path).ok()["sessions"].as_array().unwrap().len();
        assert_eq!((count("/v1/sessions"), count("/v1/sessions?all=true")), (1, 3));
        assert_eq!(count(&format!("/v1/sessions?account_id={}", victim.account_id)), 2);
        assert_eq!(count(&format!("/v1/sessions?account_id={}", root.account_id)), 1);
        assert_eq!(count(&format!("/v1/sessions?account_id={}", numbered(1))), 0);
        let path = format!("/v1/sessions/{}", victim.session_id);
        let seen = root.caller.get(&path).ok();
        assert_eq!((&seen["account_id"], &seen["current"]), (&json!(victim.account_id), &json!(false)));

        root.caller.delete(&path).no_content();
        assert!(!victim.is_in());
        assert!(elsewhere.is_in());
        assert_eq!((count("/v1/sessions?all=true"), count("/v1/sessions?all=true&past=true")), (2, 3));
        let events = app.admin().get("/v1/events?tenant_id=ffffffff-ffff-ffff-ffff-ffffffffffff&type=session_end").ok();
        let ends = events["events"].as_array().unwrap();
        assert_eq!(ends.len(), 1);
        assert_eq!(
            (&ends[0]["user_id"], &ends[0]["target"]["id"]),
            (&json!(root.account_id), &json!(victim.session_id))
        );
    }
}

#[test]
fn administrators_programs_see_all_sessions_and_have_none() {
    let app = TestApp::new();
    let jane = app.person("jane@example.com", Role::Ingest, None);
    let program = app.admin();
    let path = format!("/v1/sessions/{}", jane.session_id);
    for query in ["", "?all=true", &format!("?account_id={}", jane.account_id)] {
        let sessions = program.get(&format!("/v1/sessions{query}")).ok();
        assert_eq!(sessions["sessions"].as_array().unwrap().len(), 1, "{query}");
        assert_eq!(sessions["sessions"][0]["session_id"], jane.session_id);
    }
    for role in [Role::Analyst, Role::Auditor, Role::Ingest] {
        let other = app.token(role, None);
        for answer in [other.get("/v1/sessions"), other.get(&path), other.delete(&path)] {
            let detail = answer.problem(403, "permission_denied", None);
            assert!(detail.contains("POST /v1/sessions"), "{detail}");
        }
    }
    assert!(jane.is_in());
    program.delete(&path).no_content();
    assert!(!jane.is_in());
}

#[test]
fn a_removed_account_takes_its_sessions_with_it() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        let jane = app.person("jane@example.com", Role::Auditor, None);
        admin.delete(&format!("/v1/accounts/{}", jane.account_id)).no_content();
        assert!(!jane.is_in());
        app.refresh(&jane.refresh_token).problem(401, "unauthorized", None);
        admin.get(&format!("/v1/sessions/{}", jane.session_id)).problem(404, "session_not_found", None);
        assert_eq!(admin.get("/v1/sessions?past=true").ok()["sessions"], json!([]));
    }
}

#[test]
fn audit_events_of_a_session_are_found_by_its_id() {
    for app in TestApp::on_both() {
        let boss = app.person("boss@example.com", Role::Admin, None);
        let jane = app.person("jane@example.com", Role::Auditor, None);
        let stolen = jane.refresh_token.clone();
        let successor = app.refresh(&stolen).ok()["refresh_token"].as_str().unwrap().to_owned();
        assert_eq!(app.refresh(&successor).status, 200);
        let other = app.again("jane@example.com");
        app.clock.advance(TimeDelta::seconds(10));
        app.refresh(&stolen).problem(401, "unauthorized", None);
        boss.caller.delete(&format!("/v1/sessions/{}", other.session_id)).no_content();
        let last = app.again("jane@example.com");
        last.caller.delete("/v1/sessions/current").no_content();

        let message = |session: &str| -> Vec<(String, String)> {
            let page = boss.caller.get(&format!("/v1/events?session_id={session}")).ok();
            let events = page["events"].as_array().unwrap().iter().rev();
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            events.map(|event| (text(&event["type"]), text(&event["user_name"]))).collect()
        };
        let event = |kind: &str, who: &str| (kind.to_owned(), who.to_owned());
        let login = event("login_success", "jane@example.com");
        let stolen = event("refresh_token_reuse", "jane@example.com");
        assert_eq!(message(&jane.session_id), [login.clone(), stolen]);
        assert_eq!(message(&other.session_id), [login.clone(), event("session_end", "boss@example.com")]);
        assert_eq!(message(&last.session_id), [login, event("logout", "jane@example.com")]);
    }
}

#[test]
fn the_id_of_a_session_opens_nothing() {
    let app = TestApp::new();
    let jane = app.person("jane@example.com", Role::Admin, None);
    let id = jane.session_id.as_str();
    let bare = id.replace('-', "");
    for form in [id, &bare, &format!("rt_{bare}"), &format!("tk_{bare}"), &format!("e30.e30.{bare}")] {
        for path in ["/v1/accounts/me", "/v1/sessions", &format!("/v1/sessions/{id}"), "/v1/events"] {
            app.bearer(form).get(path).problem(401, "unauthorized", None);
        }
        let basic = app.anon().call("GET", "/v1/accounts/me").header("Authorization", &format!("Basic {form}")).send();
        basic.problem(401, "unauthorized", None);
        app.refresh(form).problem(401, "unauthorized", None);
        assert_eq!(app.anon().post("/api/UserAccount/RefreshToken", &json!({"refreshToken": form})).status, 401);
        assert_eq!(app.log_in("jane@example.com", form).status, 401);
    }
    app.anon().delete(&format!("/v1/sessions/{id}")).problem(401, "unauthorized", None);
    assert!(jane.is_in());
}
