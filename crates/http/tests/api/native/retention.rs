//! Rules of retention.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{ACME, START, TestApp, numbered};

const RULES: &str = "/v1/retention/rules";

#[test]
fn a_rule_is_made_changed_listed_and_removed() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        let answer = admin.put(RULES, &json!({"tenant_id": ACME, "type": "page_load", "keep_days": 90}));
        assert_eq!(answer.status, 201);
        let mut expected = answer.ok();
        for (field, value) in [
            ("tenant_id", json!(ACME)),
            ("type", json!("page_load")),
            ("keep_days", json!(90)),
            ("keep_sheets_days", Value::Null),
            ("removed_before", Value::Null),
            ("created_at", json!(START)),
            ("changed_at", json!(START)),
        ] {
            assert_eq!(expected[field], value, "{field}");
        }
        let path = format!("{RULES}/{}", expected["rule_id"].as_str().unwrap());
        assert_eq!(admin.get(&path).ok(), expected);

        app.clock.advance(TimeDelta::hours(1));
        let sent = json!({"tenant_id": ACME, "type": "page_load", "keep_days": 30, "keep_sheets_days": 400});
        let answer = admin.put(RULES, &sent);
        assert_eq!(answer.status, 200);
        let changed = answer.ok();
        (expected["keep_days"], expected["keep_sheets_days"]) = (json!(30), json!(400));
        assert_ne!(changed["changed_at"], expected["changed_at"]);
        expected["changed_at"] = changed["changed_at"].clone();
        assert_eq!(changed, expected);

        let everything = admin.put(RULES, &json!({"keep_days": 1_000})).ok();
        let first = admin.get(&format!("{RULES}?limit=1")).ok();
        assert_eq!(first["rules"], json!([expected]));
        let rest = admin.get(&format!("{RULES}?cursor={}", first["next_cursor"].as_str().unwrap())).ok();
        assert_eq!(rest, json!({"rules": [everything], "next_cursor": null}));

        admin.delete(&path).no_content();
        admin.delete(&path).problem(404, "rule_not_found", None);
        admin.get(&path).problem(404, "rule_not_found", None);
        assert_eq!(admin.get(RULES).ok()["rules"], json!([everything]));
    }
}

#[test]
fn a_preview_counts_what_rules_would_remove_and_holds_keep() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        let event = |number: u128, user: &str, at: &str| json!({"id": numbered(number), "type": "page_load", "tenant_id": ACME, "user_id": user, "occurred_at": at});
        let old = "2020-01-01T00:00:00Z";
        admin.record(&json!([
            event(1, "jane", old),
            event(2, "joe", old),
            event(3, "joe", old),
            event(4, "joe", START)
        ]));
        let nothing = json!({"would_remove": 0, "held": 0, "rules": [], "holds": []});
        assert_eq!(admin.get("/v1/retention/preview").ok(), nothing);
        let rule = admin.put(RULES, &json!({"keep_days": 30})).ok();
        let hold = admin.post("/v1/legal-holds", &json!({"case": "c", "reason": "r", "user_id": "jane"})).ok();
        let expected = json!({
            "would_remove": 2,
            "held": 1,
            "rules": [{"rule_id": rule["rule_id"], "events": 2}],
            "holds": [{"hold_id": hold["hold_id"], "events": 1}],
        });
        assert_eq!(admin.get("/v1/retention/preview").ok(), expected);
        assert_eq!(admin.get(&format!("/v1/events/count?tenant_id={ACME}")).ok()["count"], 4, "it removes nothing");
    }
}

#[test]
fn wrong_rules_are_refused_by_field() {
    let app = TestApp::new();
    let admin = app.admin();
    for (body, field) in [
        (json!({}), "keep_days"),
        (json!({"keep_days": 0}), "keep_days"),
        (json!({"keep_days": 36_501}), "keep_days"),
        (json!({"keep_days": "90"}), "keep_days"),
        (json!({"keep_days": 90, "keep_sheets_days": 90}), "keep_sheets_days"),
        (json!({"keep_days": 90, "type": "Page Load"}), "type"),
        (json!({"keep_days": 90, "tenant_id": "acme"}), "tenant_id"),
        (json!({"keep_days": 90, "days": 1}), "days"),
    ] {
        admin.put(RULES, &body).problem(400, "invalid_parameter", Some(field));
    }
    assert_eq!(admin.get(RULES).ok(), json!({"rules": [], "next_cursor": null}));
}
