//! Signing keys.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::saasus::signature::authorization;
use crate::support::{ACME, START, TestApp, TestResponse, numbered};

const HOST: &str = "api.example.com";
const QUESTION: &str = "/v1/analysis/active-users?type=daily&date_from=2026-07-01";

/// Sends a SaaSus request with the key from the answer of a POST.
fn ask(app: &TestApp, made: &Value) -> TestResponse {
    let text = |name: &str| made["signing_key"][name].as_str().unwrap();
    let key = (text("saas_id"), text("api_key"), made["secret_key"].as_str().unwrap());
    let signature = authorization(app, key, &format!("GET{HOST}{QUESTION}"));
    app.anon().call("GET", QUESTION).header("Host", HOST).header("Authorization", &signature).send()
}

#[test]
fn a_key_is_created_used_renamed_and_revoked() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        let answer = admin.post("/v1/signing-keys", &json!({"name": "shop", "tenant_id": ACME}));
        assert_eq!((answer.status, answer.header("cache-control")), (201, Some("no-store")));
        let made = answer.ok();
        let path = format!("/v1/signing-keys/{}", made["signing_key"]["signing_key_id"].as_str().unwrap());
        assert_eq!(answer.header("location"), Some(path.as_str()));
        let mut expected = made["signing_key"].clone();
        assert_eq!(expected["api_key"].as_str().unwrap().len(), 35);
        for (field, value) in [
            ("name", json!("shop")),
            ("tenant_id", json!(ACME)),
            ("state", json!("active")),
            ("created_at", json!(START)),
            ("revoked_at", Value::Null),
        ] {
            assert_eq!(expected[field], value, "{field}");
        }
        assert_eq!(expected.as_object().unwrap().len(), 8);
        assert_eq!(admin.get(&path).ok(), expected);
        assert_eq!(admin.get("/v1/signing-keys").ok(), json!({"signing_keys": [expected], "next_cursor": null}));
        assert_eq!(ask(&app, &made).status, 200);

        expected["name"] = json!("shop of 2026");
        assert_eq!(admin.patch(&path, &json!({"name": "shop of 2026"})).ok(), expected);
        assert_eq!(admin.patch(&path, &json!({"name": null})).ok(), expected);
        assert_eq!(ask(&app, &made).status, 200);

        for _ in 0..2 {
            admin.delete(&path).no_content();
            assert_eq!(ask(&app, &made).status, 401);
            app.clock.advance(TimeDelta::minutes(1));
        }
        expected["state"] = json!("revoked");
        expected["revoked_at"] = json!(START);
        assert_eq!(admin.get(&path).ok(), expected, "the record stays, with the time of the first revocation");
        admin.patch(&path, &json!({"name": "again"})).problem(409, "signing_key_revoked", None);
    }
}

#[test]
fn a_secret_is_shown_once() {
    let app = TestApp::new();
    let admin = app.admin();
    let made = admin.post("/v1/signing-keys", &json!({"name": "once"})).ok();
    assert!(made["secret_key"].as_str().unwrap().starts_with("sk_"));
    let path = format!("/v1/signing-keys/{}", made["signing_key"]["signing_key_id"].as_str().unwrap());
    for answer in [admin.get("/v1/signing-keys"), admin.get(&path), admin.patch(&path, &json!({"name": "again"}))] {
        let text = answer.ok().to_string();
        assert!(!text.contains("sk_") && !text.contains("secret"), "{text}");
    }
    let events = admin.get("/v1/events?tenant_id=ffffffff-ffff-ffff-ffff-ffffffffffff").text();
    assert!(events.contains("signing_key_create") && !events.contains("sk_"), "{events}");
}

#[test]
fn a_key_opens_the_saasus_operations_only() {
    let app = TestApp::new();
    let made = app.admin().post("/v1/signing-keys", &json!({"name": "shop"})).ok();
    let text = |name: &str| made["signing_key"][name].as_str().unwrap();
    let key = (text("saas_id"), text("api_key"), made["secret_key"].as_str().unwrap());
    for path in ["/v1/accounts", "/v1/accounts/me", "/v1/tokens", "/v1/signing-keys", "/v1/sessions"] {
        let signature = authorization(&app, key, &format!("GET{HOST}{path}"));
        let answer = app.anon().call("GET", path).header("Host", HOST).header("Authorization", &signature).send();
        let detail = answer.problem(401, "unauthorized", None);
        assert!(detail.contains("SaaSus operations only"), "{detail}");
    }
}

#[test]
fn invalid_keys_name_their_field_and_store_nothing() {
    let app = TestApp::new();
    let admin = app.admin();
    for (body, field) in [
        (json!({}), "name"),
        (json!({"name": ""}), "name"),
        (json!({"name": "x".repeat(129)}), "name"),
        (json!({"name": true}), "name"),
        (json!({"name": "x", "tenant_id": "acme"}), "tenant_id"),
        (json!({"name": "x", "tenant_id": "ffffffff-ffff-ffff-ffff-ffffffffffff"}), "tenant_id"),
        (json!({"name": "x", "role": "admin"}), "role"),
        (json!({"name": "x", "secret_key": "sk_mine"}), "secret_key"),
    ] {
        admin.post("/v1/signing-keys", &body).problem(400, "invalid_parameter", Some(field));
    }
    assert_eq!(admin.get("/v1/signing-keys").ok()["signing_keys"], json!([]));
    let made = admin.post("/v1/signing-keys", &json!({"name": "shop"})).ok();
    let path = format!("/v1/signing-keys/{}", made["signing_key"]["signing_key_id"].as_str().unwrap());
    for (body, field) in [(json!({"name": ""}), "name"), (json!({"tenant_id": null}), "tenant_id")] {
        admin.patch(&path, &body).problem(400, "invalid_parameter", Some(field));
    }
    for method in ["GET", "PATCH", "DELETE"] {
        let send = |id: &str| admin.call(method, &format!("/v1/signing-keys/{id}")).json(&json!({"name": "x"})).send();
        send(&numbered(1)).problem(404, "signing_key_not_found", None);
        send("x").problem(400, "invalid_parameter", Some("signing_key_id"));
    }
    admin.patch(&format!("/v1/signing-keys/{}", numbered(1)), &json!({})).problem(404, "signing_key_not_found", None);
}

#[test]
fn the_list_is_in_the_order_of_creation() {
    let app = TestApp::new();
    let admin = app.admin();
    for name in ["c", "a", "b"] {
        app.clock.advance(TimeDelta::seconds(1));
        admin.post("/v1/signing-keys", &json!({"name": name})).ok();
    }
    let first = admin.get("/v1/signing-keys?limit=2").ok();
    let next = first["next_cursor"].as_str().unwrap();
    let second = admin.get(&format!("/v1/signing-keys?limit=2&cursor={next}")).ok();
    let names: Vec<_> = [&first, &second]
        .iter()
        .flat_map(|page| page["signing_keys"].as_array().unwrap())
        .map(|key| key["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["c", "a", "b"]);
    assert_eq!(second["next_cursor"], Value::Null);
    admin.get(&format!("/v1/tokens?cursor={next}")).problem(400, "invalid_parameter", Some("cursor"));
}
