//! `GET /v1/analytics/retention`.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Days, NaiveDate};
use serde_json::{Value, json};
use trailkeeper_domain::account::Role;

use crate::support::history::{self, EventFilter, at, failed, local};
use crate::support::{ACME, OTHER, TestApp};

const PATH: &str = "/v1/analytics/retention";

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// The first day of the period that holds a day.
fn period_of(granularity: &str, day: NaiveDate) -> NaiveDate {
    match granularity {
        "day" => day,
        "week" => day - Days::new(day.weekday().num_days_from_monday().into()),
        _ => day.with_day(1).unwrap(),
    }
}

/// The active users of each cohort in each period, from the first local day to the last one.
fn recount(events: &[Value], filter: &EventFilter, case: &Case) -> Vec<Vec<u64>> {
    let active = events.iter().filter(|event| filter.has(event) && !failed(event));
    let days: BTreeSet<(NaiveDate, &str)> =
        active.filter_map(|event| Some((local(at(event), case.hours).date(), event["user_id"].as_str()?))).collect();
    let mut first: BTreeMap<&str, NaiveDate> = BTreeMap::new();
    for (day, user) in &days {
        first.entry(user).or_insert(*day);
    }
    let range = day(case.from)..=day(case.to);
    let dates = range.start().iter_days().take_while(|day| range.contains(day));
    let periods: Vec<NaiveDate> =
        dates.map(|day| period_of(case.granularity, day)).collect::<BTreeSet<_>>().into_iter().collect();
    let cohort = |from: usize| {
        let members: BTreeSet<&str> = first
            .iter()
            .filter(|(_, day)| range.contains(day) && period_of(case.granularity, **day) == periods[from])
            .map(|(user, _)| *user)
            .collect();
        let count = |period: &NaiveDate| {
            let here =
                days.iter().filter(|(day, _)| range.contains(day) && period_of(case.granularity, *day) == *period);
            here.map(|(_, user)| *user).filter(|user| members.contains(user)).collect::<BTreeSet<_>>().len() as u64
        };
        periods.iter().skip(from).take(case.periods + 1).map(count).collect()
    };
    (0..periods.len()).map(cohort).collect()
}

struct Case {
    granularity: &'static str,
    from: &'static str,
    to: &'static str,
    zone: &'static str,
    hours: i32,
    periods: usize,
}

#[test]
fn cohorts_agree_with_a_recount() {
    TestApp::on_both().for_each(|app| cohorts_are_exact(&app));
}

fn cohorts_are_exact(app: &TestApp) {
    let case = |granularity, from, to, zone, hours, periods| Case { granularity, from, to, zone, hours, periods };
    let cases = [
        case("day", "2026-05-01", "2026-05-31", "UTC", 0, 12),
        case("day", "2026-06-01", "2026-06-20", "Asia/Tokyo", 9, 3),
        case("week", "2026-05-06", "2026-07-16", "UTC", 0, 90),
        case("week", "2026-05-11", "2026-06-14", "America/Bogota", -5, 2),
        case("month", "2026-04-15", "2026-07-20", "Asia/Tokyo", 9, 1),
    ];
    let caller = app.admin();
    history::recorded(app, &history::events(900), |events| {
        for case in &cases {
            let Case { granularity, from, to, zone, periods, .. } = case;
            for filter in &EventFilter::ALL {
                let query = format!(
                    "granularity={granularity}&from={from}&to={to}&timezone={zone}&periods={periods}{}",
                    filter.query
                );
                let answer = caller.get(&format!("{PATH}?{query}")).ok();
                let cohorts = answer["current"]["cohorts"].as_array().unwrap();
                let active: Vec<&Value> = cohorts.iter().map(|cohort| &cohort["active"]).collect();
                assert_eq!(json!(active), json!(recount(events, filter, case)), "{query}");
                assert!(cohorts.iter().all(|cohort| cohort["users"] == cohort["active"][0]), "{query}");
            }
        }
    });
}

