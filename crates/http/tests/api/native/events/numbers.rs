//! Several values, negations, and the numbers of events and users, each compared with a recount.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use trailkeeper_domain::account::Role;
use trailkeeper_testkit::DatabaseKind;

use super::filters::{Keep, events, inside, listed, page_key, recount};
use crate::support::{ACME, Caller, OTHER, TestApp, escaped, numbered};

/// Several values of a field, and negations.
fn cases() -> Vec<(String, Keep)> {
    let user = |e: &Value, users: &[&str]| e["user_id"].as_str().is_some_and(|user| users.contains(&user));
    vec![
        (String::new(), Box::new(|_| true)),
        ("env_id=0,1".into(), Box::new(|e| e["env_id"] != 4_294_967_295_u32)),
        ("env_id=0&env_id=4294967295&env_id!=0".into(), Box::new(|e| e["env_id"] == 4_294_967_295_u32)),
        ("env_id!=0,1".into(), Box::new(|e| e["env_id"] == 4_294_967_295_u32)),
        (format!("user_id=u1&user_id={}", escaped("Ü3")), Box::new(move |e| user(e, &["u1", "Ü3"]))),
        ("user_id=u1,nobody".into(), Box::new(|_| false)),
        ("user_id!=u1".into(), Box::new(|e| e["user_id"] != "u1")),
        ("user_id_not=u1&user_id%21=u/2+%2B%26".into(), Box::new(move |e| !user(e, &["u1", "u/2 +&"]))),
        ("user_id!=nobody&type!=nothing&page!=/none".into(), Box::new(|_| true)),
        ("type!=page_load".into(), Box::new(|e| e["type"] != "page_load")),
        ("type_not=page_load,a.b_c9".into(), Box::new(|e| e["type"] != "page_load" && e["type"] != "a.b_c9")),
        ("type=page_load,a.b_c9&type!=a.b_c9".into(), Box::new(|e| e["type"] == "page_load")),
        ("type=page_load&type!=page_load".into(), Box::new(|_| false)),
        ("outcome=success,unknown".into(), Box::new(|e| e["outcome"] != "failure")),
        ("outcome!=success&outcome!=unknown".into(), Box::new(|e| e["outcome"] == "failure")),
        (
            "source=192.0.2.1&source=2001:db8::/32".into(),
            Box::new(|e| e["source"] == "192.0.2.1" || inside(&e["source"], "2001:db8::", 32)),
        ),
        (
            "source=192.0.2.1&source=10.0.0.1".into(),
            Box::new(|e| e["source"] == "192.0.2.1" || e["source"] == "10.0.0.1"),
        ),
        ("source!=192.0.2.0/24".into(), Box::new(|e| !inside(&e["source"], "192.0.2.0", 24))),
        (
            "source=192.0.2.0/23&source!=192.0.2.1".into(),
            Box::new(|e| inside(&e["source"], "192.0.2.0", 23) && e["source"] != "192.0.2.1"),
        ),
        ("page=/a&page=/b".into(), Box::new(|e| page_key(e).is_some_and(|page| page == "/a" || page == "/b"))),
        ("page!=/a%3Fx=2".into(), Box::new(|e| page_key(e).as_deref() != Some("/a"))),
        ("session_id=s1&session_id=s+2".into(), Box::new(|e| e["session_id"].is_string())),
        ("session_id!=s1".into(), Box::new(|e| e["session_id"] != "s1")),
        ("target_type=user&target_type=invoice".into(), Box::new(|e| e["target"]["type"].is_string())),
        ("target_type!=invoice".into(), Box::new(|e| e["target"]["type"] != "invoice")),
        (
            "target_id!=1&target_type=invoice".into(),
            Box::new(|e| e["target"]["type"] == "invoice" && e["target"]["id"] != "1"),
        ),
        (
            format!("tenant_id={OTHER}&type!=page_load&user_id!=u1&outcome=failure,success&session_id!=s1"),
            Box::new(|e| {
                let excluded = e["type"] == "page_load" || e["user_id"] == "u1" || e["session_id"] == "s1";
                e["tenant_id"] == OTHER && !excluded && e["outcome"] != "unknown"
            }),
        ),
    ]
}

/// The number of users of the events that `keep` accepts.
fn users(events: &[Value], keep: &Keep) -> usize {
    let kept = events.iter().filter(|event| keep(event));
    kept.filter_map(|event| event["user_id"].as_str()).collect::<BTreeSet<_>>().len()
}

fn instant(text: &Value) -> DateTime<Utc> {
    text.as_str().unwrap().parse().unwrap()
}

/// Checks that the buckets of a histogram join, and that each has the number of the events in it.
fn check_histogram(buckets: &Value, events: &[Value], keep: &Keep, query: &str) {
    let buckets = buckets.as_array().unwrap();
    for pair in buckets.windows(2) {
        assert_eq!(instant(&pair[0]["end"]), instant(&pair[1]["start"]), "{query}");
    }
    for bucket in buckets {
        let range = instant(&bucket["start"])..instant(&bucket["end"]);
        let inside = events.iter().filter(|e| keep(e) && range.contains(&instant(&e["occurred_at"]))).count();
        assert_eq!(bucket["events"], inside, "{query} {bucket}");
    }
}

#[test]
fn lists_and_numbers_agree_with_a_recount() {
    DatabaseKind::ALL.into_iter().for_each(agree_with_a_recount);
}

