//! Bad values of optional fields: the event is stored, and so is what it said.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use trailkeeper_testkit::DatabaseKind;

use crate::support::{ACME, TestApp, numbered};

/// The fields that identify something, with the longest text of each.
const IDENTIFYING: [(&str, usize); 6] =
    [("user_id", 128), ("page", 2048), ("session_id", 128), ("trace_id", 128), ("target.type", 64), ("target.id", 256)];

/// The fields for display, with the longest text of each.
const FREE: [(&str, usize); 3] = [("user_agent", 1024), ("user_name", 256), ("target.name", 256)];

/// An event whose field has this JSON as its value.
fn event(number: u128, field: &str, value: &str) -> String {
    let field = match field.split_once('.') {
        Some((outer, inner)) => format!("\"{outer}\":{{\"{inner}\":{value}}}"),
        None => format!("\"{field}\":{value}"),
    };
    format!("{{\"id\":\"{}\",\"type\":\"x\",{field}}}", numbered(number))
}

/// Records a batch of events as they are written, and expects all of them to be stored. Returns the warnings of each.
fn recorded(app: &TestApp, events: &[String]) -> Vec<Vec<(String, String)>> {
    let body = format!("[{}]", events.join(","));
    let answer =
        app.admin().call("POST", "/v1/events").header("Content-Type", "application/json").body(body).send().ok();
    let warnings = |result: &Value| {
        assert_eq!(result["status"], "stored", "{result}");
        let warnings = result.get("warnings").map_or(Vec::new(), |warnings| warnings.as_array().unwrap().clone());
        assert!(result.get("warnings").is_none() || !warnings.is_empty(), "an empty list is left out");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        warnings.iter().map(|warning| (text(&warning["field"]), text(&warning["what"]))).collect()
    };
    answer["results"].as_array().unwrap().iter().map(warnings).collect()
}

/// The value of a field of the stored event, and what is kept of the fields that it lacks.
fn stored(app: &TestApp, number: u128, field: &str) -> (Value, Value) {
    let event = app.admin().get(&format!("/v1/events/{}", numbered(number))).ok();
    let value = field.split('.').fold(&event, |value, name| &value[name]);
    (value.clone(), event["original"].clone())
}

/// What is kept of a value, computed by another implementation of SHA-256.
fn kept(whole: &str) -> Value {
    let text: String = whole.chars().take(1024).map(|c| if c == '\0' { '\u{2400}' } else { c }).collect();
    if text == whole {
        return json!({"text": text});
    }
    let hash = digest(&SHA256, whole.as_bytes());
    let hash = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    json!({"text": text, "sha256": hash})
}

/// Bad values of a field that takes texts of up to `max` characters: the JSON, and what is kept of it if it is not cut.
fn bad_values(max: usize) -> Vec<(String, String)> {
    let texts = [
        "é".repeat(max + 1),
        "a".repeat(5_000),
        "a\tb".to_owned(),
        "\0".to_owned(),
        "x\u{7f}".to_owned(),
        "\u{85}".to_owned(),
    ];
    let texts = texts.into_iter().map(|text| (json!(text).to_string(), text));
    let others =
        ["7", "12345678901234567890123", "1E-400", "1e999", "true", "false", "[1,\"a\\tb\"]", "{\"b\":1.50,\"a\":[]}"];
    let spaced = ("[ 1 , { \"a b\" : null } ]".to_owned(), "[1,{\"a b\":null}]".to_owned());
    texts.chain(others.map(|json| (json.to_owned(), json.to_owned()))).chain([spaced]).collect()
}

#[test]
fn a_field_that_identifies_something_is_stored_unchanged_or_kept_as_it_was_sent() {
    for app in TestApp::on_both() {
        let mut cases = Vec::new();
        for (field, max) in IDENTIFYING {
            cases.extend(bad_values(max).into_iter().map(|(value, whole)| (field, value, whole)));
            cases.push((field, "\"\\ud83d\"".to_owned(), "\"\\ud83d\"".to_owned()));
        }
        cases.extend(bad_values(40).into_iter().map(|(value, whole)| ("source", value, whole)));
        for text in ["AWS Internal", "host.example", "300.1.1.1", "-"] {
            cases.push(("source", json!(text).to_string(), text.to_owned()));
        }
        for value in ["7", "true", "[]", "[1,2]"] {
            cases.push(("metadata", value.to_owned(), value.to_owned()));
            cases.push(("target", value.to_owned(), value.to_owned()));
        }
        for field in ["metadata", "target"] {
            cases.push((field, json!("plan pro").to_string(), "plan pro".to_owned()));
        }
        let events: Vec<String> =
            cases.iter().enumerate().map(|(at, (field, value, _))| event(at as u128, field, value)).collect();
        let warnings = recorded(&app, &events);
        for (at, (field, value, whole)) in cases.iter().enumerate() {
            let (seen, original) = stored(&app, at as u128, field);
            assert_eq!((seen, original), (Value::Null, json!({*field: kept(whole)})), "{field}: {value}");
            let [(named, what)] = warnings[at].as_slice() else { panic!("{field}: {value}: {:?}", warnings[at]) };
            assert_eq!(named, field);
            assert!(what.ends_with(&format!("; null is stored, and the text is in original.{field}")), "{what}");
        }
        // The longest good value is stored as it is.
        let events: Vec<String> = IDENTIFYING
            .iter()
            .enumerate()
            .map(|(at, (field, max))| event(1_000 + at as u128, field, &json!("é".repeat(*max)).to_string()))
            .collect();
        assert!(recorded(&app, &events).iter().all(Vec::is_empty));
        for (at, (field, max)) in IDENTIFYING.into_iter().enumerate() {
            assert_eq!(stored(&app, 1_000 + at as u128, field), (json!("é".repeat(max)), Value::Null));
        }
    }
}

