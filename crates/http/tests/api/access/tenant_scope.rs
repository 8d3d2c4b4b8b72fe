//! A tenant-scoped credential: other tenants do not exist for it.

use serde_json::json;
use trailkeeper_domain::account::Role;
use trailkeeper_domain::cursor;

use crate::support::{ACME, OTHER, TestApp, numbered};

/// Two tenants with records, members and events; one event without a tenant.
fn world() -> TestApp {
    let app = TestApp::new();
    let admin = app.admin();
    for (tenant, user) in [(ACME, "ann"), (OTHER, "bob")] {
        admin.put(&format!("/v1/tenants/{tenant}"), &json!({})).ok();
        admin.put(&format!("/v1/users/{user}"), &json!({"email": format!("{user}@example.com")})).ok();
        admin.put(&format!("/v1/tenants/{tenant}/users/{user}"), &json!({})).ok();
    }
    admin.record(&json!([
        {"id": numbered(1), "type": "x", "tenant_id": ACME},
        {"id": numbered(2), "type": "x", "tenant_id": OTHER},
        {"id": numbered(3), "type": "x"},
        {"id": numbered(4), "type": "x", "tenant_id": ACME},
        {"id": numbered(4), "type": "x", "tenant_id": OTHER},
    ]));
    app
}

#[test]
fn it_lists_events_of_its_tenant_only() {
    let app = world();
    let admin = app.token(Role::Admin, Some(ACME));
    let events = admin.get("/v1/events").ok();
    let ids: Vec<_> = events["events"].as_array().unwrap().iter().map(|event| event["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [numbered(4), numbered(1)]);
    admin.get(&format!("/v1/events?tenant_id={OTHER}")).problem(404, "tenant_not_found", None);
    admin.get("/v1/events?tenant_id=00000000-0000-0000-0000-000000000000").problem(404, "tenant_not_found", None);
    admin.get("/v1/events?tenant_id=ffffffff-ffff-ffff-ffff-ffffffffffff").problem(404, "tenant_not_found", None);
    for id in [numbered(2), numbered(3)] {
        admin.get(&format!("/v1/events/{id}")).problem(404, "event_not_found", None);
    }
    admin.get(&format!("/v1/events/{}?tenant_id={OTHER}", numbered(2))).problem(404, "tenant_not_found", None);
    assert_eq!(admin.get(&format!("/v1/events/{}", numbered(4))).ok()["tenant_id"], ACME, "no ambiguity with others");
}

#[test]
fn it_records_events_in_its_tenant_only() {
    let app = world();
    let ingest = app.token(Role::Ingest, Some(ACME));
    let answer = ingest.record(&json!([
        {"id": numbered(10), "type": "x"},
        {"id": numbered(11), "type": "x", "tenant_id": ACME},
        {"id": numbered(12), "type": "x", "tenant_id": OTHER},
        {"id": numbered(13), "type": "x", "tenant_id": "00000000-0000-0000-0000-000000000000"},
        {"id": numbered(2), "type": "x"},
    ]));
    let statuses: Vec<_> =
        answer["results"].as_array().unwrap().iter().map(|result| result["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["stored", "stored", "refused", "refused", "stored"], "another tenant's ids are free");
    assert_eq!(answer["results"][2]["error"]["field"], "tenant_id");
    let reader = app.admin();
    for number in [10, 11] {
        assert_eq!(reader.get(&format!("/v1/events/{}", numbered(number))).ok()["tenant_id"], ACME);
    }
}

#[test]
fn it_reads_its_tenant_and_members_only() {
    let app = world();
    let admin = app.token(Role::Admin, Some(ACME));
    let tenants = admin.get("/v1/tenants").ok();
    assert_eq!(tenants["tenants"].as_array().unwrap().len(), 1);
    assert_eq!(tenants["tenants"][0]["tenant_id"], ACME);
    assert_eq!(tenants["next_cursor"], json!(null));
    let users = admin.get("/v1/users").ok();
    assert_eq!(users["users"].as_array().unwrap().len(), 1);
    assert_eq!(users["users"][0]["user_id"], "ann");
    assert_eq!(admin.get("/v1/users?email=bob%40example.com").ok()["users"], json!([]));
    admin.get(&format!("/v1/users?tenant_id={OTHER}")).problem(404, "tenant_not_found", None);
    assert_eq!(admin.get("/v1/users/ann").ok()["user_id"], "ann");
    admin.get("/v1/users/bob").problem(404, "user_not_found", None);
    assert_eq!(admin.get("/v1/users/ann/attribute-changes").ok()["attribute_changes"], json!([]));
    admin.get("/v1/users/bob/attribute-changes").problem(404, "user_not_found", None);
    for (method, path) in [
        ("GET", format!("/v1/tenants/{OTHER}")),
        ("PUT", format!("/v1/tenants/{OTHER}")),
        ("DELETE", format!("/v1/tenants/{OTHER}")),
        ("GET", format!("/v1/tenants/{OTHER}/users")),
        ("GET", format!("/v1/tenants/{OTHER}/users/bob")),
        ("PUT", format!("/v1/tenants/{OTHER}/users/bob")),
        ("DELETE", format!("/v1/tenants/{OTHER}/users/bob")),
    ] {
        admin.call(method, &path).send().problem(404, "tenant_not_found", None);
    }
    let everyone = app.admin();
    assert_eq!(everyone.get(&format!("/v1/tenants/{OTHER}/users/bob")).status, 200);
    assert_eq!(everyone.get(&format!("/v1/tenants/{OTHER}")).status, 200);
}

#[test]
fn it_cannot_write_users_because_they_belong_to_all_tenants() {
    let app = world();
    let admin = app.token(Role::Admin, Some(ACME));
    for user in ["ann", "bob", "new"] {
        admin.put(&format!("/v1/users/{user}"), &json!({})).problem(403, "permission_denied", None);
        admin.delete(&format!("/v1/users/{user}")).problem(403, "permission_denied", None);
    }
    assert_eq!(app.admin().get("/v1/users/bob").ok()["email"], "bob@example.com");
}

#[test]
fn it_changes_memberships_but_cannot_create_them() {
    let app = world();
    let admin = app.token(Role::Admin, Some(ACME));
    let member = |user: &str| format!("/v1/tenants/{ACME}/users/{user}");
    // If bob were a member, his record would be visible.
    admin.put(&member("bob"), &json!({})).problem(403, "permission_denied", None);
    admin.get("/v1/users/bob").problem(404, "user_not_found", None);
    // The same for a user without a record, because the record may be created later.
    admin.put(&member("new"), &json!({})).problem(403, "permission_denied", None);
    assert_eq!(admin.put(&member("ann"), &json!({"created_at": "2026-01-01T00:00:00Z"})).status, 200);
    admin.delete(&member("ann")).no_content();
    assert_eq!(app.admin().put(&member("bob"), &json!({})).status, 201);
    assert_eq!(admin.get("/v1/users/bob").ok()["user_id"], "bob");
}

#[test]
fn it_can_change_its_own_tenant() {
    let app = world();
    let admin = app.token(Role::Admin, Some(ACME));
    let path = format!("/v1/tenants/{ACME}");
    assert_eq!(admin.put(&path, &json!({"name": "Acme"})).ok()["name"], "Acme");
    let cursor = cursor::encode('t', ACME);
    let made_up = admin.get(&format!("/v1/tenants?cursor={cursor}"));
    made_up.problem(400, "invalid_parameter", Some("cursor"));
    admin.delete(&path).no_content();
    assert_eq!(admin.get("/v1/tenants").ok()["tenants"], json!([]));
}
