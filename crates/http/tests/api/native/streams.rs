//! Forwarding streams: their records. What they send is tested by `crates/forward` and `scripts/acceptance/streams.py`.

use serde_json::{Value, json};

use crate::support::{ACME, START, TestApp};

const STREAMS: &str = "/v1/streams";
const SYSTEM: &str = "/v1/events?tenant_id=ffffffff-ffff-ffff-ffff-ffffffffffff&limit=1000";

fn siem() -> Value {
    json!({
        "name": "SIEM",
        "tenant_id": ACME,
        "filter": {"type": ["login_fail"], "source_not": ["10.0.0.0/8"], "env_id": [1]},
        "destination": "https://siem.example/in?key=SECRET",
    })
}

fn path_of(stream: &Value) -> String {
    format!("{STREAMS}/{}", stream["stream_id"].as_str().unwrap())
}

#[test]
fn a_stream_is_made_listed_changed_and_deleted() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        admin.record(&json!([{"type": "login_fail"}]));
        let answer = admin.post(STREAMS, &siem());
        assert_eq!((answer.status, answer.header("cache-control")), (201, Some("no-store")));
        let made = answer.ok();
        let (stream, secret) = (&made["stream"], made["secret"].as_str().unwrap());
        assert_eq!(answer.header("location"), Some(path_of(stream).as_str()));
        assert!(secret.starts_with("whsec_") && secret.len() == 50, "{secret}");
        let feed = admin.get("/v1/events/feed?start=now").ok();
        let expected = json!({
            "stream_id": stream["stream_id"], "name": "SIEM", "tenant_id": ACME, "filter": siem()["filter"],
            "destination": "https://siem.example/in?key=SECRET", "format": "native", "state": "active",
            "position": stream["position"], "behind_events": stream["behind_events"], "behind_since": null,
            "last_success_at": null, "last_error": null, "last_error_at": null, "failures": 0,
            "failing_since": null, "next_attempt_at": null, "gap_at": null, "previous_secret_until": null,
            "created_at": START, "changed_at": START,
        });
        assert_eq!(*stream, expected);
        assert!(admin.get(&path_of(stream)).ok().get("secret").is_none());
        // Both begin behind the same event.
        assert!(feed["next_cursor"].as_str().unwrap().starts_with(&stream["position"].as_str().unwrap()[..33]));

        let all = json!({"destination": "https://siem.example/", "start": "beginning"});
        let other = admin.post(STREAMS, &all).ok()["stream"].clone();
        assert_eq!((&other["name"], &other["tenant_id"], &other["filter"]), (&Value::Null, &Value::Null, &json!({})));
        assert!(other["behind_events"].as_i64().unwrap() >= 1, "{other}");
        assert_eq!(other["behind_since"], START);

        let first = admin.get(&format!("{STREAMS}?limit=1")).ok();
        assert_eq!(first["streams"][0]["stream_id"], stream["stream_id"]);
        let rest = admin.get(&format!("{STREAMS}?cursor={}", first["next_cursor"].as_str().unwrap())).ok();
        assert_eq!((&rest["streams"][0]["stream_id"], &rest["next_cursor"]), (&other["stream_id"], &Value::Null));

        let change = json!({"name": null, "filter": {"type_not": ["page_load"]}, "paused": true});
        let changed = admin.patch(&path_of(stream), &change).ok();
        let seen = ["name", "filter", "state", "destination"].map(|field| changed[field].clone());
        assert_eq!(
            seen,
            [Value::Null, json!({"type_not": ["page_load"]}), json!("paused"), siem()["destination"].clone()]
        );
        assert_eq!(admin.patch(&path_of(stream), &json!({"paused": false})).ok()["state"], "active");
        let moved = admin.patch(&path_of(stream), &json!({"start": feed["next_cursor"]})).ok();
        assert_eq!(moved["position"].as_str().unwrap()[..65], feed["next_cursor"].as_str().unwrap()[..65]);

        admin.delete(&path_of(stream)).no_content();
        for answer in [admin.delete(&path_of(stream)), admin.get(&path_of(stream))] {
            answer.problem(404, "stream_not_found", None);
        }
        assert_eq!(admin.get(STREAMS).ok()["streams"].as_array().unwrap().len(), 1);
    }
}

