//! Events as JSON. `POST /v1/events` and `import events` use the same parser.

use crate::error::{Error, Result};
use crate::event::usual::usual_event;
use crate::event::{EventDraft, Metadata, Outcome, Target, Warning};
use crate::id::{self, EnvId, TenantId};
use crate::json::{A_TIME, JsonObject, JsonValue, repaired, without_mark};
use crate::time;
use uuid::Uuid;

const A_UUID: &str = "a UUID such as 69e732d6-8ecc-45c4-a2eb-8438f7ffe775";

/// The fields whose texts an event may keep because they could not be stored.
const ORIGINALS: [&str; 12] = [
    "user_id",
    "user_name",
    "source",
    "user_agent",
    "page",
    "session_id",
    "trace_id",
    "target",
    "target.id",
    "target.name",
    "target.type",
    "metadata",
];

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

    /// Parses one event: a JSON object with only known fields, each at most once. A `null` counts as an absent field, and
    /// so does an empty text, except in `type`. The strict fields must otherwise have their own types; an optional field of
    /// another type goes to [`EventDraft::mistyped`].
    /// [`EventDraft::into_event`] validates lengths and other limits later.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        let text = std::str::from_utf8(without_mark(bytes.trim_ascii_start())).ok();
        text.and_then(usual_event).map_or_else(|| Self::by_fields(bytes), Ok)
    }

    /// Like [`EventDraft::from_json`], but takes one field after the other.
    pub(super) fn by_fields(bytes: &[u8]) -> Result<Self> {
        let mut json = JsonObject::parse("an event", bytes)?;
        let draft = Self::take_from(&mut json)?;
        json.finish(&Self::FIELDS)?;
        Ok(draft)
    }

    /// Parses an event of a file: one as senders write it, or one that an export wrote.
    ///
    /// # Errors
    /// As those of [`EventDraft::from_json`] and [`EventDraft::from_export`].
    pub fn from_file(bytes: &[u8]) -> Result<Self> {
        let is_only_read = |error: &Error| {
            error
                .detail()
                .and_then(|detail| detail.field.as_deref())
                .is_some_and(|field| Self::ONLY_READ.contains(&field))
        };
        match Self::from_json(bytes) {
            Err(error) if is_only_read(&error) => Self::from_export(bytes),
            other => other,
        }
    }

    /// Parses an event that an export wrote: it has the fields that readers see, which are more than senders send. The time
    /// of receipt is not that of the draft, and neither is the position. Texts that could not be stored are those that the
    /// draft has in [`EventDraft::mistyped`] again; of a longer one, the first 1,024 characters.
    ///
    /// # Errors
    /// As [`EventDraft::from_json`], and [`Error::Invalid`] for an event that lost fields, which have placeholders.
    pub fn from_export(bytes: &[u8]) -> Result<Self> {
        let mut json = JsonObject::parse("an event", bytes)?;
        let mut draft = Self::take_from(&mut json)?;
        if json.take("missing_names").is_some_and(|names| names.to_string() != "[]") {
            let detail = "names fields that the database lost before the export; restore them, or leave the event out";
            return Err(Error::invalid("missing_names", detail));
        }
        json.take("received_at");
        json.take("position");
        if let Some(original) = json.object("original", "null or an object such as {\"user_id\":{\"text\":\"…\"}}")? {
            draft.take_originals(original)?;
        }
        json.finish(&[Self::FIELDS.as_slice(), &Self::ONLY_READ].concat())?;
        Ok(draft)
    }

    /// The fields that readers see and senders do not send.
    const ONLY_READ: [&str; 4] = ["received_at", "missing_names", "original", "position"];

    fn take_originals(&mut self, mut original: JsonObject) -> Result<()> {
        for field in ORIGINALS {
            if let Some(mut sent) = original.object(field, "an object such as {\"text\":\"…\"}")? {
                let text = sent.required("text", "the text as it was sent", JsonObject::text)?;
                self.mistyped.insert(field, text);
            }
        }
        original.finish(&ORIGINALS)
    }

    /// Takes the fields of an event out of an object. The object may have other fields, so the caller must finish it.
    pub fn take_from(json: &mut JsonObject) -> Result<Self> {
        // Serializers without null write an absent field as an empty text, whatever its type.
        for field in ["id", "occurred_at", "tenant_id", "env_id", "outcome"] {
            json.drop_empty(field);
        }
        let mut draft = Self {
            id: json.parsed("id", A_UUID, id::parse_uuid)?,
            occurred_at: json.parsed("occurred_at", A_TIME, time::parse_rfc3339)?,
            tenant_id: json.parsed("tenant_id", A_UUID, TenantId::parse)?,
            env_id: json.unsigned("env_id")?.map(EnvId),
            kind: json.required("type", "what happened, for example \"page_load\"", JsonObject::text)?,
            outcome: json.parsed("outcome", "success, failure or unknown", Outcome::parse)?,
            ..Self::default()
        };
        draft.user_id = draft.identifying("user_id", json.take("user_id"));
        draft.user_name = draft.free("user_name", json.take("user_name"));
        draft.source = draft.identifying("source", json.take("source"));
        draft.user_agent = draft.free("user_agent", json.take("user_agent"));
        draft.page = draft.identifying("page", json.take("page"));
        draft.session_id = draft.identifying("session_id", json.take("session_id"));
        draft.trace_id = draft.identifying("trace_id", json.take("trace_id"));
        draft.target = match json.take("target") {
            Some(JsonValue::Object(object)) => Some(draft.read_target(json.inner("target", &object)?)?),
            other => draft.mistype("target", other),
        };
        draft.metadata = match json.take("metadata") {
            Some(JsonValue::Object(object)) => Some(Metadata::of_object(&object)),
            other => draft.mistype("metadata", other),
        };
        Ok(draft)
    }

    fn read_target(&mut self, mut json: JsonObject) -> Result<Target> {
        let target = Target {
            kind: self.identifying("target.type", json.take("type")),
            id: self.identifying("target.id", json.take("id")),
            name: self.free("target.name", json.take("name")),
        };
        json.finish(&Target::FIELDS)?;
        Ok(target)
    }

    /// The text of a field that identifies something.
    fn identifying(&mut self, field: &'static str, sent: Option<JsonValue>) -> Option<String> {
        match sent {
            Some(JsonValue::Text(text)) => Some(text),
            other => self.mistype(field, other),
        }
    }

    /// The text of a field for display. What is no Unicode in it is replaced.
    fn free(&mut self, field: &'static str, sent: Option<JsonValue>) -> Option<String> {
        match sent {
            Some(JsonValue::Text(text)) => Some(text),
            Some(JsonValue::NoUnicode(written)) => {
                let what = "contains what is no Unicode; U+FFFD is stored in its place".to_owned();
                self.warnings.push(Warning { field, what });
                Some(repaired(&written))
            }
            other => self.mistype(field, other),
        }
    }

    /// Keeps the value of an optional field of another type. An empty text counts as absent.
    fn mistype<T>(&mut self, field: &'static str, sent: Option<JsonValue>) -> Option<T> {
        let text = match sent? {
            JsonValue::Text(text) if text.is_empty() => return None,
            JsonValue::Text(text) => text,
            other => other.to_string(),
        };
        self.mistyped.insert(field, text);
        None
    }
}

