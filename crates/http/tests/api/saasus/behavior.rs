//! Behaviour histories: reported, stored and listed.

use serde_json::{Value, json};
use trailkeeper_domain::account::Role;

use crate::support::contracts::{empty_200, record, refused, unix};
use crate::support::{ACME, Caller, OTHER, START, TestApp, escaped};

const REPORT: &str = "/v1/analysis/user-behavior-day";
const TODAY: &str = "2026-07-23T00:00:00Z";

fn report(user: &str, day: &str, pages: &[(&str, &str)]) -> Value {
    let histories: Vec<Value> =
        pages.iter().map(|(at, page)| json!({"timestamp": unix(at), "referer": page})).collect();
    json!({"timestamp": unix(day), "user_id": user, "histories": histories})
}

fn histories(caller: &Caller<'_>, user: &str) -> Value {
    caller.get(&format!("/v1/analysis/users/{}/behavior-histories", escaped(user))).ok()
}

#[test]
fn the_growing_list_of_a_day_is_stored_once_and_listed_by_day() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        let morning = ("2026-07-23T08:00:00Z", "/users?action=delete_user");
        let later = ("2026-07-23T09:30:00Z", "https://app.example.com/reports#top");
        empty_200(&admin.put(REPORT, &report("u1", START, &[morning])));
        empty_200(&admin.put(REPORT, &report("u1", TODAY, &[later, morning, later])));
        empty_200(&admin.put(REPORT, &report("u1", TODAY, &[])));
        empty_200(&admin.put(REPORT, &report("u1", "2026-07-22T00:00:00Z", &[("2026-07-22T23:59:59Z", "/late")])));
        empty_200(&admin.put(REPORT, &report("u2", TODAY, &[morning])));
        let expected = json!({"histories": [
            {"behaved_at": unix("2026-07-22T00:00:00Z"), "histories": [
                {"timestamp": unix("2026-07-22T23:59:59Z"), "referer": "/late"},
            ]},
            {"behaved_at": unix(TODAY), "histories": [
                {"timestamp": unix(morning.0), "referer": "/users?action=delete_user"},
                {"timestamp": unix(later.0), "referer": "https://app.example.com/reports#top"},
            ]},
        ]});
        assert_eq!(histories(&admin, "u1"), expected);
    }
}

#[test]
fn a_reported_page_is_a_page_load_and_not_a_userinfo_call() {
    let app = TestApp::new();
    let admin = app.admin();
    empty_200(&admin.put(REPORT, &report("u1", TODAY, &[("2026-07-23T08:00:00Z", "/a?b=c")])));
    let events = admin.get("/v1/events?user_id=u1").ok();
    let event = &events["events"][0];
    assert_eq!(events["events"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&event["type"], &event["page"], &event["outcome"]),
        (&json!("page_load"), &json!("/a?b=c"), &json!("success"))
    );
    let userinfo = admin.get("/v1/analysis/userinfo/aggregated?start_date=2026-07-23&end_date=2026-07-23").ok();
    assert_eq!(userinfo, json!({"metrics": [{"date": "2026-07-23", "details": {}}]}));
}

#[test]
fn an_invalid_time_rejects_the_whole_report() {
    let app = TestApp::new();
    let admin = app.admin();
    let good = ("2026-07-23T08:00:00Z", "/a");
    for (bad, field) in [
        (("2026-07-22T07:59:59Z", "/b"), "histories[1].timestamp: "),
        (("2026-07-24T08:00:00Z", "/b"), "histories[1].timestamp: "),
        (("2026-07-23T10:10:01Z", "/b"), "histories[1].timestamp: "),
    ] {
        refused(&admin.put(REPORT, &report("u1", TODAY, &[good, bad])), 400, "invalid_parameter", field);
    }
    assert_eq!(histories(&admin, "u1"), json!({"histories": []}));
}

