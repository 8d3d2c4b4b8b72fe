//! Requests outside the API, and request ids.

use serde_json::json;

use crate::support::{ACME, TestApp};

#[test]
fn unknown_paths_are_problems() {
    let app = TestApp::new();
    for path in [
        "/nothing",
        "/v1",
        "/v1/",
        "/v1/event",
        "/v1/events/",
        "/v1/tenants/a/b",
        "/v2/events",
        "/V1/events",
        "/v1//events",
        "/favicon.ico",
        "/docs/nothing",
    ] {
        let detail = app.admin().get(path).problem(404, "unknown_path", None);
        assert!(detail.contains(&format!("'{path}'")) && detail.contains("/openapi.json"), "{detail}");
        app.anon().get(path).problem(404, "unknown_path", None);
    }
    app.anon().post("/nowhere", &json!({})).problem(404, "unknown_path", None);
}

#[test]
fn a_time_without_an_offset_is_refused_for_that_reason() {
    let app = TestApp::new();
    let admin = app.admin();
    let local = "2026-07-01T12:00:00";
    let recorded = admin.record(&json!([{"type": "x", "occurred_at": local}]));
    let refused = &recorded["results"][0]["error"];
    assert_eq!(refused["field"], "occurred_at", "{recorded}");
    let registered = admin.put("/v1/users/u1", &json!({"registered_at": local}));
    let details = [
        refused["detail"].as_str().unwrap().to_owned(),
        registered.problem(400, "invalid_parameter", Some("registered_at")),
        admin.get(&format!("/v1/events?from={local}")).problem(400, "invalid_parameter", Some("from")),
        admin.get(&format!("/v1/analytics/traffic?from={local}")).problem(400, "invalid_parameter", Some("from")),
    ];
    for detail in details {
        assert!(detail.contains("'2026-07-01T12:00:00' has no offset") && detail.contains("add Z for UTC"), "{detail}");
    }
}

#[test]
fn unknown_methods_are_problems_that_name_the_supported_ones() {
    let app = TestApp::new();
    for (method, path, allow) in [
        ("DELETE", "/v1/events", "POST, GET, HEAD"),
        ("PATCH", "/v1/events", "POST, GET, HEAD"),
        ("OPTIONS", "/v1/events", "POST, GET, HEAD"),
        ("TRACE", "/v1/events", "POST, GET, HEAD"),
        ("BREW", "/v1/events", "POST, GET, HEAD"),
        ("POST", "/v1/tenants", "GET, HEAD"),
        ("POST", "/v1/users/u1", "PUT, GET, HEAD, DELETE"),
        ("PUT", "/healthz", "GET, HEAD"),
        ("POST", "/openapi.json", "GET, HEAD"),
        ("POST", "/docs/", "GET, HEAD"),
        ("POST", "/docs", "GET, HEAD"),
        ("HEAD", "/api/UserAccount/Login", "POST"),
    ] {
        let answer = app.anon().call(method, path).send();
        assert_eq!(answer.header("allow"), Some(allow), "{method} {path}");
        assert_eq!(answer.status, 405, "{method} {path}");
        if path.starts_with("/v1/") {
            answer.problem(405, "method_not_allowed", None);
        }
    }
}

#[test]
fn every_path_with_get_supports_head() {
    let app = TestApp::new();
    for path in ["/healthz", "/readyz", "/openapi.json", "/openapi/native.json", "/docs/", "/v1/events", "/v1/nowhere"]
    {
        let (get, head) = (app.admin().get(path), app.admin().call("HEAD", path).send());
        assert_eq!((head.status, head.header("content-type")), (get.status, get.header("content-type")), "{path}");
    }
    assert_eq!(app.anon().call("HEAD", "/v1/events").send().status, 401);
}

#[test]
fn invalid_text_is_rejected_with_its_field() {
    let app = TestApp::new();
    let admin = app.admin();
    for (path, field) in [
        ("/v1/events?user_id=%FF%FE", "user_id"),
        ("/v1/events?user_id=a%00b", "user_id"),
        ("/v1/events?session_id=%C3%28", "session_id"),
        ("/v1/events?%FF=x", "query"),
        ("/v1/events?a%00=x", "query"),
        ("/v1/users/%FF", "user_id"),
        ("/v1/users/a%00", "user_id"),
        ("/v1/users/%ED%A0%80", "user_id"),
        ("/v1/events/%FF", "event_id"),
    ] {
        admin.get(path).problem(400, "invalid_parameter", Some(field));
    }
    let path = format!("/v1/tenants/{ACME}");
    for body in [b"{\"name\":\"\xff\"}".as_slice(), b"{\"name\":\"\\ud800\"}"] {
        admin.call("PUT", &path).body(body).send().problem(400, "invalid_parameter", Some("name"));
    }
    admin.call("PUT", &path).body(b"{\"name\":\xff}".as_slice()).send().problem(400, "malformed_json", None);
    admin.call("PUT", &path).body("{\"name\":\"a\\u0000\"}").send().problem(400, "invalid_parameter", Some("name"));
    admin.call("PUT", &path).body("[".repeat(100_000)).send().problem(400, "malformed_json", None);
}

#[test]
fn a_message_shows_no_more_of_a_bad_value_than_it_needs() {
    let app = TestApp::new();
    let detail = app.admin().get(&format!("/v1/events?outcome={}", "x".repeat(5_000))).problem(
        400,
        "invalid_parameter",
        Some("outcome"),
    );
    assert!(detail.len() < 200, "{detail}");
}

#[test]
fn every_response_carries_the_requests_id() {
    let app = TestApp::new();
    let visible = "!~aZ9-".repeat(21);
    for path in ["/v1/events", "/healthz", "/nowhere"] {
        for name in ["X-Saasus-Trace-Id", "X-Request-Id"] {
            for inherited in ["abc", visible.as_str()] {
                let answer = app.admin().call("GET", path).header(name, inherited).send();
                assert_eq!(answer.header("x-saasus-trace-id"), Some(inherited));
                assert_eq!(answer.header("x-request-id"), Some(inherited));
            }
            for replaced in ["", "a b", "tab\there", "ümlaut", &"x".repeat(129)] {
                let answer = app.admin().call("GET", path).header(name, replaced).send();
                let id = answer.header("x-request-id").unwrap();
                assert_eq!(answer.header("x-saasus-trace-id"), Some(id));
                assert!(uuid::Uuid::parse_str(id).is_ok(), "{replaced:?} became {id}");
            }
        }
    }
    let both = app
        .admin()
        .call("GET", "/healthz")
        .header("X-Saasus-Trace-Id", "first")
        .header("X-Request-Id", "second")
        .send();
    assert_eq!(both.header("x-request-id"), Some("first"));
    let ids: Vec<_> = (0..2).map(|_| app.anon().get("/healthz").header("x-request-id").unwrap().to_owned()).collect();
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn bodies_over_the_limit_are_rejected_everywhere() {
    let app = TestApp::new();
    let admin = app.admin();
    let large = format!("{{{}", " ".repeat(8 * 1024 * 1024));
    for path in [format!("/v1/tenants/{ACME}"), "/v1/users/u1".to_owned(), format!("/v1/tenants/{ACME}/users/u1")] {
        admin.call("PUT", &path).body(large.clone()).send().problem(413, "body_too_large", None);
    }
}
