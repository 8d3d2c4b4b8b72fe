//! Creations, userinfo calls and page statistics.

use serde_json::{Value, json};
use trailkeeper_domain::account::Role;

use crate::support::contracts::{record, unix};
use crate::support::{ACME, Caller, OTHER, TestApp};

const NONE: &str = "00000000-0000-0000-0000-000000000000";

fn metrics(caller: &Caller<'_>, kind: &str, days: (&str, &str), more: &str) -> Value {
    let (start, end) = days;
    let path = format!("/v1/analysis/metrics/aggregated?metrics_type={kind}&start_date={start}&end_date={end}{more}");
    caller.get(&path).ok()["metrics"].clone()
}

/// Tenants, users and memberships of two days with a day between them.
fn some_directory(app: &TestApp) {
    let admin = app.admin();
    let put = |path: &str, body: Value| assert_eq!(admin.put(path, &body).status, 201);
    put(&format!("/v1/tenants/{ACME}"), json!({"created_at": "2026-03-01T00:00:00Z"}));
    put(&format!("/v1/tenants/{OTHER}"), json!({"created_at": "2026-03-03T23:59:59.999999Z"}));
    for (user, at) in [("u1", "2026-03-01T01:00:00Z"), ("u2", "2026-03-01T02:00:00Z"), ("u3", "2026-03-03T00:00:00Z")] {
        put(&format!("/v1/users/{user}"), json!({"registered_at": at}));
    }
    for (tenant, user, at) in [
        (ACME, "u1", "2026-03-01T01:00:00Z"),
        (ACME, "u2", "2026-03-01T02:00:00Z"),
        (OTHER, "u1", "2026-03-01T03:00:00Z"),
        (OTHER, "u2", "2026-03-03T03:00:00Z"),
    ] {
        put(&format!("/v1/tenants/{tenant}/users/{user}"), json!({"created_at": at}));
    }
}

const DAYS: (&str, &str) = ("2026-03-01", "2026-03-03");

fn counts(first: u64, second: u64, third: u64) -> Value {
    json!([
        {"date": "2026-03-01", "count": first},
        {"date": "2026-03-02", "count": second},
        {"date": "2026-03-03", "count": third},
    ])
}

#[test]
fn every_day_is_listed_and_only_memberships_have_details() {
    for app in TestApp::on_both() {
        some_directory(&app);
        let admin = app.admin();
        assert_eq!(metrics(&admin, "create_tenant", DAYS, ""), counts(1, 0, 1));
        assert_eq!(metrics(&admin, "create_saas_user", DAYS, ""), counts(2, 0, 1));
        let memberships = json!([
            {"date": "2026-03-01", "count": 3, "details": {ACME: 2, OTHER: 1}},
            {"date": "2026-03-02", "count": 0, "details": {}},
            {"date": "2026-03-03", "count": 1, "details": {OTHER: 1}},
        ]);
        assert_eq!(metrics(&admin, "create_tenant_user", DAYS, ""), memberships);
        let leap = metrics(&admin, "create_tenant", ("2024-02-28", "2024-03-01"), "");
        assert_eq!(leap.as_array().unwrap().len(), 3);
        let decade = metrics(&admin, "create_tenant", ("2016-01-01", "2026-01-01"), "");
        assert_eq!(decade.as_array().unwrap().len(), 3654);
    }
}

#[test]
fn tenants_are_named_by_repeated_parameters_by_commas_or_both() {
    for app in TestApp::on_both() {
        some_directory(&app);
        let admin = app.admin();
        let third = "22222222-2222-4333-8444-555555555555";
        for named in [
            format!("&tenant_ids={ACME}&tenant_ids={OTHER}&tenant_ids={third}"),
            format!("&tenant_ids={ACME},{OTHER},{third}"),
            format!("&tenant_ids={ACME}%2C{OTHER}&tenant_ids={third}&tenant_ids={ACME}"),
            format!("&tenant_ids%5B0%5D={ACME}&tenant_ids%5B1%5D={OTHER}"),
            String::new(),
            "&tenant_ids=".to_owned(),
        ] {
            assert_eq!(metrics(&admin, "create_tenant", DAYS, &named), counts(1, 0, 1), "{named}");
        }
        // PHP's list notation must filter too: if it were ignored, the answer would show every tenant.
        for brackets in ["[]", "[0]", "%5B0%5D", "%5B12%5D"] {
            let named = format!("&tenant_ids{brackets}={OTHER}");
            assert_eq!(metrics(&admin, "create_tenant", DAYS, &named), counts(0, 0, 1), "{named}");
        }
        let of_other = format!("&tenant_ids={OTHER}");
        assert_eq!(metrics(&admin, "create_tenant", DAYS, &of_other), counts(0, 0, 1));
        let details = metrics(&admin, "create_tenant_user", DAYS, &of_other);
        assert_eq!(details[0], json!({"date": "2026-03-01", "count": 1, "details": {OTHER: 1}}));
        // Users who ever became its members, or members of no tenant.
        assert_eq!(metrics(&admin, "create_saas_user", DAYS, &of_other), counts(2, 0, 0));
        assert_eq!(metrics(&admin, "create_saas_user", DAYS, &format!("&tenant_ids={NONE}")), counts(0, 0, 1));
    }
}

