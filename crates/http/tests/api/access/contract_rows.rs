//! The operations of the published contracts.

use serde_json::{Value, json};

use super::row::Outcome::{Done, Forbidden, NotFound, Nothing, Public};
use super::row::{ADMINS, ANALYSTS, Allowed, READERS, RECORDERS, Row, row};
use super::world::Things;
use crate::support::contracts::unix;
use crate::support::{ACME, START};

const DAYS: &str = "start_date=2026-07-01&end_date=2026-07-31";

pub fn rows() -> Vec<Row> {
    let mut rows = saasus();
    rows.extend(octopai());
    rows.extend(cripsa());
    rows
}

fn saasus() -> Vec<Row> {
    vec![
        row(
            "UpdateUserBehaviorHistoriesByDay",
            ("PUT", |_| "/v1/analysis/user-behavior-day".to_owned()),
            Allowed::Roles(RECORDERS),
            [Done, Done],
        )
        .with(|_| json!({"timestamp": unix(START), "user_id": "u9", "histories": []})),
        row(
            "GetUserBehaviorHistories",
            ("GET", |_| "/v1/analysis/users/u1/behavior-histories".to_owned()),
            Allowed::Roles(READERS),
            [Done, Nothing],
        ),
        row(
            "GetActiveUsers",
            ("GET", |_| format!("/v1/analysis/active-users?type=daily&date_from=2026-07-01&tenant_id={ACME}")),
            Allowed::Roles(ANALYSTS),
            [Done, NotFound],
        ),
        row(
            "UpdateActiveUsers",
            ("PUT", |_| "/v1/analysis/active-users".to_owned()),
            Allowed::Roles(ADMINS),
            [Done, NotFound],
        )
        .with(reported),
        row(
            "GetAggregatedMetrics",
            ("GET", |_| format!("/v1/analysis/metrics/aggregated?metrics_type=create_tenant_user&{DAYS}")),
            Allowed::Roles(ANALYSTS),
            [Done, Nothing],
        ),
        row(
            "GetPageStatistics",
            ("GET", |_| {
                let (start, end) = (unix("2026-07-01T00:00:00Z"), unix("2026-07-31T00:00:00Z"));
                format!("/v1/analysis/metrics/page-statistics?start_timestamp={start}&end_timestamp={end}")
            }),
            Allowed::Roles(ANALYSTS),
            [Done, Nothing],
        ),
        row(
            "GetAggregatedUserInfo",
            ("GET", |_| format!("/v1/analysis/userinfo/aggregated?{DAYS}")),
            Allowed::Roles(ANALYSTS),
            [Done, Nothing],
        ),
    ]
}

fn reported(_: &Things) -> Value {
    json!({"type": "daily", "date": "2026-07-01", "tenant_id": ACME, "env_id": 1, "active_users": 1})
}

fn octopai() -> Vec<Row> {
    vec![
        row("Login", ("POST", |_| "/api/UserAccount/Login".to_owned()), Allowed::Everybody, [Public, Public])
            .with(|_| json!({"Username": "nobody@example.com", "Password": "wrong"})),
        row(
            "RefreshToken",
            ("POST", |_| "/api/UserAccount/RefreshToken".to_owned()),
            Allowed::Everybody,
            [Public, Public],
        )
        .with(|_| json!({"refreshToken": "x"})),
        row(
            "UserEvents",
            ("POST", |_| "/api/UserAccount/UserEvents".to_owned()),
            Allowed::Roles(ADMINS),
            [Done, Nothing],
        )
        .with(|_| json!({})),
    ]
}

fn cripsa() -> Vec<Row> {
    vec![
        row(
            "CountUsers",
            ("GET", |_| format!("/v1/auditlog/users/count?{DAYS}&region=a&user_pool_id=a_1")),
            Allowed::Roles(READERS),
            [Done, Nothing],
        ),
        row(
            "GetUsersByEmail",
            ("GET", |_| "/v1/auditlog/users?email=jane@example.com".to_owned()),
            Allowed::Roles(READERS),
            [Done, Nothing],
        ),
        row(
            "GetUserEvents",
            ("GET", |_| format!("/v1/auditlog/users/events?email=jane@example.com&{DAYS}")),
            Allowed::Roles(READERS),
            [Done, NotFound],
        ),
        row(
            "UpdateUserAttributes",
            ("PATCH", |_| "/v1/auditlog/users/attributes".to_owned()),
            Allowed::Roles(ADMINS),
            [Forbidden, Forbidden],
        )
        .with(|_| json!({"email": "jane@example.com", "attributes": [{"name": "a", "value": "b"}]})),
    ]
}
