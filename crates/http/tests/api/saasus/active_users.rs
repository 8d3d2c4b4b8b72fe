//! Active users: computed, reported and queried.

use serde_json::{Value, json};
use trailkeeper_domain::account::Role;

use crate::support::contracts::{empty_200, record, refused};
use crate::support::{ACME, Caller, OTHER, TestApp};

const PATH: &str = "/v1/analysis/active-users";
const NONE: &str = "00000000-0000-0000-0000-000000000000";
const SYSTEM: &str = "ffffffff-ffff-ffff-ffff-ffffffffffff";

fn rows(caller: &Caller<'_>, query: &str) -> Vec<Value> {
    let answer = caller.get(&format!("{PATH}?{query}")).ok();
    answer["data"].as_array().unwrap().clone()
}

fn row(date: &str, tenant: &str, env: u32, users: u64) -> Value {
    json!({"date": date, "tenant_id": tenant, "env_id": env, "active_users": users})
}

fn report(kind: &str, date: &str, tenant: &str, env: u32, users: u64) -> Value {
    json!({"type": kind, "date": date, "tenant_id": tenant, "env_id": env, "active_users": users})
}

/// OTHER sorts before ACME.
fn some_activity(app: &TestApp) {
    let of = |tenant: &str, env: u32| json!({"tenant_id": tenant, "env_id": env});
    record(
        &app.admin(),
        &[
            ("u1", "page_load", "2026-07-21T00:00:00Z", of(ACME, 1)),
            ("u1", "logout", "2026-07-21T23:59:59.999999Z", of(ACME, 1)),
            ("u2", "login_success", "2026-07-21T12:00:00Z", of(ACME, 1)),
            ("u3", "login_fail", "2026-07-21T12:00:00Z", of(ACME, 1)),
            ("u1", "page_load", "2026-07-21T12:00:00Z", of(ACME, 3)),
            ("u1", "page_load", "2026-07-21T12:00:00Z", of(OTHER, 1)),
            ("u1", "page_load", "2026-07-22T00:00:00Z", of(ACME, 1)),
            ("u4", "page_load", "2026-06-30T23:59:59Z", of(ACME, 1)),
            ("u5", "page_load", "2026-07-23T09:00:00Z", json!({})),
        ],
    );
}

#[test]
fn rows_are_sorted_by_date_tenant_and_environment() {
    for app in TestApp::on_both() {
        some_activity(&app);
        let admin = app.admin();
        let daily = vec![
            row("2026-07-21", OTHER, 1, 1),
            row("2026-07-21", ACME, 1, 2),
            row("2026-07-21", ACME, 3, 1),
            row("2026-07-22", ACME, 1, 1),
            row("2026-07-23", NONE, 1, 1),
        ];
        assert_eq!(rows(&admin, "type=daily&date_from=2026-07-01&date_to=2026-07-23"), daily);
        assert_eq!(rows(&admin, "type=daily&date_from=2026-07-01"), daily);
        assert_eq!(rows(&admin, "type=daily&date_from=2026-07-22&date_to=2026-07-22"), daily[3..4]);
        assert_eq!(rows(&admin, "type=daily&date_from=2026-07-24"), Vec::<Value>::new());
        assert_eq!(rows(&admin, "type=daily&date_from=2026-08-01&date_to=2026-08-02"), Vec::<Value>::new());
        let monthly = vec![
            row("2026-06", ACME, 1, 1),
            row("2026-07", NONE, 1, 1),
            row("2026-07", OTHER, 1, 1),
            row("2026-07", ACME, 1, 2),
            row("2026-07", ACME, 3, 1),
        ];
        assert_eq!(rows(&admin, "type=monthly&date_from=2026-06"), monthly);
        assert_eq!(rows(&admin, "type=monthly&date_from=2026-06&date_to=2026-06"), monthly[..1]);
    }
}

#[test]
fn tenant_and_environment_filter_the_answer() {
    for app in TestApp::on_both() {
        some_activity(&app);
        let admin = app.admin();
        let july = "type=monthly&date_from=2026-07";
        let of_acme = vec![row("2026-07", ACME, 1, 2), row("2026-07", ACME, 3, 1)];
        assert_eq!(rows(&admin, &format!("{july}&tenant_id={ACME}")), of_acme);
        assert_eq!(rows(&admin, &format!("{july}&tenant_id={}", ACME.to_uppercase())), of_acme);
        assert_eq!(rows(&admin, &format!("{july}&tenant_id={ACME}&env_id=3")), of_acme[1..]);
        assert_eq!(rows(&admin, &format!("{july}&tenant_id={NONE}")), [row("2026-07", NONE, 1, 1)]);
        assert_eq!(rows(&admin, &format!("{july}&tenant_id={ACME}&env_id=4294967295")), Vec::<Value>::new());
    }
}

#[test]
fn a_reported_value_wins_and_the_last_report_applies() {
    for app in TestApp::on_both() {
        some_activity(&app);
        let admin = app.admin();
        empty_200(&admin.put(PATH, &report("daily", "2026-07-21", ACME, 1, 7)));
        empty_200(&admin.put(PATH, &report("daily", "2026-07-21", ACME, 1, 100)));
        empty_200(&admin.put(PATH, &report("daily", "2026-07-21", ACME, 2, 0)));
        empty_200(&admin.put(PATH, &report("monthly", "2026-07", ACME, 1, 9_007_199_254_740_993)));
        let daily = vec![
            row("2026-07-21", OTHER, 1, 1),
            row("2026-07-21", ACME, 1, 100),
            row("2026-07-21", ACME, 2, 0),
            row("2026-07-21", ACME, 3, 1),
        ];
        assert_eq!(rows(&admin, "type=daily&date_from=2026-07-21&date_to=2026-07-21"), daily);
        let month = rows(&admin, &format!("type=monthly&date_from=2026-07&tenant_id={ACME}&env_id=1"));
        assert_eq!(month, [row("2026-07", ACME, 1, 9_007_199_254_740_993)]);
        // More events do not change a reported value.
        record(&admin, &[("u9", "page_load", "2026-07-21T01:00:00Z", json!({"tenant_id": ACME}))]);
        assert_eq!(rows(&admin, "type=daily&date_from=2026-07-21&date_to=2026-07-21"), daily);
    }
}

