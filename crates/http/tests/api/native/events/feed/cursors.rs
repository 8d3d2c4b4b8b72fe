//! The cursors of the feed.

use serde_json::json;
use trailkeeper_domain::account::Role;
use trailkeeper_domain::cursor;

use super::{FEED, STREAM, all_numbered, cursor_at_the_end, ids, record, text};
use crate::support::{ACME, Caller, OTHER, TestApp};

/// Sends a cursor to the feed, and in both places to the stream. Each must refuse it.
#[track_caller]
fn refused(caller: &Caller<'_>, sent: &str, (status, code): (u16, &str)) {
    for path in [FEED, STREAM] {
        caller.get(&format!("{path}?cursor={sent}")).problem(status, code, Some("cursor"));
    }
    let resumed = caller.call("GET", STREAM).header("Last-Event-ID", sent).send();
    resumed.problem(status, code, Some("Last-Event-ID"));
}

#[test]
fn a_tenant_scoped_credential_gets_sealed_cursors_of_one_length() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        record(&admin, ACME, [1, 2]);
        record(&admin, OTHER, 3..40);
        record(&admin, ACME, [40]);
        let own = app.token(Role::Auditor, Some(ACME));
        let page = own.get(&format!("{FEED}?limit=2")).ok();
        assert_eq!((ids(&page), &page["has_more"]), (all_numbered([1, 2]), &json!(true)));
        let next = text(&page["next_cursor"]);
        for position in [&page["events"][0]["position"], &page["events"][1]["position"], &page["next_cursor"]] {
            let position = text(position);
            assert!(position.len() == 137 && position.starts_with('x'), "{position}");
        }
        // Another credential of the tenant may go on, and gets the rest.
        for credential in [&own, &app.token(Role::Analyst, Some(ACME))] {
            assert_eq!(ids(&credential.get(&format!("{FEED}?cursor={next}")).ok()), all_numbered([40]));
        }
        let plain = cursor_at_the_end(&admin, "");
        refused(&app.token(Role::Auditor, Some(OTHER)), next, (400, "invalid_parameter"));
        refused(&admin, next, (400, "invalid_parameter"));
        refused(&own, &plain, (400, "invalid_parameter"));
        let last = if next.ends_with('0') { '1' } else { '0' };
        refused(&own, &format!("{}{last}", &next[..136]), (400, "invalid_parameter"));
    }
}

#[test]
fn made_up_cursors_and_those_of_lists_are_refused() {
    let app = TestApp::new();
    let admin = app.admin();
    record(&admin, ACME, [1, 2]);
    let of_list = admin.get("/v1/events?limit=1").ok();
    let of_list = text(&of_list["next_cursor"]).to_owned();
    for sent in [of_list, "f".to_owned(), "f00".to_owned(), "42".to_owned(), cursor::encode('f', "1.2.3")] {
        refused(&admin, &sent, (400, "invalid_parameter"));
    }
    let end = cursor_at_the_end(&admin, "");
    admin.get(&format!("/v1/events?cursor={end}")).problem(400, "invalid_parameter", Some("cursor"));
}

#[test]
fn a_cursor_of_another_database_is_gone() {
    for (app, other) in TestApp::on_both().zip(TestApp::on_both()) {
        let sent = cursor_at_the_end(&other.admin(), "");
        let here = app.admin();
        refused(&here, &sent, (410, "cursor_expired"));
        let detail = here.get(&format!("{FEED}?cursor={sent}&wait=60")).problem(410, "cursor_expired", Some("cursor"));
        assert!(detail.contains("from the beginning") && detail.contains("start=now"), "{detail}");
    }
}
