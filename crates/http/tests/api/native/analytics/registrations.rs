//! `GET /v1/analytics/registrations`: answers computed by hand.

use serde_json::json;

use super::buckets;
use crate::support::{ACME, OTHER, TestApp};

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