/// Ann is active in the first and third week, Bob in the second and third, Cid before them and in the first. Dan's login
/// fails in the first week, so his cohort is the third.
fn world() -> TestApp {
    let app = TestApp::new();
    let came = |user: &str, day: &str, tenant: &str| json!({"type": "page_load", "user_id": user, "tenant_id": tenant, "occurred_at": format!("{day}T12:00:00Z")});
    app.admin().record(&json!([
        came("cid", "2026-05-20", ACME),
        came("cid", "2026-06-02", ACME),
        came("ann", "2026-06-01", ACME),
        came("ann", "2026-06-07", ACME),
        came("ann", "2026-06-17", ACME),
        came("bob", "2026-06-10", ACME),
        came("bob", "2026-06-15", OTHER),
        {"type": "login_fail", "outcome": "success", "user_id": "dan", "tenant_id": ACME, "occurred_at": "2026-06-03T12:00:00Z"},
        {"type": "login_success", "outcome": "failure", "user_id": "dan", "tenant_id": ACME, "occurred_at": "2026-06-16T12:00:00Z"},
    ]));
    app
}

#[test]
fn cohorts_are_of_the_first_activity_ever() {
    let app = world();
    let weeks = "granularity=week&from=2026-06-01&to=2026-06-21";
    let cohort = |start: &str, end: &str, active: &[u64]| json!({"start": format!("{start}T00:00:00Z"), "end": format!("{end}T00:00:00Z"), "users": active[0], "active": active});
    let answer = app.admin().get(&format!("{PATH}?{weeks}&compare=previous_period")).ok();
    assert_eq!(
        answer,
        json!({
            "timezone": "UTC",
            "granularity": "week",
            "current": {
                "start": "2026-06-01T00:00:00Z",
                "end": "2026-06-22T00:00:00Z",
                "cohorts": [
                    cohort("2026-06-01", "2026-06-08", &[1, 0, 1]),
                    cohort("2026-06-08", "2026-06-15", &[1, 1]),
                    cohort("2026-06-15", "2026-06-22", &[1]),
                ],
            },
            "previous": {
                "start": "2026-05-11T00:00:00Z",
                "end": "2026-06-01T00:00:00Z",
                "cohorts": [
                    cohort("2026-05-11", "2026-05-18", &[0, 0, 0]),
                    cohort("2026-05-18", "2026-05-25", &[1, 0]),
                    cohort("2026-05-25", "2026-06-01", &[0]),
                ],
            },
        })
    );
    let active = |caller: &crate::support::Caller<'_>, query: &str| {
        let answer = caller.get(&format!("{PATH}?{query}")).ok();
        json!(
            answer["current"]["cohorts"].as_array().unwrap().iter().map(|cohort| &cohort["active"]).collect::<Vec<_>>()
        )
    };
    let admin = app.admin();
    assert_eq!(active(&admin, &format!("{weeks}&periods=1")), json!([[1, 0], [1, 1], [1]]));
    // An event of another tenant is no activity of this one, and no first activity either.
    assert_eq!(active(&admin, &format!("{weeks}&tenant_id={ACME}")), json!([[1, 0, 1], [1, 0], [1]]));
    assert_eq!(active(&admin, &format!("{weeks}&tenant_id={OTHER}")), json!([[0, 0, 0], [0, 0], [1]]));
    assert_eq!(active(&admin, &format!("{weeks}&tenant_id={ACME}&env_id=2")), json!([[0, 0, 0], [0, 0], [0]]));
    let own = app.token(Role::Analyst, Some(OTHER));
    assert_eq!(active(&own, weeks), json!([[0, 0, 0], [0, 0], [1]]));
    own.get(&format!("{PATH}?tenant_id={ACME}")).problem(404, "tenant_not_found", None);
    // The default period of cohorts is a day.
    assert_eq!(app.admin().get(PATH).ok()["current"]["cohorts"].as_array().unwrap().len(), 30);
}

#[test]
fn invalid_queries_name_their_field() {
    let app = TestApp::new();
    let admin = app.admin();
    for (query, field) in [
        ("granularity=hour", "granularity"),
        ("granularity=year", "granularity"),
        ("granularity=day&from=2025-01-01&to=2026-02-05", "granularity"),
        ("periods=0", "periods"),
        ("periods=91", "periods"),
        ("env_id=1", "env_id"),
        ("tenant_id=ffffffff-ffff-ffff-ffff-ffffffffffff", "tenant_id"),
        ("from=2026-07-02&to=2026-07-01", "from"),
        ("limit=3", "limit"),
    ] {
        admin.get(&format!("{PATH}?{query}")).problem(400, "invalid_parameter", Some(field));
    }
    let most = admin.get(&format!("{PATH}?granularity=day&from=2025-01-01&to=2026-02-04&periods=90")).ok();
    assert_eq!(most["current"]["cohorts"].as_array().unwrap().len(), 400);
}