fn agree_with_a_recount(kind: DatabaseKind) {
    let app = TestApp::on(kind);
    let events = events();
    app.admin().record(&json!(events));
    // A role that does not see the server's own events.
    let analyst = app.token(Role::Analyst, None);
    let tenant = app.token(Role::Auditor, Some(ACME));
    let mut shown = 0;
    for (query, keep) in cases() {
        let expected = recount(&events, &keep);
        shown += expected.len();
        assert_eq!(listed(&analyst, &query), expected, "{kind:?} {query}");
        assert_eq!(analyst.get(&format!("/v1/events/count?{query}")).ok(), json!({"count": expected.len()}), "{query}");
        let counted = analyst.get(&format!("/v1/events/distinct-users?{query}")).ok();
        assert_eq!(counted, json!({"users": users(&events, &keep)}), "{query}");
        for (range, count) in [
            ("from=2026-07-01&to=2026-07-03", 3),
            ("from=2026-06-30&to=2026-07-04&timezone=Asia/Kathmandu&granularity=day", 5),
            ("from=2026-07-01T23:59:59Z&to=2026-07-03T00:00:01Z&granularity=hour", 26),
            ("from=2026-06-01&to=2026-07-31&granularity=month&timezone=America/New_York", 2),
            ("from=2026-06-28&to=2026-07-04&granularity=week&week_start=sunday", 1),
        ] {
            // Without a tenant, a target is looked for in 31 days.
            if query.contains("target") && range.contains("month") {
                continue;
            }
            let query = format!("{query}&{range}");
            let histogram = analyst.get(&format!("/v1/events/histogram?{query}")).ok();
            assert_eq!(histogram["buckets"].as_array().unwrap().len(), count, "{query}");
            check_histogram(&histogram["buckets"], &events, &keep, &query);
        }
        if !query.contains("tenant_id") {
            let own: Keep = Box::new(move |event| event["tenant_id"] == ACME && keep(event));
            let expected = recount(&events, &own);
            assert_eq!(listed(&tenant, &query), expected, "{query}");
            let counted = tenant.get(&format!("/v1/events/count?{query}")).ok();
            assert_eq!(counted, json!({"count": expected.len()}), "{query}");
            let counted = tenant.get(&format!("/v1/events/distinct-users?{query}")).ok();
            assert_eq!(counted, json!({"users": users(&events, &own)}), "{query}");
            let range = "from=2026-07-01&to=2026-07-03&granularity=hour";
            let histogram = tenant.get(&format!("/v1/events/histogram?{query}&{range}")).ok();
            check_histogram(&histogram["buckets"], &events, &own, &query);
        }
    }
    assert!(shown > 4_000, "the cases must not be empty lists: {shown}");
}

/// The time of the server is 2026-07-23T10:00:00Z.
#[test]
fn a_histogram_covers_the_last_thirty_days_unless_told_otherwise() {
    let app = TestApp::new();
    app.admin().record(&json!({"id": numbered(1), "type": "x", "occurred_at": "2026-07-23T09:00:00Z"}));
    let analyst = app.token(Role::Analyst, None);
    let buckets = |query: &str| analyst.get(&format!("/v1/events/histogram?{query}")).ok()["buckets"].clone();
    let by_default = buckets("");
    assert_eq!(by_default.as_array().unwrap().len(), 30);
    assert_eq!(by_default[0], json!({"start": "2026-06-24T00:00:00Z", "end": "2026-06-25T00:00:00Z", "events": 0}));
    assert_eq!(by_default[29], json!({"start": "2026-07-23T00:00:00Z", "end": "2026-07-23T10:00:00Z", "events": 1}));
    let tokyo = buckets("timezone=Asia/Tokyo&from=2026-07-23");
    assert_eq!(tokyo, json!([{"start": "2026-07-23T00:00:00+09:00", "end": "2026-07-23T19:00:00+09:00", "events": 1}]));
}

fn refused(caller: &Caller<'_>, path: &str, field: &str) -> String {
    caller.get(path).problem(400, "invalid_parameter", Some(field))
}

#[test]
fn invalid_questions_name_their_field() {
    let app = TestApp::new();
    let admin = app.admin();
    for (query, field) in [
        ("granularity=minute", "granularity"),
        ("week_start=tuesday", "week_start"),
        ("from=2026-07-02&to=2026-07-01", "from"),
        ("from=2010-01-01&to=2026-07-01", "to"),
        ("from=2025-01-01&to=2026-07-01&granularity=hour", "granularity"),
        ("target_id=1&from=2026-01-01", "from"),
        ("type!=Page", "type_not"),
        ("limit=5", "limit"),
    ] {
        refused(&admin, &format!("/v1/events/histogram?{query}"), field);
    }
    let many = refused(&admin, "/v1/events/histogram?from=2025-01-01&to=2026-07-01&granularity=hour", "granularity");
    assert!(many.contains("more than 10000 buckets; send a longer granularity or a shorter range"), "{many}");
    for operation in ["count", "distinct-users"] {
        for (query, field) in [
            ("cursor=x", "cursor"),
            ("granularity=day", "granularity"),
            ("from=2026-07-02&to=2026-07-01", "from"),
            ("target_type=invoice&from=2026-01-01", "from"),
            ("outcome!=maybe", "outcome_not"),
        ] {
            refused(&admin, &format!("/v1/events/{operation}?{query}"), field);
        }
    }
    admin.get(&format!("/v1/events/count?tenant_id={ACME}")).ok();
    let scoped = app.token(Role::Auditor, Some(ACME));
    for operation in ["count", "distinct-users", "histogram"] {
        scoped.get(&format!("/v1/events/{operation}?tenant_id={OTHER}")).problem(404, "tenant_not_found", None);
        app.token(Role::Ingest, None).get(&format!("/v1/events/{operation}")).problem(403, "permission_denied", None);
    }
}