fn sent_id(bytes: &[u8]) -> Option<Uuid> {
    JsonObject::parse("an event", bytes).and_then(|mut json| json.parsed("id", A_UUID, id::parse_uuid)).ok().flatten()
}

impl Target {
    /// The fields of a target, in the order of the documentation.
    pub const FIELDS: [&str; 3] = ["type", "id", "name"];
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

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
            metadata: Some(Metadata::parse(r#"{"n":1.5,"deep":[{"a":null}]}"#).unwrap()),
            ..EventDraft::default()
        };
        assert_eq!(draft, expected);
    }

    #[test]
    fn an_exported_event_is_a_draft_again() {
        let line = br#"{"id":"69e732d6-8ecc-45c4-a2eb-8438f7ffe775","missing_names":[],"tenant_id":"11111111-2222-4333-8444-555555555555",
            "env_id":1,"occurred_at":"2026-01-31T12:00:00Z","received_at":"2026-01-31T12:00:01Z","user_id":null,"user_name":null,
            "type":"x","outcome":"unknown","source":null,"user_agent":null,"page":null,"session_id":null,"trace_id":null,
            "target":null,"metadata":null,"original":{"user_id":{"text":"AWS Internal","sha256":"00"}},"position":"f00"}"#;
        let draft = EventDraft::from_file(line).unwrap();
        assert_eq!((draft.kind.as_str(), draft.mistyped["user_id"].as_str()), ("x", "AWS Internal"));
        let refused = |line: &str| EventDraft::from_file(line.as_bytes()).unwrap_err().detail().unwrap().field.clone();
        assert_eq!(refused(r#"{"type":"x","missing_names":["type"]}"#).as_deref(), Some("missing_names"));
        assert_eq!(refused(r#"{"type":"x","received_at":"now","zone":1}"#).as_deref(), Some("zone"));
        assert_eq!(refused(r#"{"type":"x","original":{"id":{"text":"7"}}}"#).as_deref(), Some("original.id"));
        assert_eq!(refused(r#"{"type":"x","original":7}"#).as_deref(), Some("original"));
        assert!(EventDraft::from_json(br#"{"type":"x","received_at":null}"#).is_err(), "senders do not send it");
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
    fn an_empty_text_is_absent_in_every_field_but_the_type() {
        let sent = |skipped: &str| {
            let fields = EventDraft::FIELDS.iter().filter(|field| **field != skipped);
            fields.map(|field| format!("\"{field}\":\"\"")).collect::<Vec<_>>().join(",")
        };
        let json = format!("{{{},\"type\":\"x\"}}", sent("type"));
        let draft = EventDraft::from_json(json.as_bytes()).unwrap();
        assert_eq!((draft.id, draft.occurred_at, draft.tenant_id), (None, None, None));
        assert_eq!((draft.env_id, draft.outcome, draft.mistyped), (None, None, BTreeMap::new()));
        let json = format!("{{{},\"env_id\":\" \"}}", sent("env_id"));
        let error = EventDraft::from_json(json.as_bytes()).unwrap_err();
        assert_eq!(error.detail().unwrap().field.as_deref(), Some("env_id"), "a space is no empty text");
    }

    #[test]
    fn an_optional_field_of_another_type_is_kept_as_it_was_written() {
        let json = br#"{"type":"x","user_id":12345678901234567890123,"user_name":[1, "a b"],"source":true,"page":1e999,
            "user_agent":"a\ud83d","session_id":"\ud83d","trace_id":"","target":"","metadata":"plan"}"#;
        let draft = EventDraft::from_json(json).unwrap();
        let mistyped = [
            ("user_id", "12345678901234567890123"),
            ("user_name", "[1,\"a b\"]"),
            ("source", "true"),
            ("page", "1e999"),
            ("session_id", "\"\\ud83d\""),
            ("metadata", "plan"),
        ];
        let what = "contains what is no Unicode; U+FFFD is stored in its place".to_owned();
        let expected = EventDraft {
            kind: "x".to_owned(),
            user_agent: Some("a\u{fffd}".to_owned()),
            trace_id: Some(String::new()),
            mistyped: mistyped.map(|(field, text)| (field, text.to_owned())).into(),
            warnings: vec![Warning { field: "user_agent", what }],
            ..EventDraft::default()
        };
        assert_eq!(draft, expected);
    }

    #[test]
    fn errors_name_the_field_the_value_and_the_way_out() {
        for (json, expected) in [
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
            (r#"{"type":7}"#, "type: 7 is not a text; send what happened, for example \"page_load\""),
            (
                r#"{"type":"\ud83d"}"#,
                "type: '\u{fffd}' (no Unicode) is not a text; send what happened, for example \"page_load\"",
            ),
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