#[test]
fn a_bad_page_is_an_event_without_page_and_leaves_the_report_whole() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        let long = format!("/{}", "x".repeat(2048));
        let longest = format!("/{}", "x".repeat(2047));
        let sent = [
            ("2026-07-23T08:00:00Z", "/first"),
            ("2026-07-23T08:00:01Z", long.as_str()),
            ("2026-07-23T08:00:02Z", "/a\u{0}b"),
            ("2026-07-23T08:00:03Z", ""),
            ("2026-07-23T08:00:04Z", "LONE"),
            ("2026-07-23T08:00:05Z", longest.as_str()),
        ];
        let body = report("u1", TODAY, &sent).to_string().replace("LONE", "/\\ud83d");
        for _ in 0..2 {
            let json = ("Content-Type", "application/json");
            empty_200(&admin.call("PUT", REPORT).header(json.0, json.1).body(body.clone()).send());
        }
        let page = |(at, page): (&str, &str)| json!({"timestamp": unix(at), "referer": page});
        let days = json!([{"behaved_at": unix(TODAY), "histories": [page(sent[0]), page(sent[5])]}]);
        assert_eq!(histories(&admin, "u1"), json!({"histories": days}));
        let events = admin.get("/v1/events?user_id=u1&type=page_load").ok();
        let mut kept: Vec<_> = events["events"]
            .as_array()
            .unwrap()
            .iter()
            .map(|event| (event["occurred_at"].to_string(), event["page"].clone(), event["original"].clone()))
            .collect();
        kept.sort_by(|a, b| a.0.cmp(&b.0));
        let kept: Vec<_> = kept.into_iter().map(|(_, page, original)| (page, original)).collect();
        // By `printf '/a\0b' | sha256sum`, and by `python3 -c 'print("/" + "x" * 2048, end="")' | sha256sum`.
        let nul = "c0e6dd647daf5fa25920855e208cb6238577ddd538f4b4c48f415f1a7f329fa8";
        let whole = "8ab1e1812b592bc2abdef3361e0f14dd7a1d25c6269c82ed55b138776ae942ae";
        let expected = [
            (json!("/first"), Value::Null),
            (Value::Null, json!({"page": {"text": long[..1024], "sha256": whole}})),
            (Value::Null, json!({"page": {"text": "/a\u{2400}b", "sha256": nul}})),
            (Value::Null, Value::Null),
            (Value::Null, json!({"page": {"text": "\"/\\ud83d\""}})),
            (json!(longest), Value::Null),
        ];
        assert_eq!(kept, expected);
    }
}

#[test]
fn a_day_of_any_time_zone_is_reported_and_listed() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        // 23 July in Tokyo begins at 15:00Z on the 22nd. The day may be named by its beginning or by midnight UTC.
        let tokyo = [("2026-07-22T15:00:00Z", "/first"), ("2026-07-23T09:59:59Z", "/now")];
        for day in ["2026-07-22T15:00:00Z", TODAY] {
            empty_200(&admin.put(REPORT, &report("u1", day, &tokyo)));
        }
        let early = ("2026-07-22T14:59:59Z", "/yesterday");
        empty_200(&admin.put(REPORT, &report("u1", "2026-07-21T15:00:00Z", &[early])));
        let page = |(at, page): (&str, &str)| json!({"timestamp": unix(at), "referer": page});
        let by_day = |zone: &str| {
            admin.get(&format!("/v1/analysis/users/u1/behavior-histories?timezone={zone}")).ok()["histories"].clone()
        };
        let expected = json!([
            {"behaved_at": unix("2026-07-21T15:00:00Z"), "histories": [page(early)]},
            {"behaved_at": unix("2026-07-22T15:00:00Z"), "histories": [page(tokyo[0]), page(tokyo[1])]},
        ]);
        assert_eq!(by_day("Asia/Tokyo"), expected);
        let in_utc = json!([
            {"behaved_at": unix("2026-07-22T00:00:00Z"), "histories": [page(early), page(tokyo[0])]},
            {"behaved_at": unix(TODAY), "histories": [page(tokyo[1])]},
        ]);
        assert_eq!(by_day("UTC"), in_utc);
        assert_eq!(histories(&admin, "u1"), json!({"histories": in_utc}));
        // 26 hours are the longest day, and this one has 24.
        let long = [("2026-07-22T09:59:59Z", "/a"), ("2026-07-23T10:00:00Z", "/b")];
        refused(&admin.put(REPORT, &report("u1", TODAY, &long)), 400, "invalid_parameter", "histories[1].timestamp: ");
        let path = "/v1/analysis/users/u1/behavior-histories?timezone=Asia/Tokio";
        refused(&admin.get(path), 400, "invalid_parameter", "timezone: 'Asia/Tokio' is not a time zone");
    }
}

