//! The event that a log record stands for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message as _;
use serde_json::{Map, Value, json};
use trailkeeper_domain::event::{EventDraft, Outcome};
use trailkeeper_domain::hex;
use trailkeeper_domain::id::{EnvId, TenantId, parse_uuid};
use trailkeeper_domain::json::JsonValue;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};

use crate::derived_id::derived_id;
use crate::details::Details;

/// Name of the derived ids. It never changes: the ids of stored events were made from it.
const SPACE: &str = "otlp";

/// Attributes of the resource that are kept. Others describe a process and repeat in each of its records.
const OF_RESOURCE: [&str; 6] = [
    "service.name",
    "service.namespace",
    "service.version",
    "service.instance.id",
    "deployment.environment.name",
    "host.name",
];

/// The event of a record. Resource and scope come with their bytes.
pub fn draft(
    mut record: LogRecord,
    (resource, resource_bytes): (&Resource, &[u8]),
    (scope, scope_bytes): (&InstrumentationScope, &[u8]),
) -> Result<EventDraft> {
    // Before anything is taken out of the record.
    let digest = derived_id(SPACE, &[resource_bytes, scope_bytes, &record.encode_to_vec()]);
    let attributes = &mut record.attributes;
    let mut draft = EventDraft {
        occurred_at: time(record.time_unix_nano, record.observed_time_unix_nano)?,
        ..EventDraft::default()
    };
    draft.id = Some(match strict(attributes, "log.record.uid")? {
        // A ULID, or any other text, is no UUID.
        Some(uid) => {
            parse_uuid("log.record.uid", &uid).unwrap_or_else(|_| derived_id("log.record.uid", &[uid.as_bytes()]))
        }
        None => digest,
    });
    draft.kind = match (record.event_name.is_empty(), strict(attributes, "event.name")?) {
        (false, _) => record.event_name,
        (true, Some(name)) => name,
        (true, None) => {
            return Err(Error::invalid(
                "event_name",
                "is missing, and so is the attribute event.name; only log records that are events are stored",
            ));
        }
    };
    if let Some(tenant) = strict(attributes, "trailkeeper.tenant_id")? {
        draft.tenant_id = Some(TenantId::parse("trailkeeper.tenant_id", &tenant)?);
    }
    if let Some(env) = strict(attributes, "trailkeeper.env_id")? {
        let env = env
            .parse()
            .map_err(|_| Error::invalid("trailkeeper.env_id", "is not a whole number from 0 to 4294967295"))?;
        draft.env_id = Some(EnvId(env));
    }
    if let Some(outcome) = strict(attributes, "trailkeeper.outcome")? {
        draft.outcome = Some(Outcome::parse("trailkeeper.outcome", &outcome)?);
    }
    // Never `enduser.pseudo.id`: it is not the user's id, and must not become one.
    draft.user_id = first(attributes, &["user.id", "enduser.id"], "user_id", &mut draft.mistyped);
    draft.user_name = first(attributes, &["user.name"], "user_name", &mut draft.mistyped);
    draft.source = first(attributes, &["client.address"], "source", &mut draft.mistyped);
    draft.user_agent = first(attributes, &["user_agent.original"], "user_agent", &mut draft.mistyped);
    draft.page = first(attributes, &["url.path", "url.full"], "page", &mut draft.mistyped);
    draft.session_id = first(attributes, &["session.id"], "session_id", &mut draft.mistyped);
    draft.trace_id = Some(hex::encode(&record.trace_id)).filter(|id| !id.is_empty());
    let mut details = Details::default();
    put(&mut details, "body", record.body);
    let severity = Some(record.severity_text).filter(|text| !text.is_empty());
    details.put_text("severity", &severity.unwrap_or_else(|| number(record.severity_number)));
    details.put_text("span_id", &hex::encode(&record.span_id));
    details.put_text("scope", &scope.name);
    let of_resource = resource.attributes.iter().filter(|entry| OF_RESOURCE.contains(&entry.key.as_str()));
    put_object(&mut details, "resource", of_resource.cloned().collect());
    put_object(&mut details, "attributes", record.attributes);
    details.finish(&mut draft)?;
    Ok(draft)
}

