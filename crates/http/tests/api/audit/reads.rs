//! Reads by people create audit events.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use trailkeeper_auth::Permission;
use trailkeeper_domain::account::Role;
use trailkeeper_http::{Contract, OperationInfo, Requirement, openapi_json, operations};

use crate::access::row::Row;
use crate::access::rows;
use crate::access::world::Things;
use crate::audit::changes::changes;
use crate::support::{ACME, Caller, TestApp, escaped, numbered, person};

const SYSTEM: &str = "ffffffff-ffff-ffff-ffff-ffffffffffff";

/// An operation that shows events or users: operation id, method, path, body, and the type of its audit event.
type Shown = (&'static str, String, String, Option<Value>, &'static str);

/// Every operation whose declaration has an audit category of reads, and the change that shows the changed user.
fn shown() -> Vec<Shown> {
    let things = Things::without_credentials();
    let rows = rows::rows().into_iter().filter(|row| !row.names_tenant);
    let shows = |row: &Row| !row.info.is_audited_change || row.operation == "UpdateUserAttributes";
    rows.filter(shows)
        .filter_map(|row| {
            let kind = row.info.audit_event?;
            Some((row.operation, row.method.clone(), row.path(&things), rows::body_of(&row, &things), kind))
        })
        .collect()
}

/// Operations whose answers show no single user, each with the reason.
const SHOWS_NO_USER: &[(&str, &str)] = &[
    ("list_tenants", "tenants are customers, not people"),
    ("get_tenant", "tenants are customers, not people"),
    ("CountUsers", "a count"),
    ("healthz", "the server"),
    ("readyz", "the server"),
    ("record_events", "the sender's own events"),
    ("export_logs", "the sender's own events"),
    ("list_retention_rules", "rules are about tenants and types"),
    ("get_retention_rule", "rules are about tenants and types"),
    ("set_retention_rule", "rules are about tenants and types"),
    ("remove_retention_rule", "rules are about tenants and types"),
    ("preview_retention", "counts"),
    ("list_legal_holds", "an id that an administrator wrote, and nothing about its user"),
    ("get_legal_hold", "an id that an administrator wrote, and nothing about its user"),
    ("place_legal_hold", "an id that an administrator wrote, and nothing about its user"),
    ("lift_legal_hold", "an id that an administrator wrote, and nothing about its user"),
    ("list_streams", "where events go, and none of them"),
    ("create_stream", "where events go, and none of them"),
    ("get_stream", "where events go, and none of them"),
    ("change_stream", "where events go, and none of them"),
    ("delete_stream", "where events go, and none of them"),
    ("rotate_stream_secret", "where events go, and none of them"),
    ("test_stream", "where events go, and none of them"),
];

/// Tags of operations about Trailkeeper's own accounts and credentials: operators, not users.
const ABOUT_OPERATORS: [&str; 5] = ["accounts", "tokens", "signing keys", "sessions", "keys"];

fn world() -> TestApp {
    with_a_user(TestApp::new())
}

/// A server with a user who has one event.
pub fn with_a_user(app: TestApp) -> TestApp {
    let admin = app.admin();
    admin.put(&format!("/v1/tenants/{ACME}"), &json!({})).ok();
    admin.put("/v1/users/u1", &json!({"email": "jane@example.com"})).ok();
    admin.put(&format!("/v1/tenants/{ACME}/users/u1"), &json!({})).ok();
    admin.record(&json!({"id": numbered(1), "type": "page_load", "page": "/a", "tenant_id": ACME, "user_id": "u1"}));
    app
}

/// The audit events of reads and changes, newest first, as a program sees them.
pub fn audit_events(app: &TestApp) -> Vec<Value> {
    let kinds = "events_read,users_read,analytics_read,directory_change,analytics_report,access_denied";
    let path = format!("/v1/events?tenant_id={SYSTEM}&type={kinds}&limit=1000");
    app.admin().get(&path).ok()["events"].as_array().unwrap().clone()
}

fn ask(caller: &Caller<'_>, (_, method, path, body, _): &Shown) -> u16 {
    let call = caller.call(method, path);
    match body {
        Some(body) => call.json(body).send().status,
        None => call.send().status,
    }
}

