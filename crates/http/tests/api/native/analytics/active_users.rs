//! `GET /v1/analytics/active-users`: answers computed by hand.

use serde_json::{Value, json};

use crate::support::{ACME, Caller, OTHER, TestApp, TestResponse};

/// A page load.
fn load(user: &str, at: &str) -> Value {
    json!({"type": "page_load", "tenant_id": ACME, "user_id": user, "occurred_at": at})
}

fn ask(caller: &Caller<'_>, query: &str) -> TestResponse {
    caller.get(&format!("/v1/analytics/active-users?{query}"))
}

/// Start of each bucket and its active, new and returning users.
fn rows(period: &Value) -> Vec<(String, u64, u64, u64)> {
    let number = |bucket: &Value, name: &str| bucket[name].as_u64().unwrap();
    let row = |bucket: &Value| {
        let start = bucket["start"].as_str().unwrap().to_owned();
        (start, number(bucket, "active_users"), number(bucket, "new_users"), number(bucket, "returning_users"))
    };
    period["buckets"].as_array().unwrap().iter().map(row).collect()
}

fn row(start: &str, active: u64, new: u64, returning: u64) -> (String, u64, u64, u64) {
    (start.to_owned(), active, new, returning)
}

/// Three local days of Tokyo, with a user of the days before.
fn tokyo(app: &TestApp) {
    app.admin().record(&json!([
        load("dan", "2026-05-30T00:00:00Z"),
        load("ann", "2026-06-01T14:59:59.999999Z"),
        load("ann", "2026-06-01T15:00:00Z"),
        load("bob", "2026-06-01T15:00:00Z"),
        load("bob", "2026-06-01T16:00:00Z"),
        load("dan", "2026-06-02T14:59:59.999999Z"),
        {"type": "login_fail", "tenant_id": ACME, "user_id": "carl", "occurred_at": "2026-06-02T15:00:00Z"},
        {"type": "page_load", "outcome": "failure", "tenant_id": ACME, "user_id": "ann", "occurred_at": "2026-06-02T16:00:00Z"},
        {"type": "login_success", "outcome": "failure", "tenant_id": ACME, "user_id": "eve", "occurred_at": "2026-06-03T03:00:00Z"},
        {"type": "page_load", "tenant_id": ACME, "occurred_at": "2026-06-03T04:00:00Z"},
        load("fay", "2026-06-03T15:00:00Z"),
    ]));
}

const TOKYO: &str = "from=2026-06-01&to=2026-06-03&timezone=Asia/Tokyo";

#[test]
fn users_are_active_new_and_returning_by_local_days() {
    for app in TestApp::on_both() {
        tokyo(&app);
        for query in
            [TOKYO.to_owned(), format!("{TOKYO}&tenant_id={ACME}"), format!("{TOKYO}&tenant_id={ACME}&env_id=1")]
        {
            let answer = ask(&app.admin(), &query).ok();
            assert_eq!((&answer["timezone"], &answer["granularity"]), (&json!("Asia/Tokyo"), &json!("day")));
            assert_eq!(answer["previous"], json!(null));
            let current = &answer["current"];
            assert_eq!(current["start"], "2026-06-01T00:00:00+09:00");
            assert_eq!(current["end"], "2026-06-04T00:00:00+09:00");
            assert_eq!(
                rows(current),
                [
                    row("2026-06-01T00:00:00+09:00", 1, 1, 0),
                    row("2026-06-02T00:00:00+09:00", 3, 1, 2),
                    row("2026-06-03T00:00:00+09:00", 1, 1, 0),
                ]
            );
            assert_eq!(current["buckets"][0]["end"], "2026-06-02T00:00:00+09:00");
            assert_eq!(
                current["totals"],
                json!({"active_users": 4, "new_users": 3, "returning_users": 1,
                    "stickiness": {"average_daily_users": 1.6667, "monthly_users": 4, "ratio": 0.4167}})
            );
        }
    }
}

#[test]
fn a_late_event_counts_when_it_occurred_even_for_new_users() {
    for app in TestApp::on_both() {
        tokyo(&app);
        app.admin().record(&json!([load("ann", "2026-05-10T00:00:00Z")]));
        let current = &ask(&app.admin(), TOKYO).ok()["current"];
        assert_eq!(rows(current)[0], row("2026-06-01T00:00:00+09:00", 1, 0, 1));
        assert_eq!(current["totals"]["new_users"], 2);
        assert_eq!(current["totals"]["returning_users"], 2);
        assert_eq!(current["totals"]["stickiness"]["monthly_users"], 4);
    }
}

#[test]
fn the_answer_contains_the_previous_period() {
    let app = TestApp::new();
    tokyo(&app);
    let answer = ask(&app.admin(), &format!("{TOKYO}&compare=previous_period")).ok();
    assert_eq!(answer["current"], ask(&app.admin(), TOKYO).ok()["current"], "the same as without the comparison");
    let previous = &answer["previous"];
    assert_eq!(
        rows(previous),
        [
            row("2026-05-29T00:00:00+09:00", 0, 0, 0),
            row("2026-05-30T00:00:00+09:00", 1, 1, 0),
            row("2026-05-31T00:00:00+09:00", 0, 0, 0),
        ]
    );
    assert_eq!(previous["end"], "2026-06-01T00:00:00+09:00");
    assert_eq!(
        previous["totals"],
        json!({"active_users": 1, "new_users": 1, "returning_users": 0,
            "stickiness": {"average_daily_users": 0.3333, "monthly_users": 1, "ratio": 0.3333}})
    );
    // If the range has no whole days, the previous period has the same length, to the microsecond.
    let odd = "from=2026-06-01T10:00:00Z&to=2026-06-01T15:00:01Z&compare=previous_period";
    let previous = &ask(&app.admin(), odd).ok()["previous"];
    assert_eq!(
        (&previous["start"], &previous["end"]),
        (&json!("2026-06-01T04:59:59Z"), &json!("2026-06-01T10:00:00Z"))
    );
    // The month before March is February, whatever their lengths.
    let month = "from=2026-03-01&to=2026-03-31&granularity=month&compare=previous_period";
    let previous = &ask(&app.admin(), month).ok()["previous"];
    assert_eq!(rows(previous), [row("2026-02-01T00:00:00Z", 0, 0, 0)]);
}

