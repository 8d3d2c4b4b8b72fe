//! Recording events: the result of each event, and its stored form.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{ACME, OTHER, START, TestApp, numbered};

fn statuses(answer: &Value) -> Vec<&str> {
    answer["results"].as_array().unwrap().iter().map(|result| result["status"].as_str().unwrap()).collect()
}

fn counts(answer: &Value) -> [u64; 3] {
    ["stored", "known", "refused"].map(|name| answer[name].as_u64().unwrap())
}

#[test]
fn results_are_in_the_order_sent_and_valid_events_are_stored_next_to_invalid_ones() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        let answer = admin.record(&json!([
            {"id": numbered(1), "type": "page_load", "user_id": "u1"},
            {"id": numbered(2), "type": "Page Load"},
            {"id": numbered(1), "type": "logout"},
            "not an event",
            {"type": "logout"},
            {"id": "no uuid", "type": "logout"},
            {"user_id": "u1"},
            {"id": numbered(3), "type": "x", "colour": "red"},
        ]));
        assert_eq!(
            statuses(&answer),
            ["stored", "refused", "known", "refused", "stored", "refused", "refused", "refused"]
        );
        assert_eq!(counts(&answer), [2, 1, 5]);
        let results = answer["results"].as_array().unwrap();
        assert_eq!(results[0], json!({"id": numbered(1), "status": "stored"}));
        assert_eq!(results[1]["id"], numbered(2));
        let fields: Vec<&Value> =
            results.iter().filter_map(|result| result.get("error")).map(|error| &error["field"]).collect();
        assert_eq!(json!(fields), json!(["type", null, "id", "type", "colour"]));
        assert_eq!(results[3]["error"]["code"], "not_an_object");
        assert_eq!(results[3]["id"], Value::Null);
        assert_eq!(results[5]["id"], Value::Null);
        assert!(results[1]["error"]["detail"].as_str().unwrap().contains("'Page Load' is not an event type"));
        let given = results[4]["id"].as_str().unwrap();
        assert_eq!(admin.get(&format!("/v1/events/{given}")).ok()["type"], "logout");
        assert_eq!(admin.get(&format!("/v1/events/{}", numbered(1))).ok()["type"], "page_load");
        admin.get(&format!("/v1/events/{}", numbered(2))).problem(404, "event_not_found", None);
    }
}

#[test]
fn an_event_is_stored_once_however_often_it_is_sent() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        let event = |occurred_at: Option<&str>| json!({"id": numbered(1), "type": "logout", "tenant_id": ACME, "occurred_at": occurred_at});
        assert_eq!(counts(&admin.record(&event(None))), [1, 0, 0]);
        app.clock.advance(TimeDelta::minutes(5));
        assert_eq!(counts(&admin.record(&event(None))), [0, 1, 0]);
        assert_eq!(counts(&admin.record(&event(Some("2026-01-01T00:00:00Z")))), [0, 1, 0]);
        assert_eq!(counts(&admin.record(&json!([event(None), event(Some("2025-01-01T00:00:00Z"))]))), [0, 2, 0]);
        let stored = admin.get(&format!("/v1/events?tenant_id={ACME}")).ok();
        assert_eq!(stored["events"].as_array().unwrap().len(), 1);
        assert_eq!(stored["events"][0]["occurred_at"], START);
    }
}

#[test]
fn two_tenants_may_use_one_id() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        let event = |tenant: &str, kind: &str| json!({"id": numbered(1), "type": kind, "tenant_id": tenant});
        assert_eq!(counts(&admin.record(&json!([event(ACME, "logout"), event(OTHER, "login_success")]))), [2, 0, 0]);
        let path = format!("/v1/events/{}", numbered(1));
        let detail = admin.get(&path).problem(409, "ambiguous_event", Some("tenant_id"));
        assert!(detail.contains("add tenant_id"), "{detail}");
        assert_eq!(admin.get(&format!("{path}?tenant_id={ACME}")).ok()["type"], "logout");
        assert_eq!(admin.get(&format!("{path}?tenant_id={OTHER}")).ok()["type"], "login_success");
        let none = "00000000-0000-0000-0000-000000000000";
        admin.get(&format!("{path}?tenant_id={none}")).problem(404, "event_not_found", None);
    }
}

#[test]
fn every_field_is_returned_as_it_was_sent() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        let sent = json!({
            "id": numbered(1), "occurred_at": "2026-01-31T13:00:00.123456+01:00", "tenant_id": ACME, "env_id": 4_294_967_295_u32,
            "user_id": "käse/1 %2F", "user_name": "Jane Dœ 👩", "type": "invoice.paid", "outcome": "failure", "source": "2001:db8::1",
            "user_agent": "Mozilla/5.0", "page": "https://app.example/a?b=c#d", "session_id": "s", "trace_id": "t",
            "target": {"type": "invoice", "id": "4711", "name": null}, "metadata": {"z": [1, 1.5, {"a": null}], "a": "\t"},
        });
        assert_eq!(counts(&admin.record(&sent)), [1, 0, 0]);
        let mut expected = sent;
        expected["occurred_at"] = json!("2026-01-31T12:00:00.123456Z");
        expected["received_at"] = json!(START);
        expected["original"] = Value::Null;
        expected["missing_names"] = json!([]);
        assert_eq!(admin.get(&format!("/v1/events/{}", numbered(1))).ok(), expected);
    }
}

#[test]
fn omitted_fields_have_defaults() {
    let app = TestApp::new();
    let admin = app.admin();
    let answer = admin.record(&json!({"type": "login_fail"}));
    let event = admin.get(&format!("/v1/events/{}", answer["results"][0]["id"].as_str().unwrap())).ok();
    let expected = json!({
        "id": answer["results"][0]["id"], "occurred_at": START, "received_at": START,
        "tenant_id": "00000000-0000-0000-0000-000000000000", "env_id": 1, "user_id": null, "user_name": null,
        "type": "login_fail", "outcome": "failure", "source": "198.51.100.20", "user_agent": null, "page": null,
        "session_id": null, "trace_id": null, "target": null, "metadata": null, "original": null,
        "missing_names": [],
    });
    assert_eq!(event, expected);
}

#[test]
fn events_of_the_future_are_rejected() {
    let app = TestApp::new();
    let admin = app.admin();
    let answer = admin.record(&json!([
        {"type": "logout", "occurred_at": "2026-07-23T10:10:00Z"},
        {"type": "logout", "occurred_at": "2026-07-23T10:10:00.000001Z"},
        {"type": "logout", "occurred_at": "9999-12-31T23:59:59Z"},
        {"type": "logout", "occurred_at": "1970-01-01T00:00:00Z"},
    ]));
    assert_eq!(statuses(&answer), ["stored", "refused", "refused", "stored"]);
    assert_eq!(answer["results"][1]["error"]["field"], "occurred_at");
    assert!(answer["results"][1]["error"]["detail"].as_str().unwrap().contains("10 minutes ahead"));
}

#[test]
fn audit_events_cannot_be_sent() {
    let app = TestApp::new();
    let answer = app.admin().record(&json!({"type": "logout", "tenant_id": "ffffffff-ffff-ffff-ffff-ffffffffffff"}));
    assert_eq!(statuses(&answer), ["refused"]);
    assert_eq!(answer["results"][0]["error"]["field"], "tenant_id");
}
