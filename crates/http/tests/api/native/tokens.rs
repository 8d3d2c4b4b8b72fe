//! API tokens.

use chrono::TimeDelta;
use serde_json::{Value, json};
use trailkeeper_domain::account::Role;

use crate::support::{ACME, OTHER, START, TestApp, TestResponse, numbered};

/// The path of a token's record, and the token.
fn made(answer: &TestResponse) -> (String, String) {
    assert_eq!((answer.status, answer.header("cache-control")), (201, Some("no-store")), "{}", answer.text());
    let path = answer.header("location").unwrap().to_owned();
    let made = answer.ok();
    assert_eq!(path, format!("/v1/tokens/{}", made["api_token"]["token_id"].as_str().unwrap()));
    (path, made["token"].as_str().unwrap().to_owned())
}

#[test]
fn a_token_is_created_used_changed_and_revoked() {
    for app in TestApp::on_both() {
        // A person, so that the list contains only this token.
        let root = app.person("root@example.com", Role::Admin, None).caller;
        let answer = root.post("/v1/tokens", &json!({"name": "billing", "role": "ingest"}));
        let (path, token) = made(&answer);
        let mut expected = json!({
            "token_id": answer.ok()["api_token"]["token_id"], "name": "billing", "role": "ingest", "tenant_id": null,
            "state": "active", "created_at": START, "expires_at": null, "last_used_at": null, "revoked_at": null,
        });
        assert_eq!(answer.ok()["api_token"], expected);
        assert_eq!(root.get(&path).ok(), expected);
        assert_eq!(root.get("/v1/tokens").ok(), json!({"tokens": [expected], "next_cursor": null}));

        app.bearer(&token).record(&json!({"type": "x"}));
        expected["last_used_at"] = json!(START);
        assert_eq!(root.get(&path).ok(), expected);
        let change = json!({"name": "billing of 2026", "expires_at": "2026-07-23T13:00:00+01:00"});
        expected["name"] = json!("billing of 2026");
        expected["expires_at"] = json!("2026-07-23T12:00:00Z");
        assert_eq!(root.patch(&path, &change).ok(), expected);

        for _ in 0..2 {
            root.delete(&path).no_content();
            app.bearer(&token).post("/v1/events", &json!({"type": "x"})).problem(401, "unauthorized", None);
            app.clock.advance(TimeDelta::minutes(1));
        }
        expected["state"] = json!("revoked");
        expected["revoked_at"] = json!(START);
        assert_eq!(root.get(&path).ok(), expected, "the record stays, with the time of the first revocation");
        assert_eq!(root.get("/v1/tokens").ok()["tokens"], json!([expected]));
        root.patch(&path, &json!({"name": "again"})).problem(409, "token_revoked", None);
    }
}

#[test]
fn a_token_is_shown_once() {
    let app = TestApp::new();
    let admin = app.admin();
    let (path, token) = made(&admin.post("/v1/tokens", &json!({"name": "once", "role": "admin"})));
    assert!(token.starts_with("tk_"));
    for answer in [admin.get("/v1/tokens"), admin.get(&path), admin.patch(&path, &json!({"name": "again"}))] {
        let text = answer.ok().to_string();
        assert!(!text.contains("tk_") && !text.contains("hash"), "{text}");
    }
    let events = admin.get("/v1/events?tenant_id=ffffffff-ffff-ffff-ffff-ffffffffffff").text();
    assert!(events.contains("token_create") && !events.contains("tk_"), "{events}");
}

#[test]
fn a_token_may_be_tenant_scoped_and_may_expire() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        let new = json!({"name": "short", "role": "admin", "tenant_id": ACME, "expires_at": "2026-07-23T11:00:00Z"});
        let (path, token) = made(&admin.post("/v1/tokens", &new));
        let caller = app.bearer(&token);
        assert_eq!(caller.put(&format!("/v1/tenants/{ACME}"), &json!({})).status, 201);
        caller.get(&format!("/v1/tenants/{OTHER}")).problem(404, "tenant_not_found", None);
        caller.post("/v1/tokens", &json!({"name": "more", "role": "admin"})).problem(403, "permission_denied", None);

        assert_eq!(admin.patch(&path, &json!({"name": "shorter"})).ok()["expires_at"], "2026-07-23T11:00:00Z");
        assert_eq!(admin.patch(&path, &json!({"expires_at": null, "name": null})).ok()["expires_at"], Value::Null);
        assert_eq!(admin.get(&path).ok()["name"], "shorter");
        admin.patch(&path, &json!({"expires_at": "2026-07-23T10:30:00Z"})).ok();
        app.clock.set("2026-07-23T10:30:00Z");
        caller.get("/v1/tenants").problem(401, "unauthorized", None);
        assert_eq!(admin.get(&path).ok()["state"], "expired");
        admin.patch(&path, &json!({"expires_at": null})).problem(409, "token_expired", None);
        admin.delete(&path).no_content();
        assert_eq!(admin.get(&path).ok()["state"], "revoked");
    }
}

