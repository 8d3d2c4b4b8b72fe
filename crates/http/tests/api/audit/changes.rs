//! A person's change of the directory or report is stored together with its audit event, or not at all.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::Poll;

use actix_web::App;
use actix_web::middleware::from_fn;
use actix_web::rt::{System, task::yield_now};
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::web::Data;
use chrono::Duration;
use serde_json::{Value, json};
use trailkeeper_domain::account::Role;
use trailkeeper_domain::clock::Entropy;
use trailkeeper_domain::ingest::{Ingest, IngestLimits};
use trailkeeper_http::{AppState, HttpSettings, Services};
use trailkeeper_testkit::{Call, DatabaseKind, Fault, FaultyStore, run_on_postgres};

use crate::audit::reads::{audit_events, with_a_user};
use crate::support::contracts::unix;
use crate::support::{ACME, Caller, OTHER, START, TestApp, TestResponse, person, send_at_once};

/// A request that changes something, and its expected result.
pub struct Change {
    pub operation: &'static str,
    method: &'static str,
    path: String,
    body: Option<Value>,
    status: u16,
    /// The type of its audit event.
    kind: &'static str,
    /// The target of its audit event.
    target: Option<&'static str>,
}

/// Every operation that changes the directory or reports, in an order in which each finds the records that it needs.
pub fn changes() -> Vec<Change> {
    let tenant = format!("/v1/tenants/{ACME}");
    let member = format!("{tenant}/users/u1");
    let put = |operation, path: &str, body, target| {
        let (path, body) = (path.to_owned(), Some(body));
        Change { operation, method: "PUT", path, body, status: 200, kind: "directory_change", target: Some(target) }
    };
    let delete = |operation, path: &str, target| {
        let path = path.to_owned();
        Change {
            operation,
            method: "DELETE",
            path,
            body: None,
            status: 204,
            kind: "directory_change",
            target: Some(target),
        }
    };
    vec![
        Change {
            operation: "UpdateUserAttributes",
            method: "PATCH",
            path: "/v1/auditlog/users/attributes".to_owned(),
            body: Some(json!({"email": "jane@example.com", "attributes": [{"name": "a", "value": "b"}]})),
            status: 200,
            kind: "directory_change",
            target: None,
        },
        Change {
            kind: "analytics_report",
            target: None,
            ..put("UpdateActiveUsers", "/v1/analysis/active-users", active_users(7), "")
        },
        Change {
            kind: "analytics_report",
            ..put("UpdateUserBehaviorHistoriesByDay", "/v1/analysis/user-behavior-day", behavior(&["/b", "/c"]), "u1")
        },
        put("put_tenant", &tenant, json!({}), ACME),
        put("put_user", "/v1/users/u1", json!({}), "u1"),
        put("put_membership", &member, json!({"created_at": "2026-01-01T00:00:00Z"}), "u1"),
        delete("delete_membership", &member, "u1"),
        delete("delete_user", "/v1/users/u1", "u1"),
        delete("delete_tenant", &tenant, ACME),
    ]
}

/// A report of the active users of one day.
pub fn active_users(users: u64) -> Value {
    json!({"type": "daily", "date": "2026-07-23", "tenant_id": ACME, "env_id": 3, "active_users": users})
}

/// A report of a user's pages, one per second.
pub fn behavior(pages: &[&str]) -> Value {
    let day = unix(START);
    let histories: Vec<_> = (day..).zip(pages).map(|(at, page)| json!({"timestamp": at, "referer": page})).collect();
    json!({"timestamp": day, "user_id": "u1", "histories": histories})
}

fn ask(caller: &Caller<'_>, change: &Change) -> TestResponse {
    let call = caller.call(change.method, &change.path);
    match &change.body {
        Some(body) => call.json(body).send(),
        None => call.send(),
    }
}

/// All records that the changes affect, as a program sees them.
fn directory(app: &TestApp) -> Vec<(u16, Value)> {
    let program = app.admin();
    let tenant = format!("/v1/tenants/{ACME}");
    let paths = [
        tenant.clone(),
        format!("{tenant}/users/u1"),
        "/v1/users/u1".to_owned(),
        "/v1/users/u1/attribute-changes".to_owned(),
        "/v1/tenants".to_owned(),
        "/v1/users".to_owned(),
        format!("/v1/analysis/active-users?type=daily&date_from=2026-07-23&date_to=2026-07-23&tenant_id={ACME}"),
        "/v1/analysis/users/u1/behavior-histories".to_owned(),
    ];
    let answers = paths.iter().map(|path| program.get(path));
    answers.map(|answer| (answer.status, answer.json().get("detail").map_or(answer.json(), Value::clone))).collect()
}

