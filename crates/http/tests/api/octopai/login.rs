//! Logins and refreshes.

use chrono::TimeDelta;
use serde_json::{Value, json};
use trailkeeper_auth::NewAccount;
use trailkeeper_domain::account::Role;

use crate::support::contracts::octopai_refused;
use crate::support::{ACME, TestApp, TestResponse, operator, tenant_id};

const LOGIN: &str = "/api/UserAccount/Login";
const REFRESH: &str = "/api/UserAccount/RefreshToken";
const PASSWORD: &str = "correct horse battery";

fn with_account(role: Role) -> TestApp {
    let app = TestApp::new();
    account(&app, "Jane@Example.com", role, None);
    app
}

fn account(app: &TestApp, email: &str, role: Role, tenant: Option<&str>) {
    let new = NewAccount {
        email: email.to_owned(),
        display_name: Some("Jane Doe".to_owned()),
        password: PASSWORD.to_owned(),
        role,
        tenant_id: tenant.map(tenant_id),
    };
    app.state.access().create_account(&operator(), new).unwrap();
}

fn login(app: &TestApp, name: &str, password: &str) -> TestResponse {
    app.anon().post(LOGIN, &json!({"Username": name, "Password": password}))
}

fn refresh(app: &TestApp, token: &Value) -> TestResponse {
    app.anon().post(REFRESH, &json!({"refreshToken": token}))
}

