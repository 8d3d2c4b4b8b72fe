//! Invalid input to the Cripsa operations: the codes of this contract, with the field in the message.

use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::contracts::refused;

const POOL: &str = "eu-west-1_aBcD12345";

#[test]
fn queries() {
    let app = TestApp::new();
    let admin = app.admin();
    let days = "start_date=2026-01-01&end_date=2026-01-02";
    for (path, start) in [
        ("users/count?".to_owned(), "start_date: is missing"),
        (format!("users/count?{days}&region=eu-west-1"), "user_pool_id: is missing"),
        (format!("users/count?{days}&user_pool_id={POOL}"), "region: is missing"),
        (format!("users/count?end_date=2026-01-02&region=eu-west-1&user_pool_id={POOL}"), "start_date: is missing"),
        (format!("users/count?start_date=2026-01-02&region=eu-west-1&user_pool_id={POOL}"), "end_date: is missing"),
        (format!("users/count?{days}&region=us-east-1&user_pool_id={POOL}"), "region: 'us-east-1' contradicts"),
        (format!("users/count?{days}&region=eu-west-1&user_pool_id=pool"), "user_pool_id: 'pool'"),
        (format!("users/count?{days}&region=eu%20west&user_pool_id=eu%20west_1"), "user_pool_id: "),
        (
            format!("users/count?start_date=2026-01-03&end_date=2026-01-02&region=eu-west-1&user_pool_id={POOL}"),
            "start_date: '2026-01-03' lies after",
        ),
        (
            format!("users/count?start_date=2026-02-30&end_date=2026-03-02&region=eu-west-1&user_pool_id={POOL}"),
            "start_date: '2026-02-30'",
        ),
        (
            format!("users/count?start_date=2026-01-01&end_date=tomorrow&region=eu-west-1&user_pool_id={POOL}"),
            "end_date: 'tomorrow'",
        ),
        ("users".to_owned(), "email: is missing"),
        ("users?email=jane".to_owned(), "email: 'jane' is not an e-mail"),
        ("users?email=jane@example.com%00".to_owned(), "email: "),
        (
            "users?email=jane+work@example.com".to_owned(),
            "email: 'jane work@example.com' has a space, as '+' in a query",
        ),
        (
            format!("users/events?email=jane+work@example.com&{days}"),
            "email: 'jane work@example.com' has a space, as '+' in a query",
        ),
        ("users?email=jane@example.com&email=joe@example.com".to_owned(), "email: was sent more than once"),
        (format!("users?email=jane@example.com&region=x&user_pool_id={POOL}"), "region: 'x' contradicts"),
        ("users?email=jane@example.com&pool=x".to_owned(), "pool: is not a parameter here"),
        (format!("users/events?{days}"), "email: is missing"),
        ("users/events?email=jane@example.com&end_date=2026-01-01".to_owned(), "start_date: is missing"),
        (format!("users/events?email=jane@example.com&{days}&limit=0"), "limit: '0'"),
        (format!("users/events?email=jane@example.com&{days}&limit=61"), "limit: '61'"),
        (format!("users/events?email=jane@example.com&{days}&limit=x"), "limit: 'x'"),
        (format!("users/events?email=jane@example.com&{days}&next_token=x"), "next_token: is not a cursor"),
        (format!("users/events?email=jane@example.com&{days}&login_event=signin"), "login_event: 'signin'"),
        (format!("users/events?email=jane@example.com&{days}&event_response=passed"), "event_response: 'passed'"),
        (format!("users/events?email=jane@example.com&{days}&outcome=failure"), "outcome: is not a parameter here"),
    ] {
        refused(&admin.get(&format!("/v1/auditlog/{path}")), 400, "invalid_parameter", start);
    }
    let escaped = "email=jane%2Bwork@example.com&start_date=2026-01-01T00:00:00%2B01:00&end_date=2026-01-02";
    refused(
        &admin.get(&format!("/v1/auditlog/users/events?{escaped}")),
        404,
        "user_not_found",
        "email: there is no user with the e-mail 'jane+work@example.com'",
    );
    refused(
        &admin.get(&format!("/v1/auditlog/users/events?email=joe@example.com&{days}")),
        404,
        "user_not_found",
        "email: ",
    );
}