/// A server with a user, one minute later: changes from now on have a different time.
fn later(kind: DatabaseKind) -> TestApp {
    let app = with_a_user(TestApp::on(kind));
    app.clock.advance(Duration::minutes(1));
    app
}

#[track_caller]
fn assert_recorded(event: &Value, email: &str, change: &Change) {
    let operation = change.operation;
    assert_eq!((&event["type"], &event["outcome"]), (&json!(change.kind), &json!("success")), "{operation}");
    assert_eq!((&event["user_name"], &event["source"]), (&json!(email), &json!("198.51.100.20")), "{operation}");
    assert_eq!(event["target"]["id"], json!(change.target), "{operation}");
    assert!(event["trace_id"].is_string() && event["user_id"].is_string(), "{event}");
    let recorded = event["metadata"]["operation"].as_str().unwrap();
    assert!(recorded.starts_with(&format!("{} /v1/", change.method)), "{operation}: {recorded}");
    assert_eq!(event["metadata"].get("status"), None, "{operation}");
}

/// Replaces the store of the server of `app`. Accounts and sessions stay on the real store.
fn faulty_store(app: &mut TestApp) -> Arc<FaultyStore> {
    let services = app.state.services.clone();
    let store = FaultyStore::over(&services.store);
    let ingest = Arc::new(Ingest::start(store.clone(), IngestLimits::default()).unwrap());
    let services = Services { store: store.clone(), ingest, ..services };
    app.state = Data::new(AppState::new(services, HttpSettings::default()));
    store
}

#[test]
fn a_crash_after_the_commit_leaves_the_change_and_its_audit_event() {
    for kind in DatabaseKind::ALL {
        let mut app = later(kind);
        let store = faulty_store(&mut app);
        let (email, jane) = person(&app, Role::Admin, None);
        for change in changes() {
            let operation = change.operation;
            app.clock.advance(Duration::seconds(1));
            let (before, events) = (directory(&app), audit_events(&app).len());
            let transactions = store.calls(Call::Write);
            store.crash_at_write(0, None);
            let answer = ask(&jane, &change);
            assert_eq!(answer.status, change.status, "{operation} on {kind:?}: {}", answer.text());
            assert_eq!(store.calls(Call::Write), transactions + 1, "{operation} is one transaction on {kind:?}");
            store.restore();
            assert_ne!(directory(&app), before, "{operation} on {kind:?}");
            let after = audit_events(&app);
            assert_eq!(after.len(), events + 1, "{operation} creates one audit event on {kind:?}");
            assert_recorded(&after[0], &email, &change);
        }
    }
}

#[test]
fn a_crash_before_the_commit_leaves_neither_change_nor_audit_event() {
    for kind in DatabaseKind::ALL {
        let mut app = later(kind);
        let store = faulty_store(&mut app);
        let (_, jane) = person(&app, Role::Admin, None);
        let before = directory(&app);
        for change in changes() {
            store.crash_at_write(0, Some(Fault::RolledBack));
            let answer = ask(&jane, &change);
            assert_eq!(answer.status, 503, "{} on {kind:?}: {}", change.operation, answer.text());
            assert!(answer.header("retry-after").is_some());
            store.restore();
            assert_eq!(directory(&app), before, "{} on {kind:?}", change.operation);
            assert_eq!(audit_events(&app), Vec::<Value>::new(), "{} on {kind:?}", change.operation);
        }
    }
}

/// Returns the same bytes each time: all ids of one instant are equal.
struct Stuck;

impl Entropy for Stuck {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(0x5a);
    }
}

#[test]
fn a_change_without_its_audit_event_is_rolled_back() {
    for kind in DatabaseKind::ALL {
        let mut app = later(kind);
        let services = Services { entropy: Arc::new(Stuck), ..app.state.services.clone() };
        app.state = Data::new(AppState::new(services, HttpSettings::default()));
        let (_, jane) = person(&app, Role::Admin, None);
        // Takes the id of every later event of this instant.
        assert_eq!(jane.put(&format!("/v1/tenants/{OTHER}"), &json!({})).status, 201);
        let before = directory(&app);
        for change in changes() {
            let answer = ask(&jane, &change);
            assert_eq!(answer.status, 500, "{} on {kind:?}: {}", change.operation, answer.text());
            assert_eq!(directory(&app), before, "{} on {kind:?}", change.operation);
            assert_eq!(audit_events(&app).len(), 1, "{} on {kind:?}", change.operation);
        }
        // A program's change creates no audit event, so it needs no id.
        assert_eq!(app.admin().delete("/v1/users/u1").status, 204);
    }
}