#[test]
fn audit_events_are_no_activity() {
    for app in TestApp::on_both() {
        let login = json!({"Username": "nobody@example.com", "Password": "wrong"});
        assert_eq!(app.anon().post("/api/UserAccount/Login", &login).status, 401);
        let admin = app.admin();
        assert_eq!(rows(&admin, "type=daily&date_from=2026-07-01"), Vec::<Value>::new());
        assert_eq!(rows(&admin, &format!("type=daily&date_from=2026-07-01&tenant_id={SYSTEM}")), Vec::<Value>::new());
        refused(
            &admin.put(PATH, &report("daily", "2026-07-21", SYSTEM, 1, 1)),
            400,
            "invalid_parameter",
            "tenant_id: ",
        );
    }
}

#[test]
fn a_tenant_scoped_credential_sees_and_reports_only_its_tenant() {
    for app in TestApp::on_both() {
        some_activity(&app);
        let analyst = app.token(Role::Analyst, Some(OTHER));
        let own = vec![row("2026-07", OTHER, 1, 1)];
        assert_eq!(rows(&analyst, "type=monthly&date_from=2026-01"), own);
        assert_eq!(rows(&analyst, &format!("type=monthly&date_from=2026-01&tenant_id={OTHER}&env_id=1")), own);
        let others = format!("{PATH}?type=monthly&date_from=2026-01&tenant_id={ACME}");
        refused(&analyst.get(&others), 404, "tenant_not_found", "there is no tenant");
        let admin = app.token(Role::Admin, Some(OTHER));
        empty_200(&admin.put(PATH, &report("daily", "2026-07-21", OTHER, 1, 5)));
        refused(&admin.put(PATH, &report("daily", "2026-07-21", ACME, 1, 5)), 404, "tenant_not_found", "there is no");
    }
}

/// Tokyo is nine hours ahead of UTC.
#[test]
fn days_and_months_may_be_those_of_a_time_zone() {
    for app in TestApp::on_both() {
        let of = |tenant: &str, env: u32| json!({"tenant_id": tenant, "env_id": env});
        record(
            &app.admin(),
            &[
                ("u1", "page_load", "2026-07-20T14:59:59Z", of(ACME, 1)),
                ("u1", "page_load", "2026-07-20T15:00:00Z", of(ACME, 1)),
                ("u2", "page_load", "2026-07-21T14:59:59.999999Z", of(ACME, 1)),
                ("u3", "page_load", "2026-07-21T15:00:00Z", of(ACME, 3)),
                ("u4", "login_fail", "2026-07-21T12:00:00Z", of(ACME, 1)),
                ("u1", "page_load", "2026-06-30T15:00:00Z", of(OTHER, 1)),
                ("u5", "page_load", "2026-06-30T14:59:59Z", of(OTHER, 1)),
            ],
        );
        let admin = app.admin();
        let daily = vec![
            row("2026-06-30", OTHER, 1, 1),
            row("2026-07-01", OTHER, 1, 1),
            row("2026-07-20", ACME, 1, 1),
            row("2026-07-21", ACME, 1, 2),
            row("2026-07-22", ACME, 3, 1),
        ];
        let tokyo = "timezone=Asia/Tokyo";
        // Before the events are merged, and after.
        for _ in 0..2 {
            assert_eq!(rows(&admin, &format!("type=daily&date_from=2026-06-30&{tokyo}")), daily);
            let one = format!("type=daily&date_from=2026-07-21&date_to=2026-07-21&{tokyo}");
            assert_eq!(rows(&admin, &one), daily[3..4]);
            let of_env = format!("type=daily&date_from=2026-06-01&tenant_id={ACME}&env_id=3&{tokyo}");
            assert_eq!(rows(&admin, &of_env), daily[4..]);
            let monthly = vec![
                row("2026-06", OTHER, 1, 1),
                row("2026-07", OTHER, 1, 1),
                row("2026-07", ACME, 1, 2),
                row("2026-07", ACME, 3, 1),
            ];
            assert_eq!(rows(&admin, &format!("type=monthly&date_from=2026-06&{tokyo}")), monthly);
            app.merge();
        }
        // A report names a day; it stands for the day of that name in every zone.
        empty_200(&admin.put(PATH, &report("daily", "2026-07-21", ACME, 1, 7)));
        let day = "type=daily&date_from=2026-07-21&date_to=2026-07-21";
        assert_eq!(rows(&admin, &format!("{day}&{tokyo}")), [row("2026-07-21", ACME, 1, 7)]);
        // Without `date_to`, the answer goes on until the present local day: the 24th in Kiritimati, at UTC+14.
        app.clock.set("2026-07-23T10:00:00Z");
        record(&app.admin(), &[("u1", "page_load", "2026-07-23T10:00:00Z", of(ACME, 1))]);
        let kiritimati = rows(&admin, "type=daily&date_from=2026-07-23&timezone=Pacific/Kiritimati");
        assert_eq!(kiritimati, [row("2026-07-24", ACME, 1, 1)]);
        let wrong = admin.get(&format!("{PATH}?type=daily&date_from=2026-07-01&timezone=JST"));
        refused(&wrong, 400, "invalid_parameter", "timezone: ");
    }
}