#[test]
fn a_text_for_display_is_cut() {
    for app in TestApp::on_both() {
        let mut cases = Vec::new();
        for (field, max) in FREE {
            for (value, expected) in [
                (json!("é".repeat(max + 1)).to_string(), json!("é".repeat(max))),
                (
                    json!(format!("{}\u{1f600}b", "a".repeat(max - 1))).to_string(),
                    json!(format!("{}\u{1f600}", "a".repeat(max - 1))),
                ),
                (json!("a\tb\r\n\u{0}\u{85}c").to_string(), json!("a b    c")),
                ("\"a\\ud83d\"".to_owned(), json!("a\u{fffd}")),
            ] {
                cases.push((field, value, expected, Value::Null));
            }
            for value in ["7", "1e999", "[\"a\"]", "{}", "false"] {
                cases.push((field, value.to_owned(), Value::Null, json!({field: {"text": value}})));
            }
        }
        let events: Vec<String> =
            cases.iter().enumerate().map(|(at, (field, value, ..))| event(at as u128, field, value)).collect();
        let warnings = recorded(&app, &events);
        for (at, (field, value, expected, original)) in cases.into_iter().enumerate() {
            assert_eq!(stored(&app, at as u128, field), (expected, original), "{field}: {value}");
            assert_eq!(warnings[at].iter().map(|(named, _)| named).collect::<Vec<_>>(), [field], "{value}");
        }
    }
}

#[test]
fn an_empty_text_is_absent() {
    for app in TestApp::on_both() {
        let fields: Vec<&str> =
            IDENTIFYING.iter().chain(&FREE).map(|(field, _)| *field).chain(["source", "target", "metadata"]).collect();
        let events: Vec<String> =
            fields.iter().enumerate().map(|(at, field)| event(at as u128, field, "\"\"")).collect();
        assert!(recorded(&app, &events).iter().all(Vec::is_empty));
        for (at, field) in fields.into_iter().enumerate() {
            // An event without a source has the one of its request.
            let expected = if field == "source" { json!("198.51.100.20") } else { Value::Null };
            assert_eq!(stored(&app, at as u128, field), (expected, Value::Null), "{field}");
        }
    }
}

#[test]
fn metadata_that_cannot_be_stored_is_kept_by_its_start() {
    for app in TestApp::on_both() {
        let nested = |levels: usize| format!("{{\"a\":{}1{}}}", "[".repeat(levels), "]".repeat(levels));
        let cases = [
            format!("{{\"a\":\"{}\"}}", "x".repeat(16 * 1024)),
            format!("{{\"a\":\"{}\"}}", "é".repeat(8 * 1024)),
            nested(32),
            nested(5_000),
            "{\"a\":\"\\u0000\"}".to_owned(),
            "{\"\\u0000\":1}".to_owned(),
            "{\"a\":[\"\\ud83d\"]}".to_owned(),
            "{\"n\":1e16400}".to_owned(),
            "{\"n\":[-1E-16400]}".to_owned(),
            "{\"n\":1e99999999999999999999999}".to_owned(),
            format!("{{\"n\":[{}1]}}", "1e9000,".repeat(2)),
        ];
        let events: Vec<String> =
            cases.iter().enumerate().map(|(at, json)| event(at as u128, "metadata", json)).collect();
        let warnings = recorded(&app, &events);
        for (at, json) in cases.iter().enumerate() {
            let expected = (Value::Null, json!({"metadata": kept(json)}));
            assert_eq!(stored(&app, at as u128, "metadata"), expected, "{json:.100}");
            assert_eq!(warnings[at][0].0, "metadata");
        }
        // The largest and the deepest that are stored.
        let good = [format!("{{\"a\":\"{}\"}}", "x".repeat(16 * 1024 - 8)), nested(31)];
        let events: Vec<String> =
            good.iter().enumerate().map(|(at, json)| event(100 + at as u128, "metadata", json)).collect();
        assert!(recorded(&app, &events).iter().all(Vec::is_empty));
        for (at, json) in good.iter().enumerate() {
            assert_eq!(stored(&app, 100 + at as u128, "metadata"), (json.parse().unwrap(), Value::Null));
        }
    }
}

