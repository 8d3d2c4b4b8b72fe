//! The files of exports.

use std::io::Read as _;

use flate2::read::GzDecoder;
use serde_json::{Value, json};
use trailkeeper_domain::account::Role;

use super::{EXPORT, ids, lines, record};
use crate::audit::reads::audit_events;
use crate::support::{ACME, OTHER, TestApp, numbered, person};

/// Events with every field, and with few.
fn record_variety(app: &TestApp) {
    app.admin().record(&json!([
        {"id": numbered(3), "type": "page_load", "tenant_id": ACME, "user_id": "ann", "page": "/a?x=1", "user_name": "Ann \"A\", B"},
        {"id": numbered(1), "type": "userinfo", "tenant_id": OTHER, "user_id": "bob", "source": "192.0.2.7", "env_id": 3},
        {"id": numbered(2), "type": "logout", "user_id": "cid", "session_id": "s1", "target": {"type": "door", "id": "7"}},
        {"id": numbered(5), "type": "page_load", "user_id": "x".repeat(200), "outcome": "failure", "trace_id": "t",
         "metadata": {"n": [1, 2.50, null], "=x": "ü"}, "user_agent": "=cmd|'/c calc'!A1", "source": "2001:db8::1",
         "occurred_at": "2026-07-01T10:00:00.123456Z"},
    ]));
}

#[test]
fn ndjson_has_the_events_of_the_list_in_the_order_of_storage() {
    for app in TestApp::on_both() {
        record_variety(&app);
        let reader = app.token(Role::Analyst, None);
        let response = reader.get(EXPORT);
        assert_eq!(response.header("content-type"), Some("application/x-ndjson"));
        assert_eq!(
            response.header("content-disposition"),
            Some("attachment; filename=\"events-20260723T100000Z.ndjson\"")
        );
        let events = lines(&response);
        assert_eq!(ids(&events), [3, 1, 2, 5].map(numbered));
        for event in &events {
            let listed = reader.get(&format!("/v1/events/{}", event["id"].as_str().unwrap()));
            assert_eq!(*event, listed.ok());
            // Also the order of fields.
            assert!(response.text().contains(&listed.text()), "{}", listed.text());
        }
    }
}

#[test]
fn filters_and_credentials_are_those_of_the_list() {
    for app in TestApp::on_both() {
        record_variety(&app);
        for caller in [app.token(Role::Analyst, None), app.token(Role::Auditor, Some(ACME))] {
            for query in ["", "type=page_load", "user_id!=ann&outcome=success", "from=2026-07-02&to=2026-07-31"] {
                let listed = caller.get(&format!("/v1/events?limit=1000&{query}")).ok();
                let mut expected: Vec<Value> = listed["events"].as_array().unwrap().clone();
                let mut exported = lines(&caller.get(&format!("{EXPORT}?{query}")));
                for events in [&mut expected, &mut exported] {
                    events.sort_by_key(|event| event["id"].to_string());
                }
                assert_eq!(exported, expected, "{query}");
            }
        }
        let stranger = app.token(Role::Auditor, Some(ACME));
        stranger.get(&format!("{EXPORT}?tenant_id={OTHER}")).problem(404, "tenant_not_found", None);
        app.token(Role::Ingest, None).get(EXPORT).problem(403, "permission_denied", None);
    }
}

