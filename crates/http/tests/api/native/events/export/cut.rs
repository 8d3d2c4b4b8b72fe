//! Exports that end before their end, and exports without a place.

use std::time::Duration;

use trailkeeper_auth::NewToken;
use trailkeeper_domain::account::Role;
use trailkeeper_http::HttpSettings;

use super::{EXPORT, record};
use crate::support::{ACME, TestApp, operator};

#[test]
fn events_that_are_stored_meanwhile_are_not_in_the_file() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        record(&admin, ACME, 0..2_500);
        let mut download = app.token(Role::Analyst, None).call("GET", &format!("{EXPORT}?type=page_load")).download();
        let mut text = download.part().unwrap().unwrap().to_vec();
        record(&admin, ACME, 10_000..11_000);
        let (rest, error) = download.rest();
        text.extend(rest);
        assert_eq!((error, String::from_utf8(text).unwrap().lines().count()), (None, 2_500));
    }
}

#[test]
fn the_export_of_a_revoked_token_is_cut() {
    let app = TestApp::new();
    record(&app.admin(), ACME, 0..2_500);
    let access = app.state.access();
    let new = NewToken { name: "reader".to_owned(), role: Role::Analyst, tenant_id: None, expires_at: None };
    let (made, plain) = access.create_token(&operator(), new).unwrap();
    let mut download = app.bearer(plain.expose()).call("GET", EXPORT).download();
    assert!(download.part().unwrap().is_ok());
    access.revoke_token(&operator(), made.id).unwrap();
    download.does_not_read_for(Duration::from_secs(3));
    let (_, error) = download.rest();
    assert!(error.is_some(), "the body ended as if it were whole");
    assert_eq!(download.part().map(|part| part.is_ok()), None, "nothing follows an error");
}

#[test]
fn a_server_that_stops_cuts_exports() {
    let app = TestApp::new();
    record(&app.admin(), ACME, 0..2_500);
    let mut download = app.token(Role::Analyst, None).call("GET", EXPORT).download();
    assert!(download.part().unwrap().is_ok());
    app.state.stop_listeners();
    assert!(download.rest().1.is_some());
}

#[test]
fn an_export_without_a_place_is_refused() {
    let app = TestApp::with(HttpSettings { max_exports: 1, ..HttpSettings::default() });
    record(&app.admin(), ACME, 0..2_500);
    let reader = app.token(Role::Analyst, None);
    let mut download = reader.call("GET", EXPORT).download();
    let refused = reader.get(EXPORT);
    assert!(refused.header("retry-after").is_some());
    assert!(refused.problem(503, "too_many_exports", None).contains("--max-exports"));
    assert_eq!(download.rest().1, None);
    // The place is free behind the last event, and when a client leaves.
    let mut left = reader.call("GET", EXPORT).download();
    assert!(left.part().unwrap().is_ok());
    drop(left);
    assert_eq!(reader.get(EXPORT).status, 200);
}