#[test]
fn a_strict_field_refuses_the_event() {
    let app = TestApp::new();
    for (field, values) in [
        ("id", vec!["\"mine\"", "7", "\" \"", "[]"]),
        ("tenant_id", vec!["\"acme\"", "7", "\" \"", "{}"]),
        ("type", vec!["\"Page Load\"", "7", "\"\"", "\"\\ud83d\"", "null"]),
        ("occurred_at", vec!["\"yesterday\"", "1700000000", "\" \"", "\"2026-02-30T00:00:00Z\""]),
        ("env_id", vec!["-1", "4294967296", "\"1\"", "1.5", "\" \"", "1e999"]),
        ("outcome", vec!["\"maybe\"", "7", "\" \"", "true"]),
        ("colour", vec!["\"red\""]),
        ("target.kind", vec!["\"red\""]),
    ] {
        for value in values {
            let id = if field == "id" { String::new() } else { format!("\"id\":\"{}\",", numbered(1)) };
            let kind = if field == "type" { "" } else { "\"type\":\"x\"," };
            let inner = match field.split_once('.') {
                Some((outer, inner)) => format!("\"{outer}\":{{\"{inner}\":{value}}}"),
                None => format!("\"{field}\":{value}"),
            };
            let body = format!("{{{id}{kind}{inner}}}");
            let answer = app.admin().call("POST", "/v1/events").body(body.clone()).send().ok();
            assert_eq!(answer["results"][0]["status"], "refused", "{body}");
            assert_eq!(answer["results"][0]["error"]["field"], field, "{body}");
            assert!(answer["results"][0].get("warnings").is_none());
        }
    }
    let list = app.admin().get("/v1/events?type=x").ok();
    assert_eq!(list["events"], json!([]));
}

#[test]
fn an_empty_strict_field_is_an_absent_one() {
    let app = TestApp::new();
    let body = r#"{"type":"login_fail","id":"","tenant_id":"","occurred_at":"","env_id":"","outcome":""}"#;
    let answer = app.admin().call("POST", "/v1/events").body(body).send().ok();
    assert_eq!((&answer["results"][0]["status"], answer["results"][0].get("warnings")), (&json!("stored"), None));
    let event = app.admin().get(&format!("/v1/events/{}", answer["results"][0]["id"].as_str().unwrap())).ok();
    assert_eq!((&event["env_id"], &event["outcome"], &event["original"]), (&json!(1), &json!("failure"), &Value::Null));
    assert_eq!(
        (&event["tenant_id"], &event["occurred_at"]),
        (&json!("00000000-0000-0000-0000-000000000000"), &event["received_at"])
    );
}

