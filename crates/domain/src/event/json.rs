//! Events as JSON. `POST /v1/events` and `import events` use the same parser.

use crate::error::{Error, Result};
use crate::event::{EventDraft, Outcome, Target};
use crate::id::{self, EnvId, TenantId};
use crate::json::{A_TIME, JsonObject};
use crate::time;
use uuid::Uuid;

const A_UUID: &str = "a UUID such as 69e732d6-8ecc-45c4-a2eb-8438f7ffe775";

/// A sent event that cannot be parsed.
#[derive(Debug)]
pub struct Unreadable {
    /// The id that the sender chose, if at least the id can be parsed. It lets the sender find the event.
    pub id: Option<Uuid>,
    /// The reason why the event cannot be parsed.
    pub error: Error,
}

impl From<Error> for Unreadable {
    fn from(error: Error) -> Self {
        Self { id: None, error }
    }
}

impl EventDraft {
    /// The fields of an event, in the order of the documentation.
    pub const FIELDS: [&str; 15] = [
        "id",
        "occurred_at",
        "tenant_id",
        "env_id",
        "user_id",
        "user_name",
        "type",
        "outcome",
        "source",
        "user_agent",
        "page",
        "session_id",
        "trace_id",
        "target",
        "metadata",
    ];

    /// Like [`EventDraft::from_json`], but the error keeps the id of the event.
    pub fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        Self::from_json(bytes).map_err(|error| Unreadable { id: sent_id(bytes), error })
    }

    /// Parses one event: a JSON object with only known fields, each at most once and of its own type. A `null` counts
    /// as an absent field. [`EventDraft::into_event`] validates lengths and other limits later.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        let mut json = JsonObject::parse("an event", bytes)?;
        let draft = Self::take_from(&mut json)?;
        json.finish(&Self::FIELDS)?;
        Ok(draft)
    }

    /// Takes the fields of an event out of an object. The object may have other fields, so the caller must finish it.
    pub fn take_from(json: &mut JsonObject) -> Result<Self> {
        Ok(Self {
            id: json.parsed("id", A_UUID, id::parse_uuid)?,
            occurred_at: json.parsed("occurred_at", A_TIME, time::parse_rfc3339)?,
            tenant_id: json.parsed("tenant_id", A_UUID, TenantId::parse)?,
            env_id: json.unsigned("env_id")?.map(EnvId),
            user_id: json.text("user_id", "the user's id in quotes")?,
            user_name: json.text("user_name", "the user's name in quotes")?,
            kind: json.required("type", "what happened, for example \"page_load\"", JsonObject::text)?,
            outcome: json.parsed("outcome", "success, failure or unknown", Outcome::parse)?,
            source: json.text("source", "an address such as 203.0.113.7")?,
            user_agent: json.text("user_agent", "the program's name in quotes")?,
            page: json.text("page", "a URL or path such as \"/users\"")?,
            session_id: json.text("session_id", "the session's id in quotes")?,
            trace_id: json.text("trace_id", "the trace's id in quotes")?,
            target: json
                .object("target", "an object such as {\"type\":\"invoice\",\"id\":\"4711\"}")?
                .map(Target::read)
                .transpose()?,
            metadata: json.map("metadata", "an object such as {\"plan\":\"pro\"}")?,
        })
    }
}

fn sent_id(bytes: &[u8]) -> Option<Uuid> {
    JsonObject::parse("an event", bytes).and_then(|mut json| json.parsed("id", A_UUID, id::parse_uuid)).ok().flatten()
}

impl Target {
    /// The fields of a target, in the order of the documentation.
    pub const FIELDS: [&str; 3] = ["type", "id", "name"];

    /// Takes the fields of a target out of an object. The object may have other fields, so the caller must finish it.
    pub fn take_from(json: &mut JsonObject) -> Result<Self> {
        Ok(Self {
            kind: json.text("type", "the kind of object in quotes")?,
            id: json.text("id", "the object's id in quotes")?,
            name: json.text("name", "the object's name in quotes")?,
        })
    }

