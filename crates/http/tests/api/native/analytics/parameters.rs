//! Rejected queries under `/v1/analytics`, and the view of a tenant-scoped credential.

use serde_json::json;
use trailkeeper_domain::account::Role;

use crate::support::{ACME, OTHER, TestApp};

const PATHS: [&str; 4] = ["active-users", "traffic", "logins", "registrations"];

#[test]
fn invalid_queries_name_their_field() {
    let app = TestApp::new();
    let admin = app.admin();
    for path in PATHS {
        for (query, field) in [
            ("form=2026-01-01", "form"),
            ("from=yesterday", "from"),
            ("from=2026-02-30", "from"),
            ("from=2026-01-01T00:00:00", "from"),
            ("from=2026-01-02&to=2026-01-01", "from"),
            ("from=2026-08-01", "from"),
            ("from=2026-01-01&from=2026-01-02", "from"),
            ("from=1999-01-01&to=2026-01-01", "to"),
            ("to=9999-12-31", "to"),
            ("timezone=Mars/Olympus", "timezone"),
            ("timezone=%2B09:00", "timezone"),
            ("timezone=", "timezone"),
            ("timezone=UTC&timezone=UTC", "timezone"),
            ("granularity=year", "granularity"),
            ("granularity=week&week_start=friday", "week_start"),
            ("granularity=week&week_start=Sunday", "week_start"),
            ("from=2020-01-01&granularity=hour", "granularity"),
            ("compare=previous_year", "compare"),
            ("compare=previous_period&compare=previous_period", "compare"),
            ("tenant_id=acme", "tenant_id"),
            ("tenant_id=ffffffff-ffff-ffff-ffff-ffffffffffff", "tenant_id"),
        ] {
            admin.get(&format!("/v1/analytics/{path}?{query}")).problem(400, "invalid_parameter", Some(field));
        }
        admin.get(&format!("/v1/analytics/{path}?timezone=Etc/GMT%2B5&to=2026-01-01")).ok();
    }
    for path in ["active-users", "traffic", "logins"] {
        let env = |query: &str| admin.get(&format!("/v1/analytics/{path}?{query}"));
        env("env_id=1").problem(400, "invalid_parameter", Some("env_id"));
        env(&format!("tenant_id={ACME}&env_id=-1")).problem(400, "invalid_parameter", Some("env_id"));
    }
    let refused = |query: &str, field| {
        admin.get(&format!("/v1/analytics/{query}")).problem(400, "invalid_parameter", Some(field));
    };
    refused(&format!("registrations?tenant_id={ACME}&env_id=1"), "env_id");
    refused("registrations?region=", "region");
    refused("registrations?user_pool_id=a", "user_pool_id");
    refused("traffic?type=Login", "type");
    refused("active-users?type=login_success", "type");
}

#[test]
fn a_tenant_scoped_credential_sees_only_its_tenant() {
    let app = TestApp::new();
    let admin = app.admin();
    for (tenant, user) in [(ACME, "ann"), (OTHER, "bob")] {
        admin.put(&format!("/v1/users/{user}"), &json!({"registered_at": "2026-07-01T00:00:00Z"})).ok();
        admin.put(&format!("/v1/tenants/{tenant}/users/{user}"), &json!({"created_at": "2026-07-01T00:00:00Z"})).ok();
        admin.record(&json!([
            {"type": "login_success", "tenant_id": tenant, "user_id": user, "occurred_at": "2026-07-01T00:00:00Z"},
            {"type": "page_load", "user_id": "nobodys", "occurred_at": "2026-07-01T00:00:00Z"},
        ]));
    }
    let analyst = app.token(Role::Analyst, Some(ACME));
    let totals = |query: &str| analyst.get(&format!("/v1/analytics/{query}")).ok()["current"]["totals"].clone();
    assert_eq!(totals("active-users")["active_users"], 1);
    assert_eq!(totals("active-users?env_id=1")["active_users"], 1);
    assert_eq!(totals(&format!("traffic?tenant_id={ACME}"))["events"], 1);
    assert_eq!(totals("logins")["success"]["users"], 1);
    let registrations = totals("registrations");
    assert_eq!((&registrations["users"], &registrations["memberships"]), (&json!(1), &json!(1)));
    for path in PATHS {
        for tenant in [OTHER, "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"] {
            let query = format!("/v1/analytics/{path}?tenant_id={tenant}");
            analyst.get(&query).problem(404, "tenant_not_found", None);
        }
        app.token(Role::Ingest, None).get(&format!("/v1/analytics/{path}")).problem(403, "permission_denied", None);
    }
    let everyone = admin.get("/v1/analytics/active-users").ok();
    assert_eq!(everyone["current"]["totals"]["active_users"], 3);
}

#[test]
fn audit_events_are_not_counted() {
    let app = TestApp::new();
    let admin = app.admin();
    let trail = admin.get("/v1/events?tenant_id=ffffffff-ffff-ffff-ffff-ffffffffffff").ok();
    assert_ne!(trail["events"], json!([]), "the credential left a trail");
    let totals =
        |path: &str| admin.get(&format!("/v1/analytics/{path}?to=2026-07-23")).ok()["current"]["totals"].clone();
    assert_eq!(totals("traffic"), json!({"events": 0, "users": 0, "types": []}));
    assert_eq!(totals("active-users")["active_users"], 0);
}

/// The test's clock shows an odd time. Every answer with a comparison begins at a local midnight, and so does the period
/// before it, whatever is left out.
#[test]
fn default_ranges_begin_at_local_midnights() {
    let app = TestApp::new();
    app.clock.set("2026-07-23T08:08:43.521822Z");
    let admin = app.admin();
    for (zone, offset) in [("UTC", "Z"), ("Asia/Tokyo", "+09:00"), ("America/New_York", "-04:00")] {
        for path in PATHS.into_iter().chain(["retention"]) {
            let ask = |query: &str| {
                let path = format!("/v1/analytics/{path}?timezone={zone}&compare=previous_period{query}");
                let answer = admin.get(&path).ok();
                ["previous", "current"].map(|period| answer[period]["start"].as_str().unwrap().to_owned())
            };
            let at = |day: &str| format!("{day}T00:00:00{offset}");
            for granularity in ["", "&granularity=day", "&granularity=week&week_start=sunday", "&granularity=month"] {
                let starts = [at("2026-05-25"), at("2026-06-24")];
                assert_eq!(ask(granularity), starts, "{path} {granularity} in {zone}");
            }
            assert_eq!(ask("&from=2026-07-23"), [at("2026-07-22"), at("2026-07-23")], "{path}: today until now");
            let until = ask("&to=2026-07-20T12:34:56Z");
            assert_eq!(until, [at("2026-05-22"), at("2026-06-21")], "{path}: until an odd time");
        }
    }
    for path in ["page-statistics", "sources", "users/u1/profile"] {
        let query = "timezone=Asia/Tokyo&compare=previous_period";
        let answer = admin.get(&format!("/v1/analytics/{path}?{query}")).ok();
        let (days, text) = if path.starts_with("users") { (90, "profile") } else { (30, path) };
        let start = |period: &str| answer[period]["start"].as_str().unwrap().to_owned();
        let midnight = |days_ago: u64| {
            let today = chrono::NaiveDate::from_ymd_opt(2026, 7, 23).unwrap();
            format!("{}T00:00:00+09:00", today - chrono::Days::new(days_ago))
        };
        assert_eq!(start("current"), midnight(days - 1), "{text}");
        assert_eq!(start("previous"), midnight(2 * days - 1), "{text}");
    }
}
