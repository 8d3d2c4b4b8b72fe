//! Listeners wait on while the database is away.

use std::sync::Arc;

use actix_web::web::Data;
use serde_json::json;
use trailkeeper_domain::Error;
use trailkeeper_domain::account::Role;
use trailkeeper_http::{AppState, HttpSettings, Services};
use trailkeeper_testkit::{Call, FaultyStore};

use super::{FEED, STREAM, all_numbered, cursor_at_the_end, record, text};
use crate::support::{ACME, TestApp, wait_in_no_time};

/// Puts a faulty store under everything but credentials and the ingest queue.
fn over_faulty_store(app: &mut TestApp) -> Arc<FaultyStore> {
    let store = FaultyStore::over(&app.state.services.store);
    let services = Services { store: store.clone(), ..app.state.services.clone() };
    app.state = Data::new(AppState::new(services, HttpSettings::default()));
    store
}

#[test]
fn a_stream_goes_on_after_an_outage() {
    let mut app = TestApp::new();
    let store = over_faulty_store(&mut app);
    let reader = app.token(Role::Analyst, None);
    let mut stream = reader.call("GET", STREAM).stream();
    stream.block().unwrap();
    for error in [Error::unavailable("away"), Error::overloaded("busy", "all connections are lent")] {
        store.fail_all_with(Call::Read, error);
        for _ in 0..3 {
            assert_eq!(stream.block_in_no_time().unwrap().comment.as_deref(), Some("keep-alive"));
        }
        store.restore();
    }
    record(&app.admin(), ACME, [1]);
    assert_eq!([text(&stream.event().data["id"])], [all_numbered([1])[0].as_str()]);
}

#[test]
fn a_waiting_request_answers_503_if_the_database_is_away_at_its_end() {
    let mut app = TestApp::new();
    let store = over_faulty_store(&mut app);
    let reader = app.token(Role::Analyst, None);
    let cursor = cursor_at_the_end(&reader, "");
    let waiting = || reader.call("GET", &format!("{FEED}?wait=60&cursor={cursor}"));
    let answer = wait_in_no_time(waiting(), || store.fail_all_with(Call::Read, Error::unavailable("away")));
    answer.problem(503, "unavailable", None);
    // At its beginning, it does not wait.
    waiting().send().problem(503, "unavailable", None);
    store.restore();
    assert_eq!(waiting().send_in_no_time().ok()["events"], json!([]));
}

#[test]
fn a_defect_ends_a_stream_and_does_not_show_its_cause() {
    let mut app = TestApp::new();
    let store = over_faulty_store(&mut app);
    let mut stream = app.token(Role::Analyst, None).call("GET", STREAM).stream();
    stream.block().unwrap();
    store.fail_all_with(Call::Read, Error::internal("secret"));
    let end = stream.block_in_no_time().unwrap();
    assert_eq!((end.event.as_deref(), text(&end.data["reason"])), (Some("end"), "internal_error"));
    assert!(!end.data.to_string().contains("secret"), "{end:?}");
    assert_eq!(stream.block(), None);
}