#[test]
fn a_lost_connection_during_the_audit_event_rolls_the_change_back() {
    let app = later(DatabaseKind::Postgres);
    let (email, jane) = person(&app, Role::Admin, None);
    let before = directory(&app);
    let url = app.database.url();
    run_on_postgres(
        url,
        "CREATE FUNCTION ends() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$;
         CREATE TRIGGER ends BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION ends()",
    );
    for change in changes() {
        let answer = ask(&jane, &change);
        assert_eq!(answer.status, 503, "{}: {}", change.operation, answer.text());
    }
    run_on_postgres(url, "DROP TRIGGER ends ON events");
    assert_eq!(directory(&app), before);
    assert_eq!(audit_events(&app), Vec::<Value>::new());
    for (number, change) in changes().iter().enumerate() {
        assert_eq!(ask(&jane, change).status, change.status, "{}", change.operation);
        let events = audit_events(&app);
        assert_eq!(events.len(), number + 1);
        assert_recorded(&events[0], &email, change);
    }
}

#[test]
fn rejected_changes_create_only_a_failure_event() {
    for kind in DatabaseKind::ALL {
        let app = later(kind);
        let program = app.admin();
        let pool = json!({"email": "taken@example.com", "user_pool_id": "eu-west-1_p"});
        program.put("/v1/users/u2", &pool).ok();
        let (_, jane) = person(&app, Role::Admin, None);
        let (_, tenant_scoped) = person(&app, Role::Admin, Some(ACME));
        let before = directory(&app);
        let update = json!({"email": "nobody@example.com", "attributes": [{"name": "a", "value": "b"}]});
        let refused = [
            (jane.put("/v1/users/u1", &pool), 409),
            (jane.patch("/v1/auditlog/users/attributes", &update), 404),
            (jane.delete("/v1/users/u9"), 404),
            (jane.delete(&format!("/v1/tenants/{OTHER}")), 404),
            (jane.delete(&format!("/v1/tenants/{ACME}/users/u9")), 404),
            (tenant_scoped.put(&format!("/v1/tenants/{ACME}/users/u2"), &json!({})), 403),
            (tenant_scoped.put(&format!("/v1/tenants/{OTHER}"), &json!({})), 404),
        ];
        for (number, (answer, status)) in refused.iter().enumerate() {
            assert_eq!(answer.status, *status, "{number} on {kind:?}: {}", answer.text());
        }
        // Invalid requests show nothing and change nothing.
        assert_eq!(jane.put("/v1/users/u1", &json!({"no": "such"})).status, 400);
        assert_eq!(directory(&app), before);
        let events = audit_events(&app);
        let seen: Vec<_> = events.iter().rev().map(|event| (&event["outcome"], &event["metadata"]["status"])).collect();
        let failure = json!("failure");
        let statuses = refused.map(|(_, status)| json!(status));
        assert_eq!(seen, statuses.iter().map(|status| (&failure, status)).collect::<Vec<_>>(), "{kind:?}");
    }
}

#[test]
fn a_change_by_email_records_the_address_and_no_ignored_parameters() {
    for kind in DatabaseKind::ALL {
        let app = later(kind);
        let (_, jane) = person(&app, Role::Admin, None);
        let recorded_filter = || audit_events(&app)[0]["metadata"]["filter"].clone();
        let update = |email| json!({"email": email, "attributes": [{"name": "a", "value": "b"}]});
        let path = "/v1/auditlog/users/attributes?email=bob%40example.com&user_id=u9";
        jane.patch(path, &update("jane@example.com")).ok();
        assert_eq!(recorded_filter(), json!({"email": "jane@example.com"}), "{kind:?}");
        let mut elsewhere = update("nobody@example.com");
        elsewhere["user_pool_id"] = json!("eu-west-1_p");
        assert_eq!(jane.patch(path, &elsewhere).status, 404);
        let expected = json!({"email": "nobody@example.com", "user_pool_id": "eu-west-1_p"});
        assert_eq!(recorded_filter(), expected, "{kind:?}");
        assert_eq!(jane.put("/v1/analysis/active-users?type=monthly", &active_users(7)).status, 200);
        assert_eq!(recorded_filter(), Value::Null, "{kind:?}");
    }
}