#[test]
fn updates_of_attributes() {
    let app = TestApp::new();
    let admin = app.admin();
    let send = |body: &Value| admin.call("PATCH", "/v1/auditlog/users/attributes").json(body).send();
    let one =
        |name: &str, value: Value| json!({"email": "jane@example.com", "attributes": [{"name": name, "value": value}]});
    let many: Vec<Value> = (0..101).map(|n| json!({"name": format!("a{n}"), "value": "x"})).collect();
    for (body, start) in [
        (json!({"attributes": []}), "email: is missing"),
        (json!({"email": "jane@example.com"}), "attributes: is missing"),
        (json!({"email": "jane@example.com", "attributes": {}}), "attributes: an object is not a list"),
        (json!({"email": "jane@example.com", "attributes": []}), "attributes: is empty"),
        (json!({"email": "jane@example.com", "attributes": many}), "attributes: has more than 100"),
        (json!({"email": "jane@example.com", "attributes": ["x"]}), "attributes[0]: 'x' is not an object"),
        (json!({"email": "jane@example.com", "attributes": [{"name": "x"}]}), "attributes[0].value: is missing"),
        (json!({"email": "jane@example.com", "attributes": [{"value": "x"}]}), "attributes[0].name: is missing"),
        (
            json!({"email": "jane@example.com", "attributes": [{"name": "x", "value": "y", "z": 1}]}),
            "attributes[0].z: ",
        ),
        (
            json!({"email": "jane@example.com", "attributes": [{"name": "x", "value": "y"}, {"name": "x", "value": "z"}]}),
            "attributes[1].name: 'x' stands twice",
        ),
        (json!({"email": "jane@example.com", "attributes": [{"name": "x", "value": "y"}], "pool": 1}), "pool: "),
        (
            json!({"email": "jane@example.com", "attributes": [{"name": "x", "value": "y"}], "user_pool_id": "x"}),
            "user_pool_id: ",
        ),
        (
            json!({"email": "jane@example.com", "attributes": [{"name": "x", "value": "y"}], "region": "us-east-1", "user_pool_id": POOL}),
            "region: 'us-east-1' contradicts",
        ),
        (json!({"email": "jane", "attributes": [{"name": "x", "value": "y"}]}), "email: 'jane'"),
        (one("", json!("x")), "attributes[0].name: is empty"),
        (one(&"n".repeat(33), json!("x")), "attributes[0].name: has 33 characters"),
        (one("x", json!("v".repeat(2049))), "attributes[0].value: has 2049 characters"),
        (one("x", json!("a\u{0}")), "attributes[0].value: contains the control character"),
        (one("x", json!(5)), "attributes[0].value: 5 is not a text"),
        (one("sub", json!("x")), "attributes[0].name: 'sub'"),
    ] {
        refused(&send(&body), 400, "invalid_parameter", start);
    }
    refused(&send(&json!([])), 400, "invalid_parameter", "a list is not");
    let raw = |kind: &str, body: &str| {
        admin.call("PATCH", "/v1/auditlog/users/attributes").header("Content-Type", kind).body(body).send()
    };
    refused(&raw("application/json", "{"), 400, "invalid_parameter", "this is not valid JSON");
    refused(&raw("text/plain", "{}"), 400, "invalid_parameter", "Content-Type: ");
    refused(&raw("application/json", &" ".repeat(8 * 1024 * 1024 + 1)), 413, "body_too_large", "");
}

#[test]
fn paths_methods_and_credentials() {
    let app = TestApp::new();
    for path in ["/v1/auditlog", "/v1/auditlog/", "/v1/auditlog/user", "/v1/auditlog/users/jane"] {
        refused(&app.admin().get(path), 404, "resource_not_found", "there is no ");
    }
    let answer = app.admin().post("/v1/auditlog/users/attributes", &json!({}));
    refused(&answer, 405, "method_not_allowed", "this path has no method POST");
    assert_eq!(answer.header("allow"), Some("PATCH"));
    refused(&app.anon().get("/v1/auditlog/users"), 401, "unauthorized", "");
    refused(&app.bearer("tk_nonsense").get("/v1/auditlog/users"), 401, "unauthorized", "");
}
