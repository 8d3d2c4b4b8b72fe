//! Invalid input to the SaaSus operations: always a 400 that names the field, in the contract's error format.

use serde_json::{Value, json};
use trailkeeper_domain::account::Role;

use crate::support::contracts::{refused, unix};
use crate::support::{ACME, TestApp};

#[test]
fn queries() {
    let app = TestApp::new();
    let admin = app.admin();
    for (path, start) in [
        ("active-users?date_from=2026-01-01", "type: is missing"),
        ("active-users?type=weekly&date_from=2026-01-01", "type: 'weekly'"),
        ("active-users?type=daily", "date_from: is missing"),
        ("active-users?type=daily&date_from=2026-01", "date_from: '2026-01' is not a date"),
        ("active-users?type=monthly&date_from=2026-01-01", "date_from: '2026-01-01' is not a month"),
        ("active-users?type=daily&date_from=2026-02-30", "date_from: '2026-02-30'"),
        ("active-users?type=daily&date_from=2026-01-01&date_to=", "date_to: ''"),
        ("active-users?type=daily&date_from=2026-01-02&date_to=2026-01-01", "date_from: '2026-01-02' lies after"),
        (
            "active-users?type=daily&date_from=2015-01-01&date_to=2026-01-01",
            "date_to: '2026-01-01' is more than 10 years",
        ),
        ("active-users?type=daily&date_from=1970-01-01", "date_to: "),
        ("active-users?type=daily&date_from=2026-01-01&date_from=2026-01-02", "date_from: was sent more than once"),
        ("active-users?type=daily&date_from=2026-01-01&env_id=1", "env_id: needs tenant_id"),
        ("active-users?type=daily&date_from=2026-01-01&tenant_id=acme", "tenant_id: 'acme'"),
        ("active-users?type=daily&date_from=2026-01-01&tenant_id=ACME&env_id=-1", "tenant_id: "),
        ("metrics/aggregated?start_date=2026-01-01&end_date=2026-01-02", "metrics_type: is missing"),
        ("metrics/aggregated?metrics_type=x&start_date=2026-01-01&end_date=2026-01-02", "metrics_type: 'x'"),
        ("metrics/aggregated?metrics_type=create_tenant&end_date=2026-01-02", "start_date: is missing"),
        ("metrics/aggregated?metrics_type=create_tenant&start_date=2026-01-02", "end_date: is missing"),
        ("metrics/aggregated?metrics_type=create_tenant&start_date=2026-01-02&end_date=2026-01-01", "start_date: "),
        ("metrics/aggregated?metrics_type=create_tenant&start_date=2015-01-01&end_date=2026-01-01", "end_date: "),
        (
            "metrics/aggregated?metrics_type=create_tenant&start_date=2026-1-1&end_date=2026-01-01",
            "start_date: '2026-1-1'",
        ),
        (
            "metrics/aggregated?metrics_type=create_tenant&start_date=2026-01-01&end_date=2026-01-01&tenant_ids=a",
            "tenant_ids: 'a'",
        ),
        (
            "metrics/aggregated?metrics_type=create_tenant&start_date=2026-01-01&end_date=2026-01-01&tenant_ids=,",
            "tenant_ids: ''",
        ),
        ("userinfo/aggregated?start_date=yesterday&end_date=2026-01-01", "start_date: 'yesterday'"),
        ("userinfo/aggregated?start_date=2026-01-01&end_date=1969-12-31", "end_date: '1969-12-31'"),
        ("userinfo/aggregated?start_date=2026-01-01&end_date=2026-01-01%00", "end_date: "),
        ("userinfo/aggregated?start_date=%ff&end_date=2026-01-01", "start_date: "),
        ("metrics/page-statistics?end_timestamp=1", "start_timestamp: is missing"),
        ("metrics/page-statistics?start_timestamp=1", "end_timestamp: is missing"),
        ("metrics/page-statistics?start_timestamp=2&end_timestamp=1", "start_timestamp: 2 lies after"),
        ("metrics/page-statistics?start_timestamp=1.5&end_timestamp=2", "start_timestamp: '1.5'"),
        ("metrics/page-statistics?start_timestamp=-1&end_timestamp=2", "start_timestamp: '-1'"),
        ("metrics/page-statistics?start_timestamp=0&end_timestamp=99999999999999999999", "end_timestamp: '99999"),
        ("metrics/page-statistics?start_timestamp=0&end_timestamp=1704067199000", "end_timestamp: '1704067199000'"),
        (
            "metrics/page-statistics?start_timestamp=0&end_timestamp=1704067199",
            "end_timestamp: 1704067199 is more than 10 years",
        ),
        ("users/%00/behavior-histories", "user_id: "),
        ("users/%ff/behavior-histories", "user_id: "),
    ] {
        refused(&admin.get(&format!("/v1/analysis/{path}")), 400, "invalid_parameter", start);
    }
    let env =
        |env: &str| format!("/v1/analysis/active-users?type=daily&date_from=2026-01-01&tenant_id={ACME}&env_id={env}");
    for bad in ["-1", "1.0", "4294967296", "", "x", "+1"] {
        refused(&admin.get(&env(bad)), 400, "invalid_parameter", "env_id: ");
    }
}

