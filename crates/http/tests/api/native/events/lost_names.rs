//! Names that the database has lost: lists mark their events, and no question fails.

use std::time::Duration;

use serde_json::json;
use trailkeeper_analytics::engine::rebuild::{Rewritten, rebuild_by_rule};
use trailkeeper_domain::event::{Event, EventKind, PAGE_LOAD};
use trailkeeper_domain::page::{Page, PageRule, TrailingSlash};
use trailkeeper_storage::{DatabaseUrl, StoreOptions, open};
use trailkeeper_testkit::{DatabaseKind, TestEntropy, at, event, run_on_postgres, tenant_id, user_id, uuid};

use crate::support::TestApp;

#[test]
fn events_are_marked_and_no_question_fails() {
    let app = TestApp::on(DatabaseKind::Postgres);
    // First, because the audit event of its token has names, too.
    let admin = app.admin();
    let viewed = |number: u128, page: &str| Event {
        tenant_id: tenant_id(1),
        occurred_at: at("2026-06-02T12:00:00Z"),
        user_id: Some(user_id("ann")),
        user_name: Some(format!("Ann {number}")),
        kind: EventKind::known(PAGE_LOAD),
        source: Some([203, 0, 113, u8::try_from(number).unwrap()].into()),
        user_agent: Some(format!("agent {number}")),
        page: Some(Page::parse("page", page).unwrap()),
        ..event(number)
    };
    let custom = Event { kind: EventKind::known("custom.lost"), ..viewed(2, "/lost") };
    // By another store, so that the server does not know the names.
    let url = DatabaseUrl::parse(app.database.url()).unwrap();
    let store = open(&url, &StoreOptions::default()).unwrap();
    store.writing(|tx| tx.insert_events(&[viewed(1, "/kept"), viewed(3, "/lost"), custom.clone()])).unwrap();
    drop(store);
    let kind = run_on_postgres(app.database.url(), "SELECT max(id) FROM dict_kinds")[0][0].clone().unwrap();
    for table in ["dict_user_names", "dict_kinds", "dict_sources", "dict_user_agents", "dict_pages"] {
        run_on_postgres(app.database.url(), &format!("DELETE FROM {table} WHERE id = (SELECT max(id) FROM {table})"));
    }
    let lost = admin.get(&format!("/v1/events/{}", uuid(2))).ok();
    assert_eq!(lost["missing_names"], json!(["user_name", "type", "source", "user_agent", "page"]));
    for field in ["user_name", "source", "user_agent", "page"] {
        assert_eq!(lost[field], json!(null), "{field}");
    }
    assert_eq!((&lost["type"], &lost["user_id"]), (&json!(format!("missing_{kind}")), &json!("ann")));
    let listed = admin.get("/v1/events?user_id=ann").ok();
    let marks: Vec<_> = listed["events"].as_array().unwrap().iter().map(|event| &event["missing_names"]).collect();
    assert_eq!(marks, [&lost["missing_names"], &json!(["page"]), &json!([])]);
    assert_eq!(listed["events"][0], lost);

    let range = format!("from=2026-06-01&to=2026-06-03&tenant_id={}", tenant_id(1));
    let pages = admin.get(&format!("/v1/analytics/page-statistics?{range}")).ok();
    assert_eq!(pages["pages"][0]["page"], "(missing 3)", "{pages}");
    for path in [
        format!("/v1/analytics/traffic?{range}"),
        format!("/v1/analytics/sources?{range}"),
        format!("/v1/analytics/users/ann/profile?{range}"),
        format!("/v1/analytics/users/ann/timeline?{range}"),
        format!("/v1/analytics/logins?{range}"),
        "/v1/analysis/metrics/page-statistics?start_timestamp=1780272000&end_timestamp=1780531200".to_owned(),
    ] {
        let answer = admin.get(&path);
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
    }
    let answer = admin.post("/api/UserAccount/UserEvents", &json!({}));
    assert_eq!(answer.status, 200, "{answer:?}");

    // Another rule of pages can be set, too, and questions about pages are answered afterwards.
    let rule = PageRule { trailing_slash: TrailingSlash::Dropped, ..PageRule::default() };
    let (store, clock) = (app.state.store(), app.state.services.clock.as_ref());
    let rebuilt = rebuild_by_rule(store, clock, &TestEntropy::new(1), Duration::ZERO, &rule, &mut |_| ()).unwrap();
    assert_eq!(rebuilt.rewritten, Some(Rewritten { changed: 0, missing: 2 }));
    let pages = admin.get(&format!("/v1/analytics/page-statistics?{range}")).ok();
    let views: Vec<_> =
        pages["pages"].as_array().unwrap().iter().map(|row| (&row["page"], &row["current"]["views"])).collect();
    assert_eq!(views, [(&json!("(missing 3)"), &json!(2)), (&json!("/kept"), &json!(1))]);
    assert_eq!(pages["current"]["totals"]["views"], 3);
}
