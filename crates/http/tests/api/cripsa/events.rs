//! A user's events.

use serde_json::{Value, json};
use trailkeeper_domain::account::Role;

use crate::support::contracts::{record, refused};
use crate::support::{ACME, Caller, OTHER, START, TestApp, numbered};

const POOL: &str = "eu-west-1_aBcD12345";

fn path(more: &str) -> String {
    format!("/v1/auditlog/users/events?email=jane%40example.com&start_date=2026-07-01&end_date=2026-07-31{more}")
}

fn with_jane(app: &TestApp) {
    let jane = json!({"email": "Jane@example.com", "username": "jane", "user_pool_id": POOL, "registered_at": START});
    assert_eq!(app.admin().put("/v1/users/u1", &jane).status, 201);
}

/// Type and response of each event.
fn words(answer: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let events = answer["events"].as_array().unwrap();
    events.iter().map(|event| (text(&event["event_type"]), text(&event["event_response"]))).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(kind, response)| ((*kind).to_owned(), (*response).to_owned())).collect()
}

#[test]
fn the_user_and_their_events_have_the_terms_of_this_contract() {
    for app in TestApp::on_both() {
        with_jane(&app);
        let admin = app.admin();
        let metadata = json!({"event_risk": "High", "city": "Porto", "country": "Portugal", "else": 1});
        admin.record(&json!([
        {"id": numbered(1), "type": "login_success", "user_id": "u1", "occurred_at": "2026-07-20T10:00:00.5Z",
         "source": "203.0.113.7", "user_agent": "Mozilla/5.0", "metadata": metadata},
        {"id": numbered(2), "type": "login_fail", "user_id": "u1", "occurred_at": "2026-07-20T09:00:00Z", "source": "203.0.113.7",
         "metadata": {"event_risk": 5, "city": null}},
        {"id": numbered(3), "type": "login_fail", "user_id": "u2", "occurred_at": "2026-07-20T09:00:00Z"},
        {"id": numbered(4), "type": "page_load", "user_id": "u1", "occurred_at": "2026-07-20T09:00:00Z"},
    ]));
        let expected = json!({
            "user": {
                "username": "jane", "email": "Jane@example.com", "region": "eu-west-1", "user_pool_id": POOL, "attributes": [],
                "enabled": true, "user_status": "CONFIRMED", "user_create_date": START, "user_last_modified_date": START,
            },
            "events": [
                {"event_id": numbered(1), "event_type": "SignIn", "creation_date": "2026-07-20T10:00:00.500Z", "event_response": "Pass",
                 "event_risk": "High",
                 "event_context_data": {"ip_address": "203.0.113.7", "device_name": "Mozilla/5.0", "city": "Porto", "country": "Portugal"}},
                {"event_id": numbered(2), "event_type": "SignIn", "creation_date": "2026-07-20T09:00:00Z", "event_response": "Fail",
                 "event_context_data": {"ip_address": "203.0.113.7"}},
            ],
        });
        assert_eq!(admin.get(&path("")).ok(), expected);
    }
}

/// One event of each type and outcome, newest first as listed.
fn some_events(app: &TestApp) {
    let outcome = |outcome: &str| json!({"outcome": outcome});
    record(
        &app.admin(),
        &[
            ("u1", "resend_code", "2026-07-10T00:00:00Z", json!({})),
            ("u1", "password_change", "2026-07-09T00:00:00Z", outcome("failure")),
            ("u1", "forgot_password", "2026-07-08T00:00:00Z", outcome("unknown")),
            ("u1", "sign_up", "2026-07-07T00:00:00Z", outcome("success")),
            ("u1", "login_fail", "2026-07-06T00:00:00Z", outcome("success")),
            ("u1", "login_success", "2026-07-05T00:00:00Z", outcome("failure")),
            ("u1", "login_fail", "2026-07-04T00:00:00Z", json!({})),
            ("u1", "login_success", "2026-07-03T00:00:00Z", json!({})),
            ("u1", "logout", "2026-07-02T00:00:00Z", json!({})),
        ],
    );
}

#[test]
fn a_login_passes_by_its_type_and_everything_else_by_its_outcome() {
    for app in TestApp::on_both() {
        with_jane(&app);
        some_events(&app);
        let admin = app.admin();
        let all = pairs(&[
            ("ResendCode", "Pass"),
            ("PasswordChange", "Fail"),
            ("ForgotPassword", "Pass"),
            ("SignUp", "Pass"),
            ("SignIn", "Fail"),
            ("SignIn", "Pass"),
            ("SignIn", "Fail"),
            ("SignIn", "Pass"),
        ]);
        assert_eq!(words(&admin.get(&path("")).ok()), all);
        for response in ["Pass", "Fail", "InProgress"] {
            let expected: Vec<_> = all.iter().filter(|(_, own)| own == response).cloned().collect();
            assert_eq!(words(&admin.get(&path(&format!("&event_response={response}"))).ok()), expected);
            for kind in ["SignIn", "SignUp", "ForgotPassword", "PasswordChange", "ResendCode"] {
                let both: Vec<_> = expected.iter().filter(|(own, _)| own == kind).cloned().collect();
                let answer = admin.get(&path(&format!("&event_response={response}&login_event={kind}"))).ok();
                assert_eq!(words(&answer), both, "{response} {kind}");
            }
        }
    }
}

