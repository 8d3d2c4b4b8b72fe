//! `POST /v1/otlp/v1/logs`. `scripts/acceptance/senders.py` drives it by the SDK of OpenTelemetry.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use trailkeeper_domain::account::Role;

use crate::support::{ACME, TestApp, TestResponse};

const PROTOBUF: &str = "application/x-protobuf";
/// A request with one record, whose event name (field 12) is `logout`, as protocol buffers.
const LOGOUT: &[u8] = b"\x0a\x0c\x12\x0a\x12\x08\x62\x06logout";

fn request(records: &Value) -> String {
    json!({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}).to_string()
}

fn sent(app: &TestApp, content_type: &str, body: impl Into<Vec<u8>>) -> TestResponse {
    app.admin().call("POST", "/v1/otlp/v1/logs").header("Content-Type", content_type).body(body).send()
}

#[test]
fn records_are_stored_once_in_both_encodings() {
    let app = TestApp::new();
    let body = request(&json!([{"eventName": "logout"}]));
    assert_eq!(sent(&app, "application/json", body.clone()).ok(), json!({}));
    assert_eq!(sent(&app, "application/json; charset=utf-8", body).ok(), json!({}));
    let answer = sent(&app, PROTOBUF, LOGOUT);
    assert_eq!((answer.status, answer.header("content-type")), (200, Some(PROTOBUF)));
    assert_eq!(answer.text(), "", "an empty ExportLogsServiceResponse");
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(LOGOUT).unwrap();
    let call = app.admin().call("POST", "/v1/otlp/v1/logs").header("Content-Type", PROTOBUF);
    assert_eq!(call.header("Content-Encoding", "gzip").body(packer.finish().unwrap()).send().status, 200);
    let listed = app.admin().get("/v1/events?type=logout&tenant_id=00000000-0000-0000-0000-000000000000").ok();
    let events = listed["events"].as_array().unwrap();
    assert_eq!(events.len(), 1, "equal records merge: {listed}");
    assert_eq!(events[0]["source"], json!(null), "the exporter's address is not the user's");
}

#[test]
fn rejected_records_are_a_partial_success() {
    let app = TestApp::new();
    let answer =
        sent(&app, "application/json", request(&json!([{"eventName": "a"}, {}, {"eventName": "Not A Type"}]))).ok();
    assert_eq!(answer["partialSuccess"]["rejectedLogRecords"], "2", "{answer}");
    let message = answer["partialSuccess"]["errorMessage"].as_str().unwrap();
    assert!(message.starts_with("event_name: is missing"), "{message}");
    // Another tenant than the credential's.
    let tenant =
        json!({"key": "trailkeeper.tenant_id", "value": {"stringValue": "11111111-2222-4333-8444-555555555555"}});
    let call = app.token(Role::Ingest, Some(ACME));
    let call = call.call("POST", "/v1/otlp/v1/logs").header("Content-Type", "application/json");
    let answer = call.body(request(&json!([{"eventName": "a", "attributes": [tenant]}]))).send().ok();
    assert_eq!(answer["partialSuccess"]["rejectedLogRecords"], "1", "{answer}");
}

#[test]
fn errors_are_a_status_in_the_encoding_of_the_request() {
    let app = TestApp::new();
    for (content_type, body, status, code) in [
        ("application/json", &b"{"[..], 400, 3),
        ("application/json", br#"{"resourceLogs":1}"#, 400, 3),
        ("text/plain", b"x", 400, 3),
    ] {
        let answer = sent(&app, content_type, body);
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (status, Some("application/json")),
            "{}",
            answer.text()
        );
        assert_eq!(answer.json()["code"], code);
        assert!(answer.json()["message"].as_str().is_some_and(|message| message.len() > 10));
    }
    let answer = sent(&app, PROTOBUF, b"\xff");
    assert_eq!((answer.status, answer.header("content-type")), (400, Some(PROTOBUF)));
    assert!(answer.body.starts_with(b"\x08\x03\x12"), "{:?}", answer.body);
    let anonymous = app.anon().call("POST", "/v1/otlp/v1/logs").header("Content-Type", PROTOBUF).body(LOGOUT).send();
    assert_eq!((anonymous.status, anonymous.header("content-type")), (401, Some(PROTOBUF)));
    assert!(anonymous.body.starts_with(b"\x08\x10\x12") && anonymous.header("www-authenticate").is_some());
    let many = request(&json!(vec![json!({"eventName": "a"}); 5_001]));
    let answer = sent(&app, "application/json", many);
    assert_eq!((answer.status, &answer.json()["code"]), (413, &json!(3)));
}