#[test]
fn removed_records_stay_counted() {
    for app in TestApp::on_both() {
        some_directory(&app);
        let admin = app.admin();
        admin.delete(&format!("/v1/tenants/{ACME}")).no_content();
        admin.delete("/v1/users/u1").no_content();
        assert_eq!(metrics(&admin, "create_tenant", DAYS, ""), counts(1, 0, 1));
        assert_eq!(metrics(&admin, "create_saas_user", DAYS, ""), counts(2, 0, 1));
        assert_eq!(metrics(&admin, "create_tenant_user", DAYS, "")[0]["count"], 3);
    }
}

#[test]
fn userinfo_calls_are_counted_per_tenant_and_day() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        record(
            &admin,
            &[
                ("u1", "userinfo", "2026-03-01T00:00:00Z", json!({"tenant_id": ACME})),
                ("u1", "userinfo", "2026-03-01T00:00:00Z", json!({"tenant_id": ACME, "outcome": "failure"})),
                ("u2", "userinfo", "2026-03-01T23:59:59Z", json!({"page": "/a"})),
                ("u1", "page_load", "2026-03-02T00:00:00Z", json!({"tenant_id": ACME})),
                ("u1", "userinfo", "2026-03-03T12:00:00Z", json!({"tenant_id": OTHER})),
            ],
        );
        let userinfo = |caller: &Caller<'_>, more: &str| {
            let path = format!("/v1/analysis/userinfo/aggregated?start_date=2026-03-01&end_date=2026-03-03{more}");
            caller.get(&path).ok()["metrics"].clone()
        };
        let days = |first: Value, third: Value| {
            json!([
                {"date": "2026-03-01", "details": first},
                {"date": "2026-03-02", "details": {}},
                {"date": "2026-03-03", "details": third},
            ])
        };
        assert_eq!(userinfo(&admin, ""), days(json!({NONE: 1, ACME: 2}), json!({OTHER: 1})));
        assert_eq!(userinfo(&admin, &format!("&tenant_ids={NONE},{OTHER}")), days(json!({NONE: 1}), json!({OTHER: 1})));
        let analyst = app.token(Role::Analyst, Some(ACME));
        assert_eq!(userinfo(&analyst, ""), days(json!({ACME: 2}), json!({})));
        assert_eq!(userinfo(&analyst, &format!("&tenant_ids={ACME}")), days(json!({ACME: 2}), json!({})));
        for others in [format!("{OTHER},{ACME}"), OTHER.to_owned(), NONE.to_owned()] {
            let path = "/v1/analysis/userinfo/aggregated?start_date=2026-03-01&end_date=2026-03-03";
            assert_eq!(analyst.get(&format!("{path}&tenant_ids={others}")).status, 404, "{others}");
        }
    }
}

fn statistics(caller: &Caller<'_>, start: &str, end: &str) -> Value {
    let (start, end) = (unix(start), unix(end));
    caller.get(&format!("/v1/analysis/metrics/page-statistics?start_timestamp={start}&end_timestamp={end}")).ok()
}

