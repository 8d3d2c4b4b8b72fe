//! The operations on accounts, tokens, signing keys and sessions.

use serde_json::{Value, json};

use super::row::Outcome::{self, Done, Forbidden, Public};
use super::row::{ADMINS, Allowed, Row, row};
use super::world::Things;
use crate::support::PASSWORD;

/// A tenant-scoped administrator manages no credentials, because it could create one without the limit.
const NEVER_TENANT_SCOPED: [Outcome; 2] = [Forbidden, Forbidden];

/// A caller's own resources do not depend on the tenant scope.
const OWN: [Outcome; 2] = [Done, Done];

pub fn rows() -> Vec<Row> {
    let mut rows = accounts();
    rows.extend(tokens());
    rows.extend(signing_keys());
    rows.extend(sessions());
    rows
}

fn managed(
    operation: &'static str,
    method: &'static str,
    path: fn(&Things) -> String,
    body: Option<fn(&Things) -> Value>,
) -> Row {
    Row { body, ..row(operation, (method, path), Allowed::Roles(ADMINS), NEVER_TENANT_SCOPED) }
}

fn accounts() -> Vec<Row> {
    let one: fn(&Things) -> String = |things| format!("/v1/accounts/{}", things.credentials().account.id);
    let own: fn(&Things) -> String = |_| "/v1/accounts/me".to_owned();
    vec![
        managed("list_accounts", "GET", |_| "/v1/accounts".to_owned(), None),
        managed("create_account", "POST", |_| "/v1/accounts".to_owned(), Some(new_account)),
        managed("get_account", "GET", one, None),
        managed("change_account", "PATCH", one, Some(|_| json!({"display_name": "changed"}))),
        managed("delete_account", "DELETE", one, None),
        row("get_own_account", ("GET", own), Allowed::People, OWN),
        row("change_own_password", ("PUT", |_| "/v1/accounts/me/password".to_owned()), Allowed::People, OWN)
            .with(|_| json!({"current_password": PASSWORD, "new_password": "quite another horse"})),
    ]
}

fn new_account(things: &Things) -> Value {
    // A new address, because the account's id is new.
    json!({"email": format!("{}@example.com", things.credentials().account.id), "role": "auditor"})
}

fn tokens() -> Vec<Row> {
    let one: fn(&Things) -> String = |things| format!("/v1/tokens/{}", things.credentials().token.id);
    vec![
        managed("list_tokens", "GET", |_| "/v1/tokens".to_owned(), None),
        managed(
            "create_token",
            "POST",
            |_| "/v1/tokens".to_owned(),
            Some(|_| json!({"name": "program", "role": "ingest"})),
        ),
        managed("get_token", "GET", one, None),
        managed("change_token", "PATCH", one, Some(|_| json!({"name": "changed"}))),
        managed("revoke_token", "DELETE", one, None),
    ]
}

fn signing_keys() -> Vec<Row> {
    let one: fn(&Things) -> String = |things| format!("/v1/signing-keys/{}", things.credentials().key.id);
    vec![
        managed("list_signing_keys", "GET", |_| "/v1/signing-keys".to_owned(), None),
        managed("create_signing_key", "POST", |_| "/v1/signing-keys".to_owned(), Some(|_| json!({"name": "client"}))),
        managed("get_signing_key", "GET", one, None),
        managed("change_signing_key", "PATCH", one, Some(|_| json!({"name": "changed"}))),
        managed("revoke_signing_key", "DELETE", one, None),
    ]
}

fn sessions() -> Vec<Row> {
    let all: fn(&Things) -> String = |_| "/v1/sessions".to_owned();
    // A session of another account.
    let one: fn(&Things) -> String = |things| format!("/v1/sessions/{}", things.credentials().session.id);
    vec![
        row("log_in", ("POST", all), Allowed::Everybody, [Public, Public])
            .with(|_| json!({"email": "nobody@example.com", "password": "wrong"})),
        row("refresh_session", ("POST", |_| "/v1/sessions/refresh".to_owned()), Allowed::Everybody, [Public, Public])
            .with(|_| json!({"refresh_token": "x"})),
        row("list_sessions", ("GET", all), Allowed::PeopleForThemselves, OWN),
        row("get_session", ("GET", one), Allowed::PeopleNotForOthers, OWN),
        row("end_session", ("DELETE", one), Allowed::PeopleNotForOthers, OWN),
        row("end_other_sessions", ("DELETE", all), Allowed::People, OWN),
        row("log_out", ("DELETE", |_| "/v1/sessions/current".to_owned()), Allowed::People, OWN).ending_the_caller(),
    ]
}
