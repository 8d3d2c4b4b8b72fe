//! Tenants' records.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{ACME, START, TestApp, numbered};

#[test]
fn a_tenant_is_created_replaced_and_removed() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        let path = format!("/v1/tenants/{ACME}");
        admin.get(&path).problem(404, "tenant_not_found", None);
        let created = admin.put(&path, &json!({"name": "Acme"}));
        assert_eq!(created.status, 201);
        assert_eq!(created.ok(), json!({"tenant_id": ACME, "name": "Acme", "created_at": START, "updated_at": START}));
        assert_eq!(admin.get(&path).ok(), created.ok());
        app.clock.advance(TimeDelta::hours(1));
        let replaced = admin.put(&path, &json!({"created_at": "2025-12-31T23:00:00-01:00"}));
        assert_eq!(replaced.status, 200);
        let expected = json!({
            "tenant_id": ACME, "name": null, "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-07-23T11:00:00Z",
        });
        assert_eq!(replaced.ok(), expected, "PUT replaces the record: the name is removed");
        assert_eq!(
            admin.put(&path, &json!({})).ok()["created_at"],
            "2026-01-01T00:00:00Z",
            "a known creation time stays"
        );
        admin.delete(&path).no_content();
        admin.get(&path).problem(404, "tenant_not_found", None);
        admin.delete(&path).problem(404, "tenant_not_found", None);
        assert_eq!(admin.put(&path, &json!({"name": null})).ok()["created_at"], "2026-07-23T11:00:00Z");
    }
}

#[test]
fn a_missing_body_is_an_empty_record() {
    let app = TestApp::new();
    let admin = app.admin();
    let path = format!("/v1/tenants/{}", ACME.to_uppercase());
    let answer = admin.call("PUT", &path).send();
    assert_eq!(answer.status, 201);
    assert_eq!(answer.ok()["tenant_id"], ACME);
    assert_eq!(answer.ok()["name"], Value::Null);
    admin.put(&path, &json!({"name": "Acme"})).ok();
    assert_eq!(admin.call("PUT", &path).body(" \n").send().ok()["name"], Value::Null);
    admin.put(&path, &Value::Null).problem(400, "not_an_object", None);
}

#[test]
fn invalid_records_name_their_field_and_store_nothing() {
    let app = TestApp::new();
    let admin = app.admin();
    let path = format!("/v1/tenants/{ACME}");
    for (body, code, field) in [
        (json!({"name": ""}), "invalid_parameter", Some("name")),
        (json!({"name": "x".repeat(257)}), "invalid_parameter", Some("name")),
        (json!({"name": "a\u{0}"}), "invalid_parameter", Some("name")),
        (json!({"name": 5}), "invalid_parameter", Some("name")),
        (json!({"created_at": "2026-01-31"}), "invalid_parameter", Some("created_at")),
        (json!({"created_at": "2026-07-23T10:10:00.000001Z"}), "invalid_parameter", Some("created_at")),
        (json!({"createdAt": "2026-01-31T00:00:00Z"}), "invalid_parameter", Some("createdAt")),
        (json!([]), "not_an_object", None),
        (json!("x"), "not_an_object", None),
    ] {
        admin.put(&path, &body).problem(400, code, field);
    }
    admin.call("PUT", &path).body("{\"name\":").send().problem(400, "malformed_json", None);
    admin.call("PUT", &path).body("{\"name\":\"a\",\"name\":\"b\"}").send().problem(
        400,
        "invalid_parameter",
        Some("name"),
    );
    let form = admin.call("PUT", &path).header("Content-Type", "text/plain").body("{}").send();
    form.problem(400, "invalid_parameter", Some("Content-Type"));
    admin.put(&format!("{path}?name=x"), &json!({})).problem(400, "invalid_parameter", Some("name"));
    admin.get(&path).problem(404, "tenant_not_found", None);
}

#[test]
fn ids_are_uuids_and_reserved_ones_are_rejected() {
    let app = TestApp::new();
    let admin = app.admin();
    for id in ["acme", "69e732d68ecc45c4a2eb8438f7ffe775", "%20", "%FF"] {
        admin.put(&format!("/v1/tenants/{id}"), &json!({})).problem(400, "invalid_parameter", Some("tenant_id"));
        admin.get(&format!("/v1/tenants/{id}")).problem(400, "invalid_parameter", Some("tenant_id"));
    }
    for id in ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"] {
        admin.put(&format!("/v1/tenants/{id}"), &json!({})).problem(400, "invalid_parameter", Some("tenant_id"));
        admin.delete(&format!("/v1/tenants/{id}")).problem(400, "invalid_parameter", Some("tenant_id"));
        admin.get(&format!("/v1/tenants/{id}")).problem(404, "tenant_not_found", None);
    }
}

#[test]
fn the_list_is_sorted_by_id() {
    let app = TestApp::new();
    let admin = app.admin();
    assert_eq!(admin.get("/v1/tenants").ok(), json!({"tenants": [], "next_cursor": null}));
    for number in [5, 1, 4, 2, 3] {
        admin.put(&format!("/v1/tenants/{}", numbered(number)), &json!({})).ok();
    }
    let mut seen = Vec::new();
    let mut path = "/v1/tenants?limit=2".to_owned();
    loop {
        let page = admin.get(&path).ok();
        seen.extend(
            page["tenants"].as_array().unwrap().iter().map(|tenant| tenant["tenant_id"].as_str().unwrap().to_owned()),
        );
        match page["next_cursor"].as_str() {
            Some(next) => path = format!("/v1/tenants?limit=2&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, (1..=5).map(numbered).collect::<Vec<_>>());
    admin.get("/v1/tenants?cursor=t6162").problem(400, "invalid_parameter", Some("cursor"));
    admin.get("/v1/tenants?cursor=u6162").problem(400, "invalid_parameter", Some("cursor"));
    admin.get("/v1/tenants?name=x").problem(400, "invalid_parameter", Some("name"));
}
