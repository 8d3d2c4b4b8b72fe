//! `GET /v1/analytics/page-statistics`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use trailkeeper_analytics::engine::rebuild::rebuild;
use trailkeeper_domain::account::Role;
use trailkeeper_domain::page::{PageRule, PageRuleState, TrailingSlash};
use trailkeeper_testkit::TestEntropy;

use crate::support::history::{self, EventFilter, at, instant, page};
use crate::support::{ACME, OTHER, TestApp, numbered};

const PATH: &str = "/v1/analytics/page-statistics";

/// Views and users per page, and over all pages.
type Recount = (BTreeMap<String, (u64, u64)>, (u64, u64));

fn recount(events: &[Value], filter: &EventFilter, start: DateTime<Utc>, end: DateTime<Utc>) -> Recount {
    let mut pages: BTreeMap<&str, (u64, BTreeSet<&str>)> = BTreeMap::new();
    let inside = events.iter().filter(|event| filter.has(event) && (start..end).contains(&at(event)));
    for (event, page) in inside.filter_map(|event| Some((event, page(event)?))) {
        let (views, users) = pages.entry(page).or_default();
        *views += 1;
        users.extend(event["user_id"].as_str());
    }
    let all: BTreeSet<&str> = pages.values().flat_map(|(_, users)| users).copied().collect();
    let views = pages.values().map(|(views, _)| views).sum();
    let pages = pages.into_iter().map(|(page, (views, users))| (page.to_owned(), (views, users.len() as u64)));
    (pages.collect(), (views, all.len() as u64))
}

#[test]
fn spellings_of_one_url_are_one_page() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        let pages = [
            "/caf%C3%A9",
            "/caf%c3%a9",
            "/café",
            "/%66oo",
            "/foo",
            "/a/../foo",
            "https://App.Example:443/a",
            "https://app.example/a?x=1#top",
            "/a%2fb",
            "/a%2Fb",
            "/%zz",
        ];
        let events: Vec<Value> = pages
            .iter()
            .map(|page| json!({"type": "page_load", "user_id": "u", "page": page, "occurred_at": "2026-06-01T10:00:00Z"}))
            .collect();
        admin.record(&json!(events));
        let counted = [("/café", 3), ("/foo", 3), ("/a%2Fb", 2), ("https://app.example/a", 2), ("/%zz", 1)];
        let answer = admin.get(&format!("{PATH}?from=2026-06-01&to=2026-06-01")).ok();
        let rows = answer["pages"].as_array().unwrap();
        let rows: BTreeMap<&str, u64> =
            rows.iter().map(|row| (row["page"].as_str().unwrap(), row["current"]["views"].as_u64().unwrap())).collect();
        assert_eq!(rows, BTreeMap::from(counted), "{answer}");
        // A filter finds a page in every spelling.
        for (page, events) in
            [("/caf%25C3%25A9", 3), ("/caf%C3%A9", 3), ("/%2566oo", 3), ("https://APP.example:443/a", 2)]
        {
            let list = admin.get(&format!("/v1/events?page={page}")).ok();
            assert_eq!(list["events"].as_array().unwrap().len(), events, "{page}");
        }
        // And each event shows it as it was sent.
        let list = admin.get("/v1/events?limit=100").ok();
        let sent: BTreeSet<&str> =
            list["events"].as_array().unwrap().iter().filter_map(|event| event["page"].as_str()).collect();
        assert_eq!(sent, BTreeSet::from(pages));
    }
}