#[test]
fn the_target_of_a_change_is_the_canonical_id() {
    for kind in DatabaseKind::ALL {
        let app = later(kind);
        let (_, jane) = person(&app, Role::Admin, None);
        let (_, tenant_scoped) = person(&app, Role::Admin, Some(ACME));
        let target = || audit_events(&app)[0]["target"]["id"].clone();
        let tenant = format!("/v1/tenants/{}", ACME.to_uppercase());
        assert_eq!(jane.put(&tenant, &json!({})).status, 200);
        assert_eq!(target(), ACME, "{kind:?}");
        assert_eq!(jane.put(&format!("{tenant}/users/U1"), &json!({})).status, 201);
        assert_eq!(target(), "U1", "the case of a user's id matters");
        assert_eq!(audit_events(&app)[0]["metadata"]["filter"], json!({"tenant_id": ACME}));
        assert_eq!(jane.delete(&format!("{tenant}/users/U1")).status, 204);
        assert_eq!(tenant_scoped.delete(&format!("{tenant}/users/u2")).status, 404);
        assert_eq!(audit_events(&app)[0]["metadata"]["filter"], json!({"tenant_id": ACME}), "refused");
        let other = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";
        assert_eq!(tenant_scoped.delete(&format!("/v1/tenants/{}", other.to_uppercase())).status, 404);
        assert_eq!(target(), other, "refused on {kind:?}");
    }
}

#[test]
fn each_parallel_change_and_each_repetition_is_recorded_once() {
    const AT_ONCE: usize = 8;
    for kind in DatabaseKind::ALL {
        let app = later(kind);
        let (_, jane) = person(&app, Role::Admin, None);
        let put = || jane.call("PUT", "/v1/users/new").json(&json!({"username": "new"}));
        let mut statuses: Vec<_> =
            send_at_once((0..AT_ONCE).map(|_| put())).iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!((statuses[AT_ONCE - 1], statuses[AT_ONCE - 2]), (201, 200), "{kind:?}: {statuses:?}");
        assert_eq!(audit_events(&app).len(), AT_ONCE, "{kind:?}");
        // A repetition changes nothing and is recorded too.
        let update = json!({"email": "jane@example.com", "attributes": [{"name": "a", "value": "b"}]});
        for _ in 0..2 {
            jane.patch("/v1/auditlog/users/attributes", &update).ok();
        }
        assert_eq!(audit_events(&app).len(), AT_ONCE + 2, "{kind:?}");
        assert_eq!(app.admin().put("/v1/users/new", &json!({})).status, 200);
        assert_eq!(audit_events(&app).len(), AT_ONCE + 2, "a program's change creates none");
    }
}

#[test]
fn a_change_is_recorded_if_the_client_disconnects() {
    for kind in DatabaseKind::ALL {
        let mut app = later(kind);
        let store = faulty_store(&mut app);
        let (_, jane) = person(&app, Role::Admin, None);
        let commits = store.commits();
        let (state, token) = (app.state.clone(), jane.token.clone().unwrap());
        System::new().block_on(async {
            let server = App::new()
                .app_data(state)
                .wrap(from_fn(trailkeeper_http::traced))
                .configure(trailkeeper_http::configure);
            let service = init_service(server).await;
            let request = TestRequest::delete()
                .uri("/v1/users/u1")
                .peer_addr("198.51.100.20:40000".parse().unwrap())
                .insert_header(("Authorization", format!("Bearer {token}")));
            store.hold(Call::Write, usize::MAX);
            let begun = store.calls(Call::Write);
            let mut asked = Box::pin(call_service(&service, request.to_request()));
            while store.calls(Call::Write) == begun {
                poll_fn(|context| {
                    assert!(asked.as_mut().poll(context).is_pending());
                    Poll::Ready(())
                })
                .await;
                yield_now().await;
            }
            drop(asked);
            store.restore();
            store.wait_for_commits(commits + 1);
        });
        assert_eq!(app.admin().get("/v1/users/u1").status, 404);
        assert_eq!(audit_events(&app).len(), 1, "{kind:?}");
    }
}