    fn read(mut json: JsonObject) -> Result<Self> {
        let target = Self::take_from(&mut json)?;
        json.finish(&Self::FIELDS)?;
        Ok(target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_read() {
        let draft = EventDraft::from_json(
            br#"{"id":"69e732d6-8ecc-45c4-a2eb-8438f7ffe775","occurred_at":"2026-01-31T13:00:00.5+01:00",
                "tenant_id":"11111111-2222-4333-8444-555555555555","env_id":4294967295,"user_id":"u1","user_name":"Jane",
                "type":"page_load","outcome":"success","source":"::ffff:192.0.2.1","user_agent":"curl","page":"/a?b",
                "session_id":"s","trace_id":"t","target":{"type":"invoice","id":"7","name":"No. 7"},
                "metadata":{"n":1.5,"deep":[{"a":null}]}}"#,
        )
        .unwrap();
        let expected = EventDraft {
            id: Some("69e732d6-8ecc-45c4-a2eb-8438f7ffe775".parse().unwrap()),
            occurred_at: Some(time::parse_rfc3339("t", "2026-01-31T12:00:00.5Z").unwrap()),
            tenant_id: Some(TenantId::parse("t", "11111111-2222-4333-8444-555555555555").unwrap()),
            env_id: Some(EnvId(u32::MAX)),
            user_id: Some("u1".to_owned()),
            user_name: Some("Jane".to_owned()),
            kind: "page_load".to_owned(),
            outcome: Some(Outcome::Success),
            source: Some("::ffff:192.0.2.1".to_owned()),
            user_agent: Some("curl".to_owned()),
            page: Some("/a?b".to_owned()),
            session_id: Some("s".to_owned()),
            trace_id: Some("t".to_owned()),
            target: Some(Target {
                kind: Some("invoice".to_owned()),
                id: Some("7".to_owned()),
                name: Some("No. 7".to_owned()),
            }),
            metadata: serde_json::json!({"n": 1.5, "deep": [{"a": null}]}).as_object().cloned(),
        };
        assert_eq!(draft, expected);
    }

    #[test]
    fn what_cannot_be_read_keeps_its_id() {
        let id = "69e732d6-8ecc-45c4-a2eb-8438f7ffe775";
        for (rest, kept) in [("", true), (r#","type":5"#, true), (r#","id":"x""#, false), (r#","type":"#, false)] {
            let json = format!(r#"{{"id":"{id}"{rest}}}"#);
            let unreadable = EventDraft::read(json.as_bytes()).unwrap_err();
            assert_eq!(unreadable.id.map(|id| id.to_string()), kept.then(|| id.to_owned()), "{json}");
        }
        assert_eq!(EventDraft::read(br#"{"id":"x","type":"a"}"#).unwrap_err().id, None);
    }

    #[test]
    fn null_is_absent_and_only_the_type_is_required() {
        let nulls =
            EventDraft::FIELDS.iter().filter(|field| **field != "type").map(|field| format!("\"{field}\":null,"));
        let json = format!("{{{}\"type\":\"x\"}}", nulls.collect::<String>());
        let expected = EventDraft { kind: "x".to_owned(), ..EventDraft::default() };
        assert_eq!(EventDraft::from_json(json.as_bytes()).unwrap(), expected);
    }

    #[test]
    fn numbers_keep_their_last_digit() {
        for number in ["31.245270191439438", "121.48791951161945", "0.1", "5e-324", "1.7976931348623157e308"] {
            let json = format!(r#"{{"type":"x","metadata":{{"n":{number}}}}}"#);
            let metadata = EventDraft::from_json(json.as_bytes()).unwrap().metadata.unwrap();
            let expected: f64 = number.parse().unwrap();
            assert_eq!(metadata["n"].as_f64().map(f64::to_bits), Some(expected.to_bits()), "{number}");
        }
    }

    #[test]
    fn errors_name_the_field_the_value_and_the_way_out() {
        for (json, expected) in [
            (r#"{"type":"x","source":5}"#, "source: 5 is not a text; send an address such as 203.0.113.7"),
            (r#"{"user_id":"u"}"#, "type: is missing; send what happened, for example \"page_load\""),
            (r#"{"type":null}"#, "type: is missing; send what happened, for example \"page_load\""),
            (r#"{"type":"a","type":"b"}"#, "type: stands twice; send each field once"),
            (
                r#"{"type":"a","metadata":{"k":[0,{"x":1,"x":1}]}}"#,
                "metadata.k[1].x: stands twice; send each field once",
            ),
            (" ", "this is not valid JSON: there is nothing here; send an event as a JSON object"),
            (
                r#"{"type":"x","target":{"kind":"a"}}"#,
                "target.kind: is not a field that is known here; send any of type, id, name",
            ),
            (r#"{"type":"x","target":{"id":7}}"#, "target.id: 7 is not a text; send the object's id in quotes"),
            (
                r#"{"type":"x","env_id":-1}"#,
                "env_id: -1 is not a whole number from 0 to 4294967295; send for example 1",
            ),
            (
                r#"{"type":"x","env_id":1.0}"#,
                "env_id: 1.0 is not a whole number from 0 to 4294967295; send for example 1",
            ),
            (
                r#"{"type":"x","env_id":"1"}"#,
                "env_id: '1' is not a whole number from 0 to 4294967295; send for example 1",
            ),
            (
                r#"{"type":"x","metadata":[]}"#,
                "metadata: a list is not an object; send an object such as {\"plan\":\"pro\"}",
            ),
            ("[]", "a list is not an event; send a JSON object"),
            ("null", "null is not an event; send a JSON object"),
        ] {
            assert_eq!(EventDraft::from_json(json.as_bytes()).unwrap_err().to_string(), expected, "{json}");
        }
        let unknown = EventDraft::from_json(br#"{"type":"x","kind":"y"}"#).unwrap_err().to_string();
        assert!(
            unknown.starts_with("kind: is not a field that is known here; send any of id, occurred_at,"),
            "{unknown}"
        );
    }

    #[test]
    fn absurd_input_is_an_error() {
        let deep = format!("{{\"type\":\"x\",\"metadata\":{}", "{\"a\":".repeat(100_000));
        let long = format!("{{\"type\":\"x\",\"env_id\":1{}}}", "0".repeat(400));
        for json in [
            deep.as_bytes(),
            long.as_bytes(),
            b"",
            b"{",
            b"not json",
            b"{\"type\":\"x\"} {}",
            b"{\"type\":\"x\",}",
            b"{\"type\":\"\xff\"}",
            b"{\"type\":\"\\ud800\"}",
            b"{\"type\":\"x\",\"env_id\":NaN}",
            b"{\"type\":\"x\",\"env_id\":4294967296}",
            b"{\"type\":\"x\",\"env_id\":1e400}",
            b"{\"type\":\"x\",\"env_id\":99999999999999999999999}",
            b"{\"type\":\"x\",\"occurred_at\":\"2026-02-30T00:00:00Z\"}",
            b"{\"type\":\"x\",\"occurred_at\":1700000000}",
            b"{\"type\":\"x\",\"id\":\"69e732d68ecc45c4a2eb8438f7ffe775\"}",
            b"{\"type\":\"x\",\"outcome\":\"Success\"}",
        ] {
            let error = EventDraft::from_json(json).unwrap_err();
            assert!(matches!(error, crate::Error::Invalid(_)), "{error}");
        }
    }
}
