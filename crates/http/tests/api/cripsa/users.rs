//! Users: counting, lookup and changes.

use chrono::TimeDelta;
use serde_json::{Value, json};
use trailkeeper_domain::account::Role;

use crate::support::contracts::refused;
use crate::support::{ACME, OTHER, START, TestApp, escaped};

const POOL: &str = "eu-west-1_aBcD12345";
const COUNT: &str = "/v1/auditlog/users/count";
const ATTRIBUTES: &str = "/v1/auditlog/users/attributes";

fn put_user(app: &TestApp, id: &str, user: &Value) {
    assert_eq!(app.admin().put(&format!("/v1/users/{id}"), user).status, 201);
}

fn join(app: &TestApp, tenant: &str, user: &str) {
    assert_eq!(app.admin().put(&format!("/v1/tenants/{tenant}/users/{user}"), &json!({})).status, 201);
}

fn jane() -> Value {
    json!({
        "email": "Jane@Example.com", "username": "jane", "user_pool_id": POOL, "status": "RESET_REQUIRED", "enabled": false,
        "attributes": {"department": "sales", "nickname": "J"}, "registered_at": "2026-01-31T23:59:59.5Z",
    })
}

fn jane_shown() -> Value {
    json!({
        "username": "jane", "email": "Jane@Example.com", "region": "eu-west-1", "user_pool_id": POOL,
        "attributes": [{"name": "department", "value": "sales"}, {"name": "nickname", "value": "J"}],
        "enabled": false, "user_status": "RESET_REQUIRED",
        "user_create_date": "2026-01-31T23:59:59.500Z", "user_last_modified_date": START,
    })
}

fn by_email(email: &str, more: &str) -> String {
    format!("/v1/auditlog/users?email={}{more}", escaped(email))
}

#[test]
fn users_are_counted_by_pool_and_range_with_inclusive_ends() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        put_user(&app, "u1", &jane());
        put_user(&app, "u2", &json!({"user_pool_id": POOL, "registered_at": "2026-01-01T00:00:00Z"}));
        put_user(&app, "u3", &json!({"user_pool_id": "eu-west-1_other", "registered_at": "2026-01-15T00:00:00Z"}));
        put_user(&app, "u4", &json!({"user_pool_id": POOL, "registered_at": "2026-02-01T00:00:00Z"}));
        let count = |start: &str, end: &str| {
            let path = format!("{COUNT}?start_date={start}&end_date={end}&region=eu-west-1&user_pool_id={POOL}");
            admin.get(&path).ok()
        };
        let expected = json!({"count": 2, "start_date": "2026-01-01", "end_date": "2026-01-31", "region": "eu-west-1", "user_pool_id": POOL});
        assert_eq!(count("2026-01-01", "2026-01-31"), expected);
        assert_eq!(count("2026-01-01T00:00:00.000001Z", "2026-02-01T00:00:00Z")["count"], 2);
        assert_eq!(count("2026-01-31T23:59:59.5Z", "2026-01-31T23:59:59.5Z")["count"], 1);
        assert_eq!(count("2026-02-01T01:00:00%2B01:00", "2026-02-01")["count"], 1);
        assert_eq!(count("2026-02-02", "2026-02-03")["count"], 0);
        admin.delete("/v1/users/u2").no_content();
        assert_eq!(count("2026-01-01", "2026-01-31")["count"], 2, "removed users stay counted");
    }
}

#[test]
fn users_are_found_by_email_in_every_pool() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        put_user(&app, "u1", &jane());
        put_user(&app, "u2", &json!({"email": "jane@example.com", "user_pool_id": "us-east-1_x"}));
        let other = json!({
            "username": "u2", "email": "jane@example.com", "region": "us-east-1", "user_pool_id": "us-east-1_x",
            "attributes": [], "enabled": true, "user_status": "CONFIRMED", "user_create_date": START, "user_last_modified_date": START,
        });
        assert_eq!(admin.get(&by_email("JANE@example.com", "")).ok(), json!({"users": [jane_shown(), other]}));
        assert_eq!(admin.get(&by_email("jane@example.com", "&region=us-east-1")).ok(), json!({"users": [other]}));
        let both = format!("&region=eu-west-1&user_pool_id={POOL}");
        assert_eq!(admin.get(&by_email("jane@example.com", &both)).ok(), json!({"users": [jane_shown()]}));
        assert_eq!(admin.get(&by_email("joe@example.com", "")).ok(), json!({"users": []}));
    }
}

#[test]
fn attributes_are_set_and_cleared_and_every_change_is_stored() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        put_user(&app, "u1", &jane());
        app.clock.advance(TimeDelta::minutes(1));
        let changed = admin.call("PATCH", ATTRIBUTES).json(&json!({
        "email": "jane@example.com",
        "attributes": [{"name": "nickname", "value": ""}, {"name": "department", "value": "support"}, {"name": "city", "value": "Rua A 1\n4000\tPorto"}],
        "region": "eu-west-1", "user_pool_id": POOL,
    }));
        let mut expected = jane_shown();
        expected["attributes"] =
            json!([{"name": "city", "value": "Rua A 1\n4000\tPorto"}, {"name": "department", "value": "support"}]);
        expected["user_last_modified_date"] = json!("2026-07-23T10:01:00Z");
        assert_eq!(changed.send().ok(), expected);
        assert_eq!(admin.get(&by_email("jane@example.com", "")).ok(), json!({"users": [expected]}));
        let history = admin.get("/v1/users/u1/attribute-changes").ok();
        let kept: Vec<Value> = history["attribute_changes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|change| {
                json!([
                    change["name"],
                    change["old_value"],
                    change["new_value"],
                    change["changed_by"],
                    change["changed_at"]
                ])
            })
            .collect();
        let at = "2026-07-23T10:01:00Z";
        let mut all = vec![
            json!(["city", null, "Rua A 1\n4000\tPorto", "test admin", at]),
            json!(["department", "sales", "support", "test admin", at]),
            json!(["nickname", "J", null, "test admin", at]),
        ];
        all.sort_by_key(ToString::to_string);
        let mut kept_sorted = kept;
        kept_sorted.sort_by_key(ToString::to_string);
        assert_eq!(kept_sorted, all);
    }
}