#[test]
fn pages_contain_only_matching_events() {
    for app in TestApp::on_both() {
        with_jane(&app);
        some_events(&app);
        let admin = app.admin();
        for filter in ["", "&event_response=Fail", "&login_event=SignIn&event_response=Pass"] {
            let whole = admin.get(&path(filter)).ok()["events"].as_array().unwrap().clone();
            let mut paged = Vec::new();
            let mut token = String::new();
            loop {
                let page = admin.get(&path(&format!("{filter}&limit=1{token}"))).ok();
                let events = page["events"].as_array().unwrap();
                assert_eq!(events.len(), 1);
                paged.extend(events.clone());
                match page.get("next_token") {
                    Some(next) => token = format!("&next_token={}", next.as_str().unwrap()),
                    None => break,
                }
            }
            assert_eq!(paged, whole, "{filter}");
        }
    }
}

#[test]
fn a_page_has_at_most_sixty_events() {
    for app in TestApp::on_both() {
        with_jane(&app);
        let admin = app.admin();
        let event = json!({"type": "login_success", "user_id": "u1", "occurred_at": "2026-07-05T00:00:00Z"});
        admin.record(&json!(vec![event; 61]));
        let page = admin.get(&path("")).ok();
        assert_eq!(page["events"].as_array().unwrap().len(), 60);
        let rest = admin.get(&path(&format!("&next_token={}", page["next_token"].as_str().unwrap()))).ok();
        assert_eq!(rest["events"].as_array().unwrap().len(), 1);
        assert!(rest.get("next_token").is_none());
    }
}

#[test]
fn both_ends_of_the_range_are_inclusive() {
    for app in TestApp::on_both() {
        with_jane(&app);
        let admin = app.admin();
        record(
            &admin,
            &[
                ("u1", "login_success", "2026-06-30T23:59:59.999999Z", json!({})),
                ("u1", "login_success", "2026-07-01T00:00:00Z", json!({})),
                ("u1", "login_success", "2026-07-02T12:00:00Z", json!({})),
                ("u1", "login_success", "2026-07-02T23:59:59.999999Z", json!({})),
            ],
        );
        let count = |caller: &Caller<'_>, start: &str, end: &str| {
            let path = format!("/v1/auditlog/users/events?email=jane@example.com&start_date={start}&end_date={end}");
            caller.get(&path).ok()["events"].as_array().unwrap().len()
        };
        assert_eq!(count(&admin, "2026-07-01", "2026-07-02"), 3);
        assert_eq!(count(&admin, "2026-07-01T00:00:00Z", "2026-07-02T12:00:00Z"), 2);
        assert_eq!(count(&admin, "2026-07-02T14:00:00%2B02:00", "2026-07-02T12:00:00Z"), 1);
        assert_eq!(count(&admin, "2026-06-30", "2026-06-30"), 1);
    }
}

#[test]
fn a_tenant_scoped_credential_sees_only_members_and_events_of_its_tenant() {
    for app in TestApp::on_both() {
        with_jane(&app);
        let admin = app.admin();
        assert_eq!(admin.put(&format!("/v1/tenants/{ACME}/users/u1"), &json!({})).status, 201);
        record(
            &admin,
            &[
                ("u1", "login_success", "2026-07-01T00:00:00Z", json!({"tenant_id": ACME})),
                ("u1", "login_fail", "2026-07-01T00:00:00Z", json!({"tenant_id": OTHER})),
                ("u1", "sign_up", "2026-07-01T00:00:00Z", json!({})),
            ],
        );
        let own = app.token(Role::Analyst, Some(ACME)).get(&path("")).ok();
        assert_eq!(words(&own), pairs(&[("SignIn", "Pass")]));
        refused(&app.token(Role::Analyst, Some(OTHER)).get(&path("")), 404, "user_not_found", "email: ");
        assert_eq!(admin.get(&path("")).ok()["events"].as_array().unwrap().len(), 3);
    }
}

#[test]
fn days_may_be_those_of_a_time_zone() {
    for app in TestApp::on_both() {
        with_jane(&app);
        let admin = app.admin();
        record(
            &admin,
            &[
                ("u1", "login_success", "2026-07-20T14:59:59.999999Z", json!({})),
                ("u1", "login_fail", "2026-07-20T15:00:00Z", json!({})),
                ("u1", "sign_up", "2026-07-21T14:59:59.999999Z", json!({})),
                ("u1", "login_success", "2026-07-21T15:00:00Z", json!({})),
            ],
        );
        let of_the_21st = |zone: &str| {
            let days = "start_date=2026-07-21&end_date=2026-07-21";
            words(&admin.get(&format!("/v1/auditlog/users/events?email=jane%40example.com&{days}{zone}")).ok())
        };
        assert_eq!(of_the_21st("&timezone=Asia/Tokyo"), pairs(&[("SignUp", "Pass"), ("SignIn", "Fail")]));
        assert_eq!(of_the_21st(""), pairs(&[("SignIn", "Pass"), ("SignUp", "Pass")]));
        refused(&admin.get(&path("&timezone=+9")), 400, "invalid_parameter", "timezone: ");
    }
}
