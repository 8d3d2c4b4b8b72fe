//! The questions, as requests and as SQL over the rows.
//!
//! The SQL is the best that we know, in up to three variants, with the existing indexes. It asks only for numbers, so it
//! asks for less than an answer that also has names.

use serde_json::Value;
use trailkeeper_testkit::{at, tenant_id};

/// The 90 days of the workload.
pub const FROM: &str = "2026-07-01T00:00:00Z";
pub const TO: &str = "2026-09-29T00:00:00Z";
const DAYS: &str = "from=2026-07-01&to=2026-09-28";

/// A range whose ends lie within an hour.
const ODD_FROM: &str = "2026-07-01T00:17:23Z";
const ODD_TO: &str = "2026-09-28T23:43:44Z";

/// Condition of activity: logins count by their type, other events by their outcome.
const ACTIVE: &str = "user_ref IS NOT NULL AND tenant_id <> 0 AND kind_ref <> 2 AND (kind_ref = 1 OR outcome <> 1)";

/// A user in the middle of the distribution: about 400 of 5,000,000 events.
const USER: &str = "user-001000";

pub struct Question {
    pub name: &'static str,
    pub path: String,
    /// Variants of the same question in SQL; the fastest is the baseline. The second columns of all rows add up to the
    /// total.
    pub sql: Vec<String>,
    pub baseline: &'static str,
    /// The total of the answer, which must equal the total of the SQL rows.
    pub total: fn(&Value) -> i64,
    pub target: Target,
    /// Whether folding the same sheets in memory is a second baseline.
    pub folded: bool,
    /// Whether its folds are cached, so that a repeated question is faster.
    pub cached: bool,
}

#[derive(Clone, Copy)]
pub enum Target {
    /// At least this many times faster than the baseline.
    TimesFaster(f64),
    /// At most this many times the time of the baseline.
    TimesAsLong(f64),
}

const OVER_ROWS: &str = "SQL over the rows";
const INDEXED: &str = "the bare indexed query";

pub fn all() -> Vec<Question> {
    vec![
        page_statistics("page statistics, 90 days", (FROM, TO), Target::TimesFaster(1_000.0), true),
        page_statistics("the same, odd seconds at both ends", (ODD_FROM, ODD_TO), Target::TimesFaster(100.0), false),
        Question {
            name: "daily active users, 90 days",
            path: format!("/v1/analytics/active-users?granularity=day&{DAYS}"),
            sql: grouped(&within(FROM, TO), "occurred_at / 86400000000"),
            baseline: OVER_ROWS,
            total: |answer| sum(&answer["current"]["buckets"], "active_users"),
            target: Target::TimesFaster(1_000.0),
            folded: false,
            cached: true,
        },
        Question {
            name: "daily active users of each tenant and environment, 90 days",
            path: "/v1/analysis/active-users?type=daily&date_from=2026-07-01&date_to=2026-09-28".to_owned(),
            sql: grouped(&within(FROM, TO), "occurred_at / 86400000000, tenant_id, env_id"),
            baseline: OVER_ROWS,
            total: |answer| sum(&answer["data"], "active_users"),
            target: Target::TimesFaster(1_000.0),
            folded: false,
            cached: false,
        },
        Question {
            name: "distinct users, 90 days",
            path: format!("/v1/analytics/active-users?granularity=month&{DAYS}"),
            sql: grouped(&within(FROM, TO), "1"),
            baseline: OVER_ROWS,
            total: |answer| answer["current"]["totals"]["active_users"].as_i64().unwrap(),
            target: Target::TimesFaster(1_000.0),
            folded: false,
            cached: true,
        },
        tenants_month(),
        Question {
            name: "newest 50 events",
            path: "/v1/events?limit=50".to_owned(),
            sql: vec!["SELECT *, 1 AS b FROM events ORDER BY occurred_at DESC, seq DESC LIMIT 50".to_owned()],
            baseline: INDEXED,
            total: |answer| count(&answer["events"]),
            target: Target::TimesAsLong(2.0),
            folded: false,
            cached: false,
        },
        Question {
            name: "a user's last month of events",
            path: format!("/v1/events?user_id={USER}&from=2026-08-30&to=2026-09-28&limit=1000"),
            sql: vec![format!(
                "SELECT *, 1 AS b FROM events WHERE user_ref = (SELECT id FROM dict_users WHERE name = '{USER}') \
                 AND {} ORDER BY occurred_at DESC, seq DESC LIMIT 1000",
                within("2026-08-30T00:00:00Z", TO)
            )],
            baseline: INDEXED,
            total: |answer| count(&answer["events"]),
            target: Target::TimesAsLong(2.0),
            folded: false,
            cached: false,
        },
    ]
}

