//! `GET /v1/analytics/traffic`, `/logins` and `/registrations`: answers computed by hand.

use serde_json::{Value, json};

use crate::support::{ACME, OTHER, TestApp};

fn buckets(period: &Value, of: impl Fn(&Value) -> Value) -> Vec<(String, Value)> {
    let row = |bucket: &Value| (bucket["start"].as_str().unwrap().to_owned(), of(bucket));
    period["buckets"].as_array().unwrap().iter().map(row).collect()
}

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

/// Three users, one of them removed again, and memberships of two tenants.
fn directory(app: &TestApp) {
    let admin = app.admin();
    for (user, body) in [
        ("ann", json!({"user_pool_id": "eu-west-1_a", "registered_at": "2026-06-01T14:59:59Z"})),
        ("bob", json!({"region": "eu-west-1", "registered_at": "2026-06-01T15:00:00Z"})),
        ("carl", json!({"registered_at": "2026-06-01T16:00:00Z"})),
    ] {
        admin.put(&format!("/v1/users/{user}"), &body).ok();
    }
    for (tenant, user, at) in [
        (ACME, "ann", "2026-06-02T00:00:00Z"),
        (OTHER, "ann", "2026-06-02T01:00:00Z"),
        (ACME, "bob", "2026-06-02T15:00:00Z"),
    ] {
        admin.put(&format!("/v1/tenants/{tenant}/users/{user}"), &json!({"created_at": at})).ok();
    }
    admin.delete("/v1/users/ann").no_content();
}

#[test]
fn registrations_are_by_local_day_region_pool_and_tenant() {
    for app in TestApp::on_both() {
        directory(&app);
        let ask = |more: &str| {
            let query = format!("from=2026-06-01&to=2026-06-02&timezone=Asia/Tokyo{more}");
            app.admin().get(&format!("/v1/analytics/registrations?{query}")).ok()["current"].clone()
        };
        let region = |region: Option<&str>, users| json!({"region": region, "users": users});
        let pool = |pool: Option<&str>, users| json!({"user_pool_id": pool, "users": users});
        let tenant = |id: &str, memberships| json!({"tenant_id": id, "memberships": memberships});
        let current = ask("");
        let first = json!({"users": 1, "regions": [region(Some("eu-west-1"), 1)],
            "user_pools": [pool(Some("eu-west-1_a"), 1)], "memberships": 0, "tenants": []});
        let second = json!({"users": 2, "regions": [region(None, 1), region(Some("eu-west-1"), 1)],
            "user_pools": [pool(None, 2)], "memberships": 2, "tenants": [tenant(OTHER, 1), tenant(ACME, 1)]});
        assert_eq!(
            buckets(&current, |bucket| bucket["counts"].clone()),
            [("2026-06-01T00:00:00+09:00".to_owned(), first.clone()), ("2026-06-02T00:00:00+09:00".to_owned(), second)]
        );
        assert_eq!(
            current["totals"],
            json!({"users": 3, "regions": [region(None, 1), region(Some("eu-west-1"), 2)],
                "user_pools": [pool(None, 2), pool(Some("eu-west-1_a"), 1)],
                "memberships": 2, "tenants": [tenant(OTHER, 1), tenant(ACME, 1)]})
        );
        let totals = |more: &str| ask(more)["totals"].clone();
        assert_eq!(totals("&region=eu-west-1")["users"], 2);
        assert_eq!(totals("&region=eu-west-1")["memberships"], json!(null));
        assert_eq!(totals("&user_pool_id=eu-west-1_a")["users"], 1);
        assert_eq!(totals("&user_pool_id=eu-west-1_a")["tenants"], json!(null));
        assert_eq!(totals("&user_pool_id=eu-west-1_a&region=us-east-1")["users"], 0);
        let other = totals(&format!("&tenant_id={OTHER}"));
        assert_eq!((&other["users"], &other["tenants"]), (&json!(1), &json!([tenant(OTHER, 1)])));
        let nobodys = totals("&tenant_id=00000000-0000-0000-0000-000000000000");
        assert_eq!((&nobodys["users"], &nobodys["memberships"]), (&json!(1), &json!(0)), "carl");
    }
}

#[test]
fn registrations_compare_too() {
    let app = TestApp::new();
    directory(&app);
    let query = "from=2026-06-02&to=2026-06-02&compare=previous_period";
    let answer = app.admin().get(&format!("/v1/analytics/registrations?{query}")).ok();
    assert_eq!(answer["previous"]["totals"]["users"], 3);
    assert_eq!(answer["previous"]["totals"]["memberships"], 0);
    assert_eq!(answer["current"]["totals"]["users"], 0);
    assert_eq!(answer["current"]["totals"]["memberships"], 3);
}
