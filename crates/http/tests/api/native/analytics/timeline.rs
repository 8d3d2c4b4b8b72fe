//! `GET /v1/analytics/users/{user_id}/timeline`.

use serde_json::{Value, json};
use trailkeeper_domain::account::Role;

use crate::support::history::{self, EventFilter, at, instant, local};
use crate::support::{ACME, Caller, OTHER, TestApp, escaped, numbered};

fn path(user: &str) -> String {
    format!("/v1/analytics/users/{}/timeline", escaped(user))
}

/// Days and the ids of their events, over all pages of a timeline; a day on two pages is joined.
fn walked(caller: &Caller<'_>, user: &str, query: &str, limit: usize) -> Vec<(String, Vec<String>)> {
    let mut days: Vec<(String, Vec<String>)> = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = caller.get(&format!("{}?limit={limit}{query}{cursor}", path(user))).ok();
        let mut here = 0;
        for day in page["days"].as_array().unwrap() {
            let date = day["date"].as_str().unwrap().to_owned();
            let ids = day["events"].as_array().unwrap().iter().map(|event| event["id"].as_str().unwrap().to_owned());
            if days.last().is_none_or(|(last, _)| *last != date) {
                days.push((date, Vec::new()));
            }
            let all = &mut days.last_mut().unwrap().1;
            let before = all.len();
            all.extend(ids);
            here += all.len() - before;
        }
        match page["next_cursor"].as_str() {
            Some(next) => {
                assert_eq!(here, limit, "every page but the last is full");
                cursor = format!("&cursor={next}");
            }
            None => return days,
        }
    }
}

/// The same by a recount: newest first; of equal times the latest stored first.
fn recount(events: &[Value], hours: i32, keep: impl Fn(&Value) -> bool) -> Vec<(String, Vec<String>)> {
    let mut kept: Vec<(usize, &Value)> = events.iter().enumerate().filter(|(_, event)| keep(event)).collect();
    kept.sort_by_key(|(index, event)| std::cmp::Reverse((at(event), *index)));
    let mut days: Vec<(String, Vec<String>)> = Vec::new();
    for (_, event) in kept {
        let date = local(at(event), hours).date().to_string();
        if days.last().is_none_or(|(last, _)| *last != date) {
            days.push((date, Vec::new()));
        }
        days.last_mut().unwrap().1.push(event["id"].as_str().unwrap().to_owned());
    }
    days
}

#[test]
fn timelines_agree_with_a_recount() {
    TestApp::on_both().for_each(|app| timelines_are_complete(&app));
}

fn timelines_are_complete(app: &TestApp) {
    let caller = app.admin();
    let events = history::events(900);
    caller.record(&json!(events));
    let start = instant("2026-05-10T15:00:00Z");
    let end = instant("2026-05-20T15:00:00Z");
    for user in ["u1", "u7", "u39"] {
        for filter in &EventFilter::ALL {
            let mine = |event: &Value| event["user_id"] == user && filter.has(event);
            let typed = |event: &Value| mine(event) && (event["type"] == "login_fail" || event["type"] == "a.b");
            let ranged = |event: &Value| mine(event) && (start..end).contains(&at(event));
            for limit in [1, 4, 1000] {
                let walked = |query: &str| walked(&caller, user, &format!("{query}{}", filter.query), limit);
                assert_eq!(walked(""), recount(&events, 0, mine), "{user}");
                assert_eq!(walked("&timezone=Asia/Tokyo"), recount(&events, 9, mine), "{user}");
                assert_eq!(walked("&type=login_fail,a.b"), recount(&events, 0, typed), "{user}");
                let days = "&timezone=Asia/Tokyo&from=2026-05-11&to=2026-05-20";
                assert_eq!(walked(days), recount(&events, 9, ranged), "{user}");
                let times = "&from=2026-05-10T15:00:00Z&to=2026-05-20T15:00:00Z";
                assert_eq!(walked(times), recount(&events, 0, ranged), "{user}");
            }
        }
    }
}