fn page_statistics(name: &'static str, (from, to): (&str, &str), target: Target, folded: bool) -> Question {
    Question {
        name,
        // The end is inclusive.
        path: format!(
            "/v1/analysis/metrics/page-statistics?start_timestamp={}&end_timestamp={}",
            at(from).timestamp(),
            at(to).timestamp() - 1
        ),
        sql: pages(&within(from, to)),
        baseline: OVER_ROWS,
        total: |answer| answer["total_page_views"].as_i64().unwrap(),
        target,
        folded,
        cached: true,
    }
}

fn tenants_month() -> Question {
    let tenant = tenant_id(0);
    let of_tenant = format!(
        "tenant_id = (SELECT id FROM dict_tenants WHERE tenant_id = x'{}') AND {}",
        tenant.0.simple(),
        within("2026-08-01T00:00:00Z", "2026-09-01T00:00:00Z")
    );
    Question {
        name: "a tenant's month: page statistics of the largest",
        path: format!("/v1/analytics/page-statistics?tenant_id={}&from=2026-08-01&to=2026-08-31&limit=1000", tenant.0),
        sql: pages(&of_tenant),
        baseline: OVER_ROWS,
        total: |answer| answer["current"]["totals"]["views"].as_i64().unwrap(),
        target: Target::TimesFaster(1_000.0),
        folded: false,
        cached: true,
    }
}

fn pages(condition: &str) -> Vec<String> {
    let condition = format!("page_ref IS NOT NULL AND tenant_id <> 0 AND {condition}");
    let plain = |from: &str| {
        format!(
            "SELECT page_ref AS a, count(*) AS b, count(DISTINCT user_ref) AS c FROM {from} WHERE {condition} GROUP BY page_ref"
        )
    };
    vec![
        plain("events"),
        plain("events NOT INDEXED"),
        format!(
            "SELECT page_ref AS a, sum(n) AS b, count(user_ref) AS c FROM (SELECT page_ref, user_ref, count(*) AS n \
             FROM events WHERE {condition} GROUP BY page_ref, user_ref) GROUP BY page_ref"
        ),
    ]
}

/// Variants that count active users by a key.
fn grouped(condition: &str, key: &str) -> Vec<String> {
    let plain = |from: &str| {
        format!(
            "SELECT 0 AS a, count(DISTINCT user_ref) AS b FROM {from} WHERE {ACTIVE} AND {condition} GROUP BY {key}"
        )
    };
    let by_user = format!(
        "SELECT 0 AS a, count(*) AS b FROM (SELECT DISTINCT {key}, user_ref FROM events NOT INDEXED WHERE {ACTIVE} AND {condition})"
    );
    vec![plain("events"), plain("events NOT INDEXED"), by_user]
}

fn within(from: &str, to: &str) -> String {
    format!("occurred_at >= {} AND occurred_at < {}", at(from).timestamp_micros(), at(to).timestamp_micros())
}

fn sum(rows: &Value, field: &str) -> i64 {
    rows.as_array().unwrap().iter().map(|row| row[field].as_i64().unwrap()).sum()
}

fn count(rows: &Value) -> i64 {
    i64::try_from(rows.as_array().unwrap().len()).unwrap()
}
