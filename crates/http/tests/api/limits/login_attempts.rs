//! Guessing passwords over HTTP, from the view of an attacker.

use chrono::TimeDelta;
use serde_json::json;
use trailkeeper_auth::{AccountChange, NewAccount};
use trailkeeper_domain::account::{Account, Role};
use trailkeeper_http::HttpSettings;
use trailkeeper_testkit::DatabaseKind;

use crate::support::{TestApp, TestResponse, operator, send_at_once};

const KNOWN: &str = "jane@example.com";
const DISABLED: &str = "gone@example.com";
const UNKNOWN: &str = "nobody@example.com";
const PASSWORD: &str = "correct horse battery";

fn create(app: &TestApp, email: &str) -> Account {
    let new = NewAccount {
        email: email.to_owned(),
        display_name: None,
        password: PASSWORD.to_owned(),
        role: Role::Admin,
        tenant_id: None,
    };
    app.state.access().create_account(&operator(), new).unwrap()
}

fn with_accounts() -> TestApp {
    let app = TestApp::new();
    for email in [KNOWN, DISABLED] {
        let account = create(&app, email);
        if email == DISABLED {
            let change = AccountChange { disabled: Some(true), ..AccountChange::default() };
            app.state.access().change_account(&operator(), account.id, change).unwrap();
        }
    }
    app
}

/// Everything that an attacker can see, except the request's own id.
fn seen(answer: &TestResponse) -> (u16, Vec<(String, String)>, String) {
    let mut headers: Vec<(String, String)> = answer
        .headers
        .iter()
        .filter(|(name, _)| !["x-request-id", "x-saasus-trace-id"].contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    headers.sort();
    (answer.status, headers, answer.text())
}

#[test]
fn known_unknown_and_disabled_names_look_alike_at_each_step() {
    for (path, name_field, password_field) in
        [("/v1/sessions", "email", "password"), ("/api/UserAccount/Login", "Username", "Password")]
    {
        let app = with_accounts();
        let mut throttled = 0;
        for step in 0..30 {
            let answers =
                [(UNKNOWN, "192.0.2.1"), (KNOWN, "192.0.2.2"), (DISABLED, "192.0.2.3")].map(|(name, peer)| {
                    let body = json!({name_field: name, password_field: "wrong password"});
                    seen(&app.anon().call("POST", path).json(&body).peer(peer).send())
                });
            assert_eq!(answers[0], answers[1], "step {step} of {path}");
            assert_eq!(answers[0], answers[2], "step {step} of {path}");
            let (status, headers, body) = &answers[0];
            let retry_after = headers.iter().find(|(name, _)| name == "retry-after");
            assert_eq!((*status == 429, *status == 401), (retry_after.is_some(), retry_after.is_none()), "{body}");
            throttled += u32::from(*status == 429);
            app.clock.advance(TimeDelta::seconds(2));
        }
        assert!((10..25).contains(&throttled), "{throttled}");
    }
}

#[test]
fn a_delayed_login_gets_its_delay_in_retry_after() {
    let app = with_accounts();
    let login = |password: &str| app.anon().post("/v1/sessions", &json!({"email": KNOWN, "password": password}));
    for _ in 0..5 {
        assert_eq!(login("wrong password").status, 401);
    }
    let answer = login(PASSWORD);
    answer.problem(429, "too_many_attempts", None);
    assert_eq!(answer.header("retry-after"), Some("1"));
    app.clock.advance(TimeDelta::seconds(1));
    assert_eq!(login(PASSWORD).status, 201);
}

#[test]
fn parallel_logins_with_the_right_password_succeed() {
    for kind in DatabaseKind::ALL {
        // Enough permits to hash all passwords in parallel.
        let app = TestApp::set(kind, HttpSettings { workers: 64, ..HttpSettings::default() }, 8);
        create(&app, KNOWN);
        for (path, name_field, password_field) in
            [("/v1/sessions", "email", "password"), ("/api/UserAccount/Login", "Username", "Password")]
        {
            let calls = (0..24)
                .map(|_| app.anon().call("POST", path).json(&json!({name_field: KNOWN, password_field: PASSWORD})));
            for answer in send_at_once(calls) {
                answer.ok();
            }
        }
    }
}

#[test]
fn parallel_guesses_are_limited_like_sequential_ones() {
    let app = TestApp::set(DatabaseKind::Sqlite, HttpSettings { workers: 64, ..HttpSettings::default() }, 8);
    create(&app, KNOWN);
    let calls = (0..48).map(|number| {
        let body = json!({"email": KNOWN, "password": "wrong password"});
        app.anon().call("POST", "/v1/sessions").json(&body).peer(&format!("192.0.2.{}", number % 12))
    });
    let mut statuses: Vec<u16> = send_at_once(calls).iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [[401; 5].as_slice(), &[429; 43]].concat());
}
