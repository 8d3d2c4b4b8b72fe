//! Signed requests of the published clients. These tests compute the signature by the published formula, not by the
//! server's code.

use chrono::TimeDelta;
use ring::hmac;
use serde_json::{Value, json};
use trailkeeper_auth::NewSigningKey;
use trailkeeper_domain::account::SigningKey;
use trailkeeper_domain::clock::Clock;

use crate::audit::reads::audit_events;
use crate::support::contracts::{refused, unix};
use crate::support::{ACME, START, TestApp, TestResponse, operator, tenant_id};

const HOST: &str = "api.example.com:8443";

struct Client<'a> {
    app: &'a TestApp,
    key: SigningKey,
    secret: String,
}

impl<'a> Client<'a> {
    fn new(app: &'a TestApp, tenant: Option<&str>) -> Self {
        let new = NewSigningKey { name: "client".to_owned(), tenant_id: tenant.map(tenant_id) };
        let (key, secret) = app.state.access().create_signing_key(&operator(), new).unwrap();
        Self { app, key, secret: secret.expose().to_owned() }
    }

    /// The header for a request. `signed_path` and `signed_body` are the parts that the signature covers.
    fn authorization(&self, method: &str, signed_path: &str, signed_body: &str) -> String {
        let covered = format!("{method}{HOST}{signed_path}{signed_body}");
        authorization(self.app, (&self.key.saas_id, &self.key.api_key, &self.secret), &covered)
    }

    fn send_as(&self, authorization: &str, method: &str, path: &str, body: &str) -> TestResponse {
        let call = self.app.anon().call(method, path).header("Host", HOST).header("Authorization", authorization);
        if body.is_empty() { call.send() } else { call.header("Content-Type", "application/json").body(body).send() }
    }

    fn send(&self, method: &str, path: &str, body: &str) -> TestResponse {
        self.send_as(&self.authorization(method, path, body), method, path, body)
    }
}

/// The header that signs `covered`: method, host, path with query, body.
pub fn authorization(app: &TestApp, (saas_id, api_key, secret): (&str, &str, &str), covered: &str) -> String {
    let text = format!("{}{api_key}{covered}", app.clock.now().format("%Y%m%d%H%M"));
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, text.as_bytes());
    let hex = tag.as_ref().iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    format!("SAASUSSIGV1 Sig={hex}, SaaSID={saas_id}, APIKey={api_key}")
}

fn operations() -> Vec<(&'static str, String, String)> {
    let days = "start_date=2026-07-01&end_date=2026-07-02";
    let histories =
        json!({"timestamp": unix(START), "user_id": "u1", "histories": [{"timestamp": unix(START), "referer": "/ä"}]});
    let reported = json!({"type": "daily", "date": "2026-07-01", "tenant_id": ACME, "env_id": 1, "active_users": 1});
    let none = String::new;
    vec![
        ("PUT", "/v1/analysis/user-behavior-day".to_owned(), histories.to_string()),
        ("GET", "/v1/analysis/users/a%2Fb/behavior-histories".to_owned(), none()),
        ("GET", "/v1/analysis/active-users?type=daily&date_from=2026-07-01".to_owned(), none()),
        ("PUT", "/v1/analysis/active-users".to_owned(), reported.to_string()),
        (
            "GET",
            format!("/v1/analysis/metrics/aggregated?metrics_type=create_tenant&{days}&tenant_ids={ACME}%2C{ACME}"),
            none(),
        ),
        ("GET", "/v1/analysis/metrics/page-statistics?start_timestamp=1&end_timestamp=2".to_owned(), none()),
        ("GET", format!("/v1/analysis/userinfo/aggregated?{days}"), none()),
    ]
}

#[test]
fn every_operation_takes_a_signature() {
    let app = TestApp::new();
    let client = Client::new(&app, None);
    for (method, path, body) in operations() {
        let answer = client.send(method, &path, &body);
        assert_eq!(answer.status, 200, "{method} {path}: {}", answer.text());
    }
    assert_eq!(audit_events(&app), Vec::<Value>::new(), "a signed request is sent by a program");
}

/// Everything that a replay could change: every answer of the contract, and the list of events.
fn state_of(app: &TestApp) -> Vec<Value> {
    let admin = app.admin();
    let gets = operations().into_iter().filter(|(method, ..)| *method == "GET").map(|(_, path, _)| path);
    let span = format!("start_timestamp={}&end_timestamp={}", unix(START) - 86_400, unix(START) + 86_400);
    gets.chain([
        "/v1/analysis/users/u1/behavior-histories".to_owned(),
        format!("/v1/analysis/metrics/page-statistics?{span}"),
        "/v1/events?user_id=u1".to_owned(),
    ])
    .map(|path| admin.get(&path).ok())
    .collect()
}

