//! Attribute histories of users of several tenants, as credentials that are scoped to one of them see them.

use serde_json::{Value, json};
use trailkeeper_domain::account::Role;

use crate::support::{ACME, Caller, OTHER, TestApp};

const PATH: &str = "/v1/users/ann/attribute-changes";

fn join(app: &TestApp, tenant: &str) {
    assert_eq!(app.admin().put(&format!("/v1/tenants/{tenant}/users/ann"), &json!({})).status, 201);
}

fn set(app: &TestApp, department: &str) {
    app.admin().put("/v1/users/ann", &json!({"email": "ann@example.com", "attributes": {"department": department}}));
}

/// New value and author of each change, newest first.
fn seen(caller: &Caller<'_>) -> Vec<(Value, Value)> {
    let answer = caller.get(PATH).ok();
    let changes = answer["attribute_changes"].as_array().unwrap();
    changes.iter().map(|change| (change["new_value"].clone(), change["changed_by"].clone())).collect()
}

fn pairs(values: &[&str], author: &Value) -> Vec<(Value, Value)> {
    values.iter().map(|value| (json!(value), author.clone())).collect()
}

#[test]
fn a_tenant_sees_the_changes_since_its_user_joined_and_no_authors() {
    for app in TestApp::on_both() {
        set(&app, "a0");
        set(&app, "a1");
        join(&app, OTHER);
        set(&app, "a2");
        join(&app, ACME);
        set(&app, "a3");
        let cripsa = json!({"email": "ann@example.com", "attributes": [{"name": "department", "value": "a4"}]});
        app.admin().patch("/v1/auditlog/users/attributes", &cripsa).ok();
        let author = json!("test admin");
        assert_eq!(seen(&app.admin()), pairs(&["a4", "a3", "a2", "a1"], &author));
        assert_eq!(seen(&app.token(Role::Auditor, None)), pairs(&["a4", "a3", "a2", "a1"], &author));
        for role in [Role::Admin, Role::Auditor, Role::Analyst] {
            assert_eq!(seen(&app.token(role, Some(ACME))), pairs(&["a4", "a3"], &Value::Null), "{role:?}");
            assert_eq!(seen(&app.token(role, Some(OTHER))), pairs(&["a4", "a3", "a2"], &Value::Null), "{role:?}");
        }
        // Pages of one are those changes too.
        let acme = app.token(Role::Auditor, Some(ACME));
        let first = acme.get(&format!("{PATH}?limit=1")).ok();
        let cursor = first["next_cursor"].as_str().unwrap();
        let second = acme.get(&format!("{PATH}?limit=1&cursor={cursor}")).ok();
        assert_eq!(second["attribute_changes"][0]["new_value"], "a3");
        assert_eq!(second["next_cursor"], Value::Null);
    }
}

/// A tenant-scoped administrator may correct the beginning of a membership. It does not open older changes.
#[test]
fn a_corrected_membership_shows_no_older_changes() {
    for app in TestApp::on_both() {
        set(&app, "a0");
        join(&app, OTHER);
        set(&app, "secret of the other tenant");
        join(&app, ACME);
        set(&app, "a1");
        let acme = app.token(Role::Admin, Some(ACME));
        acme.put(&format!("/v1/tenants/{ACME}/users/ann"), &json!({"created_at": "2020-01-01T00:00:00Z"})).ok();
        assert_eq!(seen(&acme), pairs(&["a1"], &Value::Null));
        // Neither does a membership that ends and begins again.
        app.admin().delete(&format!("/v1/tenants/{ACME}/users/ann")).no_content();
        acme.get(PATH).problem(404, "user_not_found", None);
        set(&app, "a2");
        join(&app, ACME);
        assert_eq!(seen(&acme), []);
        set(&app, "a3");
        assert_eq!(seen(&acme), pairs(&["a3"], &Value::Null));
    }
}