#[test]
fn a_token_can_revoke_itself() {
    let app = TestApp::new();
    let (path, token) = made(&app.admin().post("/v1/tokens", &json!({"name": "once", "role": "admin"})));
    let caller = app.bearer(&token);
    caller.get("/v1/tokens").ok();
    caller.delete(&path).no_content();
    caller.get("/v1/tokens").problem(401, "unauthorized", None);
}

#[test]
fn invalid_tokens_name_their_field_and_store_nothing() {
    let app = TestApp::new();
    let root = app.person("root@example.com", Role::Admin, None).caller;
    let good = json!({"name": "billing", "role": "ingest"});
    for (field, value) in [
        ("name", Value::Null),
        ("name", json!("")),
        ("name", json!("x".repeat(129))),
        ("name", json!("a\n")),
        ("name", json!(5)),
        ("role", Value::Null),
        ("role", json!("owner")),
        ("tenant_id", json!("acme")),
        ("tenant_id", json!("00000000-0000-0000-0000-000000000000")),
        ("tenant_id", json!("ffffffff-ffff-ffff-ffff-ffffffffffff")),
        ("expires_at", json!("tomorrow")),
        ("expires_at", json!(START)),
        ("token", json!("tk_mine")),
    ] {
        let mut bad = good.clone();
        bad[field] = value;
        root.post("/v1/tokens", &bad).problem(400, "invalid_parameter", Some(field));
    }
    assert_eq!(root.get("/v1/tokens").ok()["tokens"], json!([]));
    let (path, _) = made(&root.post("/v1/tokens", &good));
    for (field, value) in [
        ("name", json!("")),
        ("name", json!(5)),
        ("expires_at", json!("2026-07-23T09:00:00Z")),
        ("expires_at", json!(false)),
        ("role", json!("admin")),
        ("tenant_id", Value::Null),
    ] {
        root.patch(&path, &json!({field: value})).problem(400, "invalid_parameter", Some(field));
    }
    root.call("PATCH", &path).send().problem(400, "malformed_json", None);
    assert_eq!(root.get(&path).ok()["role"], "ingest");
    for (method, id, status, code) in [
        ("GET", numbered(1), 404, "token_not_found"),
        ("PATCH", numbered(1), 404, "token_not_found"),
        ("DELETE", numbered(1), 404, "token_not_found"),
        ("GET", "x".to_owned(), 400, "invalid_parameter"),
        ("PATCH", "x".to_owned(), 400, "invalid_parameter"),
        ("DELETE", "x".to_owned(), 400, "invalid_parameter"),
    ] {
        let field = (status == 400).then_some("token_id");
        root.call(method, &format!("/v1/tokens/{id}")).json(&json!({})).send().problem(status, code, field);
    }
}

#[test]
fn the_list_is_in_the_order_of_creation() {
    let app = TestApp::new();
    let root = app.person("root@example.com", Role::Admin, None).caller;
    let mut seen = Vec::new();
    for name in ["c", "a", "e", "b", "d"] {
        app.clock.advance(TimeDelta::seconds(1));
        root.post("/v1/tokens", &json!({"name": name, "role": "ingest"})).ok();
    }
    let mut path = "/v1/tokens?limit=2".to_owned();
    loop {
        let page = root.get(&path).ok();
        seen.extend(page["tokens"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/tokens?limit=2&cursor={next}");
    }
    assert_eq!(seen, ["c", "a", "e", "b", "d"]);
    root.get("/v1/tokens?cursor=a6162").problem(400, "invalid_parameter", Some("cursor"));
    root.get("/v1/tokens?state=active").problem(400, "invalid_parameter", Some("state"));
}
