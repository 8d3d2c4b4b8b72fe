//! Memberships.

use chrono::TimeDelta;
use serde_json::json;

use crate::support::{ACME, OTHER, START, TestApp};

#[test]
fn a_membership_needs_no_records() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        let path = format!("/v1/tenants/{ACME}/users/u1");
        admin.get(&path).problem(404, "membership_not_found", None);
        let created = admin.call("PUT", &path).send();
        assert_eq!(created.status, 201);
        assert_eq!(created.ok(), json!({"tenant_id": ACME, "user_id": "u1", "created_at": START}));
        app.clock.advance(TimeDelta::hours(1));
        let again = admin.put(&path, &json!({}));
        assert_eq!((again.status, again.ok()), (200, created.ok()));
        let corrected = admin.put(&path, &json!({"created_at": "2026-01-01T00:00:00Z"}));
        assert_eq!((corrected.status, &corrected.ok()["created_at"]), (200, &json!("2026-01-01T00:00:00Z")));
        assert_eq!(admin.get(&path).ok(), corrected.ok());
        admin.get(&format!("/v1/tenants/{OTHER}/users/u1")).problem(404, "membership_not_found", None);
        admin.delete(&path).no_content();
        admin.delete(&path).problem(404, "membership_not_found", None);
        admin.get(&path).problem(404, "membership_not_found", None);
    }
}

#[test]
fn the_list_is_sorted_by_user() {
    let app = TestApp::new();
    let admin = app.admin();
    for user in ["c", "a", "d", "b"] {
        admin.put(&format!("/v1/tenants/{ACME}/users/{user}"), &json!({})).ok();
    }
    admin.put(&format!("/v1/tenants/{OTHER}/users/x"), &json!({})).ok();
    let page = admin.get(&format!("/v1/tenants/{ACME}/users?limit=3")).ok();
    let users = |page: &serde_json::Value| {
        let memberships = page["memberships"].as_array().unwrap();
        memberships.iter().map(|one| one["user_id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(users(&page), ["a", "b", "c"]);
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = admin.get(&format!("/v1/tenants/{ACME}/users?cursor={cursor}")).ok();
    assert_eq!((users(&rest), &rest["next_cursor"]), (vec!["d".to_owned()], &json!(null)));
    let nobody = "22222222-2222-4333-8444-555555555555";
    admin.get(&format!("/v1/tenants/{nobody}/users")).problem(404, "tenant_not_found", None);
    admin.put(&format!("/v1/tenants/{nobody}"), &json!({})).ok();
    assert_eq!(admin.get(&format!("/v1/tenants/{nobody}/users")).ok(), json!({"memberships": [], "next_cursor": null}));
    let end = format!("/v1/tenants/{ACME}/users?cursor={}", trailkeeper_domain::cursor::encode('u', "z"));
    assert_eq!(admin.get(&end).ok(), json!({"memberships": [], "next_cursor": null}));
    admin.get(&format!("/v1/tenants/{ACME}/users?cursor=t61")).problem(400, "invalid_parameter", Some("cursor"));
}

#[test]
fn memberships_are_removed_with_either_record() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        let path = format!("/v1/tenants/{ACME}/users/u1");
        for record in [format!("/v1/tenants/{ACME}"), "/v1/users/u1".to_owned()] {
            admin.put(&record, &json!({})).ok();
            admin.put(&path, &json!({})).ok();
            admin.delete(&record).no_content();
            admin.get(&path).problem(404, "membership_not_found", None);
        }
    }
}

#[test]
fn invalid_memberships_name_their_field() {
    let app = TestApp::new();
    let admin = app.admin();
    let path = format!("/v1/tenants/{ACME}/users/u1");
    for (body, field) in [
        (json!({"created_at": 5}), "created_at"),
        (json!({"created_at": "2026-07-24T10:00:00Z"}), "created_at"),
        (json!({"role": "x"}), "role"),
    ] {
        admin.put(&path, &body).problem(400, "invalid_parameter", Some(field));
    }
    let none = "00000000-0000-0000-0000-000000000000";
    admin.put(&format!("/v1/tenants/{none}/users/u1"), &json!({})).problem(400, "invalid_parameter", Some("tenant_id"));
    admin.put("/v1/tenants/acme/users/u1", &json!({})).problem(400, "invalid_parameter", Some("tenant_id"));
    admin.put(&format!("/v1/tenants/{ACME}/users/%00"), &json!({})).problem(400, "invalid_parameter", Some("user_id"));
    admin.get(&path).problem(404, "membership_not_found", None);
}
