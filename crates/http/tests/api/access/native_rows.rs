//! The operations of the native API.

use serde_json::{Value, json};

use super::row::Outcome::{Done, Forbidden, NotFound, Nothing, Public};
use super::row::{ADMINS, ANALYSTS, Allowed, READERS, RECORDERS, Row, row};
use super::world::Things;
use crate::support::{ACME, numbered};

pub fn rows() -> Vec<Row> {
    let mut rows = events();
    rows.extend(directory());
    rows.extend(analytics());
    rows.extend(operations());
    rows
}

fn events() -> Vec<Row> {
    vec![
        // The result of each event rejects another tenant: see `tenant_scope.rs`.
        row("record_events", ("POST", |_| "/v1/events".to_owned()), Allowed::Roles(RECORDERS), [Done, Done])
            .with(|_| json!({"type": "x"})),
        row("list_events", ("GET", |_| "/v1/events".to_owned()), Allowed::Roles(READERS), [Done, Nothing]),
        row("get_event", ("GET", |_| format!("/v1/events/{}", numbered(1))), Allowed::Roles(READERS), [Done, NotFound]),
    ]
}

fn directory() -> Vec<Row> {
    let tenant: fn(&Things) -> String = |_| format!("/v1/tenants/{ACME}");
    let user: fn(&Things) -> String = |_| "/v1/users/u1".to_owned();
    let membership: fn(&Things) -> String = |_| format!("/v1/tenants/{ACME}/users/u1");
    let empty: fn(&Things) -> Value = |_| json!({});
    vec![
        row("list_tenants", ("GET", |_| "/v1/tenants".to_owned()), Allowed::Roles(READERS), [Done, Nothing]),
        row("put_tenant", ("PUT", tenant), Allowed::Roles(ADMINS), [Done, NotFound]).with(empty),
        row("get_tenant", ("GET", tenant), Allowed::Roles(READERS), [Done, NotFound]),
        row("delete_tenant", ("DELETE", tenant), Allowed::Roles(ADMINS), [Done, NotFound]),
        row("list_users", ("GET", |_| "/v1/users".to_owned()), Allowed::Roles(READERS), [Done, Nothing]),
        // Users belong to all tenants: a tenant-scoped credential reads its members, and writes none.
        row("put_user", ("PUT", user), Allowed::Roles(ADMINS), [Forbidden, Forbidden]).with(empty),
        row("get_user", ("GET", user), Allowed::Roles(READERS), [Done, NotFound]),
        row("delete_user", ("DELETE", user), Allowed::Roles(ADMINS), [Forbidden, Forbidden]),
        row(
            "list_attribute_changes",
            ("GET", |_| "/v1/users/u1/attribute-changes".to_owned()),
            Allowed::Roles(READERS),
            [Done, NotFound],
        ),
        row(
            "list_memberships",
            ("GET", |_| format!("/v1/tenants/{ACME}/users")),
            Allowed::Roles(READERS),
            [Done, NotFound],
        ),
        row("put_membership", ("PUT", membership), Allowed::Roles(ADMINS), [Done, NotFound]).with(empty),
        row("get_membership", ("GET", membership), Allowed::Roles(READERS), [Done, NotFound]),
        row("delete_membership", ("DELETE", membership), Allowed::Roles(ADMINS), [Done, NotFound]),
    ]
}

fn analytics() -> Vec<Row> {
    let question = |operation, path: fn(&Things) -> String| {
        row(operation, ("GET", path), Allowed::Roles(ANALYSTS), [Done, NotFound])
    };
    vec![
        question("get_active_users", |_| about_acme("active-users")),
        question("get_traffic", |_| about_acme("traffic")),
        question("get_logins", |_| about_acme("logins")),
        question("get_registrations", |_| about_acme("registrations")),
        question("get_page_statistics", |_| about_acme("page-statistics")),
        question("get_retention", |_| about_acme("retention")),
        row(
            "get_timeline",
            ("GET", |_| "/v1/analytics/users/u1/timeline".to_owned()),
            Allowed::Roles(READERS),
            [Done, Nothing],
        ),
        row(
            "get_profile",
            ("GET", |_| "/v1/analytics/users/u1/profile".to_owned()),
            Allowed::Roles(READERS),
            [Done, Nothing],
        ),
    ]
}

fn about_acme(question: &str) -> String {
    format!("/v1/analytics/{question}?tenant_id={ACME}")
}

fn operations() -> Vec<Row> {
    vec![
        row("jwks", ("GET", |_| "/.well-known/jwks.json".to_owned()), Allowed::Everybody, [Public, Public]),
        row("healthz", ("GET", |_| "/healthz".to_owned()), Allowed::Everybody, [Public, Public]),
        row("readyz", ("GET", |_| "/readyz".to_owned()), Allowed::Everybody, [Public, Public]),
        row("jwks", ("GET", |_| "/.well-known/jwks.json".to_owned()), Allowed::Everybody, [Public, Public]),
    ]
}