/// The operations of all documents with an answer body: id and tag.
fn documented() -> Vec<(String, String)> {
    let mut all = Vec::new();
    for contract in Contract::ALL {
        let document: Value = serde_json::from_str(&openapi_json(contract)).unwrap();
        for item in document["paths"].as_object().unwrap().values() {
            for (method, operation) in item.as_object().unwrap() {
                let text = |field: &Value| field.as_str().unwrap_or_default().to_owned();
                let answers = operation["responses"]["200"]["content"].is_object();
                if !answers && method != "get" {
                    continue;
                }
                all.push((text(&operation["operationId"]), text(&operation["tags"][0])));
            }
        }
    }
    all
}

#[test]
fn every_operation_that_shows_events_or_users_is_recorded_for_people() {
    let app = world();
    let (email, jane) = person(&app, Role::Admin, None);
    for operation in shown() {
        let (id, method, path, _, kind) = &operation;
        let before = audit_events(&app).len();
        assert_eq!(ask(&jane, &operation), 200, "{id}");
        let after = audit_events(&app);
        assert_eq!(after.len(), before + 1, "{id} creates one audit event");
        let event = &after[0];
        assert_eq!((&event["type"], &event["outcome"]), (&json!(kind), &json!("success")), "{id}");
        assert_eq!((&event["user_name"], &event["source"]), (&json!(email), &json!("198.51.100.20")), "{id}");
        assert!(event["trace_id"].is_string() && event["user_id"].is_string(), "{event}");
        let recorded_operation = event["metadata"]["operation"].as_str().unwrap();
        let front = path.split(['?', '{']).next().unwrap().split("u1").next().unwrap();
        let same = front.split(ACME).next().unwrap().split(&numbered(1)).next().unwrap();
        assert!(recorded_operation.starts_with(&format!("{method} {same}")), "{id}: {recorded_operation}");
    }
}

#[test]
fn every_operation_of_the_documents_is_recorded_or_shows_no_user() {
    let changes = changes().into_iter().map(|change| change.operation);
    let recorded: BTreeSet<&str> = shown().iter().map(|row| row.0).chain(changes).collect();
    // Analytic answers are counts. An answer about one user needs the permission to read events too.
    let is_count = |operation: &OperationInfo| {
        matches!(operation.requirement, Requirement::Permission { permission: Permission::ReadAnalytics, .. })
    };
    let counts: Vec<OperationInfo> = operations().into_iter().filter(is_count).collect();
    let nobody: BTreeSet<&str> =
        SHOWS_NO_USER.iter().map(|row| row.0).chain(counts.iter().map(|operation| operation.id)).collect();
    for (id, tag) in documented() {
        let known = recorded.contains(id.as_str()) || nobody.contains(id.as_str());
        let operators =
            ABOUT_OPERATORS.contains(&tag.as_str()) || ["Login", "RefreshToken", "jwks"].contains(&id.as_str());
        assert!(
            known || operators,
            "{id}: give its Caller a type that is recorded (ReadEvents, FollowEvents, ReadUsers, ReadUserActivity, WriteDirectory), or a reason in SHOWS_NO_USER"
        );
    }
}

#[test]
fn answers_without_users_and_reads_of_lists_by_programs_create_no_audit_event() {
    let app = world();
    let (_, jane) = person(&app, Role::Admin, None);
    for path in ["/v1/tenants", "/v1/analytics/traffic", "/healthz", &format!("/v1/tenants/{ACME}")] {
        assert_eq!(jane.get(path).status, 200, "{path}");
    }
    let program = app.admin();
    for operation in shown() {
        assert_eq!(ask(&program, &operation), 200, "{}", operation.0);
    }
    // Of programs, only readings of the feed and exports are recorded.
    let left = audit_events(&app);
    let operations: Vec<&Value> = left.iter().map(|event| &event["metadata"]["operation"]).collect();
    assert_eq!(operations, ["GET /v1/events/export", "GET /v1/events/stream", "GET /v1/events/feed"]);
}

