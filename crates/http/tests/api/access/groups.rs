//! The rate-limit group of each operation.

use trailkeeper_auth::Permission;
use trailkeeper_domain::account::Role;
use trailkeeper_http::{HttpSettings, LimitSettings, Requirement};

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
fn each_operation_is_counted_in_its_declared_group() {
    let app = TestApp::with(HttpSettings { limits: LIMITS, ..HttpSettings::default() });
    let world = World::new(&app);
    for row in table() {
        let someone = caller(&app, Kind::Person, Role::Admin, None);
        let answer = row.sent_by(&someone, &world.fresh_things(&row));
        world.changed();
        let declared = row.info.rate_limit_group.unwrap_or("none");
        assert_eq!(group_of(answer.header("ratelimit-limit")), declared, "{}", row.operation);
    }
    for path in ["/openapi.json", "/openapi/native.json", "/docs", "/docs/", "/docs/index.html"] {
        assert_eq!(group_of(app.anon().get(path).header("ratelimit-limit")), "public", "{path}");
    }
}

#[test]
fn a_group_fits_what_its_operations_need() {
    for row in table() {
        let group = row.info.rate_limit_group.unwrap_or("none");
        let expected: &[&str] = match row.info.requirement {
            Requirement::Nothing => &["login", "public", "probe", "none"],
            Requirement::Person | Requirement::PersonOrAdministrator => &["administer"],
            Requirement::Permission { permission, .. } => match permission {
                Permission::WriteEvents => &["ingest"],
                Permission::ReadEvents => &["read", "analytics"],
                Permission::ReadDirectory | Permission::ReadAuditTrail => &["read"],
                Permission::ReadAnalytics => &["analytics"],
                Permission::WriteAnalytics | Permission::WriteDirectory => &["change"],
                Permission::Administer => &["administer"],
            },
        };
        assert!(expected.contains(&group), "{} is counted in {group}", row.operation);
        let is_analytic = row.info.path.starts_with("/v1/analytics/") || row.info.path.starts_with("/v1/analysis/");
        if is_analytic && row.method == "GET" {
            assert_eq!(group, "analytics", "{}", row.operation);
        }
    }
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