#[test]
fn only_questions_about_pages_wait_while_keys_are_rewritten() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        admin.record(
            &json!({"type": "page_load", "user_id": "u", "page": "/a/", "occurred_at": "2026-06-01T10:00:00Z"}),
        );
        let (store, services) = (app.state.store(), &app.state.services);
        let rule = PageRule { trailing_slash: TrailingSlash::Dropped, ..PageRule::default() };
        let begun = PageRuleState { rule, rewriting: true, presumed: false };
        store.writing(|tx| tx.set_page_rule(&begun)).unwrap();
        let about_pages = [format!("{PATH}?from=2026-06-01&to=2026-06-01"), "/v1/events?page=/a".to_owned()];
        for question in &about_pages {
            let detail = admin.get(question).problem(503, "overloaded", None);
            assert!(detail.contains("pages are getting other keys"), "{detail}");
        }
        let range = "start_timestamp=1780272000&end_timestamp=1780358399";
        let saasus = admin.get(&format!("/v1/analysis/metrics/page-statistics?{range}"));
        assert_eq!((saasus.status, saasus.json()["type"].as_str()), (503, Some("overloaded")));
        let events = admin.get("/v1/events?user_id=u").ok();
        assert_eq!(events["events"][0]["page"], "/a/");
        admin.get("/v1/analytics/active-users?from=2026-06-01&to=2026-06-01").ok();
        admin.get("/v1/analysis/users/u/behavior-histories").ok();
        // A rebuild without a rule finishes what was begun.
        let (clock, entropy) = (services.clock.as_ref(), TestEntropy::new(1));
        rebuild(store, clock, &entropy, Duration::ZERO, &mut |_| ()).unwrap();
        for question in &about_pages {
            admin.get(question).ok();
        }
        assert_eq!(admin.get(&about_pages[0]).ok()["pages"][0]["page"], "/a");
    }
}

#[test]
fn statistics_agree_with_a_recount() {
    TestApp::on_both().for_each(|app| statistics_are_exact(&app));
}

fn statistics_are_exact(app: &TestApp) {
    // The query, its range, and the start of the previous range.
    let cases = [
        ("from=2026-06-01&to=2026-06-30", ["2026-05-02T00:00:00Z", "2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z"]),
        (
            "from=2026-06-10&to=2026-06-16&timezone=Asia/Tokyo",
            ["2026-06-02T15:00:00Z", "2026-06-09T15:00:00Z", "2026-06-16T15:00:00Z"],
        ),
        (
            "from=2026-05-20T09:00:01Z&to=2026-06-11T14:59:00Z",
            ["2026-04-28T03:01:02Z", "2026-05-20T09:00:01Z", "2026-06-11T14:59:00Z"],
        ),
        ("from=2026-07-30&to=2026-07-31", ["2026-07-28T00:00:00Z", "2026-07-30T00:00:00Z", "2026-08-01T00:00:00Z"]),
    ];
    let caller = app.admin();
    history::recorded(app, &history::events(900), |events| {
        for (query, times) in &cases {
            let [before, start, end] = times.map(instant);
            for filter in &EventFilter::ALL {
                let answer = caller.get(&format!("{PATH}?{query}{}&compare=previous_period", filter.query)).ok();
                let (pages, totals) = recount(events, filter, start, end);
                let (pages_before, totals_before) = recount(events, filter, before, start);
                let totals_of =
                    |(views, users): (u64, u64), pages: usize| json!({"views": views, "users": users, "pages": pages});
                assert_eq!(answer["current"]["totals"], totals_of(totals, pages.len()), "{query} {}", filter.query);
                assert_eq!(
                    answer["previous"]["totals"],
                    totals_of(totals_before, pages_before.len()),
                    "{query} {}",
                    filter.query
                );
                let mut rows: Vec<(&String, &(u64, u64))> = pages.iter().collect();
                rows.sort_by_key(|(page, (views, _))| (std::cmp::Reverse(*views), (*page).clone()));
                let rows: Vec<Value> = rows
                    .into_iter()
                    .map(|(page, (views, users))| {
                        let (views_before, users_before) = pages_before.get(page).copied().unwrap_or_default();
                        json!({
                            "page": page,
                            "current": {"views": views, "users": users},
                            "previous": {"views": views_before, "users": users_before},
                        })
                    })
                    .collect();
                assert_eq!(answer["pages"], json!(rows), "{query} {}", filter.query);
            }
        }
    });
}

