//! The rows of the table, from the declarations of the operations.
//!
//! A new operation gets its rows automatically. [`BODIES`] and [`OUTCOMES`] hold the exceptions to the rules below; a wrong
//! row fails the tests that walk the table.

use std::sync::LazyLock;

use serde_json::{Value, json};
use trailkeeper_auth::Permission;
use trailkeeper_domain::account::Role;
use trailkeeper_http::{Contract, OperationInfo, Requirement, openapi_json, operations};

use super::row::Outcome::{self, Done, Forbidden, NotFound, Nothing, Public};
use super::row::{ADMINS, ANALYSTS, Allowed, READERS, RECORDERS, Row};
use super::world::{KEPT_TYPE, Retention, Things};
use crate::support::contracts::unix;
use crate::support::{ACME, PASSWORD, START, numbered};

/// One row for each operation, and a second one, which names [`ACME`], for each that `tenant_id` narrows.
pub fn rows() -> Vec<Row> {
    let operations = operations();
    let plain = operations.iter().cloned().map(|operation| row(operation, false));
    let narrowed = operations.iter().filter(|operation| operation.parameters.contains(&"tenant_id"));
    plain.chain(narrowed.cloned().map(|operation| row(operation, true))).collect()
}

fn row(info: OperationInfo, names_tenant: bool) -> Row {
    let [own, other] = outcomes(&info, names_tenant);
    Row {
        operation: info.id,
        method: info.method.clone(),
        who: allowed(&info),
        own,
        other,
        ends_the_caller: info.id == "log_out",
        names_tenant,
        info,
    }
}

/// The roles with each permission, independent of the server's own table.
fn roles(permission: Permission) -> &'static [Role] {
    match permission {
        Permission::WriteEvents => RECORDERS,
        Permission::ReadEvents | Permission::ReadDirectory => READERS,
        Permission::ReadAnalytics => ANALYSTS,
        Permission::WriteAnalytics
        | Permission::WriteDirectory
        | Permission::ReadAuditTrail
        | Permission::Administer => ADMINS,
    }
}

fn allowed(info: &OperationInfo) -> Allowed {
    match info.requirement {
        Requirement::Nothing => Allowed::Everybody,
        Requirement::Permission { permission, .. } => Allowed::Roles(roles(permission)),
        Requirement::Person => Allowed::People,
        // The session of the path is someone else's.
        Requirement::PersonOrAdministrator if info.path.contains("{session_id}") => Allowed::PeopleNotForOthers,
        Requirement::PersonOrAdministrator => Allowed::PeopleForThemselves,
    }
}

/// Operations whose outcomes for [`ACME`] and another tenant differ from the rules.
const OUTCOMES: [(&str, [Outcome; 2]); 5] = [
    // The body names the tenant of each event; the result of each event rejects another tenant.
    ("record_events", [Done, Done]),
    ("export_logs", [Done, Done]),
    ("UpdateUserBehaviorHistoriesByDay", [Done, Done]),
    // The body names ACME.
    ("UpdateActiveUsers", [Done, NotFound]),
    // The one user with an e-mail address is not the other tenant's.
    ("GetUserEvents", [Done, NotFound]),
];

/// The outcomes for a credential scoped to [`ACME`], and for one scoped to another tenant.
fn outcomes(info: &OperationInfo, names_tenant: bool) -> [Outcome; 2] {
    let in_path = |name: &str| info.path.contains(name);
    let is_about_user_activity = info.path.starts_with("/v1/analy");
    match info.requirement {
        _ if OUTCOMES.iter().any(|(id, _)| *id == info.id) => {
            OUTCOMES.into_iter().find(|(id, _)| *id == info.id).unwrap().1
        }
        Requirement::Nothing => [Public, Public],
        Requirement::Person | Requirement::PersonOrAdministrator => [Done, Done],
        Requirement::Permission { tenant_scoped: false, .. } => [Forbidden, Forbidden],
        Requirement::Permission { .. } if names_tenant || in_path("{tenant_id}") || in_path("{event_id}") => {
            [Done, NotFound]
        }
        Requirement::Permission { .. } if in_path("{user_id}") && !is_about_user_activity => [Done, NotFound],
        Requirement::Permission { .. } => [Done, Nothing],
    }
}