/// The time of the event, or else the time at which it was observed; `None` if the record has neither.
fn time(at: u64, observed: u64) -> Result<Option<Timestamp>> {
    let Some(nanos) = [at, observed].into_iter().find(|nanos| *nanos > 0) else { return Ok(None) };
    let nanos = i64::try_from(nanos)
        .map_err(|_| Error::invalid("time_unix_nano", format!("{nanos} is later than the year 2262")))?;
    Ok(Some(DateTime::from_timestamp_nanos(nanos)))
}

fn number(severity: i32) -> String {
    if severity > 0 { severity.to_string() } else { String::new() }
}

/// Takes the first attribute with this name out of the list.
fn take(attributes: &mut Vec<KeyValue>, name: &str) -> Option<Any> {
    let at = attributes.iter().position(|attribute| attribute.key == name)?;
    attributes.remove(at).value?.value
}

/// Takes an attribute whose wrong value refuses the record. Numbers are texts with their digits.
fn strict(attributes: &mut Vec<KeyValue>, name: &str) -> Result<Option<String>> {
    match take(attributes, name) {
        None => Ok(None),
        Some(Any::StringValue(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
        Some(Any::IntValue(number)) => Ok(Some(number.to_string())),
        Some(_) => Err(Error::invalid(name, "is neither a text nor a whole number")),
    }
}

/// Takes the first of these attributes that is there. A value of another type is kept beside the event's field.
fn first(
    attributes: &mut Vec<KeyValue>,
    names: &[&str],
    field: &'static str,
    mistyped: &mut std::collections::BTreeMap<&'static str, String>,
) -> Option<String> {
    let name = names.iter().find(|name| attributes.iter().any(|attribute| attribute.key == **name))?;
    match take(attributes, name)? {
        Any::StringValue(text) => Some(text).filter(|text| !text.is_empty()),
        Any::IntValue(number) => Some(number.to_string()),
        other => {
            mistyped.insert(field, value_of(other).to_string());
            None
        }
    }
}

fn put(details: &mut Details, name: &str, value: Option<AnyValue>) {
    if let Some(value) = value.and_then(|value| value.value) {
        details.put(name, &JsonValue::of(&value_of(value).to_string()));
    }
}

fn put_object(details: &mut Details, name: &str, entries: Vec<KeyValue>) {
    if !entries.is_empty() {
        details.put(name, &JsonValue::Object(object_of(entries).to_string()));
    }
}

/// Of two entries with one name, the first stays.
fn object_of(entries: Vec<KeyValue>) -> Value {
    let mut object = Map::new();
    for entry in entries {
        object
            .entry(entry.key)
            .or_insert_with(|| entry.value.and_then(|value| value.value).map_or(Value::Null, value_of));
    }
    object.into()
}

/// A value as JSON: bytes as base64, and numbers that JSON does not have as texts.
fn value_of(value: Any) -> Value {
    match value {
        Any::StringValue(text) => text.replace('\0', "\u{fffd}").into(),
        Any::BoolValue(value) => value.into(),
        Any::IntValue(number) => number.into(),
        Any::DoubleValue(number) if number.is_finite() => json!(number),
        Any::DoubleValue(number) => number.to_string().into(),
        Any::ArrayValue(list) => {
            list.values.into_iter().map(|value| value.value.map_or(Value::Null, value_of)).collect::<Vec<_>>().into()
        }
        Any::KvlistValue(list) => object_of(list.values),
        Any::BytesValue(bytes) => STANDARD.encode(bytes).into(),
        // An index into a table that requests for logs do not have.
        Any::StringValueStrindex(_) => Value::Null,
    }
}