#[test]
fn a_retry_is_known_and_several_fields_are_kept_at_once() {
    for app in TestApp::on_both() {
        let event = json!({"id": numbered(1), "type": "login_fail", "tenant_id": ACME, "user_id": "u".repeat(2_000),
            "user_agent": "a\tb", "source": "AWS Internal", "session_id": 5, "trace_id": "t", "metadata": {"a": 1}});
        let admin = app.admin();
        let answer = admin.record(&event);
        let fields: Vec<_> = answer["results"][0]["warnings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|warning| warning["field"].clone())
            .collect();
        assert_eq!(json!(fields), json!(["user_id", "source", "user_agent", "session_id"]));
        app.clock.advance(TimeDelta::minutes(1));
        assert_eq!(admin.record(&event)["results"], json!([{"id": numbered(1), "status": "known"}]));
        let expected = json!({
            "user_id": kept(&"u".repeat(2_000)), "source": {"text": "AWS Internal"}, "session_id": {"text": "5"},
        });
        for seen in [
            admin.get(&format!("/v1/events?tenant_id={ACME}")).ok()["events"][0].clone(),
            admin.get(&format!("/v1/events/{}", numbered(1))).ok(),
        ] {
            assert_eq!(seen["original"], expected);
            assert_eq!(
                (&seen["user_id"], &seen["source"], &seen["user_agent"]),
                (&Value::Null, &Value::Null, &json!("a b"))
            );
            assert_eq!((&seen["trace_id"], &seen["metadata"]), (&json!("t"), &json!({"a": 1})));
        }
    }
}

#[test]
fn analytics_count_a_bad_user_and_a_bad_page_as_none() {
    for app in TestApp::on_both() {
        let day = "2026-07-22T10:00:00Z";
        let users =
            [json!("u1"), json!("u2"), json!("u\t3"), json!("u".repeat(129)), json!(4), json!("u1"), Value::Null];
        let pages = [json!("/a"), json!("/b"), json!("/a\n"), json!(["/a"])];
        let mut events = Vec::new();
        for user in &users {
            for page in &pages {
                events.push(json!({"id": numbered(events.len() as u128), "type": "page_load", "tenant_id": ACME,
                    "occurred_at": day, "user_id": user, "page": page}));
            }
        }
        let admin = app.admin();
        assert_eq!(admin.record(&json!(events))["stored"], events.len());
        // The recount reads the events as they were sent: a user or page with a control character, or of another type, does
        // not count.
        let good = |value: &Value| {
            value.as_str().filter(|text| text.len() <= 128 && !text.contains(char::is_control)).map(str::to_owned)
        };
        let mut views: BTreeMap<String, Vec<Option<String>>> = BTreeMap::new();
        for event in &events {
            if let Some(page) = good(&event["page"]) {
                views.entry(page).or_default().push(good(&event["user_id"]));
            }
        }
        let query = "from=2026-07-22&to=2026-07-22";
        let answer = admin.get(&format!("/v1/analytics/page-statistics?{query}&tenant_id={ACME}")).ok();
        let rows: Vec<Value> = views
            .iter()
            .map(|(page, users)| {
                let mut distinct: Vec<_> = users.iter().flatten().collect();
                distinct.sort_unstable();
                distinct.dedup();
                json!({"page": page, "current": {"views": users.len(), "users": distinct.len()}})
            })
            .collect();
        let seen: Vec<Value> = answer["pages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| json!({"page": row["page"], "current": row["current"]}))
            .collect();
        assert_eq!(json!(seen), json!(rows), "{answer}");
        assert_eq!(rows[0]["current"], json!({"views": 7, "users": 2}), "the recount itself");
        let active = admin.get(&format!("/v1/analytics/active-users?{query}&granularity=day&tenant_id={ACME}")).ok();
        assert_eq!(active["current"]["buckets"][0]["active_users"], 2, "{active}");
    }
}

/// Draws numbers in an order that is the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(self.0 >> 33).unwrap() % bound
    }

    /// Any text: of characters that are good, of control characters, and of characters of all planes.
    fn text(&mut self) -> String {
        let length = [0, 1, 3, 40, 64, 65, 128, 129, 256, 257, 1024, 1025, 2048, 2049, 3000][self.below(15) as usize];
        let rare = self.below(3);
        let odd = self.below(length.max(1));
        (0..length)
            .map(|at| match self.below(4) {
                0 if rare == 0 => char::from_u32(self.below(0x11_0000)).unwrap_or('\u{fffd}'),
                1 if rare == 1 && at == odd => char::from_u32(self.below(0xa0)).unwrap(),
                2 => 'é',
                _ => 'a',
            })
            .collect()
    }
}

#[test]
fn any_text_in_any_optional_field_is_stored() {
    DatabaseKind::ALL.into_iter().for_each(any_text_is_stored);
}

fn any_text_is_stored(kind: DatabaseKind) {
    let app = TestApp::on(kind);
    let mut dice = Dice(11);
    let fields: Vec<(&str, usize)> = IDENTIFYING.into_iter().chain(FREE).chain([("source", 0)]).collect();
    let cases: Vec<(&str, usize, String)> = (0..700)
        .map(|at| {
            let (field, max) = fields[at % fields.len()];
            (field, max, dice.text())
        })
        .collect();
    let events: Vec<String> = cases
        .iter()
        .enumerate()
        .map(|(at, (field, _, text))| event(at as u128, field, &json!(text).to_string()))
        .collect();
    let warnings = recorded(&app, &events);
    let mut bad = 0;
    for (at, (field, max, text)) in cases.iter().enumerate() {
        let (seen, original) = stored(&app, at as u128, field);
        let is_good = (1..=*max).contains(&text.chars().count()) && !text.contains(char::is_control);
        let expected = if is_good {
            (json!(text), Value::Null)
        } else if text.is_empty() {
            (if *field == "source" { json!("198.51.100.20") } else { Value::Null }, Value::Null)
        } else if FREE.iter().any(|(free, _)| free == field) {
            let cut: String = text.chars().take(*max).map(|c| if c.is_control() { ' ' } else { c }).collect();
            (json!(cut), Value::Null)
        } else {
            (Value::Null, json!({*field: kept(text)}))
        };
        assert_eq!((seen, original), expected, "{kind:?}: {field}: {text:?}");
        assert_eq!(warnings[at].len(), usize::from(!is_good && !text.is_empty()), "{field}: {text:?}");
        bad += warnings[at].len();
    }
    assert!((200..500).contains(&bad), "{bad} of the values are bad");
}
