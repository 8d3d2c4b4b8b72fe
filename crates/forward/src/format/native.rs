//! The format `native`: events as `GET /v1/events/feed` shows them, in the envelope that Standard Webhooks recommends.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Serialize;
use serde_json::json;
use trailkeeper_domain::cursor::{FeedPosition, PlainCursor};
use trailkeeper_domain::event::{Event, Metadata, NamedField, StoredEvent};
use trailkeeper_domain::id::{StreamId, UserId};
use trailkeeper_domain::page::Page;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};
use uuid::Uuid;

use crate::message::Message;

/// An event. The fields and their values are those of the feed of the API.
#[derive(Serialize)]
pub(super) struct NativeEvent<'a> {
    id: Uuid,
    missing_names: Vec<&'static str>,
    tenant_id: Uuid,
    env_id: u32,
    occurred_at: Timestamp,
    received_at: Timestamp,
    user_id: Option<&'a str>,
    user_name: Option<&'a str>,
    r#type: &'a str,
    outcome: &'static str,
    source: Option<IpAddr>,
    user_agent: Option<&'a str>,
    page: Option<&'a str>,
    session_id: Option<&'a str>,
    trace_id: Option<&'a str>,
    target: Option<NativeTarget<'a>>,
    metadata: Option<&'a Metadata>,
    original: Option<BTreeMap<&'a str, NativeOriginal<'a>>>,
    position: &'a str,
}

#[derive(Serialize)]
struct NativeTarget<'a> {
    r#type: Option<&'a str>,
    id: Option<&'a str>,
    name: Option<&'a str>,
}

#[derive(Serialize)]
struct NativeOriginal<'a> {
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<&'a str>,
}

impl<'a> NativeEvent<'a> {
    pub(super) fn of(stored: &'a StoredEvent, position: &'a PlainCursor) -> Self {
        let StoredEvent { event, missing_names, .. } = stored;
        let Event { target, original, .. } = event;
        let original = original.iter().map(|(field, original)| {
            let sha256 = original.sha256.as_deref();
            (field.as_str(), NativeOriginal { text: &original.text, sha256 })
        });
        let original: BTreeMap<&str, NativeOriginal<'_>> = original.collect();
        Self {
            id: event.id.0,
            missing_names: missing_names.iter().map(|name| NamedField::as_str(*name)).collect(),
            tenant_id: event.tenant_id.0,
            env_id: event.env_id.0,
            occurred_at: event.occurred_at,
            received_at: event.received_at,
            user_id: event.user_id.as_ref().map(UserId::as_str),
            user_name: event.user_name.as_deref(),
            r#type: event.kind.as_str(),
            outcome: event.outcome.as_str(),
            source: event.source,
            user_agent: event.user_agent.as_deref(),
            page: event.page.as_ref().map(Page::as_str),
            session_id: event.session_id.as_deref(),
            trace_id: event.trace_id.as_deref(),
            target: target.as_ref().map(|target| NativeTarget {
                r#type: target.kind.as_deref(),
                id: target.id.as_deref(),
                name: target.name.as_deref(),
            }),
            metadata: event.metadata.as_ref(),
            original: Some(original).filter(|original| !original.is_empty()),
            position,
        }
    }
}

/// The beginning of a body.
pub(super) fn begin(body: &mut Vec<u8>, stream: StreamId) {
    // The id of a stream needs no escape.
    body.extend(format!(r#"{{"type":"trailkeeper.events","data":{{"stream_id":"{stream}","events":["#).into_bytes());
}

/// One event.
pub(super) fn write(body: &mut Vec<u8>, stored: &StoredEvent, position: &FeedPosition) -> Result<()> {
    let cursor = PlainCursor::of_feed(position);
    serde_json::to_writer(body, &NativeEvent::of(stored, &cursor)).map_err(Error::internal)
}

/// The end of a body. The time of the message is that of its last event: a retry must not differ.
pub(super) fn end(body: &mut Vec<u8>, gap: bool, last_received: Option<Timestamp>) -> Result<()> {
    let time = serde_json::to_string(&last_received).map_err(Error::internal)?;
    body.extend(format!(r#"],"gap":{gap}}},"timestamp":{time}}}"#).into_bytes());
    Ok(())
}

/// A test message.
pub(super) fn test(stream: StreamId, id: Uuid, now: Timestamp) -> Result<Message> {
    let body = json!({"type": "trailkeeper.test", "data": {"stream_id": stream.0, "test_id": id}, "timestamp": now});
    Ok(Message::new(stream, "application/json", serde_json::to_vec(&body).map_err(Error::internal)?))
}
