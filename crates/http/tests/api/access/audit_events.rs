//! The audit event of every operation other than GET, requested by a person and by a program.
//!
//! Declared audit categories give the expected events; an operation without one needs a row in [`CREATES`].

use std::collections::BTreeSet;

use serde_json::Value;
use trailkeeper_auth::Origin;
use trailkeeper_domain::account::Role;

use super::row::{Kind, Row};
use super::table;
use super::world::World;
use crate::support::{Caller, PASSWORD, TestApp, person};

/// Recorded for people and not for programs.
const OF_PEOPLE: [bool; 2] = [true, false];
/// Recorded for people and programs.
const OF_ALL: [bool; 2] = [true, true];
/// Never recorded.
const OF_NOBODY: [bool; 2] = [false, false];

/// Operations without an audit category, whose use case writes its own audit event or none: the type of the event, and
/// whether requests of people and of programs create it.
const CREATES: &[(&str, &str, [bool; 2])] = &[
    ("create_account", "account_create", OF_ALL),
    ("change_account", "account_change", OF_ALL),
    ("delete_account", "account_delete", OF_ALL),
    ("create_token", "token_create", OF_ALL),
    ("change_token", "token_change", OF_ALL),
    ("revoke_token", "token_revoke", OF_ALL),
    ("create_signing_key", "signing_key_create", OF_ALL),
    ("change_signing_key", "signing_key_change", OF_ALL),
    ("revoke_signing_key", "signing_key_revoke", OF_ALL),
    ("end_session", "session_end", OF_ALL),
    ("set_retention_rule", "retention_change", OF_ALL),
    ("remove_retention_rule", "retention_change", OF_ALL),
    ("place_legal_hold", "hold_place", OF_ALL),
    ("lift_legal_hold", "hold_lift", OF_ALL),
    ("create_stream", "stream_create", OF_ALL),
    ("change_stream", "stream_change", OF_ALL),
    ("delete_stream", "stream_delete", OF_ALL),
    ("rotate_stream_secret", "stream_secret_rotate", OF_ALL),
    // It changes nothing.
    ("test_stream", "", OF_NOBODY),
    // A person's own resources: programs are rejected, and create no audit event.
    ("change_own_password", "account_password_change", OF_PEOPLE),
    ("end_other_sessions", "logout", OF_PEOPLE),
    ("log_out", "logout", OF_PEOPLE),
    // Without a credential; the logins of the table fail.
    ("log_in", "login_fail", OF_ALL),
    ("Login", "login_fail", OF_ALL),
    // An unknown token begins and ends nothing.
    ("refresh_session", "", OF_NOBODY),
    ("RefreshToken", "", OF_NOBODY),
    // Events are the trail.
    ("record_events", "", OF_NOBODY),
    ("export_logs", "", OF_NOBODY),
];

fn changing() -> impl Iterator<Item = Row> {
    table().into_iter().filter(|row| row.method != "GET")
}

/// The type of the audit event of a row's request, and whether people and programs create it.
fn created_by(row: &Row) -> (&'static str, [bool; 2]) {
    match row.info.audit_event {
        Some(kind) => (kind, OF_PEOPLE),
        None => CREATES.iter().find(|(id, ..)| *id == row.operation).map(|(_, kind, who)| (*kind, *who)).unwrap(),
    }
}

/// Id and type of the newest audit events.
fn trail(program: &Caller<'_>) -> Vec<(String, String)> {
    let events = program.get("/v1/events?tenant_id=ffffffff-ffff-ffff-ffff-ffffffffffff&limit=1000").ok();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    events["events"].as_array().unwrap().iter().map(|event| (text(&event["id"]), text(&event["type"]))).collect()
}

#[test]
fn every_operation_other_than_get_has_an_audit_category_or_a_row() {
    let listed: BTreeSet<_> = CREATES.iter().map(|(operation, ..)| *operation).collect();
    let undeclared = changing().filter(|row| row.info.audit_event.is_none());
    assert_eq!(listed, undeclared.map(|row| row.operation).collect());
    assert_eq!(listed.len(), CREATES.len());
}

#[test]
fn each_request_creates_its_one_audit_event() {
    for app in TestApp::on_both() {
        let world = World::new(&app);
        let program = app.admin();
        for row in changing() {
            let (kind, recorded) = created_by(&row);
            for (who, is_recorded) in [Kind::Person, Kind::Program].into_iter().zip(recorded) {
                let things = world.fresh_things(&row);
                let caller = match who {
                    Kind::Program => app.token(Role::Admin, None),
                    Kind::Person => {
                        let (email, person) = person(&app, Role::Admin, None);
                        // A second session, which this one can end.
                        app.state.access().login(&email, PASSWORD, &Origin::default()).unwrap();
                        person
                    }
                };
                let before: BTreeSet<_> = trail(&program).into_iter().collect();
                row.sent_by(&caller, &things);
                let left: Vec<_> =
                    trail(&program).into_iter().filter(|event| !before.contains(event)).map(|event| event.1).collect();
                let expected: &[&str] = if is_recorded { &[kind] } else { &[] };
                assert_eq!(left, expected, "{} by a {who:?}", row.operation);
                world.changed();
            }
        }
    }
}
