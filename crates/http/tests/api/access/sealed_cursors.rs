//! Cursors of tenant-scoped credentials: they reveal nothing, and are valid only in their own list.

use std::collections::BTreeSet;
use std::sync::Arc;

use actix_web::web::Data;
use serde_json::{Value, json};
use trailkeeper_auth::{Access, AccessSettings, MasterKey, MasterKeyPair, MasterKeys};
use trailkeeper_domain::account::Role;
use trailkeeper_domain::cursor;
use trailkeeper_http::{AppState, Contract, HttpSettings, Services, openapi_json};
use trailkeeper_testkit::TestEntropy;

use crate::support::{ACME, Caller, OTHER, TestApp, TestResponse};

const DAYS: &str = "start_date=2026-07-01&end_date=2026-07-31";

/// A list that a tenant-scoped credential may read.
struct List {
    /// The path in the documents, without the base of its contract.
    pattern: &'static str,
    path: String,
    parameter: &'static str,
    items: &'static str,
    /// A plain cursor of this list.
    plain: String,
}

/// All lists with cursors and several pages that a credential scoped to `tenant` may read.
fn lists(tenant: &str) -> Vec<List> {
    let list =
        |pattern, path: &str, parameter, items, plain| List { pattern, path: path.to_owned(), parameter, items, plain };
    let (event, user) = (cursor::encode('e', "1784714400000000.5"), cursor::encode('u', "ann"));
    let session = cursor::encode('l', "01975f3c-0000-7000-8000-000000000001");
    let members = format!("/v1/tenants/{tenant}/users?limit=1");
    let signs = format!("/v1/auditlog/users/events?email=ann@example.com&{DAYS}&limit=1");
    let changes = "/v1/users/{user_id}/attribute-changes";
    let timeline = "/v1/analytics/users/{user_id}/timeline";
    vec![
        list("/v1/events", "/v1/events?limit=1", "cursor", "events", event.clone()),
        list(timeline, "/v1/analytics/users/ann/timeline?limit=1", "cursor", "days", event.clone()),
        list("/v1/users", "/v1/users?limit=1", "cursor", "users", user.clone()),
        list("/v1/tenants/{tenant_id}/users", &members, "cursor", "memberships", user),
        list(
            changes,
            "/v1/users/ann/attribute-changes?limit=1",
            "cursor",
            "attribute_changes",
            cursor::encode('c', "5"),
        ),
        list("/v1/sessions", "/v1/sessions?limit=1", "cursor", "sessions", session),
        list("/users/events", &signs, "next_token", "events", event),
    ]
}

impl List {
    fn get(&self, caller: &Caller<'_>, cursor: &str) -> TestResponse {
        caller.get(&format!("{}&{}={cursor}", self.path, self.parameter))
    }

    /// The first page: its items and its cursor.
    fn begun(&self, caller: &Caller<'_>) -> (Value, String) {
        let page = caller.get(&self.path).ok();
        let next = page[if self.parameter == "cursor" { "next_cursor" } else { self.parameter }].as_str();
        (page[self.items].clone(), next.unwrap_or_else(|| panic!("{}: {page}", self.path)).to_owned())
    }

    #[track_caller]
    fn refuses(&self, caller: &Caller<'_>, cursor: &str) {
        let answer = self.get(caller, cursor);
        assert_eq!(answer.status, 400, "{} {cursor}: {}", self.path, answer.text());
        assert!(answer.text().contains("is not a cursor of this list"), "{}", answer.text());
        if self.parameter == "cursor" {
            answer.problem(400, "invalid_parameter", Some("cursor"));
        }
    }
}

/// Two tenants with two members each; all members have the same events and changes.
fn world() -> TestApp {
    let app = TestApp::new();
    let admin = app.admin();
    for user in ["ann", "bea"] {
        for tenant in [ACME, OTHER] {
            admin.put(&format!("/v1/tenants/{tenant}/users/{user}"), &json!({})).ok();
            let event = json!({
                "type": "login_success", "tenant_id": tenant, "user_id": user, "occurred_at": "2026-07-22T10:00:00Z",
            });
            admin.record(&json!(vec![event; 3]));
        }
        // After the user has joined: a tenant sees no earlier changes of attributes.
        for number in 0..4 {
            let record = json!({"email": format!("{user}@example.com"), "attributes": {"a": number.to_string()}});
            assert!(admin.put(&format!("/v1/users/{user}"), &record).status < 300);
        }
    }
    app
}

/// A tenant-scoped administrator with two sessions.
fn administrator<'a>(app: &'a TestApp, tenant: &str) -> Caller<'a> {
    let email = format!("{}@example.com", app.fresh_name());
    app.person(&email, Role::Admin, Some(tenant));
    app.again(&email).caller
}

