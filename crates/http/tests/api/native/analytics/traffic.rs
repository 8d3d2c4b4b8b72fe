//! `GET /v1/analytics/traffic`: answers computed by hand.

use serde_json::{Value, json};

use super::buckets;
use crate::support::{ACME, TestApp};

fn traffic(app: &TestApp, query: &str) -> Value {
    app.admin().get(&format!("/v1/analytics/traffic?{query}")).ok()
}

fn event(kind: &str, user: Option<&str>, at: &str) -> Value {
    json!({"type": kind, "tenant_id": ACME, "user_id": user, "occurred_at": at})
}

#[test]
fn traffic_is_by_type_and_hours_are_real_where_clocks_go_back() {
    for app in TestApp::on_both() {
        app.admin().record(&json!([
            event("page_load", Some("ann"), "2025-11-02T05:30:00Z"),
            event("page_load", Some("bob"), "2025-11-02T06:30:00Z"),
            event("page_load", None, "2025-11-02T06:30:00Z"),
            event("login_fail", Some("ann"), "2025-11-02T06:59:59.999999Z"),
            event("page_load", Some("ann"), "2025-11-02T07:00:00Z"),
            {"type": "own.kind", "outcome": "failure", "user_id": "ann", "occurred_at": "2025-11-03T04:59:59.999999Z"},
            event("page_load", Some("out"), "2025-11-03T05:00:00Z"),
            event("page_load", Some("out"), "2025-11-02T03:59:59.999999Z"),
        ]));
        let day = "from=2025-11-02&to=2025-11-02&timezone=America/New_York";
        let one = |kind: &str, events, users| json!({"type": kind, "events": events, "users": users});
        let whole = json!({"events": 6, "users": 2,
            "types": [one("login_fail", 1, 1), one("own.kind", 1, 1), one("page_load", 4, 2)]});
        let answer = traffic(&app, day);
        assert_eq!(answer["current"]["totals"], whole);
        assert_eq!(answer["current"]["buckets"].as_array().unwrap().len(), 1);
        assert_eq!(answer["current"]["end"], "2025-11-03T00:00:00-05:00");
        let answer = traffic(&app, &format!("{day}&granularity=hour"));
        assert_eq!(answer["current"]["totals"], whole);
        let hours = buckets(&answer["current"], |bucket| json!([bucket["events"], bucket["users"], bucket["types"]]));
        assert_eq!(hours.len(), 25);
        let full: Vec<_> = hours.into_iter().filter(|(_, bucket)| bucket[0] != 0).collect();
        let row = |start: &str, bucket| (start.to_owned(), bucket);
        assert_eq!(
            full,
            [
                row("2025-11-02T01:00:00-04:00", json!([1, 1, [one("page_load", 1, 1)]])),
                row("2025-11-02T01:00:00-05:00", json!([3, 2, [one("login_fail", 1, 1), one("page_load", 2, 1)]])),
                row("2025-11-02T02:00:00-05:00", json!([1, 1, [one("page_load", 1, 1)]])),
                row("2025-11-02T23:00:00-05:00", json!([1, 1, [one("own.kind", 1, 1)]])),
            ]
        );
        let some = traffic(&app, &format!("{day}&type=own.kind,login_fail&type=unheard_of"));
        assert_eq!(
            some["current"]["totals"],
            json!({"events": 2, "users": 1, "types": [one("login_fail", 1, 1), one("own.kind", 1, 1)]})
        );
        let tenant = traffic(&app, &format!("{day}&tenant_id={ACME}"));
        assert_eq!(tenant["current"]["totals"]["events"], 5);
        let env = traffic(&app, &format!("{day}&tenant_id={ACME}&env_id=7&compare=previous_period"));
        assert_eq!(env["current"]["totals"], json!({"events": 0, "users": 0, "types": []}));
        let before = &traffic(&app, &format!("{day}&compare=previous_period"))["previous"];
        assert_eq!(before["totals"], json!({"events": 1, "users": 1, "types": [one("page_load", 1, 1)]}));
        assert_eq!(before["start"], "2025-11-01T00:00:00-04:00");
    }
}
