//! Who may do what: one row for every operation of the native document.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use trailkeeper_auth::NewToken;
use trailkeeper_domain::account::Role;
use trailkeeper_http::{Contract, openapi_json};

use crate::support::{ACME, Answer, Caller, TestApp, numbered, operator};

/// The four roles, in the order of [`Role::ALL`]: admin, analyst, auditor, ingest.
const WRITERS_OF_EVENTS: [bool; 4] = [true, false, false, true];
const READERS: [bool; 4] = [true, true, true, false];
const ANALYSTS: [bool; 4] = [true, true, false, false];
const ADMINS: [bool; 4] = [true, false, false, false];

/// Operation, method, path, body, and which roles may.
type Row = (&'static str, &'static str, String, Option<Value>, [bool; 4]);

fn table() -> Vec<Row> {
    let tenant = format!("/v1/tenants/{ACME}");
    let membership = format!("{tenant}/users/u1");
    let empty = || Some(json!({}));
    vec![
        ("record_events", "POST", "/v1/events".into(), Some(json!({"type": "x"})), WRITERS_OF_EVENTS),
        ("list_events", "GET", "/v1/events".into(), None, READERS),
        ("get_event", "GET", format!("/v1/events/{}", numbered(1)), None, READERS),
        ("list_tenants", "GET", "/v1/tenants".into(), None, READERS),
        ("put_tenant", "PUT", tenant.clone(), empty(), ADMINS),
        ("get_tenant", "GET", tenant.clone(), None, READERS),
        ("list_users", "GET", "/v1/users".into(), None, READERS),
        ("put_user", "PUT", "/v1/users/u1".into(), empty(), ADMINS),
        ("get_user", "GET", "/v1/users/u1".into(), None, READERS),
        ("list_attribute_changes", "GET", "/v1/users/u1/attribute-changes".into(), None, READERS),
        ("list_memberships", "GET", format!("{tenant}/users"), None, READERS),
        ("put_membership", "PUT", membership.clone(), empty(), ADMINS),
        ("get_membership", "GET", membership.clone(), None, READERS),
        ("get_active_users", "GET", "/v1/analytics/active-users".into(), None, ANALYSTS),
        ("get_traffic", "GET", "/v1/analytics/traffic".into(), None, ANALYSTS),
        ("get_logins", "GET", "/v1/analytics/logins".into(), None, ANALYSTS),
        ("get_registrations", "GET", "/v1/analytics/registrations".into(), None, ANALYSTS),
        ("get_page_statistics", "GET", "/v1/analytics/page-statistics".into(), None, ANALYSTS),
        ("get_retention", "GET", "/v1/analytics/retention".into(), None, ANALYSTS),
        ("get_timeline", "GET", "/v1/analytics/users/u1/timeline".into(), None, READERS),
        ("get_profile", "GET", "/v1/analytics/users/u1/profile".into(), None, READERS),
        ("delete_membership", "DELETE", membership, None, ADMINS),
        ("delete_user", "DELETE", "/v1/users/u1".into(), None, ADMINS),
        ("delete_tenant", "DELETE", tenant, None, ADMINS),
    ]
}

/// What needs no credential.
const PUBLIC: [&str; 2] = ["healthz", "readyz"];

fn sent(caller: &Caller<'_>, method: &str, path: &str, body: Option<&Value>) -> Answer {
    let call = caller.call(method, path);
    body.map_or_else(|| caller.call(method, path), |body| call.json(body)).send()
}

#[test]
fn every_operation_has_its_row() {
    let document: Value = serde_json::from_str(&openapi_json(Contract::Native)).unwrap();
    let items = document["paths"].as_object().unwrap().values();
    let documented: BTreeSet<String> = items
        .flat_map(|item| item.as_object().unwrap().values())
        .map(|operation| operation["operationId"].as_str().unwrap().to_owned())
        .collect();
    let rows: BTreeSet<String> = table().iter().map(|row| row.0).chain(PUBLIC).map(str::to_owned).collect();
    assert_eq!(rows, documented);
}