#[test]
fn a_replay_inside_the_window_changes_nothing() {
    for app in TestApp::on_both() {
        let client = Client::new(&app, None);
        let recorded: Vec<_> = operations()
            .into_iter()
            .map(|(method, path, body)| (client.authorization(method, &path, &body), method, path, body))
            .collect();
        for (authorization, method, path, body) in &recorded {
            assert_eq!(client.send_as(authorization, method, path, body).status, 200, "{method} {path}");
        }
        let report = |users: u32| {
            json!({"type": "daily", "date": "2026-07-01", "tenant_id": ACME, "env_id": 1, "active_users": users})
                .to_string()
        };
        // The client corrects its report: a replay of the first report must not undo that.
        assert_eq!(client.send("PUT", "/v1/analysis/active-users", &report(7)).status, 200);
        let before = state_of(&app);
        for _ in 0..2 {
            for (authorization, method, path, body) in &recorded {
                let answer = client.send_as(authorization, method, path, body);
                assert_eq!(answer.status, 200, "{method} {path}: {}", answer.text());
            }
            assert_eq!(state_of(&app), before);
            app.clock.advance(TimeDelta::seconds(59));
        }
        assert_eq!(before[1]["data"][0]["active_users"], 7, "{before:?}");
        // In another minute the same report is a new request, and takes effect.
        app.clock.advance(TimeDelta::minutes(5));
        assert_eq!(client.send("PUT", "/v1/analysis/active-users", &report(1)).status, 200);
        assert_eq!(state_of(&app)[1]["data"][0]["active_users"], 1);
    }
}

#[test]
fn a_signature_covers_method_path_query_and_body() {
    let app = TestApp::new();
    let client = Client::new(&app, None);
    let path = "/v1/analysis/active-users?type=daily&date_from=2026-07-01";
    for (signed_method, signed_path) in [
        ("PUT", path),
        ("GET", "/v1/analysis/active-users?type=daily&date_from=2026-07-02"),
        ("GET", "/v1/analysis/active-users"),
    ] {
        let answer = client.send_as(&client.authorization(signed_method, signed_path, ""), "GET", path, "");
        refused(&answer, 401, "unauthorized", "");
    }
    let report = |users: u32| {
        json!({"type": "daily", "date": "2026-07-01", "tenant_id": ACME, "env_id": 1, "active_users": users})
            .to_string()
    };
    let path = "/v1/analysis/active-users";
    let answer = client.send_as(&client.authorization("PUT", path, &report(1)), "PUT", path, &report(1000));
    refused(&answer, 401, "unauthorized", "");
    let stored: Value = app.admin().get("/v1/analysis/active-users?type=daily&date_from=2026-07-01").ok();
    assert_eq!(stored, json!({"data": []}));
}

#[test]
fn text_moved_from_the_path_into_a_body_does_not_widen_a_signed_question() {
    let app = TestApp::new();
    let client = Client::new(&app, None);
    let wide = "/v1/analysis/active-users?type=daily&date_from=2026-07-01";
    let tenant = format!("&tenant_id={ACME}");
    let signature = client.authorization("GET", &format!("{wide}{tenant}"), "");
    assert_eq!(client.send_as(&signature, "GET", &format!("{wide}{tenant}"), "").status, 200);
    let moved = client.send_as(&signature, "GET", wide, &tenant);
    refused(&moved, 400, "unexpected_body", "this operation takes no body");
    let more = client.authorization("GET", wide, "{}");
    refused(&client.send_as(&more, "GET", wide, "{}"), 400, "unexpected_body", "this operation takes no body");
}

#[test]
fn a_decoded_path_is_signed_by_some_sdks() {
    let app = TestApp::new();
    let client = Client::new(&app, None);
    let sent = "/v1/analysis/users/jane%20d%C3%B6e/behavior-histories";
    let signature = client.authorization("GET", "/v1/analysis/users/jane döe/behavior-histories", "");
    assert_eq!(client.send_as(&signature, "GET", sent, "").status, 200);
    let other = "/v1/analysis/users/jane%20doe/behavior-histories";
    refused(&client.send_as(&signature, "GET", other, ""), 401, "unauthorized", "");
}

#[test]
fn a_signature_is_valid_in_its_minute_and_the_neighbouring_ones() {
    let app = TestApp::new();
    let client = Client::new(&app, None);
    let path = "/v1/analysis/active-users?type=daily&date_from=2026-07-01";
    let signature = client.authorization("GET", path, "");
    for (minutes, status) in [(0, 200), (1, 200), (2, 401), (-1, 200), (-2, 401)] {
        app.clock.advance(TimeDelta::minutes(minutes));
        assert_eq!(client.send_as(&signature, "GET", path, "").status, status, "{minutes}");
        app.clock.advance(TimeDelta::minutes(-minutes));
    }
}

#[test]
fn a_signature_opens_nothing_but_the_saasus_operations() {
    let app = TestApp::new();
    let client = Client::new(&app, None);
    for (path, status) in
        [("/v1/events", 401), ("/v1/auditlog/users?email=jane@example.com", 401), ("/v1/tenants", 401)]
    {
        assert_eq!(client.send("GET", path, "").status, status, "{path}");
    }
    assert_eq!(client.send("POST", "/api/UserAccount/UserEvents", "{}").status, 401);
}

#[test]
fn a_tenant_scoped_key_sees_only_its_tenant() {
    let app = TestApp::new();
    let client = Client::new(&app, Some(ACME));
    app.admin().record(&json!([
        {"type": "page_load", "user_id": "u1", "tenant_id": ACME, "page": "/a"},
        {"type": "page_load", "user_id": "u2", "page": "/b"},
    ]));
    let answer = client.send("GET", "/v1/analysis/active-users?type=daily&date_from=2026-07-01", "").ok();
    assert_eq!(answer, json!({"data": [{"date": "2026-07-23", "tenant_id": ACME, "env_id": 1, "active_users": 1}]}));
}
