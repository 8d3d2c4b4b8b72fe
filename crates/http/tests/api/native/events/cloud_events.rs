//! `CloudEvents` on `POST /v1/events`.

use serde_json::{Value, json};

use crate::support::TestApp;

fn event(id: &str) -> Value {
    json!({"specversion": "1.0", "id": id, "source": "/shop", "type": "login_success", "subject": "jane", "data": {"plan": "pro"}})
}

#[test]
fn one_event_a_batch_and_headers_are_recorded() {
    let app = TestApp::new();
    let send = |content_type: &str, body: &Value| {
        app.admin().call("POST", "/v1/events").header("Content-Type", content_type).body(body.to_string()).send()
    };
    let one = send("application/cloudevents+json; charset=utf-8", &event("1")).ok();
    assert_eq!((&one["stored"], &one["refused"]), (&json!(1), &json!(0)), "{one}");
    let batch = json!([event("1"), event("2"), {"specversion": "1.0", "id": "3"}]);
    let batch = send("application/cloudevents-batch+json", &batch).ok();
    assert_eq!((&batch["stored"], &batch["known"], &batch["refused"]), (&json!(1), &json!(1), &json!(1)), "{batch}");
    assert_eq!(batch["results"][2]["error"]["field"], "source");
    let call = app.admin().call("POST", "/v1/events").header("ce-specversion", "1.0").header("ce-id", "2");
    let call = call.header("ce-source", "/shop").header("ce-type", "login_success").header("ce-subject", "jane");
    let headers = call.header("Content-Type", "application/json").body("{\"plan\":\"pro\"}").send().ok();
    assert_eq!(headers["known"], json!(1), "the mode makes no difference: {headers}");
    let listed = app.admin().get("/v1/events?user_id=jane").ok();
    let events = listed["events"].as_array().unwrap();
    assert_eq!(events.len(), 2);
    assert_eq!(events[0]["metadata"]["plan"], "pro");
    assert_eq!(events[0]["metadata"]["cloudevent"]["source"], "/shop");
}

#[test]
fn bodies_that_are_no_cloud_events_are_problems() {
    let app = TestApp::new();
    for (content_type, body, code) in [
        ("application/cloudevents+json", "[]", "not_an_object"),
        ("application/cloudevents+json", "{", "malformed_json"),
        ("application/cloudevents-batch+json", "[]", "no_events"),
        ("application/cloudevents-batch+json", "{}", "malformed_json"),
    ] {
        let sent = app.admin().call("POST", "/v1/events").header("Content-Type", content_type).body(body).send();
        sent.problem(400, code, None);
    }
    let xml = app.admin().call("POST", "/v1/events").header("Content-Type", "application/cloudevents+xml").body("<a/>");
    let detail = xml.send().problem(400, "invalid_parameter", Some("Content-Type"));
    assert!(detail.contains("application/cloudevents+json"), "{detail}");
}
