//! A reading of the feed is recorded once, at its start.

use serde_json::{Value, json};
use trailkeeper_domain::account::Role;

use super::{FEED, STREAM, cursor_at_the_end, ids, record, text};
use crate::audit::reads::audit_events;
use crate::support::{ACME, Caller, TestApp, person};

/// The number of recorded reads.
fn recorded(app: &TestApp) -> usize {
    audit_events(app).len()
}

/// Requests three pages of one reading, one of them as a stream. Gives the last cursor.
fn read_three_pages(caller: &Caller<'_>, conditions: &str) -> String {
    let first = caller.get(&format!("{FEED}?limit=1{conditions}")).ok();
    let cursor = text(&first["next_cursor"]).to_owned();
    let path = format!("{STREAM}?{}", conditions.trim_start_matches('&'));
    assert_eq!(caller.call("GET", &path).header("Last-Event-ID", &cursor).send().status, 200);
    let next = caller.get(&format!("{FEED}?limit=2&wait=0{conditions}&cursor={cursor}")).ok();
    text(&next["next_cursor"]).to_owned()
}

#[test]
fn people_and_programs_leave_one_event_for_each_reading() {
    for app in TestApp::on_both() {
        record(&app.admin(), ACME, 1..9);
        let (email, jane) = person(&app, Role::Auditor, None);
        let token = app.token(Role::Analyst, None);
        let scoped = app.token(Role::Analyst, Some(ACME));
        for (number, (name, caller)) in
            [(email.as_str(), &jane), ("test analyst", &token), ("test analyst", &scoped)].into_iter().enumerate()
        {
            let before = recorded(&app);
            assert_eq!(before, 2 * number);
            let cursor = read_three_pages(caller, "&type=page_load&user_id!=bob");
            let events = audit_events(&app);
            assert_eq!(events.len(), before + 1, "three requests of {name}, one reading");
            assert_eq!((&events[0]["user_name"], &events[0]["outcome"]), (&json!(name), &json!("success")));
            let filter = json!({"type": "page_load", "user_id_not": "bob", "limit": "1"});
            assert_eq!(events[0]["metadata"], json!({"operation": "GET /v1/events/feed", "filter": filter}));
            // The same conditions in another order, as a parameter with another name.
            caller.get(&format!("{FEED}?user_id_not=bob&type=page_load&cursor={cursor}")).ok();
            assert_eq!(recorded(&app), before + 1);
            // Another filter is another reading; so is one without a cursor.
            let page = caller.get(&format!("{FEED}?type=userinfo&cursor={cursor}")).ok();
            assert_eq!(recorded(&app), before + 2);
            caller.get(&format!("{FEED}?type=userinfo&cursor={}", text(&page["next_cursor"]))).ok();
            assert_eq!(recorded(&app), before + 2);
        }
    }
}

#[test]
fn a_stream_is_recorded_when_it_begins() {
    for app in TestApp::on_both() {
        let token = app.token(Role::Analyst, None);
        let stream = token.call("GET", &format!("{STREAM}?type=page_load")).stream();
        let events = audit_events(&app);
        assert_eq!(events.len(), 1);
        let expected = json!({"operation": "GET /v1/events/stream", "filter": {"type": "page_load"}});
        assert_eq!(events[0]["metadata"], expected);
        drop(stream);
        assert_eq!(app.state.listener_count(), 0);
    }
}

#[test]
fn the_reading_of_another_credential_is_another_one() {
    let app = TestApp::new();
    let (one, other) = (app.token(Role::Analyst, None), app.token(Role::Analyst, None));
    let cursor = cursor_at_the_end(&one, "");
    other.get(&format!("{FEED}?cursor={cursor}")).ok();
    assert_eq!(recorded(&app), 2);
    // A person in another session, too.
    let jane = app.person("jane@example.com", Role::Analyst, None);
    let cursor = cursor_at_the_end(&jane.caller, "");
    app.again("jane@example.com").caller.get(&format!("{FEED}?cursor={cursor}")).ok();
    assert_eq!(recorded(&app), 4);
}

#[test]
fn refused_readings_of_programs_leave_nothing() {
    let app = TestApp::new();
    let scoped = app.token(Role::Auditor, Some(ACME));
    scoped.get(&format!("{FEED}?tenant_id={}", crate::support::OTHER)).problem(404, "tenant_not_found", None);
    app.token(Role::Ingest, None).get(FEED).problem(403, "permission_denied", None);
    app.token(Role::Admin, None).get(&format!("{FEED}?limit=0")).problem(400, "invalid_parameter", Some("limit"));
    assert_eq!(audit_events(&app), [json!(null); 0]);
    let (_, ingest) = person(&app, Role::Ingest, None);
    ingest.get(FEED).problem(403, "permission_denied", None);
    assert_eq!(audit_events(&app)[0]["outcome"], "failure");
}

/// Otherwise each page of a reader would be followed by the event of its own reading.
#[test]
fn reads_are_not_in_the_feed() {
    for app in TestApp::on_both() {
        let (_, jane) = person(&app, Role::Admin, None);
        let cursor = cursor_at_the_end(&jane, "");
        jane.get("/v1/events").ok();
        jane.get("/v1/users").ok();
        jane.get(FEED).ok();
        app.settle();
        let page = jane.get(&format!("{FEED}?cursor={cursor}")).ok();
        assert_eq!(page["events"], json!([]));
        // Other audit events are.
        app.person("bob@example.com", Role::Analyst, None);
        app.settle();
        let page = jane.get(&format!("{FEED}?cursor={cursor}")).ok();
        let types: Vec<&Value> = page["events"].as_array().unwrap().iter().map(|event| &event["type"]).collect();
        assert_eq!(types, ["account_create", "login_success"]);
        assert_eq!(ids(&page), Vec::<String>::new());
        assert_eq!(recorded(&app), 4, "of the feed only the readings of everything and of all pages are recorded");
    }
}

#[test]
fn a_reading_that_cannot_be_recorded_is_refused() {
    let app = TestApp::new();
    let token = app.admin();
    let cursor = cursor_at_the_end(&token, "");
    app.state.services.ingest.drain();
    for path in [FEED, STREAM] {
        token.get(path).problem(503, "stopping", None);
        assert_eq!(app.state.listener_count(), 0);
        assert_eq!(token.get(&format!("{path}?cursor={cursor}")).status, 200, "its start was recorded");
    }
}