#[test]
fn events_have_the_form_of_the_list_of_events() {
    let app = TestApp::new();
    let admin = app.admin();
    let user = "u/2 +&";
    admin.record(&json!({"id": numbered(1), "type": "page_load", "user_id": user, "tenant_id": ACME, "page": "/a?x#y",
        "source": "192.0.2.1", "occurred_at": "2026-07-22T20:00:00Z", "metadata": {"plan": "pro"}}));
    let answer = admin.get(&format!("{}?timezone=Asia/Tokyo", path(user))).ok();
    let listed = admin.get(&format!("/v1/events/{}", numbered(1))).ok();
    assert_eq!(
        answer,
        json!({
            "timezone": "Asia/Tokyo",
            "days": [{"date": "2026-07-23", "events": [listed]}],
            "next_cursor": null,
        })
    );
    let nobody = admin.get(&path("nobody")).ok();
    assert_eq!(nobody, json!({"timezone": "UTC", "days": [], "next_cursor": null}));
}

#[test]
fn no_timeline_contains_audit_events() {
    for app in TestApp::on_both() {
        // The creation of each token creates an audit event of the operator `test`.
        let admin = app.admin();
        for number in 0..5 {
            let at = format!("2026-07-23T0{number}:00:00Z");
            admin.record(&json!({"id": numbered(number), "type": "x", "user_id": "test", "occurred_at": at}));
            app.clock.set(&format!("2026-07-23T1{number}:00:00Z"));
            app.token(Role::Auditor, None);
        }
        admin
            .record(&json!({"id": numbered(9), "type": "x", "user_id": "test", "occurred_at": "2026-07-23T14:00:30Z"}));
        let trail = admin.get("/v1/events?user_id=test").ok();
        assert!(trail["events"].as_array().unwrap().len() >= 12);
        for limit in [1, 2, 3, 100] {
            let ids = [9, 4, 3, 2, 1, 0].map(numbered).to_vec();
            assert_eq!(walked(&admin, "test", "", limit), [("2026-07-23".to_owned(), ids)]);
        }
    }
}

#[test]
fn a_tenant_scoped_credential_sees_only_its_tenant() {
    let app = TestApp::new();
    let event = |number, tenant: &str| json!({"id": numbered(number), "type": "x", "user_id": "u", "tenant_id": tenant, "occurred_at": "2026-07-22T12:00:00Z"});
    app.admin().record(&json!([event(1, ACME), event(2, OTHER), event(3, history::NONE)]));
    let own = app.token(Role::Auditor, Some(ACME));
    let days = [("2026-07-22".to_owned(), vec![numbered(1)])];
    assert_eq!(walked(&own, "u", "", 1), days);
    assert_eq!(walked(&own, "u", &format!("&tenant_id={ACME}"), 10), days);
    assert_eq!(walked(&own, "u", "&env_id=2", 10), []);
    own.get(&format!("{}?tenant_id={OTHER}", path("u"))).problem(404, "tenant_not_found", None);
    assert_eq!(app.admin().get(&path("u")).ok()["days"][0]["events"].as_array().unwrap().len(), 3);
}

#[test]
fn invalid_queries_name_their_field() {
    let app = TestApp::new();
    let admin = app.admin();
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("cursor=e0", "cursor"),
        ("type=Page", "type"),
        ("env_id=1", "env_id"),
        ("tenant_id=ffffffff-ffff-ffff-ffff-ffffffffffff", "tenant_id"),
        ("from=2026-07-02&to=2026-07-01", "from"),
        ("from=2026-07-02T00:00:00Z&to=2026-07-02T00:00:00Z", "from"),
        ("timezone=utc", "timezone"),
        ("user_id=u", "user_id"),
    ] {
        admin.get(&format!("{}?{query}", path("u"))).problem(400, "invalid_parameter", Some(field));
    }
    admin.get(&path(&"u".repeat(129))).problem(400, "invalid_parameter", Some("user_id"));
}
