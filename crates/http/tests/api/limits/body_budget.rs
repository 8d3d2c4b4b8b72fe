//! The bodies of all requests share a budget of memory.

use serde_json::json;
use trailkeeper_auth::NewSigningKey;
use trailkeeper_http::HttpSettings;

use crate::saasus::signature::authorization;
use crate::support::contracts::refused;
use crate::support::{TestApp, operator};

const FULL: &str = "the bodies of other requests use all memory for bodies; send it again after Retry-After seconds";

fn app(body_budget_bytes: usize) -> TestApp {
    TestApp::with(HttpSettings { body_budget_bytes, ..HttpSettings::default() })
}

#[test]
fn a_body_that_does_not_fit_is_refused_and_every_answered_request_gives_its_bytes_back() {
    let app = app(4096);
    let admin = app.admin();
    let event = |bytes: usize| json!({"type": "page_load", "metadata": {"x": "y".repeat(bytes)}});
    for _ in 0..5 {
        assert_eq!(admin.post("/v1/events", &event(3000)).ok()["stored"], 1);
    }
    let answer = admin.post("/v1/events", &event(5000));
    assert_eq!(answer.problem(503, "overloaded", None), FULL);
    assert_eq!(answer.header("retry-after"), Some("2"));
    assert_eq!(admin.post("/v1/events", &event(3000)).ok()["stored"], 1);
}

#[test]
fn senders_without_a_verified_credential_get_a_quarter() {
    let app = app(4096);
    let login = |bytes: usize| json!({"email": "x".repeat(bytes), "password": "y"});
    assert_eq!(app.anon().post("/v1/sessions", &login(100)).status, 401);
    assert_eq!(app.anon().post("/v1/sessions", &login(1100)).problem(503, "overloaded", None), FULL);

    let (key, secret) = app
        .state
        .access()
        .create_signing_key(&operator(), NewSigningKey { name: "client".to_owned(), tenant_id: None })
        .unwrap();
    let path = "/v1/analysis/user-behavior-day";
    for (bytes, status) in [(500, 400), (1100, 503), (500, 400)] {
        let body = format!("{{{}", " ".repeat(bytes));
        let signed = format!("PUTapi.example.com{path}{body}");
        let header = authorization(&app, (&key.saas_id, &key.api_key, secret.expose()), &signed);
        let call = app.anon().call("PUT", path).header("Host", "api.example.com").header("Authorization", &header);
        let answer = call.header("Content-Type", "application/json").body(body).send();
        refused(&answer, status, if status == 400 { "malformed_json" } else { "overloaded" }, "");
    }
}

/// The body is larger than the budget, so a 401 instead of a 503 shows that the server did not read it.
#[test]
fn an_unknown_api_key_is_refused_before_the_body_is_read() {
    let app = app(4096);
    let header = authorization(&app, ("saas_x", "ak_x", "sk_x"), "");
    let call = app.anon().call("PUT", "/v1/analysis/user-behavior-day").header("Authorization", &header);
    let answer = call.header("Content-Type", "application/json").body("x".repeat(5000)).send();
    refused(&answer, 401, "unauthorized", "the request's signature is not valid");
}
