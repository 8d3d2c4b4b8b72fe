//! Who may do what: one row for every operation of the three published documents.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use trailkeeper_domain::account::Role;
use trailkeeper_http::{Contract, openapi_json};

use crate::contracts::unix;
use crate::support::{ACME, Answer, Caller, START, TestApp};

struct Operation {
    id: &'static str,
    method: &'static str,
    path: String,
    body: Option<Value>,
    /// `None`: everybody, without a credential too.
    roles: Option<&'static [Role]>,
}

const READ: &[Role] = &[Role::Admin, Role::Analyst, Role::Auditor];
const ANALYZE: &[Role] = &[Role::Admin, Role::Analyst];
const RECORD: &[Role] = &[Role::Admin, Role::Ingest];
const ADMIN: &[Role] = &[Role::Admin];

fn table() -> Vec<Operation> {
    let days = "start_date=2026-07-01&end_date=2026-07-02";
    let get = |id, path: String, roles| Operation { id, method: "GET", path, body: None, roles: Some(roles) };
    let send =
        |id, method, path: &str, body, roles| Operation { id, method, path: path.to_owned(), body: Some(body), roles };
    let histories = json!({"timestamp": unix(START), "user_id": "u1", "histories": []});
    let reported = json!({"type": "daily", "date": "2026-07-01", "tenant_id": ACME, "env_id": 1, "active_users": 1});
    let attributes = json!({"email": "jane@example.com", "attributes": [{"name": "a", "value": "b"}]});
    let login = json!({"Username": "nobody@example.com", "Password": "wrong"});
    vec![
        send("UpdateUserBehaviorHistoriesByDay", "PUT", "/v1/analysis/user-behavior-day", histories, Some(RECORD)),
        get("GetUserBehaviorHistories", "/v1/analysis/users/u1/behavior-histories".to_owned(), READ),
        get("GetActiveUsers", "/v1/analysis/active-users?type=daily&date_from=2026-07-01".to_owned(), ANALYZE),
        send("UpdateActiveUsers", "PUT", "/v1/analysis/active-users", reported, Some(ADMIN)),
        get(
            "GetAggregatedMetrics",
            format!("/v1/analysis/metrics/aggregated?metrics_type=create_tenant&{days}"),
            ANALYZE,
        ),
        get(
            "GetPageStatistics",
            "/v1/analysis/metrics/page-statistics?start_timestamp=1&end_timestamp=2".to_owned(),
            ANALYZE,
        ),
        get("GetAggregatedUserInfo", format!("/v1/analysis/userinfo/aggregated?{days}"), ANALYZE),
        send("Login", "POST", "/api/UserAccount/Login", login, None),
        send("RefreshToken", "POST", "/api/UserAccount/RefreshToken", json!({"refreshToken": "x"}), None),
        send("UserEvents", "POST", "/api/UserAccount/UserEvents", json!({}), Some(ADMIN)),
        get("CountUsers", format!("/v1/auditlog/users/count?{days}&region=a&user_pool_id=a_1"), READ),
        get("GetUsersByEmail", "/v1/auditlog/users?email=jane@example.com".to_owned(), READ),
        get("GetUserEvents", format!("/v1/auditlog/users/events?email=jane@example.com&{days}"), READ),
        send("UpdateUserAttributes", "PATCH", "/v1/auditlog/users/attributes", attributes, Some(ADMIN)),
    ]
}

fn perform(caller: &Caller<'_>, operation: &Operation) -> Answer {
    let call = caller.call(operation.method, &operation.path);
    match &operation.body {
        Some(body) => call.json(body).send(),
        None => call.send(),
    }
}

#[test]
fn the_table_has_every_operation_of_the_documents() {
    let mut documented = BTreeSet::new();
    for contract in [Contract::Saasus, Contract::Octopai, Contract::Cripsa] {
        let document: Value = serde_json::from_str(&openapi_json(contract)).unwrap();
        for item in document["paths"].as_object().unwrap().values() {
            for operation in item.as_object().unwrap().values() {
                let public = operation["security"] == json!([{}]);
                assert!(public || operation["security"] == json!([{"Bearer": []}]), "{operation}");
                documented.insert((operation["operationId"].as_str().unwrap().to_owned(), public));
            }
        }
    }
    let tested: BTreeSet<_> =
        table().iter().map(|operation| (operation.id.to_owned(), operation.roles.is_none())).collect();
    assert_eq!(tested, documented);
}

#[test]
fn each_role_does_what_it_may_and_nothing_else() {
    let app = TestApp::new();
    assert_eq!(app.admin().put("/v1/users/u1", &json!({"email": "jane@example.com"})).status, 201);
    for operation in table() {
        let Some(allowed) = operation.roles else { continue };
        assert_eq!(perform(&app.anon(), &operation).status, 401, "{}", operation.id);
        assert_eq!(perform(&app.bearer("tk_unknown"), &operation).status, 401, "{}", operation.id);
        for role in Role::ALL {
            let answer = perform(&app.token(role, None), &operation);
            let expected = if allowed.contains(&role) { 200 } else { 403 };
            assert_eq!(answer.status, expected, "{} {}: {}", operation.id, role.as_str(), answer.text());
        }
    }
}

#[test]
fn logins_need_no_credential_and_ignore_a_bad_one() {
    let app = TestApp::new();
    for operation in table().into_iter().filter(|operation| operation.roles.is_none()) {
        for caller in [app.anon(), app.bearer("tk_unknown")] {
            let answer = perform(&caller, &operation);
            assert_eq!((answer.status, answer.json()["isAdmin"].clone()), (401, json!(false)), "{}", operation.id);
        }
    }
}
