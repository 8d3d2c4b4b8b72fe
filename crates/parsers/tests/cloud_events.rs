//! `CloudEvents` in all modes, with the examples of their specification.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, helpers included")]

use serde_json::{Value, json};
use trailkeeper_domain::event::EventDraft;
use trailkeeper_domain::time::rfc3339;
use trailkeeper_parsers::cloud_events::{binary, structured};

fn read(event: &Value) -> EventDraft {
    structured(event.to_string().as_bytes()).map_err(|unreadable| unreadable.error).unwrap()
}

fn refused(event: &Value) -> String {
    structured(event.to_string().as_bytes()).unwrap_err().error.to_string()
}

fn metadata(draft: &EventDraft) -> Value {
    draft.metadata.as_ref().unwrap().as_str().parse().unwrap()
}

fn example(data: &Value) -> Value {
    json!({
        "specversion": "1.0", "type": "com.example.someevent", "source": "/mycontext", "id": "C234-1234-1234",
        "time": "2018-04-05T17:31:00Z", "comexampleextension1": "value", "comexampleothervalue": 5,
        "datacontenttype": "application/json", "data": data
    })
}

#[test]
fn attributes_and_data_become_fields() {
    let data = json!({"user_id": "jane", "outcome": "success", "source": "203.0.113.7", "target": {"type": "invoice", "id": "7"},
        "tenant_id": "69e732d6-8ecc-45c4-a2eb-8438f7ffe775", "plan": "pro", "metadata": {"n": 1.50}});
    let draft = read(&example(&data));
    assert_eq!((draft.kind.as_str(), draft.user_id.as_deref()), ("com.example.someevent", Some("jane")));
    assert_eq!(draft.occurred_at.map(rfc3339).as_deref(), Some("2018-04-05T17:31:00Z"));
    assert_eq!(draft.target.as_ref().unwrap().id.as_deref(), Some("7"));
    assert_eq!(draft.source.as_deref(), Some("203.0.113.7"));
    let attributes = json!({"id": "C234-1234-1234", "source": "/mycontext", "datacontenttype": "application/json",
        "comexampleextension1": "value", "comexampleothervalue": 5});
    assert_eq!(metadata(&draft), json!({"plan": "pro", "n": 1.5, "cloudevent": attributes}));
    for (data, kept) in [(json!("text"), json!("text")), (json!([1]), json!([1])), (json!(7), json!(7))] {
        assert_eq!(metadata(&read(&example(&data)))["data"], kept);
    }
}

#[test]
fn an_id_is_unique_within_its_source() {
    let event = |source: &str, id: &str, data: &Value| json!({"specversion": "1.0", "type": "a", "source": source, "id": id, "data": data});
    let id = |source: &str, name: &str| read(&event(source, name, &json!({}))).id.unwrap();
    assert_eq!(id("/a", "1"), id("/a", "1"));
    assert_ne!(id("/a", "1"), id("/b", "1"));
    let uuid = "01975f3c-2b4e-7c10-9a31-5f0d2f9b1c77";
    assert_ne!(id("/a", uuid), id("/b", uuid), "a UUID may be used in two sources");
    assert_eq!(id("/a", uuid).get_version_num(), 8);
    // An event that we sent says its id again.
    let own = read(&event("/a", uuid, &json!({"id": uuid, "type": "a", "received_at": "x", "original": {}})));
    assert_eq!(own.id.unwrap().to_string(), uuid);
    assert_eq!(metadata(&own), json!({"cloudevent": {"id": uuid, "source": "/a"}}));
    let other = read(&event("/a", "7", &json!({"id": "7", "type": "order"})));
    assert_eq!(metadata(&other), json!({"id": "7", "type": "order", "cloudevent": {"id": "7", "source": "/a"}}));
}

#[test]
fn subject_and_trace_are_used_where_the_data_has_none() {
    let event = |data: Value| {
        read(&json!({"specversion": "1.0", "type": "a", "source": "/a", "id": "1", "subject": "bob", "data": data,
            "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}))
    };
    let draft = event(json!(null));
    assert_eq!(draft.user_id.as_deref(), Some("bob"));
    assert_eq!(draft.trace_id.as_deref(), Some("0af7651916cd43dd8448eb211c80319c"));
    let draft = event(json!({"user_id": "jane", "trace_id": "t"}));
    assert_eq!((draft.user_id.as_deref(), draft.trace_id.as_deref()), (Some("jane"), Some("t")));
    assert_eq!(metadata(&draft)["cloudevent"]["subject"], json!("bob"));
}

#[test]
fn the_binary_mode_has_attributes_in_headers() {
    let headers = [("specversion", "1.0"), ("type", "a"), ("source", "/caf%C3%A9"), ("id", "1"), ("subject", "J%20D")];
    let send = |content_type: Option<&str>, body: &[u8]| {
        binary(headers.iter().map(|(name, value)| (*name, value.as_bytes())), content_type, body)
            .map_err(|unreadable| unreadable.error.to_string())
    };
    let draft = send(Some("application/json; charset=utf-8"), br#"{"page":"/a"}"#).unwrap();
    assert_eq!((draft.user_id.as_deref(), draft.page.as_deref()), (Some("J D"), Some("/a")));
    assert_eq!(metadata(&draft)["cloudevent"]["source"], json!("/café"));
    let same = json!({"specversion": "1.0", "type": "a", "source": "/café", "id": "1"});
    assert_eq!(draft.id, read(&same).id, "both modes give one id");
    assert_eq!(metadata(&send(Some("text/plain"), b"hello").unwrap())["data"], json!("hello"));
    assert_eq!(metadata(&send(Some("image/png"), b"\x89PNG\xff").unwrap())["data_base64"], json!("iVBOR/8="));
    assert_eq!(metadata(&send(None, b"").unwrap()).get("data"), None);
    assert!(send(Some("application/json"), b"{").unwrap_err().contains("the data is not valid JSON"));
    let twice = [("id", &b"1"[..]), ("id", b"2")];
    assert!(binary(twice.into_iter(), None, b"").is_err());
    assert!(binary([("id", &b"%FF"[..])].into_iter(), None, b"").is_err());
}

#[test]
fn what_is_no_cloud_event_is_refused_with_its_attribute() {
    for (change, field) in [
        (json!({"specversion": "0.3"}), "specversion"),
        (json!({"specversion": null}), "specversion"),
        (json!({"id": ""}), "id"),
        (json!({"id": 7}), "id"),
        (json!({"source": null}), "source"),
        (json!({"type": null}), "type"),
        (json!({"time": "today"}), "time"),
        (json!({"data_base64": "eA=="}), "data"),
        (json!({"data": null, "data_base64": "?"}), "data_base64"),
        (json!({"data": {"outcome": "great"}}), "outcome"),
        (json!({"data": {"tenant_id": "acme"}}), "tenant_id"),
    ] {
        let mut event = example(&json!({}));
        event.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let message = refused(&event);
        assert!(message.starts_with(&format!("{field}: ")), "{change}: {message}");
    }
    assert!(structured(b"[]").is_err());
    assert!(structured(br#"{"id":"1","id":"2"}"#).is_err());
    // A wrong value of an optional field does not cost the event.
    assert_eq!(read(&example(&json!({"user_id": 7}))).mistyped["user_id"], "7");
}
