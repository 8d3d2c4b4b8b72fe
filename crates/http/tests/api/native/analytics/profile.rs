//! `GET /v1/analytics/users/{user_id}/profile`.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Timelike};
use serde_json::{Value, json};
use trailkeeper_domain::account::Role;

use crate::support::history::{self, EventFilter, at, failed, instant, local, page};
use crate::support::{ACME, OTHER, TestApp};

fn path(user: &str) -> String {
    format!("/v1/analytics/users/{user}/profile")
}

/// Names with their counts, the most frequent first, then by name.
fn ranked<'a>(names: impl Iterator<Item = &'a str>) -> Vec<(&'a str, u64)> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    names.for_each(|name| *counts.entry(name).or_default() += 1);
    let mut ranked: Vec<(&str, u64)> = counts.into_iter().collect();
    ranked.sort_by_key(|(name, count)| (Reverse(*count), *name));
    ranked
}

/// Compares a profile with the user's events: `mine` over all time, `here` in the range, `before` in the previous one.
fn check(answer: &Value, mine: &[&Value], here: &[&Value], before: &[&Value], hours: i32) {
    let seen = |key: &str, time: Option<_>| {
        assert_eq!(answer[key].as_str().map(instant), time, "{key}");
    };
    seen("first_seen", mine.iter().map(|event| at(event)).min());
    seen("last_seen", mine.iter().map(|event| at(event)).max());
    for (period, events) in [("current", here), ("previous", before)] {
        let active = events.iter().filter(|event| !failed(event));
        let days: BTreeSet<_> = active.map(|event| local(at(event), hours).date()).collect();
        let failures = events.iter().filter(|event| failed(event)).count();
        let totals = json!({"events": events.len(), "failed_events": failures, "active_days": days.len()});
        assert_eq!(answer[period]["totals"], totals, "{period}");
    }
    let mut week = [[0; 24]; 7];
    for time in here.iter().filter(|event| !failed(event)).map(|event| local(at(event), hours)) {
        week[time.weekday().num_days_from_monday() as usize][time.hour() as usize] += 1;
    }
    assert_eq!(answer["hours"], json!(week));
    let pages = ranked(here.iter().filter_map(|event| page(event)));
    let rows: Vec<Value> = pages.iter().map(|(page, views)| json!({"page": page, "views": views})).collect();
    assert_eq!((&answer["pages"], &answer["distinct_pages"]), (&json!(rows), &json!(pages.len())));
    let types = ranked(here.iter().map(|event| event["type"].as_str().unwrap()));
    let rows: Vec<Value> = types.iter().map(|(name, events)| json!({"type": name, "events": events})).collect();
    assert_eq!((&answer["types"], &answer["distinct_types"]), (&json!(rows), &json!(types.len())));
    let sources = ranked(here.iter().filter_map(|event| event["source"].as_str()));
    assert_eq!(answer["distinct_sources"], sources.len());
    assert_eq!(answer["sources"].as_array().unwrap().len(), sources.len());
    for (row, (source, events)) in answer["sources"].as_array().unwrap().iter().zip(sources) {
        let used: Vec<&&Value> = here.iter().filter(|event| event["source"] == source).collect();
        assert_eq!((&row["source"], &row["events"]), (&json!(source), &json!(events)));
        assert_eq!(row["failed_events"], used.iter().filter(|event| failed(event)).count());
        let time = |key: &str| instant(row[key].as_str().unwrap());
        assert_eq!(time("first_seen"), used.iter().map(|event| at(event)).min().unwrap());
        assert_eq!(time("last_seen"), used.iter().map(|event| at(event)).max().unwrap());
    }
}

#[test]
fn profiles_agree_with_a_recount() {
    TestApp::on_both().for_each(|app| profiles_are_exact(&app));
}

fn profiles_are_exact(app: &TestApp) {
    let caller = app.admin();
    let events = history::events(900);
    caller.record(&json!(events));
    let cases = [
        ("from=2026-05-01&to=2026-07-22", 0, ["2026-02-07T00:00:00Z", "2026-05-01T00:00:00Z", "2026-07-23T00:00:00Z"]),
        (
            "from=2026-05-11&to=2026-05-30&timezone=Asia/Tokyo",
            9,
            ["2026-04-20T15:00:00Z", "2026-05-10T15:00:00Z", "2026-05-30T15:00:00Z"],
        ),
        (
            "from=2026-06-01T14:59:00Z&to=2026-06-21T00:01:00Z&timezone=America/Bogota",
            -5,
            ["2026-05-13T05:57:00Z", "2026-06-01T14:59:00Z", "2026-06-21T00:01:00Z"],
        ),
    ];
    for user in ["u1", "u11", "u25", "nobody"] {
        for filter in &EventFilter::ALL {
            let mine: Vec<&Value> =
                events.iter().filter(|event| event["user_id"] == user && filter.has(event)).collect();
            for (query, hours, times) in &cases {
                let [before, start, end] = times.map(instant);
                let within = |first, last| {
                    mine.iter().filter(|event| (first..last).contains(&at(event))).copied().collect::<Vec<_>>()
                };
                let answer =
                    caller.get(&format!("{}?{query}{}&compare=previous_period", path(user), filter.query)).ok();
                check(&answer, &mine, &within(start, end), &within(before, start), *hours);
            }
        }
    }
}

