//! Answers of analytics as CSV: the numbers of the same answers in JSON.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use trailkeeper_domain::account::Role;

use crate::support::{ACME, Caller, OTHER, TestApp, analytic_questions};

/// The rows of a table without quoted cells, by name.
fn rows(caller: &Caller<'_>, path: &str) -> Vec<Vec<(String, String)>> {
    let answer = caller.get(path);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
    let text = answer.text();
    let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let names = lines.next().unwrap();
    lines.map(|cells| names.iter().cloned().zip(cells).collect()).collect()
}

fn cell<'a>(row: &'a [(String, String)], name: &str) -> &'a str {
    &row.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("{name}: {row:?}")).1
}

/// A cell as JSON has it.
fn written(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn prepared(app: &TestApp) {
    let admin = app.admin();
    let event = |kind: &str, tenant: &str, user: &str, at: &str| json!({"type": kind, "tenant_id": tenant, "user_id": user, "occurred_at": at, "page": "/a", "source": "203.0.113.7"});
    admin.record(&json!([
        event("page_load", ACME, "ann", "2026-07-01T10:00:00Z"),
        event("page_load", ACME, "bob", "2026-07-02T10:00:00Z"),
        event("login_success", OTHER, "ann", "2026-07-02T11:00:00Z"),
        event("login_fail", OTHER, "cid", "2026-06-30T11:00:00Z"),
        event("page_load", ACME, "ann", "2026-06-30T12:00:00Z"),
    ]));
    admin.put("/v1/users/ann", &json!({"registered_at": "2026-07-01T00:00:00Z"})).ok();
}

#[test]
fn every_question_has_a_table() {
    for app in TestApp::on_both() {
        prepared(&app);
        let analyst = app.token(Role::Analyst, None);
        for path in analytic_questions() {
            let with = if path.ends_with("/tenants") { "" } else { "&compare=previous_period" };
            let query = format!("{path}?from=2026-07-01&to=2026-07-03{with}");
            let table = analyst.get(&format!("{query}&format=csv"));
            assert_eq!(table.status, 200, "{path}: {}", table.text());
            assert!(table.text().lines().count() > 1, "{path}: {}", table.text());
            analyst.get(&format!("{query}&format=json")).ok();
            analyst.get(&format!("{query}&format=xml")).problem(400, "invalid_parameter", Some("format"));
        }
    }
}

#[test]
fn tables_have_the_numbers_of_json() {
    let app = TestApp::new();
    prepared(&app);
    let analyst = app.token(Role::Analyst, None);
    for (path, list, columns) in [
        ("active-users", "buckets", vec!["start", "end", "active_users", "new_users", "returning_users"]),
        ("logins", "buckets", vec!["start", "success.logins", "success.users", "failure.logins", "failure.sources"]),
        ("registrations", "buckets", vec!["start", "counts.users"]),
        ("traffic", "buckets", vec!["end", "events", "users"]),
        ("retention", "cohorts", vec!["start", "users", "active.0"]),
    ] {
        let query = format!("/v1/analytics/{path}?from=2026-07-01&to=2026-07-02&compare=previous_period");
        let answer = analyst.get(&query).ok();
        let table = rows(&analyst, &format!("{query}&format=csv"));
        let mut expected = Vec::new();
        for period in ["current", "previous"] {
            expected.extend(answer[period][list].as_array().unwrap().iter().map(|row| (period, row)));
        }
        assert_eq!(table.len(), expected.len(), "{path}");
        for (found, (period, row)) in table.iter().zip(expected) {
            assert_eq!(cell(found, "period"), period);
            for column in &columns {
                let value = row.pointer(&format!("/{}", column.replace('.', "/"))).unwrap();
                assert_eq!(cell(found, &column.replace('.', "_")), written(value), "{path} {column}");
            }
        }
    }
    for (path, list, name) in [("page-statistics", "pages", "page"), ("sources", "sources", "source")] {
        let query = format!("/v1/analytics/{path}?from=2026-07-01&to=2026-07-02");
        let answer = analyst.get(&query).ok();
        let table = rows(&analyst, &format!("{query}&format=csv"));
        let expected = answer[list].as_array().unwrap();
        assert!(!expected.is_empty() && table.len() == expected.len(), "{path}");
        for (found, row) in table.iter().zip(expected) {
            assert_eq!(cell(found, name), written(&row[name]));
            assert_eq!(cell(found, "current_users"), written(&row["current"]["users"]));
            assert_eq!(cell(found, "previous_users"), "");
        }
    }
}

#[test]
fn tenants_have_the_numbers_of_the_published_contract() {
    for app in TestApp::on_both() {
        prepared(&app);
        for (caller, tenants) in [(app.token(Role::Analyst, None), 2), (app.token(Role::Analyst, Some(ACME)), 1)] {
            for (granularity, kind, from, to) in
                [("month", "monthly", "2026-06", "2026-07"), ("day", "daily", "2026-06-30", "2026-07-02")]
            {
                let published =
                    caller.get(&format!("/v1/analysis/active-users?type={kind}&date_from={from}&date_to={to}")).ok();
                let day = |date: &str| if date.len() == 7 { format!("{date}-01") } else { date.to_owned() };
                let query = format!("granularity={granularity}&from={}&to={}", day(from), day(to));
                let answer = caller.get(&format!("/v1/analytics/tenants?{query}")).ok();
                let expected: Vec<Value> = published["data"].as_array().unwrap().iter().map(|row| {
                    json!({"start": day(row["date"].as_str().unwrap()), "tenant_id": row["tenant_id"], "env_id": row["env_id"], "active_users": row["active_users"]})
                }).collect();
                assert_eq!(answer["rows"], json!(expected));
                let found: BTreeSet<String> = expected.iter().map(|row| row["tenant_id"].to_string()).collect();
                assert_eq!(found.len(), tenants, "{expected:?}");
                let table = rows(&caller, &format!("/v1/analytics/tenants?{query}&format=csv"));
                for (found, row) in table.iter().zip(&expected) {
                    for name in ["start", "tenant_id", "env_id", "active_users"] {
                        assert_eq!(cell(found, name), written(&row[name]));
                    }
                }
                assert_eq!(table.len(), expected.len());
            }
            // The last twelve months, or thirty days, up to today: 2026-07-23.
            let year = caller.get("/v1/analytics/tenants").ok();
            assert_eq!(year["granularity"], "month");
            assert_eq!(year["rows"], caller.get("/v1/analytics/tenants?from=2025-08-31&to=2026-07-01").ok()["rows"]);
            let days = caller.get("/v1/analytics/tenants?granularity=day").ok();
            let same = caller.get("/v1/analytics/tenants?granularity=day&from=2026-06-24&to=2026-07-23").ok();
            assert_eq!(days, same);
        }
        let analyst = app.token(Role::Analyst, None);
        analyst.get("/v1/analytics/tenants?from=2026-02-02&to=2026-02-01").problem(
            400,
            "invalid_parameter",
            Some("to"),
        );
        analyst.get("/v1/analytics/tenants?granularity=week").problem(400, "invalid_parameter", Some("granularity"));
    }
}
