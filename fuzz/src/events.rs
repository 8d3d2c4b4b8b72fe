//! The invariants of every accepted event, for all readers of events.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use trailkeeper_domain::event::{
    CheckedEvent, Event, EventDraft, EventKind, IngestContext, MAX_FUTURE, MAX_METADATA_BYTES, MAX_USER_AGENT, Target,
};
use trailkeeper_domain::id::{EventId, TenantId};
use trailkeeper_domain::page::{MAX_PAGE, PageRule};
use trailkeeper_domain::time::{self, Timestamp};
use trailkeeper_domain::{Error, Result};
use uuid::Uuid;

use crate::now;

fn context() -> IngestContext {
    IngestContext { now: now(), source: None, tenant_scope: None }
}

fn validated(draft: EventDraft) -> Result<CheckedEvent> {
    draft.into_event(&context(), EventId(Uuid::from_u128(1)))
}

/// Validates a draft, and checks the event: it keeps the limits, and it is the same event after it was written as JSON
/// and read again, without a warning. Only a strict field may reject the draft. Returns the error if one does.
pub fn validate(draft: EventDraft) -> Result<Event> {
    let event = validated(draft).inspect_err(only_strict_fields_refuse)?.event;
    keeps_limits(&event);
    let written = written(&event);
    let again = EventDraft::from_json(written.as_bytes()).and_then(validated);
    let again = again.unwrap_or_else(|error| panic!("{written} was let in and is refused now: {error}"));
    assert_eq!(again.warnings, [], "{written}");
    assert_eq!(again.event, Event { original: BTreeMap::new(), ..event.clone() }, "{written}");
    Ok(event)
}

fn only_strict_fields_refuse(error: &Error) {
    let field = error.detail().and_then(|detail| detail.field.as_deref()).unwrap_or_default();
    assert!(["type", "tenant_id", "occurred_at"].contains(&field), "{error}");
}

fn keeps_limits(event: &Event) {
    assert_ne!(event.tenant_id, TenantId::SYSTEM, "only the server writes its trail");
    assert!(event.occurred_at <= now() + MAX_FUTURE && event.occurred_at >= Timestamp::UNIX_EPOCH);
    assert_eq!(event.occurred_at.timestamp_subsec_nanos() % 1_000, 0, "neither database keeps nanoseconds");
    EventKind::parse("type", event.kind.as_str()).expect("a type");
    assert!(event.source.is_none_or(|address| address == address.to_canonical()));
    let target = event.target.clone().unwrap_or_default();
    for (text, max) in [
        (event.user_id.as_ref().map(|id| id.as_str()), 128),
        (event.user_name.as_deref(), 256),
        (event.user_agent.as_deref(), MAX_USER_AGENT),
        (event.session_id.as_deref(), 128),
        (event.trace_id.as_deref(), 128),
        (event.page.as_ref().map(|page| page.as_str()), MAX_PAGE),
        (target.kind.as_deref(), 64),
        (target.id.as_deref(), 256),
        (target.name.as_deref(), 256),
    ] {
        let Some(text) = text else { continue };
        assert!((1..=max).contains(&text.chars().count()), "{text:?}");
        assert!(!text.contains(char::is_control), "{text:?}");
    }
    if let Some(page) = &event.page {
        let rule = PageRule::default();
        let key = page.key(&rule);
        assert!((1..=MAX_PAGE).contains(&key.chars().count()) && !key.contains(['?', '#']), "{page:?}");
        assert!(!key.contains(char::is_control), "{page:?}");
        assert_eq!(rule.key(&key), key, "{page:?}");
    }
    if let Some(metadata) = &event.metadata {
        let text = metadata.as_str();
        assert!(text.len() <= MAX_METADATA_BYTES);
        if let Ok(value) = serde_json::from_str::<Value>(text) {
            assert!(!value.to_string().contains("\\u0000"), "PostgreSQL stores no NUL");
        }
    }
    for (field, original) in &event.original {
        assert!(original.text.chars().count() <= 1024 && !original.text.contains('\0'), "{field}: {original:?}");
        assert!(original.sha256.as_ref().is_none_or(|hash| hash.len() == 64), "{field}: {original:?}");
    }
}

/// The event as JSON, in the form in which a sender would write it.
fn written(event: &Event) -> String {
    let mut json = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            json.insert(name.to_owned(), value);
        }
    };
    let text = |value: &Option<String>| value.clone().map(Value::String);
    put("id", Some(json!(event.id.to_string())));
    put("occurred_at", Some(json!(time::rfc3339(event.occurred_at))));
    put("tenant_id", Some(json!(event.tenant_id.to_string())));
    put("env_id", Some(json!(event.env_id.0)));
    put("user_id", event.user_id.as_ref().map(|id| json!(id.as_str())));
    put("user_name", text(&event.user_name));
    put("type", Some(json!(event.kind.as_str())));
    put("outcome", Some(json!(event.outcome.as_str())));
    put("source", event.source.map(|address| json!(address.to_string())));
    put("user_agent", text(&event.user_agent));
    put("page", event.page.as_ref().map(|page| json!(page.as_str())));
    put("session_id", text(&event.session_id));
    put("trace_id", text(&event.trace_id));
    put("target", event.target.as_ref().map(|Target { kind, id, name }| json!({"type": kind, "id": id, "name": name})));
    let mut written = Value::Object(json).to_string();
    if let Some(metadata) = &event.metadata {
        // Not as a value, which would round its numbers.
        let end = written.pop();
        written.push_str(&format!(",\"metadata\":{}", metadata.as_str()));
        written.extend(end);
    }
    written
}
