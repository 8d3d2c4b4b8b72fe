//! `CloudEvents` 1.0 as events: the structured mode, one event of a batch, and the binary mode of the HTTP binding.
//!
//! `docs/cloud-events.md` has the table. The attributes and the data become one object with our field names, so that the
//! rules for odd values are those of any other event.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use trailkeeper_domain::event::{EventDraft, Unreadable};
use trailkeeper_domain::json::{JsonObject, JsonValue, Walk, utf8_or_escapes, without_mark};
use trailkeeper_domain::{Error, Result, text, time};

use crate::derived_id::derived_id;
use crate::details::Details;

/// Name of the derived ids. It never changes: the ids of stored events were made from it.
const SPACE: &str = "cloudevents";

/// Our fields that the data may have. `id`, `occurred_at` and `type` are attributes of the event.
const FIELDS: [&str; 12] = [
    "tenant_id",
    "env_id",
    "user_id",
    "user_name",
    "outcome",
    "source",
    "user_agent",
    "page",
    "session_id",
    "trace_id",
    "target",
    "metadata",
];

/// Fields of our own events that the attributes have already, or that the server sets.
const REPEATED: [&str; 5] = ["id", "occurred_at", "type", "received_at", "original"];

/// The attributes that are not kept in the metadata under `cloudevent`, because fields have them.
const MAPPED: [&str; 4] = ["specversion", "type", "time", "traceparent"];

/// The parts of an event, before the mapping.
struct Parts {
    attributes: BTreeMap<String, JsonValue>,
    data: Option<JsonValue>,
    base64: Option<String>,
}

/// Reads an event in the structured mode: one JSON object with its attributes and `data` or `data_base64`.
///
/// ```
/// use trailkeeper_parsers::cloud_events;
///
/// let event = br#"{"specversion":"1.0","id":"7","source":"/shop","type":"login_success","data":{"user_id":"jane"}}"#;
/// assert_eq!(cloud_events::structured(event).unwrap().user_id.as_deref(), Some("jane"));
/// ```
pub fn structured(bytes: &[u8]) -> Result<EventDraft, Unreadable> {
    // It rejects what is no object, and keys that occur twice.
    JsonObject::parse("a CloudEvent", bytes)?;
    let written = utf8_or_escapes(without_mark(bytes.trim_ascii_start()));
    let mut parts = Parts { attributes: BTreeMap::new(), data: None, base64: None };
    for (name, value) in members(&written) {
        match (name.as_str(), JsonValue::of(value)) {
            (_, JsonValue::Null) => {}
            ("data", value) => parts.data = Some(value),
            ("data_base64", JsonValue::Text(text)) => parts.base64 = Some(text),
            ("data_base64", other) => {
                return Err(Error::invalid("data_base64", format!("{} is not a text", other.shown())).into());
            }
            (_, value) => {
                parts.attributes.insert(name, value);
            }
        }
    }
    Ok(draft(parts)?)
}

/// Reads an event in the binary mode: `headers` are the names and values of the headers that begin with `ce-`, without
/// that beginning, and the body is the data.
pub fn binary<'a>(
    headers: impl Iterator<Item = (&'a str, &'a [u8])>,
    content_type: Option<&str>,
    body: &[u8],
) -> Result<EventDraft, Unreadable> {
    let mut attributes = BTreeMap::new();
    for (name, value) in headers {
        let value = std::str::from_utf8(value).ok().and_then(|value| percent_decode_str(value).decode_utf8().ok());
        let value = value.ok_or_else(|| Error::invalid(format!("ce-{name}"), "is not UTF-8, percent-encoded"))?;
        if attributes.insert(name.to_owned(), JsonValue::Text(value.into_owned())).is_some() {
            return Err(Error::invalid(format!("ce-{name}"), "is sent twice; send it once").into());
        }
    }
    let mut parts = Parts { attributes, data: None, base64: None };
    if let Some(media_type) = content_type {
        parts.attributes.insert("datacontenttype".to_owned(), JsonValue::Text(media_type.to_owned()));
    }
    if body.is_empty() {
        return Ok(draft(parts)?);
    }
    if content_type.is_none_or(is_json) {
        let text = utf8_or_escapes(without_mark(body.trim_ascii()));
        let json: &serde_json::value::RawValue = serde_json::from_str(&text)
            .map_err(|error| Error::malformed("malformed_json", format!("the data is not valid JSON: {error}")))?;
        parts.data = Some(JsonValue::of(json.get()));
    } else if let Ok(text) = std::str::from_utf8(body) {
        parts.data = Some(JsonValue::Text(text.to_owned()));
    } else {
        parts.base64 = Some(STANDARD.encode(body));
    }
    Ok(draft(parts)?)
}

/// Whether the data of this media type is JSON.
fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence.ends_with("/json") || essence.ends_with("+json")
}

/// Names and values of a text that is a JSON object.
fn members(object: &str) -> impl Iterator<Item = (String, &str)> {
    Walk::new(object).parts().filter_map(|(key, value)| match JsonValue::of(key?) {
        JsonValue::Text(name) => Some((name, value)),
        // No field has such a name. The walk lists it, so that no member is lost without a trace.
        other => Some((other.to_string(), value)),
    })
}