#[test]
fn csv_has_a_line_of_names_and_no_formulas() {
    let app = TestApp::new();
    record_variety(&app);
    let reader = app.token(Role::Analyst, None);
    let response = reader.get(&format!("{EXPORT}?format=csv&type=page_load"));
    assert_eq!(response.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
    let text = response.text();
    let mut rows = text.lines();
    assert_eq!(
        rows.next().unwrap(),
        "id,missing_names,tenant_id,env_id,occurred_at,received_at,user_id,user_name,type,outcome,source,user_agent,page,\
         session_id,trace_id,target_type,target_id,target_name,metadata,original"
    );
    let first = rows.next().unwrap();
    assert!(first.contains(",ann,\"Ann \"\"A\"\", B\",page_load,unknown,198.51.100.20,,/a?x=1,"), "{first}");
    let second = rows.next().unwrap();
    assert!(second.contains(",2026-07-01T10:00:00.123456Z,"), "{second}");
    assert!(second.contains(",2001:db8::1,'=cmd|'/c calc'!A1,"), "{second}");
    assert!(second.contains("\"{\"\"=x\"\":\"\"ü\"\",\"\"n\"\":[1,2.5,null]}\""), "{second}");
    assert_eq!(rows.next(), None);
    let kept = reader.get(&format!("{EXPORT}?format=csv&type=page_load&formulas=keep")).text();
    assert!(kept.contains(",2001:db8::1,=cmd|'/c calc'!A1,"), "{kept}");
}

#[test]
fn a_file_is_compressed_as_the_client_asks() {
    let app = TestApp::new();
    record(&app.admin(), ACME, 1..2000);
    let reader = app.token(Role::Analyst, None);
    let plain = reader.get(EXPORT);
    assert_eq!((plain.header("content-encoding"), plain.header("vary")), (None, Some("accept-encoding")));
    let gzip = reader.call("GET", EXPORT).header("Accept-Encoding", "gzip").send();
    assert_eq!(gzip.header("content-encoding"), Some("gzip"));
    let mut unpacked = Vec::new();
    GzDecoder::new(&gzip.body[..]).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, plain.body);
    assert!(gzip.body.len() * 4 < plain.body.len());
    let zstd = reader.call("GET", EXPORT).header("Accept-Encoding", "zstd, gzip;q=0.5").send();
    assert_eq!(zstd.header("content-encoding"), Some("zstd"));
    // The magic number of RFC 8878.
    assert!(zstd.body.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) && zstd.body.len() * 4 < plain.body.len());
    let parquet = reader.call("GET", &format!("{EXPORT}?format=parquet")).header("Accept-Encoding", "gzip").send();
    assert_eq!(parquet.header("content-type"), Some("application/vnd.apache.parquet"));
    assert_eq!(parquet.header("content-encoding"), None);
    assert!(parquet.body.starts_with(b"PAR1") && parquet.body.ends_with(b"PAR1"));
}

#[test]
fn an_empty_export_is_a_file_too() {
    let app = TestApp::new();
    let reader = app.token(Role::Analyst, None);
    let get = |query| reader.get(&format!("{EXPORT}?type=nothing{query}"));
    assert_eq!(get("").body.len(), 0);
    assert!(get("&format=csv").text().starts_with("id,") && get("&format=csv").text().lines().count() == 1);
    assert!(get("&format=parquet").body.ends_with(b"PAR1"));
}

#[test]
fn wrong_parameters_are_refused() {
    let app = TestApp::new();
    let reader = app.token(Role::Analyst, None);
    for (query, field) in [
        ("format=xlsx", "format"),
        ("formulas=maybe&format=csv", "formulas"),
        ("formulas=keep", "formulas"),
        ("cursor=f00", "cursor"),
        ("end=f00", "end"),
        ("format=parquet&cursor=f00", "cursor"),
        ("positions=yes", "positions"),
        ("limit=3", "limit"),
    ] {
        reader.get(&format!("{EXPORT}?{query}")).problem(400, "invalid_parameter", Some(field));
    }
}

#[test]
fn each_export_is_recorded_also_of_programs() {
    for app in TestApp::on_both() {
        let (email, jane) = person(&app, Role::Auditor, None);
        let token = app.token(Role::Analyst, None);
        for (caller, name) in [(&jane, email.as_str()), (&token, "test analyst")] {
            let before = audit_events(&app).len();
            assert_eq!(caller.get(&format!("{EXPORT}?format=csv&type=userinfo")).status, 200);
            let events = audit_events(&app);
            assert_eq!(events.len(), before + 1);
            assert_eq!((&events[0]["user_name"], &events[0]["outcome"]), (&json!(name), &json!("success")));
            let filter = json!({"type": "userinfo", "format": "csv"});
            assert_eq!(events[0]["metadata"], json!({"operation": "GET /v1/events/export", "filter": filter}));
        }
    }
}

#[test]
fn a_head_request_has_the_headers() {
    let app = TestApp::new();
    let answer = app.token(Role::Analyst, None).call("HEAD", &format!("{EXPORT}?format=csv")).send();
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    assert!(answer.header("export-end").is_some());
}