#[test]
fn unknown_query_parameters_are_ignored() {
    let app = TestApp::new();
    app.admin().get("/v1/analysis/active-users?type=daily&date_from=2026-07-01&colour=red").ok();
}

fn without(body: &Value, field: &str) -> Value {
    let mut body = body.clone();
    body.as_object_mut().unwrap().remove(field);
    body
}

fn with(body: &Value, field: &str, value: Value) -> Value {
    let mut body = body.clone();
    body[field] = value;
    body
}

#[test]
fn reports_of_active_users() {
    let app = TestApp::new();
    let admin = app.admin();
    let path = "/v1/analysis/active-users";
    let good = json!({"type": "daily", "date": "2026-07-01", "tenant_id": ACME, "env_id": 1, "active_users": 5});
    for field in ["type", "date", "tenant_id", "env_id", "active_users"] {
        refused(&admin.put(path, &without(&good, field)), 400, "invalid_parameter", &format!("{field}: is missing"));
        refused(
            &admin.put(path, &with(&good, field, json!(null))),
            400,
            "invalid_parameter",
            &format!("{field}: is missing"),
        );
        refused(
            &admin.put(path, &with(&good, field, json!([1]))),
            400,
            "invalid_parameter",
            &format!("{field}: a list is not"),
        );
    }
    for (field, value) in [
        ("type", json!("weekly")),
        ("type", json!(1)),
        ("date", json!("2026-07")),
        ("date", json!("2026-02-29")),
        ("date", json!(20_260_701)),
        ("tenant_id", json!("acme")),
        ("tenant_id", json!("69e732d6\u{0}8ecc-45c4-a2eb-8438f7ffe775")),
        ("env_id", json!(-1)),
        ("env_id", json!(4_294_967_296_u64)),
        ("env_id", json!("1")),
        ("env_id", json!(1.5)),
        ("active_users", json!(-1)),
        ("active_users", json!(9_223_372_036_854_775_808_u64)),
        ("active_users", json!(1e300)),
        ("active_users", json!("5")),
        ("active_users", json!(true)),
    ] {
        refused(&admin.put(path, &with(&good, field, value.clone())), 400, "invalid_parameter", &format!("{field}: "));
    }
    let answer = admin.get("/v1/analysis/active-users?type=daily&date_from=2026-07-01").ok();
    assert_eq!(answer, json!({"data": []}));
}

#[test]
fn reports_of_behavior() {
    let app = TestApp::new();
    let admin = app.admin();
    let path = "/v1/analysis/user-behavior-day";
    let now = unix("2026-07-23T09:00:00Z");
    let good = json!({"timestamp": now, "user_id": "u1", "histories": [{"timestamp": now, "referer": "/a"}]});
    for field in ["timestamp", "user_id", "histories"] {
        refused(&admin.put(path, &without(&good, field)), 400, "invalid_parameter", &format!("{field}: is missing"));
    }
    for (field, value, start) in [
        ("timestamp", json!(now * 1000), "timestamp: "),
        ("timestamp", json!(-1), "timestamp: "),
        ("timestamp", json!(1.5), "timestamp: "),
        ("timestamp", json!("1640995200"), "timestamp: "),
        ("user_id", json!(""), "user_id: is empty"),
        ("user_id", json!("u".repeat(129)), "user_id: has 129 characters"),
        ("user_id", json!("a\u{0}"), "user_id: contains the control character"),
        ("user_id", json!(7), "user_id: 7 is not a text"),
        ("histories", json!({}), "histories: an object is not a list"),
        ("histories", json!(["/a"]), "histories[0]: '/a' is not an object"),
        ("histories", json!([{"timestamp": now}]), "histories[0].referer: is missing"),
        ("histories", json!([{"referer": "/a"}]), "histories[0].timestamp: is missing"),
        ("histories", json!([{"timestamp": "x", "referer": "/a"}]), "histories[0].timestamp: "),
        ("histories", json!([{"timestamp": now, "referer": 5}]), "histories[0].referer: 5 is not a text"),
    ] {
        refused(&admin.put(path, &with(&good, field, value)), 400, "invalid_parameter", start);
    }
    for (body, start) in [
        (b"{\"timestamp\":1e999}".as_slice(), "timestamp: 1e999 is not a whole number"),
        (b"{\"timestamp\":1640995200,\"user_id\":\"\xff\"}", "user_id: '\u{fffd}' (no Unicode) is not a text"),
    ] {
        let answer = admin.call("PUT", path).header("Content-Type", "application/json").body(body).send();
        refused(&answer, 400, "invalid_parameter", start);
    }
    assert_eq!(admin.get("/v1/events?user_id=u1").ok()["events"], json!([]));
}