#[test]
fn a_sealed_cursor_is_valid_only_in_its_list_and_tenant() {
    let app = world();
    let (own, other, everyone) = (administrator(&app, ACME), administrator(&app, OTHER), app.admin());
    let begun: Vec<(List, Value, String)> = lists(ACME)
        .into_iter()
        .map(|list| {
            let (items, cursor) = list.begun(&own);
            (list, items, cursor)
        })
        .collect();
    for ((list, first, cursor), others) in begun.iter().zip(lists(OTHER)) {
        assert!(cursor.len() == 217 && cursor.starts_with('x'), "{}: {cursor}", list.path);
        let second = list.get(&own, cursor).ok()[list.items].clone();
        assert!(second != *first && second.as_array().unwrap().len() == 1, "{}: {second}", list.path);
        others.refuses(&other, cursor);
        list.refuses(&own, &list.plain);
        if list.pattern != "/v1/sessions" {
            list.refuses(&everyone, cursor);
            assert!(list.get(&everyone, &list.plain).status == 200, "{}", list.path);
        }
        for (from, _, strange) in &begun {
            if from.path != list.path {
                list.refuses(&own, strange);
            }
        }
        for at in [0, 1, 10, 30, 100, 216] {
            list.refuses(&own, &cursor[..at]);
            let changed = if cursor[at..].starts_with('0') { '1' } else { '0' };
            list.refuses(&own, &format!("{}{changed}{}", &cursor[..at], &cursor[at + 1..]));
        }
        list.refuses(&own, &cursor.to_uppercase());
        list.refuses(&own, &format!("{cursor}00"));
    }
    // For a tenant-scoped credential the list of tenants has one page, so it never has a cursor.
    for cursor in [cursor::encode('t', ACME), begun[0].2.clone()] {
        own.get(&format!("/v1/tenants?cursor={cursor}")).problem(400, "invalid_parameter", Some("cursor"));
    }
}

#[test]
fn credentials_of_one_tenant_share_cursors_and_other_tenants_do_not() {
    let app = world();
    let list = &lists(ACME)[0];
    let program = app.token(Role::Auditor, Some(ACME));
    let (_, cursor) = list.begun(&program);
    assert_eq!(list.get(&administrator(&app, ACME), &cursor).status, 200, "a credential of the same tenant can use it");
    list.refuses(&app.token(Role::Auditor, Some(OTHER)), &cursor);
}

#[test]
fn every_list_with_a_cursor_is_in_the_table() {
    let mut found = BTreeSet::new();
    for contract in Contract::ALL {
        let document: Value = serde_json::from_str(&openapi_json(contract)).unwrap();
        for (path, item) in document["paths"].as_object().unwrap() {
            let parameters = item["get"]["parameters"].as_array().into_iter().flatten();
            let names: BTreeSet<&str> = parameters.filter_map(|parameter| parameter["name"].as_str()).collect();
            if names.contains("cursor") || names.contains("next_token") {
                found.insert(path.clone());
            }
        }
    }
    // Tenant-scoped credentials cannot administer, and see one tenant.
    let managed =
        ["/v1/accounts", "/v1/signing-keys", "/v1/tokens", "/v1/retention/rules", "/v1/legal-holds", "/v1/streams"];
    let others = managed.into_iter().chain(["/v1/tenants"]).map(str::to_owned);
    // Positions in the feed are longer, and are tested in native/events/feed and native/events/export.
    let others = others.chain(["/v1/events/export", "/v1/events/feed", "/v1/events/stream"].map(str::to_owned));
    let table: BTreeSet<String> = lists(ACME).iter().map(|list| list.pattern.to_owned()).chain(others).collect();
    assert_eq!(found, table, "a new list: add it to the table above");
}

#[test]
fn cursors_stay_valid_while_the_master_key_is_replaced() {
    let mut app = world();
    let list = lists(ACME).remove(0);
    let token = app.token(Role::Admin, Some(ACME)).token.unwrap();
    let (_, cursor) = list.begun(&app.bearer(&token));
    let keys = |kept: bool| {
        let [previous, current] = [0, 77].map(|seed| MasterKey::generate(&TestEntropy::new(seed)));
        MasterKeys::fixed(MasterKeyPair { current, previous: kept.then_some(previous) })
    };
    for (kept, status) in [(true, 200), (false, 400)] {
        let Services { store, ingest, clock, entropy, stream_tester, .. } = app.state.services.clone();
        let settings = AccessSettings { bcrypt_cost: 4, ..AccessSettings::default() };
        let access = Access::new(store.clone(), clock.clone(), entropy.clone(), keys(kept), settings);
        let services = Services { store, ingest, access: Arc::new(access), clock, entropy, stream_tester };
        app.state = Data::new(AppState::new(services, HttpSettings::default()));
        assert_eq!(list.get(&app.bearer(&token), &cursor).status, status, "with the previous key: {kept}");
    }
}
