//! The rate-limit group of each operation.

use std::collections::BTreeMap;

use trailkeeper_domain::account::Role;
use trailkeeper_http::{HttpSettings, LimitSettings};

use super::callers::caller;
use super::row::Kind;
use super::table;
use super::world::World;
use crate::support::TestApp;

/// Limits that no test reaches. Each group has a different one, which identifies it.
const LIMITS: LimitSettings = LimitSettings {
    login: 10_001,
    ingest: 10_002,
    read: 10_003,
    analytics: 10_004,
    change: 10_005,
    administer: 10_006,
    public: 10_007,
    probe: 10_008,
    refused: 10_009,
};

/// Name of each group, its limit in this test and its default limit.
fn groups() -> [(&'static str, u32, u32); 9] {
    let (here, standard) = (LIMITS, LimitSettings::STANDARD);
    [
        ("login", here.login, standard.login),
        ("ingest", here.ingest, standard.ingest),
        ("read", here.read, standard.read),
        ("analytics", here.analytics, standard.analytics),
        ("change", here.change, standard.change),
        ("administer", here.administer, standard.administer),
        ("public", here.public, standard.public),
        ("probe", here.probe, standard.probe),
        ("refused", here.refused, standard.refused),
    ]
}

/// The group that counted a request, by the headers of the answer.
fn group_of(limit: Option<&str>) -> &'static str {
    let Some(limit) = limit else { return "none" };
    groups().into_iter().find(|(_, here, _)| here.to_string() == limit).unwrap().0
}

#[test]
fn each_operation_is_counted_in_its_group() {
    let app = TestApp::with(HttpSettings { limits: LIMITS, ..HttpSettings::default() });
    let world = World::new(&app);
    let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for row in table() {
        let someone = caller(&app, Kind::Person, Role::Admin, None);
        let answer = row.sent_by(&someone, &world.fresh_things(&row));
        world.changed();
        found.entry(group_of(answer.header("ratelimit-limit"))).or_default().push(row.operation);
    }
    for path in ["/openapi.json", "/openapi/native.json", "/docs", "/docs/", "/docs/index.html"] {
        assert_eq!(group_of(app.anon().get(path).header("ratelimit-limit")), "public", "{path}");
    }
    let mut expected: BTreeMap<&str, Vec<&str>> = BTreeMap::from(EXPECTED.map(|(group, all)| (group, all.to_vec())));
    for operations in found.values_mut().chain(expected.values_mut()) {
        operations.sort_unstable();
        operations.dedup();
    }
    assert_eq!(found, expected);
}

#[test]
fn the_documentation_has_every_group_with_its_limit() {
    let design = include_str!("../../../../../docs/api-design.md");
    for (name, _, standard) in groups() {
        let digits = standard.to_string();
        let limit = match digits.len() {
            0..4 => digits,
            length => format!("{},{}", &digits[..length - 3], &digits[length - 3..]),
        };
        let row = format!("| `{name}` | {limit} | ");
        assert_eq!(design.lines().filter(|line| line.starts_with(&row)).count(), 1, "{row}");
    }
}

const EXPECTED: [(&str, &[&str]); 9] = [
    ("login", &["Login", "RefreshToken", "log_in", "refresh_session"]),
    ("ingest", &["UpdateUserBehaviorHistoriesByDay", "record_events"]),
    (
        "read",
        &[
            "CountUsers",
            "GetUserEvents",
            "GetUsersByEmail",
            "UserEvents",
            "get_event",
            "get_membership",
            "get_tenant",
            "get_user",
            "list_attribute_changes",
            "list_events",
            "list_memberships",
            "list_tenants",
            "list_users",
        ],
    ),
    (
        "analytics",
        &[
            "GetActiveUsers",
            "GetAggregatedMetrics",
            "GetAggregatedUserInfo",
            "GetPageStatistics",
            "GetUserBehaviorHistories",
            "get_active_users",
            "get_logins",
            "get_page_statistics",
            "get_profile",
            "get_registrations",
            "get_retention",
            "get_timeline",
            "get_traffic",
        ],
    ),
    (
        "change",
        &[
            "UpdateActiveUsers",
            "UpdateUserAttributes",
            "delete_membership",
            "delete_tenant",
            "delete_user",
            "put_membership",
            "put_tenant",
            "put_user",
        ],
    ),
    (
        "administer",
        &[
            "change_account",
            "change_own_password",
            "change_signing_key",
            "change_token",
            "create_account",
            "create_signing_key",
            "create_token",
            "delete_account",
            "end_other_sessions",
            "end_session",
            "get_account",
            "get_own_account",
            "get_session",
            "get_signing_key",
            "get_token",
            "list_accounts",
            "list_sessions",
            "list_signing_keys",
            "list_tokens",
            "log_out",
            "revoke_signing_key",
            "revoke_token",
        ],
    ),
    ("public", &["jwks"]),
    ("probe", &["readyz"]),
    ("none", &["healthz"]),
];