#[test]
fn a_profile_summarises_one_user() {
    let app = TestApp::new();
    let admin = app.admin();
    let event = |kind: &str, at: &str, source: &str| json!({"type": kind, "user_id": "ann", "occurred_at": at, "source": source});
    admin.record(&json!([
        event("login_success", "2025-12-31T23:00:00Z", "192.0.2.1"),
        // Monday 00:30 and Tuesday 08:59 in Tokyo; a failed login makes no day active.
        event("login_success", "2026-07-19T15:30:00Z", "192.0.2.1"),
        event("logout", "2026-07-20T23:59:59.999999Z", "192.0.2.1"),
        event("login_fail", "2026-07-22T10:00:00Z", "2001:db8::7"),
    ]));
    let mut hours = [[0; 24]; 7];
    (hours[0][0], hours[1][8]) = (1, 1);
    let answer = admin.get(&format!("{}?timezone=Asia/Tokyo", path("ann"))).ok();
    assert_eq!(
        answer,
        json!({
            "user_id": "ann",
            "timezone": "Asia/Tokyo",
            "first_seen": "2026-01-01T08:00:00+09:00",
            "last_seen": "2026-07-22T19:00:00+09:00",
            "current": {
                "start": "2026-04-25T00:00:00+09:00",
                "end": "2026-07-23T19:00:00+09:00",
                "totals": {"events": 3, "failed_events": 1, "active_days": 2},
            },
            "previous": null,
            "hours": hours,
            "pages": [],
            "distinct_pages": 0,
            "sources": [
                {"source": "192.0.2.1", "events": 2, "failed_events": 0,
                    "first_seen": "2026-07-20T00:30:00+09:00", "last_seen": "2026-07-21T08:59:59.999999+09:00"},
                {"source": "2001:db8::7", "events": 1, "failed_events": 1,
                    "first_seen": "2026-07-22T19:00:00+09:00", "last_seen": "2026-07-22T19:00:00+09:00"},
            ],
            "distinct_sources": 2,
            "types": [
                {"type": "login_fail", "events": 1},
                {"type": "login_success", "events": 1},
                {"type": "logout", "events": 1},
            ],
            "distinct_types": 3,
        })
    );
}

#[test]
fn a_profile_lists_the_first_of_many() {
    let app = TestApp::new();
    let admin = app.admin();
    let events = (0..240).map(|number| {
        let (page, kind) = (number % 24, number % 120);
        json!({"type": format!("t{kind:03}"), "page": format!("/{page:02}"), "source": format!("192.0.2.{page}"),
            "user_id": "ann", "occurred_at": "2026-07-22T12:00:00Z"})
    });
    admin.record(&json!(events.collect::<Vec<_>>()));
    let answer = admin.get(&path("ann")).ok();
    let named = |list: &str, key: &str| -> Vec<String> {
        answer[list].as_array().unwrap().iter().map(|row| row[key].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(named("pages", "page"), (0..10).map(|page| format!("/{page:02}")).collect::<Vec<_>>());
    assert_eq!(named("types", "type"), (0..100).map(|kind| format!("t{kind:03}")).collect::<Vec<_>>());
    let mut sources: Vec<String> = (0..24).map(|page| format!("192.0.2.{page}")).collect();
    sources.sort();
    assert_eq!(named("sources", "source"), sources[..10]);
    let distinct = ["pages", "sources", "types"].map(|things| answer[format!("distinct_{things}")].clone());
    assert_eq!(distinct, [24, 24, 120]);
}

#[test]
fn a_tenant_scoped_credential_sees_only_its_tenant() {
    let app = TestApp::new();
    let event = |tenant: &str, at: &str| json!({"type": "x", "user_id": "u", "tenant_id": tenant, "occurred_at": at});
    app.admin().record(&json!([
        event(ACME, "2026-07-20T12:00:00Z"),
        event(OTHER, "2026-07-10T12:00:00Z"),
        event(OTHER, "2026-07-22T12:00:00Z"),
    ]));
    let own = app.token(Role::Auditor, Some(ACME));
    let answer = own.get(&path("u")).ok();
    assert_eq!(answer["current"]["totals"]["events"], 1);
    assert_eq!(
        (&answer["first_seen"], &answer["last_seen"]),
        (&json!("2026-07-20T12:00:00Z"), &json!("2026-07-20T12:00:00Z"))
    );
    own.get(&format!("{}?tenant_id={OTHER}", path("u"))).problem(404, "tenant_not_found", None);
    let everything = app.admin().get(&path("u")).ok();
    assert_eq!(everything["current"]["totals"]["events"], 3);
    // An operator's account may have a user's id; its audit events do not belong to the user.
    let operator = app.admin().get(&path("test")).ok();
    assert_eq!((&operator["first_seen"], &operator["current"]["totals"]["events"]), (&Value::Null, &json!(0)));
}

#[test]
fn invalid_queries_name_their_field() {
    let app = TestApp::new();
    let admin = app.admin();
    for (query, field) in [
        ("env_id=1", "env_id"),
        ("tenant_id=ffffffff-ffff-ffff-ffff-ffffffffffff", "tenant_id"),
        ("from=2026-07-02&to=2026-07-01", "from"),
        ("from=2000-01-01", "from"),
        ("timezone=Tokyo", "timezone"),
        ("compare=1", "compare"),
        ("limit=10", "limit"),
    ] {
        admin.get(&format!("{}?{query}", path("u"))).problem(400, "invalid_parameter", Some(field));
    }
}
