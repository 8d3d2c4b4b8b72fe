//! Legal holds.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{ACME, START, TestApp, numbered};

const HOLDS: &str = "/v1/legal-holds";

#[test]
fn a_hold_is_placed_listed_and_lifted() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        let sent = json!({"case": "2026-17", "reason": "court order", "tenant_id": ACME, "user_id": "jane"});
        let answer = admin.post(HOLDS, &sent);
        assert_eq!(answer.status, 201);
        let made = answer.ok();
        let path = format!("{HOLDS}/{}", made["hold_id"].as_str().unwrap());
        assert_eq!(answer.header("location"), Some(path.as_str()));
        let mut expected = sent.clone();
        expected["hold_id"] = made["hold_id"].clone();
        expected["created_at"] = json!(START);
        assert_eq!(made, expected);
        assert_eq!(admin.get(&path).ok(), expected);

        app.clock.advance(TimeDelta::minutes(1));
        let other = admin.post(HOLDS, &json!({"case": "2026-17", "reason": "the same", "user_id": "joe"})).ok();
        assert_eq!(other["tenant_id"], Value::Null);
        let first = admin.get(&format!("{HOLDS}?limit=1")).ok();
        assert_eq!(first["holds"], json!([expected]));
        let rest = admin.get(&format!("{HOLDS}?cursor={}", first["next_cursor"].as_str().unwrap())).ok();
        assert_eq!(rest, json!({"holds": [other], "next_cursor": null}));

        admin.delete(&path).no_content();
        admin.delete(&path).problem(404, "hold_not_found", None);
        admin.get(&path).problem(404, "hold_not_found", None);
        assert_eq!(admin.get(HOLDS).ok()["holds"].as_array().unwrap().len(), 1);
    }
}

#[test]
fn wrong_holds_are_refused_by_field() {
    let app = TestApp::new();
    let admin = app.admin();
    for (body, field) in [
        (json!({"reason": "r", "user_id": "u"}), "case"),
        (json!({"case": "c", "user_id": "u"}), "reason"),
        (json!({"case": "c".repeat(129), "reason": "r", "user_id": "u"}), "case"),
        (json!({"case": "c", "reason": "r"}), "tenant_id"),
        (json!({"case": "c", "reason": "r", "user_id": ""}), "user_id"),
        (json!({"case": "c", "reason": "r", "user": "u"}), "user"),
    ] {
        admin.post(HOLDS, &body).problem(400, "invalid_parameter", Some(field));
    }
    admin.get(&format!("{HOLDS}/{}", numbered(1))).problem(404, "hold_not_found", None);
    assert_eq!(admin.get(HOLDS).ok(), json!({"holds": [], "next_cursor": null}));
}
