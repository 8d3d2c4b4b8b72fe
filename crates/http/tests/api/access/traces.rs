//! What every operation that is no GET leaves in the trail, asked by a person and by a program.
//!
//! A new operation needs a row: [`the_list_has_every_operation_that_may_change_something`] fails until it has one.

use std::collections::BTreeSet;

use serde_json::Value;
use trailkeeper_auth::Origin;
use trailkeeper_domain::account::Role;

use super::row::{Kind, Row};
use super::table;
use super::world::World;
use crate::people::{PASSWORD, person};
use crate::support::{Caller, TestApp};

/// Told when a person asks, and not when a program does.
const OF_PEOPLE: [bool; 2] = [true, false];
/// Told whoever asks.
const OF_ALL: [bool; 2] = [true, true];
/// Told of nobody.
const OF_NOBODY: [bool; 2] = [false, false];

/// Operation, the type of its one event, and whether people and programs leave it.
const LEAVES: &[(&str, &str, [bool; 2])] = &[
    ("put_tenant", "directory_change", OF_PEOPLE),
    ("delete_tenant", "directory_change", OF_PEOPLE),
    ("put_user", "directory_change", OF_PEOPLE),
    ("delete_user", "directory_change", OF_PEOPLE),
    ("put_membership", "directory_change", OF_PEOPLE),
    ("delete_membership", "directory_change", OF_PEOPLE),
    ("UpdateUserAttributes", "directory_change", OF_PEOPLE),
    ("UpdateActiveUsers", "analytics_report", OF_PEOPLE),
    ("UpdateUserBehaviorHistoriesByDay", "analytics_report", OF_PEOPLE),
    // A read, for which its contract wants a POST.
    ("UserEvents", "events_read", OF_PEOPLE),
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
    // What is a person's own: a program is refused, and left no trace before.
    ("change_own_password", "account_password_change", OF_PEOPLE),
    ("end_other_sessions", "logout", OF_PEOPLE),
    ("log_out", "logout", OF_PEOPLE),
    // Without a credential; the rows of the table fail.
    ("log_in", "login_fail", OF_ALL),
    ("Login", "login_fail", OF_ALL),
    // A token that nobody has begins nothing and ends nothing.
    ("refresh_session", "", OF_NOBODY),
    ("RefreshToken", "", OF_NOBODY),
    // It is the trail.
    ("record_events", "", OF_NOBODY),
];

fn changing() -> impl Iterator<Item = Row> {
    table().into_iter().filter(|row| row.method != "GET")
}

/// The newest events of the server's own trail: id and type.
fn trail(program: &Caller<'_>) -> Vec<(String, String)> {
    let events = program.get("/v1/events?tenant_id=ffffffff-ffff-ffff-ffff-ffffffffffff&limit=1000").ok();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    events["events"].as_array().unwrap().iter().map(|event| (text(&event["id"]), text(&event["type"]))).collect()
}

#[test]
fn the_list_has_every_operation_that_may_change_something() {
    let listed: BTreeSet<_> = LEAVES.iter().map(|(operation, ..)| *operation).collect();
    assert_eq!(listed, changing().map(|row| row.operation).collect());
    assert_eq!(listed.len(), LEAVES.len());
}

#[test]
fn each_act_leaves_its_one_event() {
    for app in TestApp::on_both() {
        let world = World::new(&app);
        let program = app.admin();
        for row in changing() {
            let (_, kind, message) = LEAVES.iter().find(|(operation, ..)| *operation == row.operation).unwrap();
            for (who, is_told) in [Kind::Person, Kind::Program].into_iter().zip(message) {
                let things = world.fresh_things(&row);
                let caller = match who {
                    Kind::Program => app.token(Role::Admin, None),
                    Kind::Person => {
                        let (email, person) = person(&app, Role::Admin, None);
                        // Another session, which can be ended from this one.
                        app.state.access().login(&email, PASSWORD, &Origin::default()).unwrap();
                        person
                    }
                };
                let before: BTreeSet<_> = trail(&program).into_iter().collect();
                row.sent_by(&caller, &things);
                let left: Vec<_> =
                    trail(&program).into_iter().filter(|event| !before.contains(event)).map(|event| event.1).collect();
                let expected: &[&str] = if *is_told { &[kind] } else { &[] };
                assert_eq!(left, expected, "{} by a {who:?}", row.operation);
                world.changed();
            }
        }
    }
}
