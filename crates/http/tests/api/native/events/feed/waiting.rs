//! Requests of the feed that wait for events.

use std::time::{Duration, Instant};

use serde_json::json;
use trailkeeper_auth::NewToken;
use trailkeeper_domain::account::Role;
use trailkeeper_http::HttpSettings;

use super::{FEED, STREAM, all_numbered, cursor_at_the_end, ids, record, text};
use crate::support::{ACME, OTHER, TestApp, numbered, operator, person, send_while_waiting, wait_in_no_time};

/// Much longer than the waking of a listener takes, and shorter than the longest wait.
const SOON: Duration = Duration::from_secs(30);

#[test]
fn a_waiting_request_is_answered_when_an_event_is_stored() {
    for app in TestApp::on_both() {
        let (admin, reader) = (app.admin(), app.token(Role::Auditor, Some(ACME)));
        let cursor = cursor_at_the_end(&reader, "");
        let event = json!({"id": numbered(1), "type": "page_load", "tenant_id": ACME});
        let started = Instant::now();
        let (page, stored) = send_while_waiting(
            reader.call("GET", &format!("{FEED}?wait=60&cursor={cursor}")),
            admin.call("POST", "/v1/events").json(&event),
        );
        assert_eq!((ids(&page.ok()), &stored.ok()["stored"]), (all_numbered([1]), &json!(1)));
        assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
        assert_eq!(app.state.listener_count(), 0);
    }
}

#[test]
fn a_request_that_finds_events_does_not_wait() {
    for app in TestApp::on_both() {
        let reader = app.token(Role::Analyst, None);
        record(&app.admin(), ACME, [1, 2]);
        let page = reader.get(&format!("{FEED}?wait=60&limit=1")).ok();
        assert_eq!(ids(&page), all_numbered([1]));
        let cursor = cursor_at_the_end(&reader, "");
        for quick in ["", "&wait=0"] {
            assert_eq!(ids(&reader.get(&format!("{FEED}?cursor={cursor}{quick}")).ok()), Vec::<String>::new());
        }
        // The answer to HEAD has no events, so there is nothing to wait for.
        let head = reader.call("HEAD", &format!("{FEED}?cursor={cursor}&wait=60")).send();
        assert_eq!(head.status, 200);
    }
}

#[test]
fn a_request_that_finds_nothing_in_time_gets_an_empty_page() {
    for app in TestApp::on_both() {
        let (admin, reader) = (app.admin(), app.token(Role::Analyst, None));
        let cursor = cursor_at_the_end(&reader, &format!("&tenant_id={ACME}"));
        record(&admin, OTHER, [1, 2]);
        let path = format!("{FEED}?wait=60&tenant_id={ACME}&cursor=");
        let page = reader.call("GET", &format!("{path}{cursor}")).send_in_no_time().ok();
        assert_eq!((&page["events"], &page["has_more"], &page["gap"]), (&json!([]), &json!(false), &json!(false)));
        assert_ne!(page["next_cursor"], cursor, "the events of others are behind it now");
        record(&admin, ACME, [3]);
        let page = reader.get(&format!("{path}{}", text(&page["next_cursor"]))).ok();
        assert_eq!(ids(&page), all_numbered([3]));
    }
}

#[test]
fn a_read_by_a_person_wakes_nobody() {
    for app in TestApp::on_both() {
        let (admin, (_, jane)) = (app.admin(), person(&app, Role::Admin, None));
        let cursor = cursor_at_the_end(&admin, "");
        jane.get("/v1/events").ok();
        let waiting = admin.call("GET", &format!("{FEED}?wait=60&cursor={cursor}"));
        assert_eq!(waiting.send_in_no_time().ok()["events"], json!([]));
    }
}

#[test]
fn a_stopping_server_answers_waiting_requests_at_once() {
    for app in TestApp::on_both() {
        let reader = app.token(Role::Analyst, None);
        let cursor = cursor_at_the_end(&reader, "");
        app.state.stop_listeners();
        let started = Instant::now();
        let page = reader.get(&format!("{FEED}?wait=60&cursor={cursor}")).ok();
        assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
        assert_eq!(page["events"], json!([]));
        record(&app.admin(), ACME, [1]);
        let next = reader.get(&format!("{FEED}?cursor={}", text(&page["next_cursor"]))).ok();
        assert_eq!(ids(&next), all_numbered([1]));
    }
}

#[test]
fn a_credential_that_ends_meanwhile_gets_no_events() {
    let app = TestApp::new();
    let access = app.state.access();
    let new = NewToken { name: "reader".to_owned(), role: Role::Analyst, tenant_id: None, expires_at: None };
    let (made, plain) = access.create_token(&operator(), new).unwrap();
    let reader = app.bearer(plain.expose());
    let cursor = cursor_at_the_end(&reader, "");
    let waiting = reader.call("GET", &format!("{FEED}?wait=60&cursor={cursor}"));
    let page = wait_in_no_time(waiting, || access.revoke_token(&operator(), made.id).unwrap());
    page.problem(401, "unauthorized", None);
    assert_eq!(app.state.listener_count(), 0);
}

#[test]
fn the_places_of_listeners_are_limited() {
    let app = TestApp::with(HttpSettings { max_listeners: 1, ..HttpSettings::default() });
    let reader = app.token(Role::Analyst, None);
    let cursor = cursor_at_the_end(&reader, "");
    let waiting = format!("{FEED}?wait=60&cursor={cursor}");
    let first = reader.call("GET", STREAM).stream();
    for path in [STREAM, &waiting] {
        let refused = reader.get(path);
        let detail = refused.problem(503, "too_many_listeners", None);
        assert!(detail.contains("take all 1 places (--max-listeners)"), "{detail}");
        assert_eq!(refused.header("retry-after"), Some("2"));
    }
    // A request that does not wait needs no place.
    reader.get(&format!("{FEED}?cursor={cursor}")).ok();
    drop(first);
    assert_eq!(reader.get(STREAM).status, 200);
}
