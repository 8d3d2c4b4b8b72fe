//! `GET /v1/analytics/sources`: answers computed by hand.

use serde_json::{Value, json};

use crate::support::{ACME, OTHER, TestApp};

/// Events of two tenants from three addresses, on two days of June.
fn recorded(app: &TestApp) {
    let event = |kind: &str, tenant: &str, user: Option<&str>, source: &str, at: &str| json!({"type": kind, "tenant_id": tenant, "user_id": user, "source": source, "occurred_at": at});
    let (one, two, six) = ("192.0.2.1", "192.0.2.2", "2001:db8::1");
    app.admin().record(&json!([
        event("login_success", ACME, Some("ann"), one, "2026-06-01T01:00:00Z"),
        event("login_fail", ACME, Some("eve"), one, "2026-06-02T02:00:00Z"),
        event("page_load", ACME, Some("ann"), one, "2026-06-02T03:00:00Z"),
        event("page_load", ACME, None, six, "2026-06-02T04:00:00Z"),
        event("login_fail", OTHER, Some("bob"), two, "2026-06-02T05:00:00Z"),
        event("login_fail", OTHER, Some("bob"), two, "2026-06-02T06:00:00Z"),
    ]));
}

fn counts(numbers: [u64; 4], seen: Option<(&str, &str)>) -> Value {
    let [events, users, logins, failed_logins] = numbers;
    json!({"events": events, "users": users, "logins": logins, "failed_logins": failed_logins,
        "first_seen": seen.map(|(first, _)| first), "last_seen": seen.map(|(_, last)| last)})
}

#[test]
fn sources_are_ranked_and_compared_with_the_day_before() {
    for app in TestApp::on_both() {
        recorded(&app);
        let path = "/v1/analytics/sources?from=2026-06-02&to=2026-06-02&compare=previous_period";
        let answer = app.admin().get(path).ok();
        let row = |source: &str, current, previous| json!({"source": source, "current": current, "previous": previous});
        let (two, three) = ("2026-06-02T02:00:00Z", "2026-06-02T03:00:00Z");
        let before = Some(("2026-06-01T01:00:00Z", "2026-06-01T01:00:00Z"));
        let sources = json!([
            row("192.0.2.1", counts([2, 2, 0, 1], Some((two, three))), counts([1, 1, 1, 0], before)),
            row(
                "192.0.2.2",
                counts([2, 1, 0, 2], Some(("2026-06-02T05:00:00Z", "2026-06-02T06:00:00Z"))),
                counts([0, 0, 0, 0], None)
            ),
            row(
                "2001:db8::1",
                counts([1, 0, 0, 0], Some(("2026-06-02T04:00:00Z", "2026-06-02T04:00:00Z"))),
                counts([0, 0, 0, 0], None)
            ),
        ]);
        assert_eq!(answer["sources"], sources);
        assert_eq!(answer["current"]["sources"], 3);
        assert_eq!(answer["current"]["totals"], counts([5, 3, 0, 3], Some((two, "2026-06-02T06:00:00Z"))));
        assert_eq!(answer["previous"]["totals"], counts([1, 1, 1, 0], before));
        let first = app.admin().get(&format!("{path}&limit=1")).ok();
        assert_eq!((&first["sources"][0], first["sources"].as_array().unwrap().len()), (&sources[0], 1));
        assert_eq!(first["current"], answer["current"], "totals include addresses that are not listed");
        let of_other = app.token(trailkeeper_domain::account::Role::Analyst, Some(OTHER)).get(path).ok();
        assert_eq!(of_other["sources"], json!([sources[1]]));
    }
}

#[test]
fn a_long_range_needs_a_tenant() {
    let app = TestApp::new();
    recorded(&app);
    let long = "/v1/analytics/sources?from=2026-05-01&to=2026-06-30";
    app.admin().get(long).problem(400, "invalid_parameter", Some("from"));
    let of_acme = app.admin().get(&format!("{long}&tenant_id={ACME}")).ok();
    assert_eq!(of_acme["current"]["totals"]["events"], 4);
}