#[test]
fn the_answer_repeats_the_question_and_the_limit_cuts_ties_by_page() {
    let app = TestApp::new();
    let admin = app.admin();
    let view = |page: &str, user: &str| json!({"type": "page_load", "page": page, "user_id": user, "occurred_at": "2026-07-22T12:00:00Z"});
    admin.record(&json!([
        view("/z", "ann"),
        view("/y", "ann"),
        view("/x", "bob"),
        view("/top", "ann"),
        view("/top?a", "bob"),
        {"type": "x", "user_id": "cid", "occurred_at": "2026-07-22T12:00:00Z"},
        {"type": "x", "page": "/x", "outcome": "failure", "occurred_at": "2026-07-21T23:59:59.999999Z"},
    ]));
    let answer = admin.get(&format!("{PATH}?from=2026-07-22&limit=3&timezone=Asia/Tokyo")).ok();
    let row =
        |page: &str, views, users| json!({"page": page, "current": {"views": views, "users": users}, "previous": null});
    assert_eq!(
        answer,
        json!({
            "timezone": "Asia/Tokyo",
            "current": {
                "start": "2026-07-22T00:00:00+09:00",
                "end": "2026-07-23T19:00:00+09:00",
                "totals": {"views": 6, "users": 2, "pages": 4},
            },
            "previous": null,
            "pages": [row("/top", 2, 2), row("/x", 2, 1), row("/y", 1, 1)],
        })
    );
    let all = admin.get(PATH).ok();
    assert_eq!(all["current"]["start"], "2026-06-24T00:00:00Z", "30 days");
    assert_eq!(all["current"]["end"], "2026-07-23T10:00:00Z");
    assert_eq!(all["pages"].as_array().unwrap().len(), 4);
}

#[test]
fn pages_beyond_the_daily_limit_are_one_page() {
    let app = TestApp::new();
    let admin = app.admin();
    let at = "2026-07-22T12:00:00Z";
    for first in [0, 3_500, 7_000] {
        let views = (first..first + 3_500).map(
            |number| json!({"type": "page_load", "page": format!("/{number:05}"), "user_id": "u", "occurred_at": at}),
        );
        admin.record(&json!(views.collect::<Vec<_>>()));
    }
    let answer = admin.get(&format!("{PATH}?from=2026-07-22&limit=10000")).ok();
    assert_eq!(answer["current"]["totals"], json!({"views": 10_500, "users": 1, "pages": 10_001}));
    let pages = answer["pages"].as_array().unwrap();
    assert_eq!(pages.len(), 10_000);
    assert_eq!(pages[0]["page"], "(other)");
    assert_eq!(pages[0]["current"], json!({"views": 500, "users": 1}));
    assert_eq!((&pages[1]["page"], &pages[9_999]["page"]), (&json!("/00000"), &json!("/09998")));
}

#[test]
fn a_confined_credential_counts_its_tenant_alone() {
    let app = TestApp::new();
    let view = |number, tenant: &str| json!({"id": numbered(number), "type": "page_load", "page": "/a", "user_id": "u", "tenant_id": tenant});
    app.admin().record(&json!([view(1, ACME), view(2, OTHER), view(3, OTHER)]));
    let own = app.token(Role::Analyst, Some(ACME));
    let views = |path: &str| own.get(path).ok()["current"]["totals"]["views"].clone();
    app.clock.set("2026-07-23T11:00:00Z");
    assert_eq!(views(PATH), 1);
    assert_eq!(views(&format!("{PATH}?tenant_id={ACME}")), 1);
    assert_eq!(views(&format!("{PATH}?env_id=1")), 1);
    own.get(&format!("{PATH}?tenant_id={OTHER}")).problem(404, "tenant_not_found", None);
    assert_eq!(app.admin().get(PATH).ok()["current"]["totals"]["views"], 3);
}

#[test]
fn invalid_queries_name_their_field() {
    let app = TestApp::new();
    let admin = app.admin();
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=10001", "limit"),
        ("limit=ten", "limit"),
        ("env_id=1", "env_id"),
        ("tenant_id=acme", "tenant_id"),
        ("tenant_id=ffffffff-ffff-ffff-ffff-ffffffffffff", "tenant_id"),
        ("from=2026-07-02&to=2026-07-01", "from"),
        ("from=yesterday", "from"),
        ("from=2000-01-01&to=2026-07-01", "to"),
        ("timezone=Mars/Olympus", "timezone"),
        ("compare=last_year", "compare"),
        ("granularity=day", "granularity"),
        ("page=/a", "page"),
    ] {
        admin.get(&format!("{PATH}?{query}")).problem(400, "invalid_parameter", Some(field));
    }
}
