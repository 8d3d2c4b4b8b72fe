//! Requests of OTLP, encoded by the official messages.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, helpers included")]

use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse};
use prost::Message as _;
use serde_json::{Value, json};
use trailkeeper_domain::Error;
use trailkeeper_domain::event::EventDraft;
use trailkeeper_domain::time::rfc3339;
use trailkeeper_parsers::otlp::{self, Encoding};

fn attribute(key: &str, value: &Value) -> Value {
    json!({"key": key, "value": value})
}

fn text(key: &str, value: &str) -> Value {
    attribute(key, &json!({"stringValue": value}))
}

fn record(attributes: &[Value]) -> Value {
    json!({
        "timeUnixNano": "1761990000123456789", "observedTimeUnixNano": "1761990000200000000", "eventName": "login_success",
        "severityNumber": 9, "severityText": "INFO", "body": {"stringValue": "hello"}, "attributes": attributes,
        "traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174"
    })
}

fn request(records: &[Value]) -> Value {
    let resource = json!({"attributes": [text("service.name", "shop"), text("process.command", "secret")]});
    let scope = json!({"name": "auth", "version": "1"});
    json!({"resourceLogs": [{"resource": resource, "scopeLogs": [{"scope": scope, "logRecords": records}]}]})
}

/// The same request as protocol buffers, by the official messages.
fn protobuf(request: &Value) -> Vec<u8> {
    serde_json::from_value::<ExportLogsServiceRequest>(request.clone()).unwrap().encode_to_vec()
}

/// The events of a request, which both encodings agree about; a text for each record that is none.
fn events(request: &Value) -> Vec<Result<EventDraft, String>> {
    let read = |bytes: &[u8], encoding| {
        let events = otlp::parse(bytes, encoding, 5_000).unwrap().into_iter();
        events.map(|event| event.map_err(|unreadable| unreadable.error.to_string())).collect::<Vec<_>>()
    };
    let json = read(request.to_string().as_bytes(), Encoding::Json);
    assert_eq!(json, read(&protobuf(request), Encoding::Protobuf));
    json
}

fn event(attributes: &[Value]) -> EventDraft {
    events(&request(&[record(attributes)])).pop().unwrap().unwrap()
}

fn metadata(draft: &EventDraft) -> Value {
    draft.metadata.as_ref().unwrap().as_str().parse().unwrap()
}

#[test]
fn a_record_becomes_an_event() {
    let draft = event(&[
        text("user.id", "jane"),
        text("client.address", "203.0.113.7"),
        text("session.id", "s"),
        text("url.path", "/login"),
        text("user_agent.original", "curl"),
        text("trailkeeper.outcome", "failure"),
        attribute(
            "plan",
            &json!({"kvlistValue": {"values": [attribute("seats", &json!({"intValue": "9007199254740993"}))]}}),
        ),
    ]);
    assert_eq!((draft.kind.as_str(), draft.user_id.as_deref()), ("login_success", Some("jane")));
    assert_eq!(draft.occurred_at.map(rfc3339).as_deref(), Some("2025-11-01T09:40:00.123456789Z"));
    assert_eq!((draft.source.as_deref(), draft.session_id.as_deref()), (Some("203.0.113.7"), Some("s")));
    assert_eq!((draft.page.as_deref(), draft.user_agent.as_deref()), (Some("/login"), Some("curl")));
    assert_eq!(draft.trace_id.as_deref(), Some("5b8efff798038103d269b633813fc60c"));
    let expected = json!({"body": "hello", "severity": "INFO", "span_id": "eee19b7ec3c1b174", "scope": "auth",
        "resource": {"service.name": "shop"}, "attributes": {"plan": {"seats": 9_007_199_254_740_993_u64}}});
    assert_eq!(metadata(&draft), expected);
}

#[test]
fn the_user_is_never_a_pseudonym() {
    let pseudonym = text("enduser.pseudo.id", "p");
    assert_eq!(event(std::slice::from_ref(&pseudonym)).user_id, None);
    let draft = event(&[pseudonym.clone(), text("enduser.id", "e")]);
    assert_eq!(draft.user_id.as_deref(), Some("e"));
    assert_eq!(metadata(&draft)["attributes"], json!({"enduser.pseudo.id": "p"}));
    assert_eq!(event(&[text("enduser.id", "e"), text("user.id", "u")]).user_id.as_deref(), Some("u"));
    assert_eq!(event(&[attribute("user.id", &json!({"intValue": "42"}))]).user_id.as_deref(), Some("42"));
    assert_eq!(event(&[attribute("user.id", &json!({"boolValue": true}))]).mistyped["user_id"], "true");
}