#[test]
fn bodies_that_are_not_json_objects() {
    let app = TestApp::new();
    let admin = app.admin();
    for path in ["/v1/analysis/active-users", "/v1/analysis/user-behavior-day"] {
        let send = |body: &[u8]| admin.call("PUT", path).header("Content-Type", "application/json").body(body).send();
        for body in ["", "{", "nonsense", "{\"type\":\"daily\"} {}", "{\"timestamp\":1e}", "[[[["] {
            refused(&send(body.as_bytes()), 400, "malformed_json", "this is not valid JSON");
        }
        refused(&send(b"{\"user_id\":\xff}"), 400, "malformed_json", "this is not valid JSON");
        for body in ["null", "[]", "5", "\"x\""] {
            refused(&send(body.as_bytes()), 400, "not_an_object", "");
        }
        refused(&send(b"{\"type\":\"daily\",\"type\":\"daily\"}"), 400, "invalid_parameter", "type: stands twice");
        let xml = admin.call("PUT", path).header("Content-Type", "text/xml").body("{}").send();
        refused(&xml, 400, "invalid_parameter", "Content-Type: 'text/xml'");
        let large = admin
            .call("PUT", path)
            .header("Content-Type", "application/json")
            .body(vec![b' '; 8 * 1024 * 1024 + 1])
            .send();
        refused(&large, 413, "body_too_large", "");
        let auditor = app.token(Role::Auditor, None);
        let large = auditor.call("PUT", path).body(vec![b' '; 8 * 1024 * 1024 + 1]).send();
        refused(&large, 403, "permission_denied", "the role 'auditor' may not");
    }
}

#[test]
fn unknown_paths_and_methods() {
    let app = TestApp::new();
    let admin = app.admin();
    for path in [
        "/v1/analysis",
        "/v1/analysis/",
        "/v1/analysis/users",
        "/v1/analysis/metrics/x",
        "/v1/analysis/users//behavior-histories",
    ] {
        refused(&admin.get(path), 404, "unknown_path", "there is no ");
    }
    for (method, path, allow) in [
        ("POST", "/v1/analysis/active-users", "GET, HEAD, PUT"),
        ("DELETE", "/v1/analysis/user-behavior-day", "PUT"),
        ("PATCH", "/v1/analysis/metrics/aggregated", "GET, HEAD"),
    ] {
        let answer = admin.call(method, path).send();
        refused(&answer, 405, "method_not_allowed", "this path has no method");
        assert_eq!(answer.header("allow"), Some(allow));
    }
}

#[test]
fn every_answer_carries_the_trace_id() {
    let app = TestApp::new();
    let path = "/v1/analysis/active-users?type=daily&date_from=2026-07-01";
    for (answer, inherited) in [
        (app.admin().call("GET", path).header("X-Saasus-Trace-Id", "trace-4711").send(), true),
        (app.anon().call("GET", path).header("X-Saasus-Trace-Id", "trace-4711").send(), true),
        (app.admin().call("GET", path).header("X-Saasus-Trace-Id", "has a space").send(), false),
        (app.admin().get(path), false),
    ] {
        let id = answer.header("x-saasus-trace-id").unwrap();
        assert_eq!(id == "trace-4711", inherited, "{id}");
        assert_eq!(answer.header("x-request-id"), Some(id));
    }
}