#[test]
fn strangers_learn_nothing_but_401() {
    let app = TestApp::new();
    let admin = app.admin();
    let new = NewToken { name: "revoked".to_owned(), role: Role::Admin, tenant_id: None, expires_at: None };
    let (made, plain) = app.state.access().create_token(&operator(), new).unwrap();
    app.state.access().revoke_token(&operator(), made.id).unwrap();
    let revoked = app.bearer(plain.expose());
    let real = admin.token.clone().unwrap();
    let almost = format!("{}{}", &real[..real.len() - 1], if real.ends_with('A') { 'B' } else { 'A' });
    for (operation, method, path, body, _) in table() {
        let strangers = [
            (app.anon().call(method, &path), "no credential"),
            (app.bearer("").call(method, &path), "an empty token"),
            (app.bearer("tk_unheard_of").call(method, &path), "an unknown token"),
            (app.bearer("eyJhbGciOiJub25lIn0.e30.").call(method, &path), "an unsigned JWT"),
            (app.bearer(&almost).call(method, &path), "another token"),
            (revoked.call(method, &path), "a revoked token"),
            (app.anon().call(method, &path).header("Authorization", "Basic YWRtaW46YWRtaW4="), "another scheme"),
            (app.anon().call(method, &path).header("Authorization", "Bearer"), "no token"),
            (
                app.anon()
                    .call(method, &path)
                    .header("Authorization", &format!("SAASUSSIGV1 Sig={real}, SaaSID=a, APIKey=b")),
                "a signature",
            ),
            (app.anon().call(method, &path).header("Authorization", "\u{fffd}"), "not even ASCII"),
        ];
        for (call, who) in strangers {
            let call = if let Some(body) = &body { call.json(body) } else { call };
            let answer = call.send();
            answer.problem(401, "unauthorized", None);
            assert!(answer.header("www-authenticate").is_some(), "{operation}: {who}");
        }
        // What else is wrong with the request is not a stranger's business.
        app.anon().call(method, &format!("{path}?no=such")).body("no JSON").send().problem(401, "unauthorized", None);
    }
    assert_eq!(admin.get("/v1/tenants").ok()["tenants"], json!([]), "nothing was done");
}

#[test]
fn roles_may_what_the_table_says() {
    let app = TestApp::new();
    app.admin().record(&json!({"id": numbered(1), "type": "x"}));
    for (role, at) in Role::ALL.into_iter().zip(0..) {
        let caller = app.token(role, None);
        for (operation, method, path, body, allowed) in table() {
            // Each row finds what it needs, whatever the rows before it removed.
            for record in
                [format!("/v1/tenants/{ACME}"), "/v1/users/u1".to_owned(), format!("/v1/tenants/{ACME}/users/u1")]
            {
                app.admin().put(&record, &json!({})).ok();
            }
            let answer = sent(&caller, method, &path, body.as_ref());
            if allowed[at] {
                assert!((200..300).contains(&answer.status), "{operation} by {}: {}", role.as_str(), answer.text());
            } else {
                let detail = answer.problem(403, "permission_denied", None);
                assert!(detail.contains(role.as_str()), "{operation}: {detail}");
            }
        }
    }
}

#[test]
fn the_role_is_asked_before_the_request_is_read() {
    let app = TestApp::new();
    let ingest = app.token(Role::Ingest, None);
    ingest.get("/v1/events?no=such").problem(403, "permission_denied", None);
    let auditor = app.token(Role::Auditor, None);
    auditor.call("POST", "/v1/events").body("no JSON").send().problem(403, "permission_denied", None);
}

#[test]
fn an_expired_token_is_no_credential() {
    let app = TestApp::new();
    let expires_at = Some(trailkeeper_testkit::at("2026-07-23T11:00:00Z"));
    let new = NewToken { name: "short".to_owned(), role: Role::Admin, tenant_id: None, expires_at };
    let (_, plain) = app.state.access().create_token(&operator(), new).unwrap();
    let caller = app.bearer(plain.expose());
    assert_eq!(caller.get("/v1/events").status, 200);
    app.clock.set("2026-07-23T11:00:00Z");
    caller.get("/v1/events").problem(401, "unauthorized", None);
}