#[test]
fn equal_records_have_one_id_and_others_have_others() {
    let id = |request: &Value| events(request).pop().unwrap().unwrap().id.unwrap();
    let one = request(&[record(&[])]);
    assert_eq!((id(&one), id(&one).get_version_num()), (id(&one.clone()), 8));
    assert_ne!(id(&one), id(&request(&[record(&[text("a", "b")])])));
    let mut other = one.clone();
    other["resourceLogs"][0]["resource"]["attributes"][1]["value"]["stringValue"] = json!("other");
    assert_ne!(id(&one), id(&other), "the resource counts");
    let mut other = one.clone();
    other["resourceLogs"][0]["scopeLogs"][0]["scope"]["version"] = json!("2");
    assert_ne!(id(&one), id(&other), "the scope counts");
    let uuid = "01975f3c-2b4e-7c10-9a31-5f0d2f9b1c77";
    assert_eq!(event(&[text("log.record.uid", uuid)]).id.unwrap().to_string(), uuid);
    let named = event(&[text("log.record.uid", "01ARZ3NDEKTSV4RRFFQ69G5FAV")]).id;
    assert_eq!(named, event(&[text("log.record.uid", "01ARZ3NDEKTSV4RRFFQ69G5FAV"), text("a", "b")]).id);
}

#[test]
fn records_that_are_no_events_are_refused_one_by_one() {
    let named = |name: &str, change: &Value| {
        let mut record = record(&[text("event.name", name)]);
        record.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        record
    };
    let found = events(&request(&[
        named("", &json!({"eventName": ""})),
        named("named_by_attribute", &json!({"eventName": ""})),
        named("attribute", &json!({"eventName": "field"})),
        named("a", &json!({"timeUnixNano": "18446744073709551615"})),
        named("a", &json!({"timeUnixNano": "0"})),
        named("a", &json!({"attributes": [text("trailkeeper.tenant_id", "acme")]})),
    ]));
    let said: Vec<String> =
        found.into_iter().map(|event| event.map_or_else(|error| error, |event| event.kind)).collect();
    assert!(said[0].starts_with("event_name: is missing"), "{said:?}");
    assert_eq!(said[1..3], ["named_by_attribute", "field"]);
    assert!(said[3].starts_with("time_unix_nano: "), "{said:?}");
    assert_eq!(said[4], "login_success");
    assert!(said[5].starts_with("trailkeeper.tenant_id: "), "{said:?}");
}

#[test]
fn unknown_fields_are_ignored_and_empty_requests_are_fine() {
    for request in [json!({}), json!({"resourceLogs": []}), json!({"resourceLogs": [{}]}), json!({"x": 1})] {
        assert_eq!(events(&request), []);
    }
    let mut extended = request(&[record(&[])]);
    extended["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]["newField"] = json!({"a": [1]});
    extended["resourceLogs"][0]["new"] = json!(7);
    assert_eq!(otlp::parse(extended.to_string().as_bytes(), Encoding::Json, 1).unwrap().len(), 1);
    // Field 100 of a record, a varint, is unknown too.
    let mut bytes = protobuf(&request(&[]));
    bytes.extend([0xa0, 0x06, 0x01]);
    assert_eq!(otlp::parse(&bytes, Encoding::Protobuf, 1).unwrap().len(), 0);
}

#[test]
fn limits_hold_before_anything_is_decoded() {
    let many = request(&vec![json!({"eventName": "a"}); 11]);
    for (bytes, encoding) in [(many.to_string().into_bytes(), Encoding::Json), (protobuf(&many), Encoding::Protobuf)] {
        assert!(matches!(otlp::parse(&bytes, encoding, 10), Err(Error::TooLarge(_))));
        assert_eq!(otlp::parse(&bytes, encoding, 11).unwrap().len(), 11);
    }
    let large = request(&[record(&[text("a", &"x".repeat(otlp::MAX_RECORD))]), record(&[])]);
    let found = otlp::parse(&protobuf(&large), Encoding::Protobuf, 10).unwrap();
    assert!(found[0].is_err() && found[1].is_ok());
    for (bytes, encoding) in [
        (&b"\x0a\x05\x01"[..], Encoding::Protobuf),
        (b"\x0a\x02\x0a\xff", Encoding::Protobuf),
        (b"not protobuf", Encoding::Protobuf),
        (b"{", Encoding::Json),
        (b"[]", Encoding::Json),
        (br#"{"resourceLogs":7}"#, Encoding::Json),
        (br#"{"resourceLogs":[7]}"#, Encoding::Json),
    ] {
        assert!(matches!(otlp::parse(bytes, encoding, 10), Err(Error::Invalid(_))), "{bytes:?}");
    }
}

#[test]
fn answers_are_those_of_the_official_messages() {
    let answer = |rejected, message| {
        let protobuf = otlp::success(Encoding::Protobuf, rejected, message);
        let decoded = ExportLogsServiceResponse::decode(protobuf.as_slice()).unwrap();
        let json: Value = serde_json::from_slice(&otlp::success(Encoding::Json, rejected, message)).unwrap();
        (decoded.partial_success.map(|partial| (partial.rejected_log_records, partial.error_message)), json)
    };
    assert_eq!(answer(0, ""), (None, json!({})));
    let partial = json!({"partialSuccess": {"rejectedLogRecords": "2", "errorMessage": "why"}});
    assert_eq!(answer(2, "why"), (Some((2, "why".to_owned())), partial));
    assert_eq!(otlp::status(Encoding::Protobuf, 3, "no"), b"\x08\x03\x12\x02no");
    assert_eq!(otlp::status(Encoding::Json, 3, "no"), br#"{"code":3,"message":"no"}"#);
}
