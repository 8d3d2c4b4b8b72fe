//! `GET /v1/analytics/logins`: answers computed by hand.

use serde_json::json;

use super::buckets;
use crate::support::{ACME, OTHER, TestApp};

#[test]
fn logins_are_by_outcome_with_users_and_sources() {
    for app in TestApp::on_both() {
        let login = |kind: &str, outcome: &str, env: u32, user: Option<&str>, source: Option<&str>, at: &str| {
            json!({"type": kind, "outcome": outcome, "tenant_id": ACME, "env_id": env, "user_id": user,
                "source": source, "occurred_at": at})
        };
        let (here, there) = (Some("192.0.2.1"), Some("2001:db8::1"));
        app.admin().record(&json!([
            login("login_success", "success", 1, Some("ann"), here, "2026-06-01T01:00:00Z"),
            login("login_success", "failure", 1, Some("ann"), there, "2026-06-01T02:00:00Z"),
            // Without a source, the address of the sender is used.
            login("login_success", "unknown", 2, Some("bob"), None, "2026-06-01T03:00:00Z"),
            login("login_fail", "success", 1, Some("eve"), here, "2026-06-01T04:00:00Z"),
            login("login_fail", "failure", 1, Some("eve"), here, "2026-06-02T04:00:00Z"),
            login("login_fail", "failure", 2, None, there, "2026-06-02T05:00:00Z"),
            login("page_load", "failure", 1, Some("eve"), there, "2026-06-02T06:00:00Z"),
        ]));
        let ask = |more: &str| {
            let query = format!("from=2026-06-01&to=2026-06-02{more}");
            app.admin().get(&format!("/v1/analytics/logins?{query}")).ok()["current"].clone()
        };
        let of = |logins, users, sources| json!({"logins": logins, "users": users, "sources": sources});
        let current = ask("");
        assert_eq!(current["totals"], json!({"success": of(3, 2, 3), "failure": of(3, 1, 2)}));
        assert_eq!(
            buckets(&current, |bucket| json!([bucket["success"], bucket["failure"]])),
            [
                ("2026-06-01T00:00:00Z".to_owned(), json!([of(3, 2, 3), of(1, 1, 1)])),
                ("2026-06-02T00:00:00Z".to_owned(), json!([of(0, 0, 0), of(2, 1, 2)])),
            ]
        );
        assert_eq!(ask(&format!("&tenant_id={ACME}"))["totals"], current["totals"]);
        assert_eq!(
            ask(&format!("&tenant_id={ACME}&env_id=2"))["totals"],
            json!({"success": of(1, 1, 1), "failure": of(1, 0, 1)})
        );
        assert_eq!(
            ask(&format!("&tenant_id={OTHER}"))["totals"],
            json!({"success": of(0, 0, 0), "failure": of(0, 0, 0)})
        );
    }
}