#[test]
fn a_read_records_its_conditions_and_no_other_parameters() {
    let app = world();
    let (_, jane) = person(&app, Role::Auditor, None);
    let page = escaped("https://jane:hunter1@app.example/a?token=hunter2#hunter3");
    jane.call("GET", &format!("/v1/events?tenant_id={ACME}&page={page}&type=x,y&type!=z&limit=5"))
        .header("User-Agent", "probe/1")
        .header("X-Request-Id", "request-7")
        .peer("203.0.113.9")
        .send()
        .ok();
    // This contract takes no parameters here and ignores them.
    jane.get("/v1/analysis/users/u1/behavior-histories?password=hunter4").ok();
    jane.get(&format!("/v1/tenants/{ACME}/users/u1")).ok();
    let events = audit_events(&app);
    let [membership, histories, list] = events.as_slice() else { panic!("{events:?}") };
    let filter =
        json!({"tenant_id": ACME, "page": "https://app.example/a", "type": "x,y", "type_not": "z", "limit": "5"});
    assert_eq!(list["metadata"], json!({"operation": "GET /v1/events", "filter": filter}));
    assert_eq!((&list["user_agent"], &list["trace_id"]), (&json!("probe/1"), &json!("request-7")));
    assert_eq!((&list["source"], &list["tenant_id"]), (&json!("203.0.113.9"), &json!(SYSTEM)));
    assert_eq!(histories["target"], json!({"type": "user", "id": "u1", "name": null}));
    assert_eq!(membership["target"]["id"], "u1");
    assert_eq!(membership["metadata"]["filter"], json!({"tenant_id": ACME}));
    assert_eq!(membership["metadata"]["operation"], "GET /v1/tenants/{tenant_id}/users/{user_id}");
    assert!(!json!(events).to_string().contains("hunter"), "{events:?}");
}

#[test]
fn rejected_reads_of_people_are_recorded_too() {
    let app = world();
    let (_, auditor) = person(&app, Role::Auditor, None);
    auditor.get("/v1/users/nobody").problem(404, "user_not_found", None);
    auditor.get("/v1/analytics/traffic").problem(403, "permission_denied", None);
    auditor.get("/v1/events?no=such").problem(400, "invalid_parameter", Some("no"));
    let (_, ingest) = person(&app, Role::Ingest, None);
    ingest.get(&format!("/v1/events/{}", numbered(1))).problem(403, "permission_denied", None);
    let (_, tenant_scoped) = person(&app, Role::Admin, Some(ACME));
    tenant_scoped.delete("/v1/users/u1").problem(403, "permission_denied", None);
    let events = audit_events(&app);
    let seen: Vec<_> = events
        .iter()
        .map(|event| (event["type"].as_str().unwrap(), event["metadata"]["status"].as_u64().unwrap()))
        .collect();
    assert_eq!(seen, [("directory_change", 403), ("events_read", 403), ("access_denied", 403), ("users_read", 404)]);
    assert!(events.iter().all(|event| event["outcome"] == "failure"), "{events:?}");
    assert_eq!(events[0]["target"]["id"], "u1");
}

#[test]
fn a_read_that_cannot_be_recorded_is_rejected() {
    let app = world();
    let (_, jane) = person(&app, Role::Admin, None);
    let program = app.admin();
    app.state.services.ingest.drain();
    for operation in shown().iter().filter(|operation| operation.1 == "GET") {
        let answer = jane.get(&operation.2);
        assert_eq!(answer.status, 503, "{}: {}", operation.0, answer.text());
        assert!(answer.header("retry-after").is_some() && !answer.text().contains("u1"), "{}", answer.text());
        let is_recorded = ["get_event_feed", "stream_events", "export_events"].contains(&operation.0);
        let expected = if is_recorded { 503 } else { 200 };
        assert_eq!(program.get(&operation.2).status, expected, "{}", operation.0);
    }
    assert_eq!(jane.get("/v1/tenants").status, 200);
}

#[test]
fn a_person_can_reach_the_end_of_octopais_list() {
    for app in TestApp::on_both() {
        app.admin().record(&json!([{"type": "x"}, {"type": "x"}, {"type": "x"}]));
        let (_, jane) = person(&app, Role::Admin, None);
        let mut pages = 0;
        loop {
            let body = json!({"PageNumber": pages + 1, "RowsInPage": 1});
            let page = jane.post("/api/UserAccount/UserEvents", &body).ok();
            if page == json!([]) {
                break;
            }
            pages += 1;
            assert!(pages < 50, "reading a page must not create another one");
        }
        assert!(pages >= 3);
        let events = audit_events(&app);
        assert_eq!(events.len(), pages + 1, "each page was a read");
        assert_eq!(events[0]["metadata"]["filter"]["PageNumber"], json!((pages + 1).to_string()));
    }
}
