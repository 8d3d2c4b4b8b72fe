//! Each report by a person is recorded once, with its content.

use serde_json::{Value, json};
use trailkeeper_domain::account::Role;

use crate::audit::changes::{active_users, behavior};
use crate::audit::reads::{audit_events, with_a_user};
use crate::support::{ACME, OTHER, TestApp, person, send_at_once};

const NUMBERS: &str = "/v1/analysis/active-users";
const PAGES: &str = "/v1/analysis/user-behavior-day";
const NO_TENANT: &str = "00000000-0000-0000-0000-000000000000";

#[test]
fn a_report_is_recorded_with_its_content() {
    for app in TestApp::on_both() {
        let app = with_a_user(app);
        let (email, jane) = person(&app, Role::Admin, None);
        let month =
            json!({"type": "monthly", "date": "2026-06", "tenant_id": ACME, "env_id": 2, "active_users": i64::MAX});
        assert_eq!(jane.put(NUMBERS, &active_users(7)).status, 200);
        assert_eq!(jane.put(NUMBERS, &month).status, 200);
        assert_eq!(jane.put(PAGES, &behavior(&["/a?token=hunter2", "/b", "/b"])).status, 200);
        let (_, tenant_scoped) = person(&app, Role::Ingest, Some(ACME));
        assert_eq!(tenant_scoped.put(PAGES, &behavior(&[])).status, 200);
        let events = audit_events(&app);
        let [nothing, pages, monthly, daily] = events.as_slice() else { panic!("{events:?}") };
        let reported = |event: &Value| event["metadata"]["reported"].clone();
        let day = json!({"type": "daily", "date": "2026-07-23", "tenant_id": ACME, "env_id": 3, "active_users": 7});
        assert_eq!(daily["metadata"], json!({"operation": format!("PUT {NUMBERS}"), "reported": day}));
        assert_eq!(
            reported(monthly),
            json!({"type": "monthly", "date": "2026-06-01", "tenant_id": ACME, "env_id": 2, "active_users": i64::MAX})
        );
        let day = json!({"date": "2026-07-23", "tenant_id": NO_TENANT, "env_id": 1, "histories": 3});
        assert_eq!(pages["metadata"], json!({"operation": format!("PUT {PAGES}"), "reported": day}));
        assert_eq!(pages["target"], json!({"type": "user", "id": "u1", "name": null}));
        assert_eq!(
            reported(nothing),
            json!({"date": "2026-07-23", "tenant_id": ACME, "env_id": 1, "histories": 0}),
            "an empty report is recorded too"
        );
        assert_eq!((&daily["user_name"], &daily["target"]), (&json!(email), &Value::Null));
        assert!(!json!(events).to_string().contains("hunter2"), "{events:?}");
    }
}

#[test]
fn the_audit_event_of_a_long_report_is_short() {
    let app = with_a_user(TestApp::new());
    let (_, jane) = person(&app, Role::Admin, None);
    let pages: Vec<String> = (0..5_000).map(|n| format!("/page/{n}")).collect();
    let mut report = behavior(&pages.iter().map(String::as_str).collect::<Vec<_>>());
    let at = report["timestamp"].clone();
    for history in report["histories"].as_array_mut().unwrap() {
        history["timestamp"] = at.clone();
    }
    report["user_id"] = json!("u".repeat(128));
    assert_eq!(jane.put(PAGES, &report).status, 200);
    let events = audit_events(&app);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["metadata"]["reported"]["histories"], 5_000);
    assert!(events[0].to_string().len() < 2_000, "{}", events[0]);
}

#[test]
fn rejected_reports_are_recorded_as_failures_and_invalid_ones_are_not() {
    for app in TestApp::on_both() {
        let app = with_a_user(app);
        let (_, analyst) = person(&app, Role::Analyst, None);
        let (_, elsewhere) = person(&app, Role::Admin, Some(OTHER));
        let (_, jane) = person(&app, Role::Admin, None);
        assert_eq!(analyst.put(NUMBERS, &active_users(7)).status, 403);
        assert_eq!(analyst.put(PAGES, &behavior(&["/a"])).status, 403);
        assert_eq!(elsewhere.put(NUMBERS, &active_users(7)).status, 404);
        assert_eq!(jane.put(NUMBERS, &json!({"type": "weekly"})).status, 400);
        let mut server = active_users(7);
        server["tenant_id"] = json!("ffffffff-ffff-ffff-ffff-ffffffffffff");
        assert_eq!(jane.put(NUMBERS, &server).status, 400);
        assert_eq!(jane.put(PAGES, &json!({"timestamp": 0, "user_id": "u1", "histories": [5]})).status, 400);
        let events = audit_events(&app);
        let seen: Vec<_> = events
            .iter()
            .map(|event| (event["type"].as_str().unwrap(), event["metadata"]["status"].as_u64().unwrap()))
            .collect();
        assert_eq!(seen, [("analytics_report", 404), ("analytics_report", 403), ("analytics_report", 403)]);
        assert!(events.iter().all(|event| event["outcome"] == "failure"), "{events:?}");
        // Without the permission to report, the body is not read.
        let numbers: Vec<_> = events.iter().map(|event| &event["metadata"]["reported"]["active_users"]).collect();
        assert_eq!(numbers, [&json!(7), &Value::Null, &Value::Null]);
    }
}

#[test]
fn each_parallel_report_is_recorded_once_and_those_of_programs_never() {
    const AT_ONCE: usize = 8;
    for app in TestApp::on_both() {
        let app = with_a_user(app);
        let (_, jane) = person(&app, Role::Admin, None);
        let numbers = (0..AT_ONCE).map(|_| jane.call("PUT", NUMBERS).json(&active_users(7)));
        let pages = (0..AT_ONCE).map(|_| jane.call("PUT", PAGES).json(&behavior(&["/b", "/c"])));
        for answer in send_at_once(numbers.chain(pages)) {
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
        assert_eq!(audit_events(&app).len(), 2 * AT_ONCE);
        // The first report stored the pages, and only once.
        let stored = app.admin().get("/v1/events?user_id=u1&type=page_load").ok();
        assert_eq!(stored["events"].as_array().unwrap().len(), 1 + 2);
        for role in [Role::Admin, Role::Ingest] {
            assert_eq!(app.token(role, None).put(PAGES, &behavior(&["/d"])).status, 200);
        }
        assert_eq!(app.admin().put(NUMBERS, &active_users(8)).status, 200);
        assert_eq!(audit_events(&app).len(), 2 * AT_ONCE);
    }
}