#[test]
fn more_pages_than_the_limit_are_413() {
    let app = TestApp::new();
    let page = json!({"timestamp": unix(TODAY), "referer": "/"});
    let report = |count| json!({"timestamp": unix(TODAY), "user_id": "u1", "histories": vec![page.clone(); count]});
    refused(
        &app.admin().put(REPORT, &report(10_001)),
        413,
        "too_many_histories",
        "histories: has 10001 entries; at most 10000",
    );
    empty_200(&app.admin().put(REPORT, &report(10_000)));
}

#[test]
fn the_window_is_the_past_calendar_month_to_the_microsecond() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        let page = |name: &str| json!({"page": name});
        record(
            &admin,
            &[
                ("u1", "page_load", "2026-06-23T09:59:59.999999Z", page("/too-early")),
                ("u1", "page_load", "2026-06-23T10:00:00Z", page("/first")),
                ("u1", "userinfo", START, page("/last")),
                ("u1", "userinfo", "2026-07-23T09:00:00Z", json!({})),
                ("u1", "page_load", "2026-07-23T10:00:00.000001Z", page("/too-late")),
                ("u1", "login_success", "2026-07-23T09:00:00Z", page("/login")),
                ("u2", "page_load", "2026-07-23T09:00:00Z", page("/somebody-else")),
            ],
        );
        let expected = json!({"histories": [
            {"behaved_at": unix("2026-06-23T00:00:00Z"), "histories": [{"timestamp": unix("2026-06-23T10:00:00Z"), "referer": "/first"}]},
            {"behaved_at": unix(TODAY), "histories": [{"timestamp": unix(START), "referer": "/last"}]},
        ]});
        assert_eq!(histories(&admin, "u1"), expected);
    }
}

#[test]
fn an_unknown_user_has_an_empty_history() {
    let app = TestApp::new();
    let longest = "ü".repeat(128);
    for user in ["f94bfffc-8be2-11ec-b41a-0242ac120004", "auth0|a/b ?#%", longest.as_str()] {
        assert_eq!(histories(&app.admin(), user), json!({"histories": []}), "{user}");
    }
    let too_long = format!("/v1/analysis/users/{}/behavior-histories", "u".repeat(129));
    refused(&app.admin().get(&too_long), 400, "invalid_parameter", "user_id: has 129 characters");
}

#[test]
fn a_tenant_scoped_credential_writes_and_reads_only_its_tenant() {
    for app in TestApp::on_both() {
        let page = ("2026-07-23T08:00:00Z", "/a");
        empty_200(&app.token(Role::Ingest, Some(ACME)).put(REPORT, &report("u1", TODAY, &[page])));
        // The same report from another credential has another tenant: neither hides the other.
        empty_200(&app.admin().put(REPORT, &report("u1", TODAY, &[page])));
        let pages_of =
            |caller: Caller<'_>| histories(&caller, "u1")["histories"][0]["histories"].as_array().map_or(0, Vec::len);
        assert_eq!(pages_of(app.token(Role::Analyst, Some(ACME))), 1);
        assert_eq!(pages_of(app.token(Role::Analyst, Some(OTHER))), 0);
        assert_eq!(pages_of(app.admin()), 2);
    }
}
