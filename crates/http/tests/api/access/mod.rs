//! The access table: every operation of all documents, requested by every kind of caller.
//!
//! The rows follow from the declarations of the operations: see `rows.rs`.

pub mod access_tokens;
mod audit_events;
mod callers;
mod credentials;
mod groups;
pub mod row;
pub mod rows;
mod sealed_cursors;
mod tenant_isolation;
mod tenant_scope;
pub mod world;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use trailkeeper_domain::account::Role;
use trailkeeper_http::{Contract, openapi_json};

use self::callers::{caller, strangers};
use self::row::{Allowed, Kind, Outcome, Row};
use self::world::World;
use crate::support::{ACME, OTHER, TestApp};

fn table() -> Vec<Row> {
    rows::rows()
}

#[test]
fn declarations_and_documents_have_the_same_operations() {
    let mut documented = BTreeSet::new();
    for contract in [Contract::Native, Contract::Saasus, Contract::Octopai, Contract::Cripsa] {
        let document: Value = serde_json::from_str(&openapi_json(contract)).unwrap();
        let everywhere = document.get("security").cloned();
        for item in document["paths"].as_object().unwrap().values() {
            for operation in item.as_object().unwrap().values() {
                let security = operation.get("security").or(everywhere.as_ref());
                let public = security == Some(&json!([]));
                assert!(public || security == Some(&json!([{"Bearer": []}])), "{operation}");
                documented.insert((operation["operationId"].as_str().unwrap().to_owned(), public));
            }
        }
    }
    let tested: BTreeSet<_> =
        table().iter().map(|row| (row.operation.to_owned(), matches!(row.who, Allowed::Everybody))).collect();
    assert_eq!(tested, documented);
}

#[test]
fn invalid_credentials_get_401_and_change_nothing() {
    for app in TestApp::on_both() {
        let world = World::new(&app);
        let strangers = strangers(&app);
        for row in table().iter().filter(|row| !matches!(row.who, Allowed::Everybody)) {
            let things = world.fresh_things(row);
            for (name, stranger) in &strangers {
                let answer = row.sent_by(stranger, &things);
                assert_eq!(answer.status, 401, "{} by {name}: {}", row.operation, answer.text());
                assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"trailkeeper\""));
                // Further errors of the request are not shown to a stranger.
                let path = row.path(&things);
                let path = format!("{path}{}no=such", if path.contains('?') { '&' } else { '?' });
                let answer = stranger.call(&row.method, &path).body("no JSON").send();
                assert_eq!(answer.status, 401, "{} by {name}: {}", row.operation, answer.text());
            }
            world.unchanged(&things);
        }
    }
}

#[test]
fn each_role_is_allowed_its_operations_and_no_others() {
    for app in TestApp::on_both() {
        let world = World::new(&app);
        for (role, kind) in everyone() {
            asked_by(&world, (role, kind), None, &|row| row.expected(role, kind));
        }
    }
}

#[test]
fn a_tenant_scoped_credential_gets_only_its_tenant() {
    for app in TestApp::on_both() {
        let world = World::new(&app);
        for (role, kind) in everyone() {
            for tenant in [ACME, OTHER] {
                asked_by(&world, (role, kind), Some(tenant), &|row| {
                    row.expected_tenant_scoped(role, kind, tenant == ACME)
                });
            }
        }
    }
}

fn everyone() -> impl Iterator<Item = (Role, Kind)> {
    Role::ALL.into_iter().flat_map(|role| Kind::ALL.map(|kind| (role, kind)))
}

/// Requests every operation as a caller of this role and kind, tenant-scoped if `tenant` is given.
fn asked_by(world: &World<'_>, (role, kind): (Role, Kind), tenant: Option<&str>, expected: &dyn Fn(&Row) -> Outcome) {
    let mut someone = caller(world.app, kind, role, tenant);
    for row in table() {
        let (things, expected) = (world.fresh_things(&row), expected(&row));
        let answer = row.sent_by(&someone, &things);
        expected.check(
            &answer,
            &row.path(&things),
            &format!("{} by {kind:?} {} of {tenant:?}", row.operation, role.as_str()),
        );
        match (row.method.as_str(), expected) {
            ("GET", _) => {}
            (_, Outcome::Forbidden | Outcome::NotFound) => world.unchanged(&things),
            _ => world.changed(),
        }
        if row.ends_the_caller && expected == Outcome::Done {
            assert_eq!(row.sent_by(&someone, &things).status, 401, "{}", row.operation);
            someone = caller(world.app, kind, role, tenant);
        }
    }
}
