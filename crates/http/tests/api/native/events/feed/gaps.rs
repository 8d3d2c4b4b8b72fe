//! Events that were removed before a reader got them.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};
use trailkeeper_analytics::engine::retention::remove;
use trailkeeper_domain::account::Role;

use super::{FEED, STREAM, all_numbered, cursor_at_the_end, ids, record, text};
use crate::support::{ACME, OTHER, TestApp, numbered};

/// Records old events of a type that is removed later.
fn record_old(app: &TestApp, tenant: &str, numbers: impl IntoIterator<Item = u128>) {
    let old = "2026-01-01T00:00:00Z";
    let event = |number| json!({"id": numbered(number), "type": "old", "tenant_id": tenant, "occurred_at": old});
    app.admin().record(&json!(numbers.into_iter().map(event).collect::<Vec<Value>>()));
    app.settle();
}

/// Removes all of them.
fn remove_old(app: &TestApp) {
    app.admin().put("/v1/retention/rules", &json!({"type": "old", "keep_days": 30})).ok();
    app.merge();
    app.clock.advance(TimeDelta::hours(1));
    let services = &app.state.services;
    let (clock, entropy) = (services.clock.as_ref(), services.entropy.as_ref());
    let removed = remove(app.state.store(), clock, entropy, Duration::from_secs(30), &mut |_| {}).unwrap();
    assert!(removed.events > 0);
    app.settle();
}

#[test]
fn a_page_says_once_that_events_are_missing() {
    for app in TestApp::on_both() {
        let (own, other) = (app.token(Role::Analyst, Some(ACME)), app.token(Role::Analyst, Some(OTHER)));
        record(&app.admin(), ACME, [1]);
        record(&app.admin(), OTHER, [2]);
        let [cursor, of_other] = [&own, &other].map(|reader| cursor_at_the_end(reader, ""));
        record_old(&app, ACME, [3, 4]);
        let late = cursor_at_the_end(&own, "");
        record(&app.admin(), ACME, [5]);
        remove_old(&app);
        let at = |cursor: &str| own.get(&format!("{FEED}?cursor={cursor}")).ok();
        let page = at(&cursor);
        assert_eq!((ids(&page), &page["gap"]), (all_numbered([5]), &json!(true)));
        assert_eq!(at(text(&page["next_cursor"]))["gap"], false, "the reader knows it now");
        assert_eq!(at(&late)["gap"], false, "this reader had them");
        assert_eq!(
            other.get(&format!("{FEED}?cursor={of_other}")).ok()["gap"],
            false,
            "another tenant's are not missing"
        );
        assert_eq!(own.get(FEED).ok()["gap"], false, "this reader never asked for them");
        // A gap is an answer, which a waiting request gets at once.
        let waited = own.get(&format!("{FEED}?type=none&wait=60&cursor={cursor}")).ok();
        assert_eq!((&waited["events"], &waited["gap"]), (&json!([]), &json!(true)));
        let mut stream = own.call("GET", STREAM).header("Last-Event-ID", &cursor).stream();
        let (gap, event) = (stream.event(), stream.event());
        assert_eq!((gap.event.as_deref(), gap.id, text(&event.data["id"])), (Some("gap"), None, numbered(5).as_str()));
        assert!(gap.data["cursor"].is_string());
    }
}
