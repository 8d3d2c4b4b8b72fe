//! The bodies of `POST /v1/events`: formats, compression, limits.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use crate::support::{TestApp, TestResponse};

const EVENT: &str = "{\"type\":\"logout\"}";
const LIMIT: usize = 8 * 1024 * 1024;

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(plain).unwrap();
    packer.finish().unwrap()
}

fn sent(app: &TestApp, content_type: Option<&str>, encoding: Option<&str>, body: impl Into<Vec<u8>>) -> TestResponse {
    let mut call = app.admin().call("POST", "/v1/events").body(body);
    if let Some(value) = content_type {
        call = call.header("Content-Type", value);
    }
    if let Some(value) = encoding {
        call = call.header("Content-Encoding", value);
    }
    call.send()
}

#[test]
fn one_object_a_list_or_lines() {
    let app = TestApp::new();
    let json = Some("application/json");
    let ndjson = Some("application/x-ndjson");
    for (content_type, body, stored, refused) in [
        (json, EVENT.to_owned(), 1, 0),
        (None, EVENT.to_owned(), 1, 0),
        (Some("Application/JSON; charset=utf-8"), format!(" [{EVENT},{EVENT}]\n"), 2, 0),
        (ndjson, format!("{EVENT}\n{EVENT}\r\n\n  \n{EVENT}"), 3, 0),
        (ndjson, format!("{EVENT}\nnot json\n[{EVENT}]\n{EVENT}\n"), 2, 2),
    ] {
        let answer = sent(&app, content_type, None, body).ok();
        assert_eq!((&answer["stored"], &answer["refused"]), (&json!(stored), &json!(refused)), "{answer}");
    }
}

#[test]
fn a_rejected_event_keeps_its_id() {
    let app = TestApp::new();
    let id = |n: u8| format!("01975f3c-2b4e-7c10-9a31-5f0d2f9b1c{n:02}");
    let events = json!([
        {"id": id(1), "type": "Not A Type"},
        {"id": id(2)},
        {"id": id(3), "type": "x", "env_id": [1]},
        {"id": "mine", "type": "x"},
        {"id": id(5), "type": "x"},
    ]);
    let answer = app.admin().record(&events);
    let ids: Vec<_> = answer["results"].as_array().unwrap().iter().map(|result| result["id"].clone()).collect();
    assert_eq!(ids, [json!(id(1)), json!(id(2)), json!(id(3)), json!(null), json!(id(5))], "{answer}");
}

#[test]
fn a_body_without_events_is_rejected_as_a_whole() {
    let app = TestApp::new();
    let json = Some("application/json");
    for (content_type, body, code) in [
        (json, "", "no_events"),
        (json, "[]", "no_events"),
        (json, "[1, \"x\", null, []]", "no_events"),
        (json, "17", "not_an_object"),
        (json, "\"text\"", "not_an_object"),
        (json, "null", "not_an_object"),
        (json, "{", "malformed_json"),
        (json, "[{\"type\":\"logout\"}", "malformed_json"),
        (json, "type=logout", "malformed_json"),
        (Some("application/x-ndjson"), "\n\n", "no_events"),
        (Some("application/x-ndjson"), "no\nno", "no_events"),
    ] {
        sent(&app, content_type, None, body).problem(400, code, None);
    }
    sent(&app, json, None, b"{\"type\":\xff}").problem(400, "malformed_json", None);
    let none = "00000000-0000-0000-0000-000000000000";
    assert_eq!(app.admin().get(&format!("/v1/events?tenant_id={none}")).ok()["events"], json!([]));
}

#[test]
fn byte_order_marks_are_skipped_and_bytes_that_are_not_utf_8_spoil_only_their_field() {
    for app in TestApp::on_both() {
        let mark = "\u{feff}";
        for (content_type, body, stored) in [
            ("application/json", format!("{mark}{EVENT}"), 1),
            ("application/json", format!("{mark}[{EVENT},{EVENT}]"), 2),
            ("application/x-ndjson", format!("{mark}{EVENT}\r\n{mark}{EVENT}\n{mark}\n {mark}{EVENT}"), 3),
        ] {
            let answer = sent(&app, Some(content_type), None, body).ok();
            assert_eq!((&answer["stored"], &answer["refused"]), (&json!(stored), &json!(0)), "{answer}");
        }
        let put = app.admin().call("PUT", "/v1/users/u1").header("Content-Type", "application/json");
        put.body(format!("{mark}{{\"username\":\"jane\"}}")).send().ok();
        assert_eq!(app.admin().get("/v1/users/u1").ok()["username"], "jane");

        // ISO 8859-1 in the middle of a batch.
        let body = b"[{\"type\":\"a\"},{\"type\":\"latin\",\"user_id\":\"caf\xe9\",\"user_agent\":\"caf\xe9 1\"},{\"type\":\"\xe9\"}]";
        let answer = sent(&app, Some("application/json"), None, body).ok();
        let statuses: Vec<_> = answer["results"].as_array().unwrap().iter().map(|result| &result["status"]).collect();
        assert_eq!(json!(statuses), json!(["stored", "stored", "refused"]));
        let event = app.admin().get("/v1/events?type=latin").ok()["events"][0].clone();
        assert_eq!((&event["user_id"], &event["user_agent"]), (&json!(null), &json!("caf\u{fffd} 1")));
        assert_eq!(event["original"], json!({"user_id": {"text": "\"caf\\udce9\""}}));
    }
}