#[test]
fn changes_are_recorded_with_the_host_of_the_destination_alone() {
    let app = TestApp::new();
    let admin = app.admin();
    let stream = admin.post(STREAMS, &siem()).ok()["stream"].clone();
    let path = path_of(&stream);
    admin.patch(&path, &json!({"paused": true, "start": "now"})).ok();
    admin.patch(&path, &json!({"paused": true})).ok();
    admin.post(&format!("{path}/rotate-secret"), &json!({})).ok();
    admin.post(&format!("{path}/test"), &json!({})).ok();
    admin.delete(&path).no_content();
    let mut trail = admin.get(SYSTEM).ok()["events"].as_array().unwrap().clone();
    trail.retain(|event| event["type"].as_str().unwrap().starts_with("stream_"));
    trail.reverse();
    let kinds: Vec<&str> = trail.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["stream_create", "stream_change", "stream_secret_rotate", "stream_delete"]);
    for event in &trail {
        let target = json!({"type": "stream", "id": stream["stream_id"], "name": "SIEM"});
        assert_eq!(event["target"], target);
    }
    let created = json!({
        "host": "siem.example", "format": "native", "tenant_id": ACME, "filter": siem()["filter"], "start": "now",
    });
    assert_eq!(trail[0]["metadata"], created);
    let changed = json!({
        "changed": ["start", "state"],
        "state": {"from": "active", "to": "paused"},
        "start": {"from": null, "to": "now"},
    });
    assert_eq!(trail[1]["metadata"], changed);
    assert_eq!(trail[3]["metadata"], json!({"host": "siem.example"}));
    assert!(!format!("{trail:?}").contains("SECRET"));
}

#[test]
fn a_rotated_secret_is_shown_once_and_the_old_one_signs_for_a_day() {
    let app = TestApp::new();
    let admin = app.admin();
    let made = admin.post(STREAMS, &siem()).ok();
    let path = path_of(&made["stream"]);
    let answer = admin.post(&format!("{path}/rotate-secret"), &json!({}));
    assert_eq!((answer.status, answer.header("cache-control")), (200, Some("no-store")));
    let rotated = answer.ok();
    assert_ne!(rotated["secret"], made["secret"]);
    let id = trailkeeper_domain::id::StreamId::parse("id", made["stream"]["stream_id"].as_str().unwrap()).unwrap();
    let signing = |after: chrono::TimeDelta| -> Vec<Value> {
        let stream = app.state.access().stream(id).unwrap();
        let secrets = app.state.access().stream_secrets(&stream, app.now() + after).unwrap();
        secrets.iter().map(|secret| json!(secret.expose())).collect()
    };
    let (new, old) = (rotated["secret"].clone(), made["secret"].clone());
    assert_eq!(signing(chrono::TimeDelta::hours(24) - chrono::TimeDelta::seconds(1)), [new.clone(), old]);
    assert_eq!(signing(chrono::TimeDelta::hours(24)), [new]);
}

#[test]
fn a_test_says_whether_the_destination_accepts() {
    let app = TestApp::new();
    let admin = app.admin();
    for (destination, accepted, error) in [
        ("https://siem.example/", true, Value::Null),
        ("https://other.example/", false, json!("other.example answered 404")),
    ] {
        let stream = admin.post(STREAMS, &json!({"destination": destination})).ok()["stream"].clone();
        let tested = admin.post(&format!("{}/test", path_of(&stream)), &json!({})).ok();
        assert_eq!((&tested["accepted"], &tested["error"]), (&json!(accepted), &error));
        assert_eq!(admin.get(&path_of(&stream)).ok(), stream, "a test changes nothing");
    }
}

#[test]
fn wrong_streams_are_refused_by_field() {
    let app = TestApp::new();
    let admin = app.admin();
    let good = admin.post(STREAMS, &siem()).ok()["stream"].clone();
    for (body, field) in [
        (json!({}), "destination"),
        (json!({"destination": "http://siem.example/"}), "destination"),
        (json!({"destination": "https://10.0.0.1/"}), "destination"),
        (json!({"destination": "https://siem.example/", "name": ""}), "name"),
        (json!({"destination": "https://siem.example/", "tenant_id": "x"}), "tenant_id"),
        (json!({"destination": "https://siem.example/", "format": "xml"}), "format"),
        (json!({"destination": "https://siem.example/", "start": "tomorrow"}), "start"),
        (json!({"destination": "https://siem.example/", "filter": []}), "filter"),
        (json!({"destination": "https://siem.example/", "filter": {"type": ["A"]}}), "filter.type[0]"),
        (json!({"destination": "https://siem.example/", "filter": {"kind": ["a"]}}), "filter.kind"),
        (json!({"destination": "https://siem.example/", "secret": "x"}), "secret"),
    ] {
        admin.post(STREAMS, &body).problem(400, "invalid_parameter", Some(field));
    }
    for (body, field) in [
        (json!({"destination": "https://siem.example/"}), "destination"),
        (json!({"format": "xml"}), "format"),
        (json!({"paused": "yes"}), "paused"),
    ] {
        admin.patch(&path_of(&good), &body).problem(400, "invalid_parameter", Some(field));
    }
    let lost = format!("f{}{}", "0".repeat(32), "0".repeat(48));
    let answer = admin.post(STREAMS, &json!({"destination": "https://siem.example/", "start": lost}));
    answer.problem(410, "cursor_expired", Some("start"));
    assert_eq!(admin.get(&path_of(&good)).ok(), good);
}

#[test]
fn there_can_be_a_hundred_streams() {
    let app = TestApp::new();
    let admin = app.admin();
    let body = json!({"destination": "https://siem.example/"});
    for _ in 0..100 {
        assert_eq!(admin.post(STREAMS, &body).status, 201);
    }
    admin.post(STREAMS, &body).problem(409, "too_many_streams", None);
}