#[test]
fn page_statistics_count_views_and_distinct_users_with_inclusive_ends() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        let on = |page: &str| json!({"page": page, "tenant_id": ACME});
        record(
            &admin,
            &[
                ("u1", "page_load", "2026-02-28T23:59:59.999999Z", on("/early")),
                ("u1", "page_load", "2026-03-01T00:00:00Z", on("/a?x=1")),
                ("u2", "userinfo", "2026-03-01T00:00:01Z", on("/a#top")),
                ("u1", "report", "2026-03-01T00:00:02Z", on("/b")),
                ("u1", "page_load", "2026-03-01T00:00:03Z", on("/c")),
                ("u1", "page_load", "2026-03-01T23:59:59.999999Z", json!({"page": "/c", "outcome": "failure"})),
                ("u1", "page_load", "2026-03-02T00:00:00Z", on("/late")),
                ("u3", "logout", "2026-03-01T00:00:00Z", json!({})),
            ],
        );
        admin.record(&json!({"type": "page_load", "page": "/b", "occurred_at": "2026-03-01T01:00:00Z"}));
        let expected = json!({
            "start_date": unix("2026-03-01T00:00:00Z"),
            "end_date": unix("2026-03-01T23:59:59Z"),
            "total_page_views": 6,
            "total_unique_users": 2,
            "page_statistics": [
                {"page_url": "/a", "total_views": 2, "unique_users": 2},
                {"page_url": "/b", "total_views": 2, "unique_users": 1},
                {"page_url": "/c", "total_views": 2, "unique_users": 1},
            ],
        });
        assert_eq!(statistics(&admin, "2026-03-01T00:00:00Z", "2026-03-01T23:59:59Z"), expected);
        let one_second = statistics(&admin, "2026-03-02T00:00:00Z", "2026-03-02T00:00:00Z");
        assert_eq!(one_second["page_statistics"], json!([{"page_url": "/late", "total_views": 1, "unique_users": 1}]));
        let tenant_scoped =
            statistics(&app.token(Role::Analyst, Some(ACME)), "2026-03-01T00:00:00Z", "2026-03-01T23:59:59Z");
        assert_eq!((&tenant_scoped["total_page_views"], &tenant_scoped["total_unique_users"]), (&json!(4), &json!(2)));
        let nothing =
            statistics(&app.token(Role::Analyst, Some(OTHER)), "2026-03-01T00:00:00Z", "2026-03-01T23:59:59Z");
        assert_eq!((&nothing["total_page_views"], &nothing["page_statistics"]), (&json!(0), &json!([])));
    }
}

/// Clocks in New York are set forward on 8 March 2026: that day lasts from 05:00Z to 04:00Z.
#[test]
fn days_may_be_those_of_a_time_zone() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        let put = |path: &str, body: Value| assert_eq!(admin.put(path, &body).status, 201);
        for (user, at) in [
            ("u1", "2026-03-08T04:59:59Z"),
            ("u2", "2026-03-08T05:00:00Z"),
            ("u3", "2026-03-09T03:59:59.999999Z"),
            ("u4", "2026-03-09T04:00:00Z"),
        ] {
            put(&format!("/v1/users/{user}"), json!({"registered_at": at}));
            put(&format!("/v1/tenants/{ACME}/users/{user}"), json!({"created_at": at}));
        }
        let days = ("2026-03-07", "2026-03-09");
        let zone = "&timezone=America/New_York";
        let users = metrics(&admin, "create_saas_user", days, zone);
        let expected = json!([
            {"date": "2026-03-07", "count": 1},
            {"date": "2026-03-08", "count": 2},
            {"date": "2026-03-09", "count": 1},
        ]);
        assert_eq!(users, expected);
        let memberships = metrics(&admin, "create_tenant_user", days, &format!("{zone}&tenant_ids={ACME},{OTHER}"));
        let expected = json!([
            {"date": "2026-03-07", "count": 1, "details": {ACME: 1}},
            {"date": "2026-03-08", "count": 2, "details": {ACME: 2}},
            {"date": "2026-03-09", "count": 1, "details": {ACME: 1}},
        ]);
        assert_eq!(memberships, expected);
        // A user of two tenants is one user.
        put(&format!("/v1/tenants/{OTHER}/users/u2"), json!({"created_at": "2026-03-20T00:00:00Z"}));
        let both = metrics(&admin, "create_saas_user", days, &format!("{zone}&tenant_ids={ACME},{OTHER}"));
        assert_eq!(both, users);

        record(
            &admin,
            &[
                ("u1", "userinfo", "2026-03-08T04:59:59Z", json!({"tenant_id": ACME})),
                ("u1", "userinfo", "2026-03-08T05:00:00Z", json!({"tenant_id": ACME})),
                ("u1", "userinfo", "2026-03-09T03:59:59Z", json!({"tenant_id": OTHER})),
                ("u1", "userinfo", "2026-03-09T04:00:00Z", json!({})),
            ],
        );
        let path = format!("/v1/analysis/userinfo/aggregated?start_date=2026-03-07&end_date=2026-03-09{zone}");
        let expected = json!([
            {"date": "2026-03-07", "details": {ACME: 1}},
            {"date": "2026-03-08", "details": {ACME: 1, OTHER: 1}},
            {"date": "2026-03-09", "details": {NONE: 1}},
        ]);
        assert_eq!(admin.get(&path).ok()["metrics"], expected);
        // Samoa skipped 30 December 2011: the day is listed, and nothing happened on it.
        put("/v1/users/u9", json!({"registered_at": "2011-12-30T10:00:00Z"}));
        let skipped = metrics(&admin, "create_saas_user", ("2011-12-29", "2011-12-31"), "&timezone=Pacific/Apia");
        let expected = json!([
            {"date": "2011-12-29", "count": 0},
            {"date": "2011-12-30", "count": 0},
            {"date": "2011-12-31", "count": 1},
        ]);
        assert_eq!(skipped, expected);
    }
}