#[test]
fn unknown_formats_are_named() {
    let app = TestApp::new();
    for content_type in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "\u{fffd}"]
    {
        let detail =
            sent(&app, Some(content_type), None, EVENT).problem(400, "invalid_parameter", Some("Content-Type"));
        assert!(detail.contains("application/x-ndjson"), "{detail}");
    }
    for encoding in ["br", "deflate", "zstd", "gzip, gzip"] {
        let detail =
            sent(&app, None, Some(encoding), EVENT).problem(400, "invalid_parameter", Some("Content-Encoding"));
        assert!(detail.contains("gzip"), "{detail}");
    }
}

#[test]
fn gzip_is_unpacked() {
    let app = TestApp::new();
    for encoding in ["gzip", "GZIP", "x-gzip"] {
        assert_eq!(sent(&app, None, Some(encoding), gzip(EVENT.as_bytes())).ok()["stored"], 1);
    }
    assert_eq!(sent(&app, None, Some("identity"), EVENT).ok()["stored"], 1);
    let lines = format!("{EVENT}\n{EVENT}\n");
    assert_eq!(sent(&app, Some("application/x-ndjson"), Some("gzip"), gzip(lines.as_bytes())).ok()["stored"], 2);
    // Concatenated gzip files are one file.
    let members = [gzip(format!("{EVENT}\n").as_bytes()), gzip(EVENT.as_bytes())].concat();
    assert_eq!(sent(&app, Some("application/x-ndjson"), Some("gzip"), members).ok()["stored"], 2);
    // Zero bytes after a member are padding.
    let zeros = vec![0; 511];
    let lines = gzip(format!("{EVENT}\n").as_bytes());
    let members = [&lines[..], &zeros, &lines, &zeros].concat();
    assert_eq!(sent(&app, Some("application/x-ndjson"), Some("gzip"), members).ok()["stored"], 2);
    assert_eq!(sent(&app, None, Some("gzip"), [gzip(EVENT.as_bytes()), zeros].concat()).ok()["stored"], 1);
}

#[test]
fn invalid_gzip_is_rejected() {
    let app = TestApp::new();
    let packed = gzip(EVENT.as_bytes());
    let mut damaged = packed.clone();
    let at = damaged.len() - 6;
    damaged[at] ^= 0xff;
    for body in [
        EVENT.as_bytes().to_vec(),
        packed[..packed.len() - 3].to_vec(),
        damaged,
        [&packed[..], b"tail"].concat(),
        [&packed[..], b"\0\0tail"].concat(),
        Vec::new(),
    ] {
        sent(&app, None, Some("gzip"), body).problem(400, "invalid_gzip", Some("Content-Encoding"));
    }
}

#[test]
fn five_thousand_events_and_no_more() {
    let app = TestApp::new();
    let list = |count: usize| format!("[{}]", vec![EVENT; count].join(","));
    assert_eq!(sent(&app, None, None, list(5_000)).ok()["stored"], 5_000);
    let lines = format!("{EVENT}\n").repeat(5_001);
    for answer in [sent(&app, None, None, list(5_001)), sent(&app, Some("application/x-ndjson"), None, lines)] {
        let detail = answer.problem(413, "too_many_events", None);
        assert!(detail.contains("5001") && detail.contains("5000"), "{detail}");
    }
}

#[test]
fn eight_mebibytes_and_no_more() {
    let app = TestApp::new();
    let padded = |size: usize| format!("{EVENT}{}", " ".repeat(size - EVENT.len()));
    assert_eq!(sent(&app, None, None, padded(LIMIT)).ok()["stored"], 1);
    let detail = sent(&app, None, None, padded(LIMIT + 1)).problem(413, "body_too_large", None);
    assert!(detail.contains("8388608"), "{detail}");
    assert_eq!(sent(&app, None, Some("gzip"), gzip(padded(LIMIT).as_bytes())).ok()["stored"], 1);
    sent(&app, None, Some("gzip"), gzip(padded(LIMIT + 1).as_bytes())).problem(413, "body_too_large", None);
}

#[test]
fn a_gzip_bomb_stops_at_the_limit() {
    let app = TestApp::new();
    // 64 members of 16 MiB of spaces each: 1 GiB from 1 MiB.
    let member = gzip(&vec![b' '; 16 * 1024 * 1024]);
    let bomb: Vec<u8> = member.iter().copied().cycle().take(member.len() * 64).collect();
    assert!(bomb.len() < 2 * 1024 * 1024);
    let detail = sent(&app, None, Some("gzip"), bomb).problem(413, "body_too_large", None);
    assert!(detail.contains("8388608"), "{detail}");
}

#[test]
fn a_length_over_the_limit_is_rejected_before_the_body_is_read() {
    let app = TestApp::new();
    let call = app.admin().call("POST", "/v1/events").header("Content-Length", "99999999999");
    call.send().problem(413, "body_too_large", None);
}
