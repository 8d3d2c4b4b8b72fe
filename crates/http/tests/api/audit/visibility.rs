//! Admins and auditors see audit events; for analysts the system tenant does not exist.

use serde_json::{Value, json};
use trailkeeper_domain::account::Role;

use crate::support::{ACME, Caller, OTHER, TestApp, analytic_questions, numbered, person};

const SYSTEM: &str = "ffffffff-ffff-ffff-ffff-ffffffffffff";

fn listed(caller: &Caller<'_>, query: &str) -> Vec<Value> {
    caller.get(&format!("/v1/events?limit=1000{query}")).ok()["events"].as_array().unwrap().clone()
}

/// Events of customers, and the audit event of a login.
fn world(app: &TestApp) -> (Value, String) {
    app.admin().record(&json!([
        {"id": numbered(1), "type": "login_success", "tenant_id": ACME, "user_id": "ann"},
        {"id": numbered(2), "type": "x", "user_id": "ann"},
    ]));
    let (_, auditor) = person(app, Role::Auditor, None);
    let trail = listed(&auditor, &format!("&tenant_id={SYSTEM}&type=login_success"));
    (trail[0].clone(), trail[0]["user_id"].as_str().unwrap().to_owned())
}

#[test]
fn admins_and_auditors_see_audit_events_and_analysts_do_not() {
    for app in TestApp::on_both() {
        let (login, operator) = world(&app);
        let id = login["id"].as_str().unwrap();
        for (role, sees) in [(Role::Admin, true), (Role::Auditor, true), (Role::Analyst, false)] {
            for caller in [app.token(role, None), person(&app, role, None).1] {
                let tenants = listed(&caller, "");
                assert_eq!(tenants.iter().any(|event| event["tenant_id"] == SYSTEM), sees, "{}", role.as_str());
                assert!(tenants.iter().any(|event| event["id"] == numbered(1).as_str()));
                let own = caller.get(&format!("/v1/events?tenant_id={SYSTEM}"));
                let by_id = caller.get(&format!("/v1/events/{id}"));
                let by_tenant = caller.get(&format!("/v1/events/{id}?tenant_id={SYSTEM}"));
                for narrowed in ["user_id=".to_owned() + &operator, "type=token_create,events_read".to_owned()] {
                    assert_eq!(listed(&caller, &format!("&{narrowed}")).is_empty(), !sees, "{narrowed}");
                }
                if sees {
                    assert_eq!((own.status, by_id.status, by_tenant.status), (200, 200, 200));
                } else {
                    own.problem(404, "tenant_not_found", None);
                    by_id.problem(404, "event_not_found", None);
                    by_tenant.problem(404, "tenant_not_found", None);
                }
            }
        }
    }
}

#[test]
fn the_id_of_an_audit_event_is_not_ambiguous_for_analysts() {
    for app in TestApp::on_both() {
        let (login, _) = world(&app);
        let id = login["id"].as_str().unwrap();
        let admin = app.admin();
        admin.record(&json!([{"id": id, "type": "copied", "tenant_id": ACME}]));
        let analyst = app.token(Role::Analyst, None);
        assert_eq!(analyst.get(&format!("/v1/events/{id}")).ok()["type"], "copied");
        admin.get(&format!("/v1/events/{id}")).problem(409, "ambiguous_event", Some("tenant_id"));
        admin.record(&json!([{"id": id, "type": "copied", "tenant_id": OTHER}]));
        analyst.get(&format!("/v1/events/{id}")).problem(409, "ambiguous_event", Some("tenant_id"));
    }
}

#[test]
fn answers_about_users_contain_no_operators() {
    let app = TestApp::new();
    let (_, operator) = world(&app);
    let admin = app.admin();
    // A user with the id of an operator's account.
    let email = "twin@example.com";
    admin.put(&format!("/v1/users/{operator}"), &json!({"email": email})).ok();
    let analyst = app.token(Role::Analyst, None);
    let days = "start_date=2026-07-01&end_date=2026-07-31";
    let events = analyst.get(&format!("/v1/auditlog/users/events?email=twin%40example.com&{days}")).ok();
    assert_eq!(events["events"], json!([]), "logins to Trailkeeper are not logins of the user");
    for path in [
        format!("/v1/analytics/users/{operator}/timeline"),
        format!("/v1/analytics/users/{operator}/profile"),
        format!("/v1/analysis/users/{operator}/behavior-histories"),
    ] {
        for caller in [&analyst, &admin] {
            let text = caller.get(&path).ok().to_string();
            assert!(!text.contains("login") && !text.contains("198.51.100.20"), "{path}: {text}");
        }
    }
}

#[test]
fn no_analytic_answer_counts_audit_events() {
    let app = TestApp::new();
    world(&app);
    let admin = app.admin();
    let analyst = app.token(Role::Analyst, None);
    for question in analytic_questions() {
        assert!(matches!(analyst.get(&format!("{question}?tenant_id={SYSTEM}")).status, 400 | 404), "{question}");
        admin.get(&format!("{question}?tenant_id={SYSTEM}")).problem(400, "invalid_parameter", Some("tenant_id"));
    }
    let days = "start_date=2026-07-01&end_date=2026-07-31";
    let active = format!("/v1/analysis/active-users?type=daily&date_from=2026-07-01&tenant_id={SYSTEM}");
    let metrics = format!("/v1/analysis/metrics/aggregated?metrics_type=create_tenant_user&{days}&tenant_ids={SYSTEM}");
    let userinfo = format!("/v1/analysis/userinfo/aggregated?{days}&tenant_ids={SYSTEM}");
    for path in [&active, &metrics, &userinfo] {
        assert_eq!(analyst.get(path).status, 404, "{path}");
    }
    assert_eq!(admin.get(&active).ok()["data"], json!([]), "in the sheets its key is that of everyone");
    for path in [&metrics, &userinfo] {
        for day in admin.get(path).ok()["metrics"].as_array().unwrap() {
            assert_eq!(day["details"], json!({}), "{path}: {day}");
        }
    }
}