#[test]
fn every_granularity_cuts_the_same_users() {
    let app = TestApp::new();
    tokyo(&app);
    for granularity in ["hour", "day", "week", "month"] {
        let answer = ask(&app.admin(), &format!("{TOKYO}&granularity={granularity}")).ok();
        assert_eq!(answer["granularity"], granularity);
        assert_eq!(
            answer["current"]["totals"],
            json!({"active_users": 4, "new_users": 3, "returning_users": 1,
                "stickiness": {"average_daily_users": 1.6667, "monthly_users": 4, "ratio": 0.4167}}),
            "{granularity}"
        );
        let new: u64 = rows(&answer["current"]).iter().map(|row| row.2).sum();
        assert_eq!(new, 3, "{granularity}");
    }
    let hours = rows(&ask(&app.admin(), &format!("{TOKYO}&granularity=hour")).ok()["current"]);
    let full: Vec<_> = hours.into_iter().filter(|row| row.1 > 0).collect();
    assert_eq!(
        full,
        [
            row("2026-06-01T23:00:00+09:00", 1, 1, 0),
            row("2026-06-02T00:00:00+09:00", 2, 1, 1),
            row("2026-06-02T01:00:00+09:00", 1, 0, 1),
            row("2026-06-02T23:00:00+09:00", 1, 0, 1),
            row("2026-06-03T12:00:00+09:00", 1, 1, 0),
        ]
    );
}

#[test]
fn half_hours_are_exact() {
    let app = TestApp::new();
    app.admin().record(&json!([
        load("ann", "2026-06-01T18:29:59.999999Z"),
        load("bob", "2026-06-01T18:30:00Z"),
        load("ann", "2026-06-02T18:30:00Z"),
    ]));
    for audience in [String::new(), format!("&tenant_id={ACME}")] {
        let query = format!("from=2026-06-01&to=2026-06-02&timezone=Asia/Kolkata{audience}");
        let current = &ask(&app.admin(), &query).ok()["current"];
        assert_eq!(
            rows(current),
            [row("2026-06-01T00:00:00+05:30", 1, 1, 0), row("2026-06-02T00:00:00+05:30", 1, 1, 0)]
        );
    }
}

#[test]
fn weeks_begin_on_monday_even_across_years() {
    let app = TestApp::new();
    app.admin().record(&json!([
        load("ann", "2025-12-28T23:59:59Z"),
        load("ann", "2025-12-29T00:00:00Z"),
        load("bob", "2025-12-31T12:00:00Z"),
        load("ann", "2026-01-01T12:00:00Z"),
        load("ann", "2026-01-04T23:59:59.999999Z"),
        load("bob", "2026-01-05T00:00:00Z"),
    ]));
    let current = &ask(&app.admin(), "from=2025-12-28&to=2026-01-05&granularity=week").ok()["current"];
    assert_eq!(
        rows(current),
        [
            row("2025-12-28T00:00:00Z", 1, 1, 0),
            row("2025-12-29T00:00:00Z", 2, 1, 1),
            row("2026-01-05T00:00:00Z", 1, 0, 1)
        ]
    );
}

#[test]
fn new_means_new_in_the_scope() {
    let app = TestApp::new();
    let at = |tenant: &str, env: u32, time: &str| json!({"type": "page_load", "tenant_id": tenant, "env_id": env, "user_id": "ann", "occurred_at": time});
    app.admin().record(&json!([
        at(OTHER, 1, "2026-06-01T00:00:00Z"),
        at(ACME, 1, "2026-06-02T00:00:00Z"),
        at(ACME, 2, "2026-06-03T00:00:00Z"),
    ]));
    let query = "from=2026-06-02&to=2026-06-03";
    let counts = |audience: &str| {
        let rows = rows(&ask(&app.admin(), &format!("{query}{audience}")).ok()["current"]);
        rows.into_iter().map(|row| (row.2, row.3)).collect::<Vec<_>>()
    };
    assert_eq!(counts(""), [(0, 1), (0, 1)]);
    assert_eq!(counts(&format!("&tenant_id={ACME}")), [(1, 0), (0, 1)]);
    assert_eq!(counts(&format!("&tenant_id={ACME}&env_id=1")), [(1, 0), (0, 0)]);
    assert_eq!(counts(&format!("&tenant_id={ACME}&env_id=2")), [(0, 0), (1, 0)]);
    assert_eq!(counts("&tenant_id=00000000-0000-0000-0000-000000000000"), [(0, 0), (0, 0)]);
}

#[test]
fn an_empty_server_has_no_stickiness() {
    let app = TestApp::new();
    let answer = ask(&app.admin(), "").ok();
    let current = &answer["current"];
    assert_eq!((&answer["timezone"], current["buckets"].as_array().unwrap().len()), (&json!("UTC"), 30));
    assert_eq!((&current["start"], &current["end"]), (&json!("2026-06-24T00:00:00Z"), &json!("2026-07-23T10:00:00Z")));
    assert_eq!(
        current["totals"],
        json!({"active_users": 0, "new_users": 0, "returning_users": 0,
            "stickiness": {"average_daily_users": 0.0, "monthly_users": 0, "ratio": null}})
    );
}