#[test]
fn the_email_address_changes_by_its_attribute() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        put_user(&app, "u1", &jane());
        put_user(&app, "u2", &json!({"email": "taken@example.com", "user_pool_id": POOL}));
        let change = |from: &str, to: &str| {
            let body =
                json!({"email": from, "attributes": [{"name": "email", "value": to}, {"name": "x", "value": "y"}]});
            admin.call("PATCH", ATTRIBUTES).json(&body).send()
        };
        refused(&change("jane@example.com", "TAKEN@example.com"), 409, "alias_exists", "email: ");
        assert_eq!(
            admin.get(&by_email("jane@example.com", "")).ok(),
            json!({"users": [jane_shown()]}),
            "nothing was stored"
        );
        assert_eq!(change("jane@example.com", "new@example.com").ok()["email"], "new@example.com");
        refused(&change("jane@example.com", "x@example.com"), 404, "user_not_found", "email: ");
        refused(&change("new@example.com", "no address"), 400, "invalid_parameter", "attributes[0].value: ");
        assert_eq!(change("new@example.com", "").ok()["email"], Value::Null);
    }
}

#[test]
fn an_email_address_in_several_pools_is_ambiguous_without_a_pool() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        put_user(&app, "u1", &jane());
        put_user(&app, "u2", &json!({"email": "jane@example.com", "user_pool_id": "us-east-1_x"}));
        let mut body = json!({"email": "jane@example.com", "attributes": [{"name": "a", "value": "b"}]});
        refused(&admin.call("PATCH", ATTRIBUTES).json(&body).send(), 409, "ambiguous_user", "email: ");
        body["user_pool_id"] = json!("us-east-1_x");
        assert_eq!(admin.call("PATCH", ATTRIBUTES).json(&body).send().ok()["username"], "u2");
    }
}

#[test]
fn a_tenant_scoped_credential_knows_only_members_of_its_tenant() {
    for app in TestApp::on_both() {
        put_user(&app, "u1", &jane());
        join(&app, ACME, "u1");
        let count = format!("{COUNT}?start_date=2026-01-01&end_date=2026-01-31&region=eu-west-1&user_pool_id={POOL}");
        let body = json!({"email": "jane@example.com", "attributes": [{"name": "a", "value": "b"}]});
        for (tenant, members) in [(ACME, 1), (OTHER, 0)] {
            let admin = app.token(Role::Admin, Some(tenant));
            assert_eq!(admin.get(&by_email("jane@example.com", "")).ok()["users"].as_array().unwrap().len(), members);
            assert_eq!(admin.get(&count).ok()["count"], members);
            // Even its own members: they may be members of another tenant too.
            refused(&admin.call("PATCH", ATTRIBUTES).json(&body).send(), 403, "permission_denied", "this concerns all");
        }
    }
}

#[test]
fn days_of_a_count_may_be_those_of_a_time_zone() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        for (user, at) in [
            ("u1", "2026-01-30T14:59:59.999999Z"),
            ("u2", "2026-01-30T15:00:00Z"),
            ("u3", "2026-01-31T14:59:59.999999Z"),
            ("u4", "2026-01-31T15:00:00Z"),
        ] {
            put_user(&app, user, &json!({"user_pool_id": POOL, "registered_at": at}));
        }
        let path = |start: &str, end: &str, zone: &str| {
            format!("{COUNT}?start_date={start}&end_date={end}&region=eu-west-1&user_pool_id={POOL}&timezone={zone}")
        };
        let count = |start: &str, end: &str, zone: &str| admin.get(&path(start, end, zone)).ok()["count"].clone();
        assert_eq!(count("2026-01-31", "2026-01-31", "Asia/Tokyo"), 2);
        assert_eq!(count("2026-01-31", "2026-01-31", "UTC"), 2);
        assert_eq!(count("2026-01-30", "2026-01-30", "Asia/Tokyo"), 1);
        assert_eq!(count("2026-01-30", "2026-01-30", "UTC"), 2);
        // An instant is the same in every zone; both ends are included.
        assert_eq!(count("2026-01-31", "2026-01-31T15:00:00Z", "Asia/Tokyo"), 3);
        refused(&admin.get(&path("2026-01-31", "2026-01-31", "Tokyo")), 400, "invalid_parameter", "timezone: ");
        // Samoa had no 30 December 2011.
        let skipped = admin.get(&path("2011-12-30", "2011-12-30", "Pacific/Apia"));
        refused(&skipped, 400, "invalid_parameter", "start_date: ");
    }
}