/// The path of a row's request, with values for its parameters.
pub fn path_of(row: &Row, things: &Things) -> String {
    let mut path =
        row.info.path.replace("{tenant_id}", ACME).replace("{user_id}", "u1").replace("{event_id}", &numbered(1));
    if path.contains("{rule_id}") || path.contains("{hold_id}") {
        let Retention { rule, hold } = things.retention();
        path = path.replace("{rule_id}", &rule.id.to_string()).replace("{hold_id}", &hold.id.to_string());
    }
    if path.contains("{stream_id}") {
        path = path.replace("{stream_id}", &things.stream().id.to_string());
    }
    if path.contains('{') {
        let made = things.credentials();
        let ids = [
            ("{account_id}", made.account.id.to_string()),
            ("{token_id}", made.token.id.to_string()),
            ("{signing_key_id}", made.key.id.to_string()),
            ("{session_id}", made.session.id.to_string()),
        ];
        path = ids.into_iter().fold(path, |path, (name, id)| path.replace(name, &id));
    }
    assert!(!path.contains('{'), "{path}: give the parameter a value in path_of()");
    let required = row.info.required_parameters.iter().map(|name| format!("{name}={}", query_value(name)));
    let tenant = row.names_tenant.then(|| format!("tenant_id={ACME}"));
    // By default, a stream has nothing that is stored already.
    let start = (row.operation == "stream_events").then(|| "start=beginning".to_owned());
    let query: Vec<_> = required.chain(tenant).chain(start).collect();
    if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
}

/// The value of a required parameter.
fn query_value(name: &str) -> String {
    match name {
        "type" => "daily".to_owned(),
        "metrics_type" => "create_tenant_user".to_owned(),
        "date_from" | "start_date" => "2026-07-01".to_owned(),
        "end_date" => "2026-07-31".to_owned(),
        "start_timestamp" => unix("2026-07-01T00:00:00Z").to_string(),
        "end_timestamp" => unix("2026-07-31T00:00:00Z").to_string(),
        "email" => "jane%40example.com".to_owned(),
        "region" => "a".to_owned(),
        "user_pool_id" => "a_1".to_owned(),
        other => panic!("{other}: give the required parameter a value in query_value()"),
    }
}

type MadeBody = fn(&Things) -> Value;

/// Bodies for operations whose documented example does not fit this world.
const BODIES: &[(&str, MadeBody)] = &[
    ("record_events", |_| json!({"type": "x"})),
    (
        "export_logs",
        |_| json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [{"eventName": "x", "timeUnixNano": "1"}]}]}]}),
    ),
    // Other days than those of the world's rule, so that each request changes something.
    ("set_retention_rule", |_| json!({"type": KEPT_TYPE, "keep_days": 20_000})),
    // A new address, because the account's id is new.
    (
        "create_account",
        |things| json!({"email": format!("{}@example.com", things.credentials().account.id), "role": "auditor"}),
    ),
    ("change_account", |_| json!({"display_name": "changed"})),
    ("change_own_password", |_| json!({"current_password": PASSWORD, "new_password": "quite another horse"})),
    ("log_in", |_| json!({"email": "nobody@example.com", "password": "wrong"})),
    ("refresh_session", |_| json!({"refresh_token": "x"})),
    ("Login", |_| json!({"Username": "nobody@example.com", "Password": "wrong"})),
    ("RefreshToken", |_| json!({"refreshToken": "x"})),
    ("UserEvents", |_| json!({})),
    ("UpdateUserBehaviorHistoriesByDay", |_| json!({"timestamp": unix(START), "user_id": "u9", "histories": []})),
    (
        "UpdateActiveUsers",
        |_| json!({"type": "daily", "date": "2026-07-01", "tenant_id": ACME, "env_id": 1, "active_users": 1}),
    ),
    ("UpdateUserAttributes", |_| json!({"email": "jane@example.com", "attributes": [{"name": "a", "value": "b"}]})),
    ("put_user", |_| json!({})),
];

/// The body of a row's request: that of [`BODIES`], else the example of the document.
pub fn body_of(row: &Row, things: &Things) -> Option<Value> {
    if let Some((_, body)) = BODIES.iter().find(|(id, _)| *id == row.operation) {
        return Some(body(things));
    }
    documented_example(row.operation, row.info.contract)
}

static DOCUMENTS: LazyLock<Vec<(Contract, Value)>> = LazyLock::new(|| {
    let read = |contract| (contract, serde_json::from_str(&openapi_json(contract)).unwrap());
    Contract::ALL.into_iter().map(read).collect()
});

fn documented_example(id: &str, contract: Contract) -> Option<Value> {
    let (_, document) = DOCUMENTS.iter().find(|(of, _)| *of == contract)?;
    let items = document["paths"].as_object()?.values();
    let operation =
        items.flat_map(|item| item.as_object().unwrap().values()).find(|one| one["operationId"] == id).unwrap();
    let content = operation.get("requestBody")?.get("content")?.get("application/json")?;
    if let Some(example) = content.get("example") {
        return Some(example.clone());
    }
    let name = content["schema"]["$ref"].as_str()?.rsplit('/').next()?;
    let schema = &document["components"]["schemas"][name];
    let example = schema.get("example").or_else(|| schema["examples"].get(0));
    Some(example.unwrap_or_else(|| panic!("{id}: the document has no example of its body")).clone())
}