fn draft(mut parts: Parts) -> Result<EventDraft> {
    let version = attribute(&parts.attributes, "specversion", "1.0")?;
    if version != "1.0" {
        return Err(Error::invalid("specversion", format!("'{}' is not known; send 1.0", text::shown(&version))));
    }
    let id = attribute(&parts.attributes, "id", "an id that is unique within its source")?;
    let source = attribute(&parts.attributes, "source", "the URI of what happened where")?;
    let kind = attribute(&parts.attributes, "type", "what happened, for example login_success")?;
    let at = match parts.attributes.get("time") {
        Some(JsonValue::Text(at)) => Some(time::rfc3339(time::parse_rfc3339("time", at)?)),
        Some(other) => return Err(Error::invalid("time", format!("{} is not a text; send RFC 3339", other.shown()))),
        None => None,
    };
    let mut fields: BTreeMap<&str, String> = BTreeMap::new();
    let mut details = Details::default();
    let own_id = match (parts.data.take(), parts.base64.take()) {
        (Some(_), Some(_)) => return Err(Error::invalid("data", "is sent beside data_base64; send one of them")),
        (Some(JsonValue::Object(data)), None) => {
            // It rejects keys that occur twice.
            JsonObject::parse("data", data.as_bytes())?;
            read_data(&data, &id, &mut fields, &mut details)
        }
        (Some(data), None) => {
            details.put("data", &data);
            false
        }
        (None, Some(base64)) => {
            if STANDARD.decode(&base64).is_err() {
                return Err(Error::invalid("data_base64", "is not base64 as RFC 4648 defines it, with padding"));
            }
            details.put_text("data_base64", &base64);
            false
        }
        (None, None) => false,
    };
    // An event that Trailkeeper sent keeps its id; any other id is unique only within its source.
    let uuid = if own_id { id.clone() } else { derived_id(SPACE, &[source.as_bytes(), id.as_bytes()]).to_string() };
    fields.insert("id", Value::from(uuid).to_string());
    fields.insert("type", Value::from(kind).to_string());
    if let Some(at) = at {
        fields.insert("occurred_at", Value::from(at).to_string());
    }
    if let Some(JsonValue::Text(parent)) = parts.attributes.get("traceparent")
        && let Some(trace) = parent.split('-').nth(1).filter(|trace| trace.len() == 32)
    {
        fields.entry("trace_id").or_insert_with(|| Value::from(trace).to_string());
    }
    if let Some(subject) = parts.attributes.get("subject") {
        fields.entry("user_id").or_insert_with(|| subject.to_string());
    }
    let mut kept = Details::default();
    for (name, value) in parts.attributes.iter().filter(|(name, _)| !MAPPED.contains(&name.as_str())) {
        kept.put(name, value);
    }
    details.put("cloudevent", &JsonValue::Object(kept.json()));
    finish(&fields, details)
}

/// Takes the fields of data that is an object; the rest goes into the metadata. Returns whether the data repeats the id
/// of the event as a UUID, as events that Trailkeeper sends do.
fn read_data(data: &str, id: &str, fields: &mut BTreeMap<&str, String>, details: &mut Details) -> bool {
    let all: Vec<(String, &str)> = members(data).collect();
    let has_own_id = all.iter().any(|(name, value)| {
        name == "id" && JsonValue::of(value) == JsonValue::Text(id.to_owned()) && uuid::Uuid::try_parse(id).is_ok()
    });
    for (name, value) in all {
        if let Some(field) = FIELDS.iter().find(|field| **field == name) {
            match JsonValue::of(value) {
                JsonValue::Null => {}
                JsonValue::Object(inner) if *field == "metadata" => {
                    members(&inner).for_each(|(name, value)| details.put(&name, &JsonValue::of(value)));
                }
                _ => {
                    fields.insert(field, value.to_owned());
                }
            }
        } else if !(has_own_id && REPEATED.contains(&name.as_str())) {
            details.put(&name, &JsonValue::of(value));
        }
    }
    has_own_id
}

/// Reads the event with our field names.
fn finish(fields: &BTreeMap<&str, String>, details: Details) -> Result<EventDraft> {
    let members: Vec<String> = fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    let mut draft = EventDraft::from_json(format!("{{{}}}", members.join(",")).as_bytes())?;
    // Metadata that is no object is kept like any other wrong value, and the attributes are then lost.
    if !draft.mistyped.contains_key("metadata") {
        details.finish(&mut draft)?;
    }
    Ok(draft)
}

/// A required attribute: a text that is not empty.
fn attribute(attributes: &BTreeMap<String, JsonValue>, name: &str, way_out: &str) -> Result<String> {
    match attributes.get(name) {
        Some(JsonValue::Text(text)) if !text.is_empty() => Ok(text.clone()),
        Some(JsonValue::Text(_)) | None => Err(Error::invalid(name, format!("is missing; send {way_out}"))),
        Some(other) => Err(Error::invalid(name, format!("{} is not a text; send {way_out}", other.shown()))),
    }
}