/// Asserts a failed login: the same object as that of a successful one.
#[track_caller]
fn failed(answer: &TestResponse) -> String {
    assert_eq!(answer.status, 401, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert!(answer.header("www-authenticate").is_some());
    let mut body = answer.json();
    let error = body["error"].take();
    let expected = json!({
        "accessToken": null, "expiration": null, "refreshToken": null, "userName": null, "displayName": null,
        "userEmail": null, "isAdmin": false, "error": null, "groupMember": [], "authLevel": null, "displayModules": "",
    });
    assert_eq!(body, expected);
    error.as_str().unwrap().to_owned()
}

#[test]
fn a_login_returns_the_published_object() {
    let app = with_account(Role::Admin);
    let mut body = login(&app, "jane@example.COM", PASSWORD).ok();
    let access = body["accessToken"].take();
    let refresh = body["refreshToken"]["token"].take();
    let expected = json!({
        "accessToken": null, "expiration": "2026-07-23T12:00:00.0000000Z",
        "refreshToken": {"token": null, "expiration": "2026-08-22T10:00:00.0000000Z"},
        "userName": "Jane@Example.com", "displayName": "Jane Doe", "userEmail": null, "isAdmin": true, "error": null,
        "groupMember": [], "authLevel": "ADMIN", "displayModules": "",
    });
    assert_eq!(body, expected);
    assert!(refresh.as_str().unwrap().len() > 20);
    assert_eq!(access.as_str().unwrap().split('.').count(), 3, "a JWT");
    let caller = app.bearer(access.as_str().unwrap());
    assert_eq!(caller.post("/api/UserAccount/UserEvents", &json!({})).status, 200);
    app.clock.advance(TimeDelta::hours(2));
    octopai_refused(&caller.post("/api/UserAccount/UserEvents", &json!({})), 401, "");
}

#[test]
fn only_admins_are_admins() {
    for (role, level) in [(Role::Analyst, "ANALYST"), (Role::Auditor, "AUDITOR"), (Role::Ingest, "INGEST")] {
        let app = with_account(role);
        let body = login(&app, "jane@example.com", PASSWORD).ok();
        assert_eq!((&body["isAdmin"], &body["authLevel"]), (&json!(false), &json!(level)));
    }
}

#[test]
fn field_names_are_matched_without_regard_to_case() {
    let app = with_account(Role::Admin);
    for (name, password) in [("username", "password"), ("userName", "PASSWORD"), ("USERNAME", "Password")] {
        app.anon().post(LOGIN, &json!({name: "jane@example.com", password: PASSWORD, "extra": 1})).ok();
    }
    let token = login(&app, "jane@example.com", PASSWORD).ok()["refreshToken"]["token"].clone();
    app.anon().post(REFRESH, &json!({"RefreshToken": token})).ok();
    let twice = json!({"Username": "jane@example.com", "username": "jane@example.com", "Password": PASSWORD});
    octopai_refused(&app.anon().post(LOGIN, &twice), 400, "Username: stands twice");
}

#[test]
fn every_failure_reads_the_same() {
    let app = with_account(Role::Admin);
    account(&app, "joe@example.com", Role::Admin, None);
    let wrong_password = failed(&login(&app, "jane@example.com", "wrong"));
    let unknown_name = failed(&login(&app, "nobody@example.com", PASSWORD));
    let no_email = failed(&login(&app, "\u{0}'; --", PASSWORD));
    app.state.access().set_disabled(&operator(), "joe@example.com", true).unwrap();
    let disabled = failed(&login(&app, "joe@example.com", PASSWORD));
    assert_eq!([&unknown_name, &no_email, &disabled], [&wrong_password; 3]);
}

#[test]
fn a_refresh_rotates_and_a_spent_token_ends_the_family() {
    let app = with_account(Role::Admin);
    let first = login(&app, "jane@example.com", PASSWORD).ok();
    let first_token = &first["refreshToken"]["token"];
    app.clock.advance(TimeDelta::hours(1));
    let second = refresh(&app, first_token).ok();
    let second_token = &second["refreshToken"]["token"];
    assert_eq!(second["expiration"], "2026-07-23T13:00:00.0000000Z");
    assert_eq!(second["userName"], "Jane@Example.com");
    assert_ne!(second_token, first_token);
    assert_ne!(second["accessToken"], first["accessToken"]);
    // A second tab of the same browser may refresh at the same moment.
    assert_eq!(&refresh(&app, first_token).ok()["refreshToken"]["token"], second_token);
    let third = refresh(&app, second_token).ok();
    app.clock.advance(TimeDelta::seconds(11));
    let error = failed(&refresh(&app, first_token));
    assert!(error.contains("log in again"), "{error}");
    failed(&refresh(&app, second_token));
    failed(&refresh(&app, &third["refreshToken"]["token"]));
    let other = login(&app, "jane@example.com", PASSWORD).ok();
    refresh(&app, &other["refreshToken"]["token"]).ok();
}

#[test]
fn a_lost_answer_is_replaced_once() {
    let app = with_account(Role::Admin);
    let first = login(&app, "jane@example.com", PASSWORD).ok()["refreshToken"]["token"].clone();
    let lost = refresh(&app, &first).ok()["refreshToken"]["token"].clone();
    app.clock.advance(TimeDelta::minutes(1));
    let second = refresh(&app, &first).ok()["refreshToken"]["token"].clone();
    assert_ne!(second, lost);
    app.clock.advance(TimeDelta::minutes(1));
    let third = refresh(&app, &second).ok()["refreshToken"]["token"].clone();
    app.clock.advance(TimeDelta::minutes(1));
    failed(&refresh(&app, &first));
    failed(&refresh(&app, &third));
}

#[test]
fn a_refresh_token_expires_after_thirty_days() {
    let app = with_account(Role::Admin);
    let token = login(&app, "jane@example.com", PASSWORD).ok()["refreshToken"]["token"].clone();
    app.clock.advance(TimeDelta::days(30));
    failed(&refresh(&app, &token));
    failed(&refresh(&app, &json!("nonsense")));
}

#[test]
fn bad_input_names_the_field_and_never_the_secret() {
    let app = with_account(Role::Admin);
    let long = "x".repeat(1025);
    for (path, body, start) in [
        (LOGIN, json!({"Password": "x"}), "Username: is missing"),
        (LOGIN, json!({"Username": "x"}), "Password: is missing"),
        (LOGIN, json!({"Username": null, "Password": "x"}), "Username: is missing"),
        (LOGIN, json!({"Username": "x", "Password": 12_345_678}), "Password: is not a text"),
        (LOGIN, json!({"Username": "x", "Password": ""}), "Password: has 0 bytes"),
        (LOGIN, json!({"Username": long, "Password": "x"}), "Username: has 1025 bytes; send 1 to 1024"),
        (LOGIN, json!({"Username": "x", "Password": long}), "Password: has 1025 bytes; send 1 to 1024"),
        (REFRESH, json!({}), "refreshToken: is missing"),
        (REFRESH, json!({"refreshToken": ["secret"]}), "refreshToken: is not a text"),
        (LOGIN, json!([]), ""),
    ] {
        let answer = app.anon().post(path, &body);
        octopai_refused(&answer, 400, start);
        assert!(!answer.text().contains("12345678") && !answer.text().contains("secret"), "{}", answer.text());
    }
    let send = |kind: &str, body: &str| app.anon().call("POST", LOGIN).header("Content-Type", kind).body(body).send();
    octopai_refused(&send("application/json", "{"), 400, "this is not valid JSON");
    octopai_refused(&send("text/plain", "{}"), 400, "Content-Type: 'text/plain'");
    octopai_refused(&send("application/json", &" ".repeat(70_000)), 413, "the body has more than 65536 bytes");
}

#[test]
fn unknown_paths_and_methods() {
    let app = TestApp::new();
    octopai_refused(&app.anon().get("/api/UserAccount/Other"), 404, "there is no '/api/UserAccount/Other' here");
    octopai_refused(&app.anon().get("/api/Other"), 404, "there is no '/api/Other' here");
    let answer = app.anon().get(LOGIN);
    octopai_refused(&answer, 405, "this path has no method GET; send one of: POST");
    assert_eq!(answer.header("allow"), Some("POST"));
}

#[test]
fn a_login_of_a_tenant_scoped_account_sees_only_its_tenant() {
    let app = TestApp::new();
    account(&app, "acme@example.com", Role::Admin, Some(ACME));
    app.admin()
        .record(&json!([{"type": "logout", "tenant_id": ACME, "user_id": "u1"}, {"type": "logout", "user_id": "u2"}]));
    let access = login(&app, "acme@example.com", PASSWORD).ok()["accessToken"].clone();
    let events = app.bearer(access.as_str().unwrap()).post("/api/UserAccount/UserEvents", &json!({})).ok();
    assert_eq!(
        events,
        json!([{"type": "LOGOUT", "userName": "u1", "source": "198.51.100.20", "time": "2026-07-23T10:00:00.0000000Z"}])
    );
}
